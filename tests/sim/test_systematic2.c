/* SPDX-License-Identifier: MIT */
/*
 * All schedules of 2 CPUs at up to so many preemptions. The scenarios and their bounds are in
 * lib/scenarios.c; a search runs to its end, or fails.
 */
enum { SEARCH_CPUS = 2 };
#include "lib/systematic.h"

/* Handlers count as preemptions. Both kinds of machine: signals, and interrupts that are masked. */
static void with_handler(const char *name)
{
	const struct named_scenario *s = scenario(name);
	struct sim_search_result r;

	scenario_search(s, 2, s->handler, true, SIM_SIGNAL, &r);
	report_search(name, s->handler, &r);
	scenario_search(s, 2, s->handler, true, SIM_MASKED, &r);
	report_search(name, s->handler, &r);
}

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

TEST(two_at_the_barn)
{
	every_schedule("two at the barn");
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

TEST(refill_with_a_handler)
{
	with_handler("refill");
}

TEST(grow_with_a_handler)
{
	with_handler("grow");
}

TEST(alloc_and_free_with_a_handler)
{
	with_handler("alloc and free");
}

TEST(free_of_what_another_allocated_with_a_handler)
{
	with_handler("free of what another CPU allocated");
}

TEST(free_then_alloc_with_a_handler)
{
	with_handler("free, then alloc");
}

TEST(barn_exchange_with_a_handler)
{
	with_handler("barn exchange");
}

TEST(barn_to_sheaf_with_a_handler)
{
	with_handler("barn to sheaf");
}

TEST(flush_and_refill_with_a_handler)
{
	with_handler("flush and refill");
}

TEST(flush_and_free_with_a_handler)
{
	with_handler("flush and free");
}

TEST(shrink_and_free_with_a_handler)
{
	with_handler("shrink and free");
}

TEST(shrink_and_alloc_with_a_handler)
{
	with_handler("shrink and alloc");
}

TEST(destroy_and_alloc_with_a_handler)
{
	with_handler("destroy and alloc");
}
