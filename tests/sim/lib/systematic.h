/* SPDX-License-Identifier: MIT */
/* What the programs that search all schedules share. Included once a program, after SEARCH_CPUS. */
#pragma once
#include <stdlib.h>
#include <string.h>
#include "scenarios.h"
#include "tap.h"

/* CPU seconds of one search. */
static __attribute__((constructor)) void deadline(void)
{
	setenv("TAP_DEADLINE", "300", 0);
}

static const struct named_scenario *scenario(const char *name)
{
	for (unsigned int i = 0; i < nr_scenarios; i++) {
		if (strcmp(scenarios[i].sc.name, name) == 0)
			return &scenarios[i];
	}
	abort();
}

static void report_search(const char *name, unsigned int preemptions,
			  const struct sim_search_result *r)
{
	diag("%s, %u preemptions: %llu schedules of up to %u choices", name, preemptions,
	     (unsigned long long)r->schedules, r->points);
	ok(!*r->finding, "%s: %s; schedule %s", name, r->finding, r->schedule);
	ok(r->complete, "%s", name);
}

/* Every schedule of the scenario on so many CPUs, within the bound it names for them. */
static void every_schedule(const char *name)
{
	const struct named_scenario *s = scenario(name);
	unsigned int preemptions = SEARCH_CPUS == 2 ? s->cpus2 : s->cpus3;
	struct sim_search_result r;

	scenario_search(s, SEARCH_CPUS, preemptions, false, SIM_SIGNAL, &r);
	report_search(name, preemptions, &r);
}
