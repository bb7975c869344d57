/* SPDX-License-Identifier: MIT */
/*
 * A cache of file pages in the simulator: tasks read, hold, drop and take back the same pages, while
 * the store fails now and then, commits are refused and handlers look for pages. Every word is
 * compared with the store's.
 */
#pragma once
#include "stored.h"

struct filecache_sum {
	uint64_t steps, hits, misses, reclaimed, dropped, failures, again, refusals;
};
/* One seed; false, and sim_finding() says why. */
bool filecache_seed(uint64_t seed, struct filecache_sum *sum);

/* cpus2, cpus3: preemptions; handler: not used. */
extern const struct named_scenario filecache_scenarios[];
extern const unsigned int nr_filecache_scenarios;
