/* SPDX-License-Identifier: MIT */
/* What a kernel build computes for its headers. */
#define NR_PAGEFLAGS  25
#define MAX_NR_ZONES  5
#define NR_CPUS_BITS  6
#define SPINLOCK_SIZE 8
