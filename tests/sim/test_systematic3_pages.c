/* SPDX-License-Identifier: MIT */
/*
 * All schedules of 3 CPUs at the page floor, at up to so many preemptions. The scenarios and their
 * bounds are in lib/scenarios.c; a search runs to its end, or fails.
 */
enum { SEARCH_CPUS = 3 };
#include "lib/systematic.h"

TEST(pages_drain_and_free)
{
	every_schedule("pages: drain and free");
}

TEST(pages_drain_and_alloc)
{
	every_schedule("pages: drain and alloc");
}

TEST(pages_drain_free_and_alloc)
{
	every_schedule("pages: drain, free and alloc");
}

TEST(large_freed_by_all)
{
	every_schedule("large: freed by all");
}

TEST(runs_drain_free_and_alloc)
{
	every_schedule("runs: drain, free and alloc");
}

TEST(runs_freed_and_freed_in_part)
{
	every_schedule("runs: freed, and freed in part");
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
