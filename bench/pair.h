/* SPDX-License-Identifier: MIT */
/* One block, allocated and freed at once, again and again: the hit, and nothing else. The block is not touched. */
#ifndef BENCH_PAIR_H
#define BENCH_PAIR_H

#include "harness.h"
#include "api.h"

enum { PAIRS = 20000 };

static void pair_chunk(void *arg)
{
	size_t size = *(size_t *)arg;

	for (unsigned int i = 0; i < PAIRS; i++) {
		void *p = api_alloc(size);

		keep(p);
		api_free(p);
	}
}

static void pairs(size_t most)
{
	for (size_t size = 8; size <= most; size *= 2) {
		char name[32];

		snprintf(name, sizeof(name), "%zu", size);
		api_open(size);
		api_free(need(api_alloc(size)));
		measure(name, PAIRS, pair_chunk, &size);
		api_close();
	}
}

#endif
