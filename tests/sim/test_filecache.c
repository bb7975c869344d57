/* SPDX-License-Identifier: MIT */
/* A cache of file pages: all schedules of small scenarios, and a random load under seeded schedules. */
#include "lib/filecache.h"
#include "tap.h"

enum { SEEDS = 500 };

static void every_schedule(unsigned int cpus)
{
	struct sim_search_result r;

	for (unsigned int i = 0; i < nr_filecache_scenarios; i++) {
		const struct named_scenario *s = &filecache_scenarios[i];
		unsigned int bound = cpus == 2 ? s->cpus2 : s->cpus3;

		filecache_search(s, cpus, bound, &r);
		diag("%s, %u CPUs, %u preemptions: %llu schedules", s->sc.name, cpus, bound,
		     (unsigned long long)r.schedules);
		ok(!*r.finding, "%s: %s; schedule %s", s->sc.name, r.finding, r.schedule);
		ok(r.complete, "%s", s->sc.name);
	}
}

TEST(every_schedule_of_two_cpus)
{
	every_schedule(2);
}

TEST(every_schedule_of_three_cpus)
{
	every_schedule(3);
}

static void seeds(uint64_t first)
{
	struct filecache_sum sum = {0};

	for (uint64_t seed = first; seed < first + SEEDS; seed++) {
		bool good = filecache_seed(seed, &sum);

		if (!ok(good, "seed %llu: %s", (unsigned long long)seed, sim_finding()))
			return;
	}
	diag("%d seeds: %llu steps, %llu hits, %llu misses, %llu reclaimed, %llu dropped, %llu "
	     "failures, %llu told to come again, %llu commits refused",
	     (int)SEEDS, (unsigned long long)sum.steps, (unsigned long long)sum.hits,
	     (unsigned long long)sum.misses, (unsigned long long)sum.reclaimed,
	     (unsigned long long)sum.dropped, (unsigned long long)sum.failures,
	     (unsigned long long)sum.again, (unsigned long long)sum.refusals);
	ok(sum.hits > SEEDS && sum.misses > SEEDS && sum.reclaimed > SEEDS && sum.dropped > SEEDS);
	ok(sum.failures > SEEDS && sum.again > SEEDS && sum.refusals > 0);
}

TEST(seeds_that_stay_the_same)
{
	seeds(1);
}

TEST(seeds_of_the_day)
{
	seeds(tap_seed() >> 8);
}
