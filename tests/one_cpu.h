/* SPDX-License-Identifier: MIT */
#ifndef KMEM_TESTS_ONE_CPU_H
#define KMEM_TESTS_ONE_CPU_H

#include <sched.h>

/* The calling thread stays on the CPU that it is on: for tests that look at one CPU's lists. */
static inline void stay_on_this_cpu(void)
{
	cpu_set_t set;
	int cpu = sched_getcpu();

	CPU_ZERO(&set);
	CPU_SET(cpu < 0 ? 0u : (size_t)cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

#endif
