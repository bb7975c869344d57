/* SPDX-License-Identifier: MIT */
/*
 * Windows and areas in the simulator: small scenarios for the search over all schedules, and a random
 * load of both. A lost wake-up of kmap is a deadlock, which the simulator finds by itself.
 */
#pragma once
#include "scenarios.h"

extern const struct named_scenario window_scenarios[];
extern const unsigned int nr_window_scenarios;
void window_search(const struct named_scenario *s, unsigned int cpus, unsigned int preemptions,
		   bool handlers, enum sim_mode mode, struct sim_search_result *r);

struct window_sum {
	uint64_t steps, injections, maps, areas, refused;
};
/* One seed; false, and sim_finding() says why. */
bool window_seed(uint64_t seed, struct window_sum *sum);
