/* SPDX-License-Identifier: MIT */
/* What a test says of a search over all schedules: that it was complete, and found nothing. */
#pragma once
#include "lib/stored.h"
#include "tap.h"

static TAP_UNUSED void found(const struct named_scenario *s, unsigned int cpus, unsigned int bound,
			     const struct sim_search_result *r)
{
	diag("%s, %u CPUs, %u preemptions: %llu schedules of up to %u choices", s->sc.name, cpus,
	     bound, (unsigned long long)r->schedules, r->points);
	ok(!*r->finding, "%s: %s; schedule %s", s->sc.name, r->finding, r->schedule);
	ok(r->complete, "%s", s->sc.name);
}

/* Those over a store, of two CPUs or of three. */
static TAP_UNUSED void every_schedule(const struct named_scenario *s, unsigned int nr,
				      unsigned int cpus)
{
	struct sim_search_result r;

	for (; nr; nr--, s++) {
		unsigned int bound = cpus == 2 ? s->cpus2 : s->cpus3;

		stored_search(s, cpus, bound, &r);
		found(s, cpus, bound, &r);
	}
}
