/* SPDX-License-Identifier: MIT */
/* The phys floor alone: which requests and frees hit a per-CPU list (src/phys/hit.c). */
#include "phys_machine.h"
#include "one_cpu.h"

/* Is the table of hits what the watermark test says, for each order that has lists? */
static bool hits_are_exact(const struct zone *z)
{
	bool exact = true;

	for (unsigned int o = 0; o < PCP_ORDERS; o++) {
		bool passes = zone_watermark_ok(z, o, z->mark[ALLOC_WMARK_LOW], KMEM_ZONE_NORMAL,
						ALLOC_WMARK_LOW, zone_free_pages(z));

		passes = passes && z->pcp_home[o] != PERCPU_NONE;
		exact = exact && passes == (page_hits.take[o][KMEM_ZONE_NORMAL] != NULL);
	}
	return exact;
}

enum { HELD_MOST = 1 << 14 };

/* From full to empty and back, in blocks of this order. */
static void fill_and_empty(unsigned int order)
{
	static struct page *held[HELD_MOST + 1]; /* and the refusal */
	unsigned int nr = 0, wrong = 0, hits = 0;
	struct zone *z = pm_normal();

	while ((held[nr] = zone_alloc(z, order, KMEM_MT_UNMOVABLE, 0))) {
		nr++;
		wrong += !hits_are_exact(z);
		hits += page_hits.take[order][KMEM_ZONE_NORMAL] != NULL;
	}
	ok(hits > nr / 2 && hits < nr, "order %u: %u of %u could hit", order, hits, nr);
	while (nr-- > 0) {
		held[nr]->refcount = 0;
		zone_free(held[nr], order, false, false);
		wrong += !hits_are_exact(z);
	}
	is(wrong, 0, "order %u", order);
}

static void hits_start(pfn_t frames)
{
	struct kmem_options opt = pm_options(frames);

	stay_on_this_cpu();
	opt.percpu_pages = true;
	pm_start(&opt);
}

/* False, and off again: no hit is taken here. */
static bool hits_start_hitting(pfn_t frames)
{
	hits_start(frames);
	if (port_hit_never())
		pm_stop();
	return !port_hit_never();
}

/* A machine that is large enough for two of the largest blocks on each list has too many pages for
 * each to be looked at. */
TEST(hits_end_where_the_low_mark_is_and_begin_there)
{
	hits_start(HELD_MOST << PAGE_ALLOC_COSTLY_ORDER << 1);
	for (unsigned int o = PAGE_ALLOC_COSTLY_ORDER + 1; o < PCP_ORDERS; o++)
		fill_and_empty(o);
	is(zone_check(pm_normal()), 0);
	pm_stop();
	hits_start(4096);
	for (unsigned int o = 0; o <= PAGE_ALLOC_COSTLY_ORDER; o++)
		fill_and_empty(o);
	is(zone_check(pm_normal()), 0);
	pcp_switch(false);
	ok(!page_hits.take[0][KMEM_ZONE_NORMAL], "off");
	ok(!page_hits.give[0][KMEM_ZONE_NORMAL]);
	pcp_switch(true);
	ok(page_hits.take[0][KMEM_ZONE_NORMAL], "on again");
	pm_stop();
}

TEST(lists_of_runs_are_for_all_lengths)
{
	unsigned int wrong = 0;

	for (unsigned long nr = 1; nr <= RUN_LISTED; nr++) {
		unsigned int list = run_list(nr);

		wrong += list >= RUN_LISTS || run_list_nr(list) < nr ||
			 run_list_nr(list) - nr > (nr - 1) / RUN_STEPS ||
			 (list && run_list_nr(list - 1) >= nr) ||
			 run_list(run_list_nr(list)) != list;
	}
	is(wrong, 0);
	is(run_list(RUN_LISTED), RUN_LISTS - 1);
}

TEST(a_run_hits_once_it_has_been_freed)
{
	unsigned int list = run_list(12);
	struct page *run, *other;
	struct zone *z;

	if (!hits_start_hitting(1 << 15))
		skip_loudly("there are no sequences here");
	z = pm_normal();
	ok(!run_take_hit(KMEM_ZONE_NORMAL, list), "none has been freed");
	run = zone_alloc_contig(z, 12);
	other = zone_alloc_contig(z, 12);
	ok(!run_give_hit(run), "its memory is not known to be soiled");
	is(zone_free_contig(run, 12), PAGE_OK);
	is(zone_free_contig(run, 12), PAGE_BAD_FREE, "twice");
	is(zone_free_contig(run + 1, 3), PAGE_BAD_ORDER, "a part");
	ok(!run_give_hit(run), "nor is that a hit");
	is(zone_check(z), 0);
	ok(run_take_hit(KMEM_ZONE_NORMAL, list) == run);
	ok(run_give_hit(run), "now it is");
	ok(zone_alloc_contig(z, 12) == run, "and taken the long way");
	zone_contig_shrink(run, 8);
	ok(!run_give_hit(run), "not of another length");
	is(zone_check(z), 0);
	is(zone_free_contig(run, 8), PAGE_OK);
	ok(!run_take_hit(KMEM_ZONE_NORMAL, list));
	ok(run_take_hit(KMEM_ZONE_NORMAL, run_list(8)) == run);
	is(zone_free_contig(run, 4), PAGE_OK, "the first half");
	ok(!run_give_hit(run + 4));
	is(zone_free_contig(run + 4, 4), PAGE_OK);
	is(zone_free_contig(other, 12), PAGE_OK);
	pcp_drain_all();
	is(zone_free_pages(z), z->managed);
	pm_stop();
}

/* Of one length each list holds at most its bound, and what does not fit goes home. */
static void check_run_bounds(unsigned long frames, unsigned long share)
{
	enum { RUNS = 100 };
	struct page *run[RUNS];
	struct zone *z;

	hits_start(frames);
	z = pm_normal();
	for (unsigned int list = 0; list < RUN_LISTS; list++) {
		unsigned long nr = run_list_nr(list), least = nr <= 4 ? 32 : 2, most, listed;
		unsigned long n = size_min(size_max(32 / nr, least), share / nr);

		most = n < 2 ? 0 : n * nr;
		for (unsigned int i = 0; i < RUNS; i++)
			run[i] = zone_alloc_contig(z, nr);
		for (unsigned int i = 0; i < RUNS; i++)
			is(zone_free_contig(run[i], nr), PAGE_OK);
		listed = z->managed - zone_free_pages(z);
		ok(listed <= most && listed >= most / 2, "%lu frames: %lu of %lu", nr, listed,
		   most);
		is(pcp_count(z, 0) + pcp_count(z, 1), listed);
		is(zone_check(z), 0);
		pcp_drain_all();
		is(zone_free_pages(z), z->managed);
	}
	pm_stop();
}

TEST(lists_of_runs_are_bounded)
{
	check_run_bounds(1 << 18, 512);
	check_run_bounds(1 << 15, 64);
}

/* Compound blocks remain that while they rest, and are made what the next owner wants. */
TEST(a_list_has_compound_blocks_and_others)
{
	struct page *page, *other;
	struct zone *z;

	if (!hits_start_hitting(1 << 18))
		skip_loudly("there are no sequences here");
	z = pm_normal();
	for (unsigned int o = 1; o < PCP_ORDERS; o++) {
		page = zone_alloc(z, o, KMEM_MT_UNMOVABLE, 0);
		page_make_compound(page, o);
		page->refcount = 0;
		zone_free(page, o, false, false);
		is(page_check_free(page + 1, 0), PAGE_BAD_FREE, "a tail of a block at rest");
		is(zone_check(z), 0, "order %u", o);
		ok(page_take_hit(KMEM_ZONE_NORMAL, o, PAGE_COMPOUND) == page);
		is(zone_check(z), 0);
		ok(!page_give_known(page, o, 0), "another kind");
		ok(!page_give_kmalloc(page, pfn_of_page(page)), "another state");
		ok(page_give_known(page, o, PAGE_COMPOUND), "as it is");
		ok(page_take_hit(KMEM_ZONE_NORMAL, o, 0) == page && !page->flags, "a plain one");
		is(zone_check(z), 0);
		ok(page_give_known(page, o, 0));
		other = page_take_hit(KMEM_ZONE_NORMAL, o, PAGE_COMPOUND);
		ok(other == page && page->flags == PAGE_COMPOUND, "and compound again");
		page_turn(page, page->kind, PAGE_ALLOC, PAGE_LARGE);
		is(page->state, PAGE_LARGE);
		ok(!page_give_known(page, o, PAGE_COMPOUND), "a large kmalloc");
		ok(page_give_kmalloc(page, pfn_of_page(page)), "of whatever order");
		is(page->state, PAGE_PCP);
		ok(!page_give_kmalloc(page, pfn_of_page(page)), "once");
		ok(zone_alloc(z, o, KMEM_MT_UNMOVABLE, 0) == page && !page->flags, "the long way");
		page_make_compound(page, o);
		ok(page_give_known(page, o, PAGE_COMPOUND));
		is(zone_check(z), 0);
		pcp_drain_all();
		is(zone_free_pages(z), z->managed, "tails and all");
		is(zone_check(z), 0);
	}
	pm_stop();
}
