/* SPDX-License-Identifier: MIT */
/*
 * All schedules of 3 CPUs at the page floor, at up to so many preemptions. The scenarios and their
 * bounds are in lib/scenarios.c; a search runs to its end, or fails.
 */
#include "lib/scenarios.h"
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

static void every_schedule(const char *name)
{
	const struct named_scenario *s = scenario(name);
	struct sim_search_result r;

	scenario_search(s, 3, s->cpus3, false, SIM_SIGNAL, &r);
	report_search(name, s->cpus3, &r);
}

TEST(pages_drain_and_free)
{
	every_schedule("pages: drain and free");
}

TEST(pages_drain_and_alloc)
{
	every_schedule("pages: drain and alloc");
}

TEST(pages_free)
{
	every_schedule("pages: free");
}

TEST(pages_merge)
{
	every_schedule("pages: merge");
}

TEST(pages_merge_and_split)
{
	every_schedule("pages: merge and split");
}
