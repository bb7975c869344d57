/* SPDX-License-Identifier: MIT */
/*
 * Pools in the simulator: small scenarios for the search over all schedules, and a random load of
 * mempools. A lost wake-up shows as time: nobody waits for longer than a second of it for an element
 * that was freed, while the mempool itself would let him sleep for five.
 */
#pragma once
#include "scenarios.h"

/* cpus2, cpus3: preemptions; handler: with 2 CPUs and one injected handler; 0: not run. */
extern const struct named_scenario pool_scenarios[];
extern const unsigned int nr_pool_scenarios;
void pool_search(const struct named_scenario *s, unsigned int cpus, unsigned int preemptions,
		 bool handlers, enum sim_mode mode, struct sim_search_result *r);

struct mempool_sum {
	uint64_t steps, injections, elements, refused, aside;
};
/* One seed; false, and sim_finding() says why. */
bool mempool_seed(uint64_t seed, struct mempool_sum *sum);
