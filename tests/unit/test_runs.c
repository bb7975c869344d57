/* SPDX-License-Identifier: MIT */
/* Where runs are placed. */
#include "phys_machine.h"

static struct page *run_of(unsigned long nr)
{
	struct page *page = zone_alloc_contig(pm_normal(), nr);

	ok(page != NULL);
	return page;
}

static void run_end(struct page *page)
{
	is(zone_free_contig(page, page_run_nr(page)), PAGE_OK);
}

TEST(a_run_is_placed_where_another_was_before_memory_that_nobody_has_had)
{
	struct kmem_options opt = pm_options(16384);
	struct page *first, *behind, *longer, *again;

	pm_start(&opt);
	first = run_of(16);
	behind = run_of(16);
	is(behind - first, 16, "runs of one size are packed");
	run_end(first);
	longer = run_of(24); /* does not fit there */
	again = run_of(16);
	is(again - first, 0, "and not behind the longer one");
	run_end(again);
	run_end(longer);
	run_end(behind);
	pm_stop();
}
