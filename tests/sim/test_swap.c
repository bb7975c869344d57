/* SPDX-License-Identifier: MIT */
/* Swap: all schedules of small scenarios, and a random load under seeded schedules. */
#include "lib/swap.h"
#include "tap.h"

enum { SEEDS = 1500 };

static void every_schedule(unsigned int cpus)
{
	struct sim_search_result r;

	for (unsigned int i = 0; i < nr_swap_scenarios; i++) {
		const struct named_scenario *s = &swap_scenarios[i];
		unsigned int bound = cpus == 2 ? s->cpus2 : s->cpus3;

		swap_search(s, cpus, bound, &r);
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
	struct swap_sum sum = {0};

	for (uint64_t seed = first; seed < first + SEEDS; seed++) {
		bool good = swap_seed(seed, &sum);

		if (!ok(good, "seed %llu: %s", (unsigned long long)seed, sim_finding()))
			return;
	}
	diag("%d seeds: %llu steps, %llu maps, %llu pages out, %llu in, %llu failures, %llu "
	     "swapoffs",
	     (int)SEEDS, (unsigned long long)sum.steps, (unsigned long long)sum.maps,
	     (unsigned long long)sum.out, (unsigned long long)sum.in,
	     (unsigned long long)sum.failures, (unsigned long long)sum.offs);
	ok(sum.in > SEEDS && sum.out > SEEDS && sum.failures > SEEDS && sum.offs > SEEDS / 4);
}

TEST(seeds_that_stay_the_same)
{
	seeds(1);
}

TEST(seeds_of_the_day)
{
	seeds(tap_seed() >> 8);
}
