/* SPDX-License-Identifier: MIT */
/*
 * Reclaim in the simulator: small scenarios for the search over all schedules. A lost wake-up of kswapd
 * shows as a zone that stays low although time goes by, one of a throttled task as a deadlock, a
 * callback that is entered after its owner took it away as a read of what is there no more.
 */
#pragma once
#include "scenarios.h"

/* cpus2, cpus3: preemptions; handler: with 2 CPUs and one injected handler; 0: not run. */
extern const struct named_scenario reclaim_scenarios[];
extern const unsigned int nr_reclaim_scenarios;
void reclaim_search(const struct named_scenario *s, unsigned int cpus, unsigned int preemptions,
		    bool handlers, enum sim_mode mode, struct sim_search_result *r);
