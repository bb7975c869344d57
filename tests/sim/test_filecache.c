/* SPDX-License-Identifier: MIT */
/* A cache of file pages: all schedules of small scenarios, and a random load under seeded schedules. */
#include "lib/filecache.h"
#include "found.h"

enum { SEEDS = 500 };

TEST(every_schedule_of_two_cpus)
{
	every_schedule(filecache_scenarios, nr_filecache_scenarios, 2);
}

TEST(every_schedule_of_three_cpus)
{
	every_schedule(filecache_scenarios, nr_filecache_scenarios, 3);
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
