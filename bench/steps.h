/* SPDX-License-Identifier: MIT */
/* The file that bench-ops writes and the workload replay reads: an array of these. */
#ifndef BENCH_STEPS_H
#define BENCH_STEPS_H

#include <stdint.h>

enum { STEP_SLOTS_MAX = 1 << 24 };

/* Allocate size bytes into the slot, or (size 0) free what is in it. */
struct step {
	uint32_t slot, size;
};

#endif
