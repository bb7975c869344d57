/* SPDX-License-Identifier: MIT */
/* Swap: all schedules of small scenarios, and a random load under seeded schedules. */
#include "lib/swap.h"
#include "found.h"

enum { SEEDS = 1500 };

TEST(every_schedule_of_two_cpus)
{
	every_schedule(swap_scenarios, nr_swap_scenarios, 2);
}

TEST(every_schedule_of_three_cpus)
{
	every_schedule(swap_scenarios, nr_swap_scenarios, 3);
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
