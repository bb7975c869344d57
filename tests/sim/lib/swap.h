/* SPDX-License-Identifier: MIT */
/*
 * Swap in the simulator: tasks write, read, free and push out the same pages, switch the area off and
 * on, while the store fails now and then and handlers allocate. Every word is compared with what was
 * written last.
 */
#pragma once
#include "stored.h"

struct swap_sum {
	uint64_t steps, in, out, failures, maps, offs;
};
/* One seed; false, and sim_finding() says why. */
bool swap_seed(uint64_t seed, struct swap_sum *sum);

/* cpus2, cpus3: preemptions; handler: not used. */
extern const struct named_scenario swap_scenarios[];
extern const unsigned int nr_swap_scenarios;
