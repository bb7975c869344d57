/* SPDX-License-Identifier: MIT */
/*
 * Small scenarios for the search over all schedules: two or three CPUs, one or two calls each, at the
 * edges where sheaves, barn, slabs, zones and lists of caches meet. After each schedule everything is
 * given back, the invariants hold and nothing leaks.
 */
#pragma once
#include "sim.h"

struct named_scenario {
	struct sim_scenario sc;
	/* Preemptions with 2 CPUs, with 3, and with 2 and one injected handler; 0: not run. */
	unsigned int cpus2, cpus3, handler;
};
extern const struct named_scenario scenarios[];
extern const unsigned int nr_scenarios;
/* The handler: an allocation and a free, with GFP_ATOMIC. */
void scenario_handler(void *arg);
void scenario_search(const struct named_scenario *s, unsigned int cpus, unsigned int preemptions,
		     bool handlers, enum sim_mode mode, struct sim_search_result *r);
