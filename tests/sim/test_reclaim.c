/* SPDX-License-Identifier: MIT */
/*
 * Reclaim: all schedules of the scenarios of lib/reclaim.c, of two and three tasks beside kswapd, and
 * with a handler that wakes it.
 */
#include <stdlib.h>
#include "lib/reclaim.h"
#include "found.h"

/* CPU seconds of one search. */
static __attribute__((constructor)) void deadline(void)
{
	setenv("TAP_DEADLINE", "300", 0);
}

static void search(const struct named_scenario *s, unsigned int cpus, unsigned int bound,
		   bool handlers, enum sim_mode mode)
{
	struct sim_search_result r;

	if (!bound)
		return;
	reclaim_search(s, cpus, bound, handlers, mode, &r);
	found(s, cpus, bound, &r);
}

TEST(every_schedule_of_two_cpus)
{
	for (unsigned int i = 0; i < nr_reclaim_scenarios; i++)
		search(&reclaim_scenarios[i], 2, reclaim_scenarios[i].cpus2, false, SIM_SIGNAL);
}

TEST(every_schedule_of_three_cpus)
{
	for (unsigned int i = 0; i < nr_reclaim_scenarios; i++)
		search(&reclaim_scenarios[i], 3, reclaim_scenarios[i].cpus3, false, SIM_SIGNAL);
}

TEST(every_schedule_with_a_signal)
{
	for (unsigned int i = 0; i < nr_reclaim_scenarios; i++)
		search(&reclaim_scenarios[i], 2, reclaim_scenarios[i].handler, true, SIM_SIGNAL);
}

TEST(every_schedule_with_an_interrupt)
{
	for (unsigned int i = 0; i < nr_reclaim_scenarios; i++)
		search(&reclaim_scenarios[i], 2, reclaim_scenarios[i].handler, true, SIM_MASKED);
}
