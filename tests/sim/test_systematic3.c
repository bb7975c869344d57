/* SPDX-License-Identifier: MIT */
/*
 * All schedules of 3 CPUs at up to so many preemptions. The scenarios and their bounds are in
 * lib/scenarios.c; a search runs to its end, or fails.
 */
enum { SEARCH_CPUS = 3 };
#include "lib/systematic.h"

TEST(refill)
{
	every_schedule("refill");
}

TEST(grow)
{
	every_schedule("grow");
}

TEST(alloc_and_free)
{
	every_schedule("alloc and free");
}

TEST(free_of_what_another_allocated)
{
	every_schedule("free of what another CPU allocated");
}

TEST(free_then_alloc)
{
	every_schedule("free, then alloc");
}

TEST(barn_exchange)
{
	every_schedule("barn exchange");
}

TEST(barn_to_sheaf)
{
	every_schedule("barn to sheaf");
}

TEST(flush_and_refill)
{
	every_schedule("flush and refill");
}

TEST(flush_and_free)
{
	every_schedule("flush and free");
}

TEST(shrink_and_free)
{
	every_schedule("shrink and free");
}

TEST(shrink_and_alloc)
{
	every_schedule("shrink and alloc");
}

TEST(destroy_and_alloc)
{
	every_schedule("destroy and alloc");
}

TEST(destroy_and_reap)
{
	every_schedule("destroy and reap");
}

TEST(destroy_and_drain)
{
	every_schedule("destroy and drain");
}

TEST(create_and_create)
{
	every_schedule("create and create");
}

TEST(grace_period)
{
	every_schedule("grace period");
}
