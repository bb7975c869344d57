/* SPDX-License-Identifier: MIT */
/* The phys floor alone: blocks, marks, per-CPU lists, runs, wrong frees, commit. */
#include <pthread.h>
#include "phys_machine.h"

/* ---- Marks ------------------------------------------------------------------------------------- */

TEST(marks_of_the_64M_example)
{
	struct kmem_options opt = pm_options(0);
	struct zone *dma, *normal;

	pm_zone(&opt, KMEM_ZONE_DMA, 0, 4096);
	pm_zone(&opt, KMEM_ZONE_NORMAL, 4096, 16384);
	pm_start(&opt);
	dma = &kmem_machine.zones[KMEM_ZONE_DMA];
	normal = pm_normal();
	is(kmem_machine.stat->min_free_kbytes, 1024);
	is(dma->managed, 4096);
	is(normal->managed, 12288);
	is(dma->mark[0], 64);
	is(dma->mark[1], 80);
	is(dma->mark[2], 96);
	is(dma->mark[3], 112);
	is(normal->mark[0], 192);
	is(normal->mark[3], 336);
	is(dma->reserve[KMEM_ZONE_NORMAL], 48);
	is(dma->reserve[KMEM_ZONE_DMA], 0);
	is(kmem_machine.zones[KMEM_ZONE_HIGHMEM].mark[2], 32);
	kmem_machine.opt.watermark_scale_factor = 100;
	zone_setup_marks();
	is(normal->mark[1], 314, "S42");
	is(normal->mark[2], 436, "S42");
	pm_stop();
}

TEST(marks_and_figures_of_a_real_machine)
{
	static const unsigned long managed[] = {3840, 772497, 1146880};
	struct kmem_options opt = pm_options(16384);
	struct zone *z;

	opt.min_free_kbytes = 67584;
	pm_start(&opt);
	z = kmem_machine.zones;
	for (u32 i = 0; i < ARRAY_SIZE(managed); i++)
		z[i].managed = managed[i];
	zone_setup_marks();
	is(z[0].mark[0], 33);
	is(z[0].mark[1], 41);
	is(z[1].mark[0], 6786);
	is(z[1].mark[2], 10178);
	is(z[2].mark[0], 10075);
	is(z[2].mark[3], 17629);
	is(z[0].reserve[1], 3017);
	is(z[0].reserve[4], 7497);
	is(z[1].reserve[2], 4480);
	is(z[0].pcp_batch, 1);
	is(z[0].pcp_high_min, 20);
	is(z[0].pcp_high_max, 240);
	is(z[1].pcp_batch, 63);
	is(z[1].pcp_high_min, 4241);
	is(z[1].pcp_high_max, 48281);
	is(z[2].pcp_high_min, 6296);
	is(z[2].pcp_high_max, 71680);
	is(z[0].stat->stat_threshold, 4);
	is(z[1].stat->stat_threshold, 24);
	is(z[2].stat->stat_threshold, 28);
	z[2].managed = 1900544;
	zone_setup_marks();
	is(z[0].mark[0], 24);
	is(z[1].mark[1], 6093);
	is(z[2].mark[3], 20989);
	is(z[0].reserve[2], 10441);
	z[0].managed = z[1].managed = 0;
	z[2].managed = 16384;
	zone_setup_marks();
	pm_stop();
}

TEST(watermark_needs_a_block_of_the_order)
{
	struct kmem_options opt = pm_options(1024);
	struct zone *z;

	pm_start(&opt);
	z = pm_normal();
	ok(zone_watermark_ok(z, 10, 0, 2, 0, 1024));
	ok(!zone_watermark_ok(z, 10, 1, 2, 0, 1024), "free must exceed the mark");
	ok(zone_alloc(z, 0, 0, 0) != NULL);
	ok(!zone_watermark_ok(z, 10, 0, 2, 0, 100000), "no such block (S38)");
	ok(zone_watermark_ok(z, 9, 0, 2, 0, 1023));
	ok(!zone_watermark_ok(z, 0, 100, 2, 0, 100));
	ok(zone_watermark_ok(z, 0, 100, 2, ALLOC_MIN_RESERVE, 51));
	ok(!zone_watermark_ok(z, 0, 100, 2, ALLOC_MIN_RESERVE, 50));
	ok(zone_watermark_ok(z, 0, 100, 2, ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK, 39));
	ok(!zone_watermark_ok(z, 0, 100, 2, ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK, 38));
	ok(!zone_watermark_ok(z, 0, 100, 2, ALLOC_NON_BLOCK, 100), "alone it opens nothing");
	ok(zone_watermark_ok(z, 0, 100, 2, ALLOC_OOM, 51));
	ok(!zone_watermark_ok(z, 10, 0, 2, 0, 5), "free may go below zero");
	z->reserve[2] = 10;
	ok(!zone_watermark_ok(z, 0, 100, 2, ALLOC_MIN_RESERVE, 60), "S39");
	ok(zone_watermark_ok(z, 0, 100, 2, ALLOC_MIN_RESERVE, 61), "S39");
	pm_stop();
}

/* ---- Blocks ------------------------------------------------------------------------------------ */

TEST(split_keeps_the_lower_half_and_merge_restores)
{
	struct kmem_options opt = pm_options(1024);
	struct page *page;
	struct zone *z;

	pm_start(&opt);
	z = pm_normal();
	is(z->area[10].nr_free[0], 1);
	page = zone_alloc(z, 0, KMEM_MT_UNMOVABLE, 0);
	is(pfn_of_page(page), 0);
	is(page->refcount, 1);
	for (u32 o = 0; o < 10; o++) {
		is(z->area[o].nr_free[0], 1, "order %u", o);
		is(z->area[o].head[0], 1u << o, "order %u", o);
		is(z->stat->nr_free[0][o], 1, "order %u", o);
	}
	is(zone_free_pages(z), 1023);
	is(z->stat->free, 1023);
	is(phys_check(), 0);
	pm_free(page, 0);
	is(z->area[10].nr_free[0], 1);
	is(zone_free_pages(z), 1024);
	pm_stop();
}

TEST(zones_of_odd_bounds_never_merge_across)
{
	struct kmem_options opt = pm_options(0);
	struct page *page[2 * 1100];
	unsigned long got[2] = {0, 0};

	pm_zone(&opt, KMEM_ZONE_DMA, 0, 1000);
	pm_zone(&opt, KMEM_ZONE_NORMAL, 1000, 2200);
	pm_start(&opt);
	for (u32 i = 0; i < 2; i++) {
		struct zone *z = &kmem_machine.zones[i ? KMEM_ZONE_NORMAL : KMEM_ZONE_DMA];
		struct page *p;

		while ((p = zone_alloc(z, 0, 0, 0)) != NULL)
			page[got[0] + got[1]++] = p;
		if (i == 0) {
			got[0] = got[1];
			got[1] = 0;
		}
		is(zone_free_pages(z), 0);
	}
	is(got[0], 1000);
	is(got[1], 1200);
	for (unsigned long i = 0; i < 2200; i++)
		pm_free(page[i], 0);
	is(kmem_machine.zones[KMEM_ZONE_DMA].area[9].nr_free[0], 1);
	is(pm_normal()->area[10].nr_free[0], 1);
	pm_stop();
}

TEST(insertion_goes_to_the_tail_when_a_merge_is_likely)
{
	struct kmem_options opt = pm_options(16);
	struct page *p[16];
	struct zone *z;

	pm_start(&opt);
	z = pm_normal();
	for (int i = 0; i < 16; i++)
		p[i] = zone_alloc(z, 0, 0, 0);
	pm_free(p[6], 0);
	pm_free(p[7], 0);
	pm_free(p[0], 0);
	is(z->area[0].head[0], 0);
	pm_free(p[4], 0); /* buddy of its parent, 6..7, is free: to the tail */
	is(z->area[0].head[0], 0);
	is(z->area[0].tail[0], 4);
	pm_free(p[10], 0);
	is(z->area[0].head[0], 10);
	for (int i = 0; i < 16; i++)
		if (p[i]->state == PAGE_ALLOC)
			pm_free(p[i], 0);
	is(z->area[4].nr_free[0], 1);
	pm_stop();
}

struct held {
	struct page *page;
	unsigned int order;
};

static void churn(struct zone *z, struct held *held, unsigned int nr, unsigned int steps)
{
	for (unsigned int s = 0; s < steps; s++) {
		struct held *h = &held[tap_below(nr)];

		if (h->page) {
			pm_free(h->page, h->order);
			h->page = NULL;
			continue;
		}
		h->order = tap_below(4) ? tap_below(4) : tap_below(11);
		h->page = zone_alloc(z, h->order, tap_below(3), tap_below(8) ? 0 : ALLOC_COLD);
		if (h->page && pfn_of_page(h->page) & ((1ul << h->order) - 1))
			ok(false, "S78: pfn %lu order %u", pfn_of_page(h->page), h->order);
	}
}

static void churn_all(const struct kmem_options *opt)
{
	static struct held held[700];
	struct zone *z;

	memset(held, 0, sizeof(held));
	pm_start(opt);
	z = pm_normal();
	for (int round = 0; round < 40; round++) {
		churn(z, held, ARRAY_SIZE(held), 500);
		is(phys_check(), 0, "round %d", round);
	}
	pcp_drain_all();
	is(phys_check(), 0);
	for (u32 i = 0; i < ARRAY_SIZE(held); i++)
		if (held[i].page)
			pm_free(held[i].page, held[i].order);
	pcp_drain_all();
	is(zone_free_pages(z), z->managed);
	is(pcp_count(z, 0) + pcp_count(z, 1), 0);
	pm_stop();
}

TEST(random_orders_without_lists)
{
	struct kmem_options opt = pm_options(8192);

	churn_all(&opt);
}

TEST(random_orders_with_lists)
{
	struct kmem_options opt = pm_options(8192);

	opt.percpu_pages = true;
	churn_all(&opt);
}

TEST(random_orders_with_mobility_and_reserve)
{
	struct kmem_options opt = pm_options(8192);

	opt.percpu_pages = true;
	opt.mobility = true;
	opt.highatomic = true;
	churn_all(&opt);
}

/* ---- Mobility ---------------------------------------------------------------------------------- */

TEST(a_claim_takes_the_whole_page_block)
{
	struct kmem_options opt = pm_options(2048);
	struct page *movable, *fixed, *near;
	struct zone *z;

	opt.mobility = true;
	pm_start(&opt);
	z = pm_normal();
	is(z->stat->nr_blocks[KMEM_MT_MOVABLE], 4);
	movable = zone_alloc(z, 0, KMEM_MT_MOVABLE, 0);
	fixed = zone_alloc(z, 0, KMEM_MT_UNMOVABLE, 0);
	near = zone_alloc(z, 0, KMEM_MT_UNMOVABLE, 0);
	ok(pfn_of_page(movable) >> 9 != pfn_of_page(fixed) >> 9, "kept apart");
	is(pfn_of_page(near) >> 9, pfn_of_page(fixed) >> 9);
	is(z->stat->nr_blocks[KMEM_MT_UNMOVABLE], 2, "an order-10 block is two page blocks");
	pm_free(movable, 0);
	pm_free(fixed, 0);
	pm_free(near, 0);
	is(z->area[10].nr_free[KMEM_MT_MOVABLE] + z->area[10].nr_free[KMEM_MT_UNMOVABLE], 2);
	pm_stop();
}

TEST(high_order_atomic_reserve)
{
	struct kmem_options opt = pm_options(51200);
	struct page *page;
	struct zone *z;

	opt.highatomic = true;
	pm_start(&opt);
	z = pm_normal();
	page = zone_alloc(z, 2, KMEM_MT_UNMOVABLE, ALLOC_HIGHATOMIC | ALLOC_NON_BLOCK);
	is(z->nr_reserved_highatomic, 512, "S70");
	is(z->nr_free_highatomic, 508);
	is(phys_check(), 0);
	ok(!zone_watermark_ok(z, 0, 0, 2, 0, 508), "invisible to ordinary callers");
	ok(zone_watermark_ok(z, 0, 0, 2, ALLOC_NON_BLOCK, 508));
	ok(!zone_unreserve_highatomic(KMEM_MT_UNMOVABLE, false), "the last one stays");
	ok(zone_unreserve_highatomic(KMEM_MT_UNMOVABLE, true));
	is(z->nr_free_highatomic, 0);
	is(z->nr_reserved_highatomic, 0);
	pm_free(page, 2);
	is(z->area[10].nr_free[0], 50);
	pm_stop();
}

/* ---- Per-CPU lists ----------------------------------------------------------------------------- */

TEST(hot_pages_come_back_first_and_cold_ones_last)
{
	struct kmem_options opt = pm_options(16384);
	struct page *a, *b, *c;
	struct zone *z;

	opt.percpu_pages = true;
	opt.nr_cpus = 1;
	pm_start(&opt);
	z = pm_normal();
	a = zone_alloc(z, 0, 0, 0);
	b = zone_alloc(z, 0, 0, 0);
	is(pfn_of_page(b), pfn_of_page(a) + 1, "ascending");
	pm_free(a, 0);
	is_ptr(zone_alloc(z, 0, 0, 0), a, "S89: the just-freed page");
	pm_free(a, 0);
	c = zone_alloc(z, 0, 0, ALLOC_COLD);
	ok(c != a, "S89: not with COLD while older ones exist");
	ok(zone_free_pages(z) + pcp_count(z, 0) + 2 == z->managed, "S44");
	b->refcount = 0;
	zone_free(b, 0, true, false);
	is_ptr(zone_alloc(z, 0, 0, ALLOC_COLD), b, "the cold end");
	pm_free(b, 0);
	pm_free(c, 0);
	pm_stop();
}

TEST(lists_stay_below_an_eighth_of_the_zone)
{
	struct kmem_options opt = pm_options(600);
	struct page *page[601];
	unsigned long nr = 0;
	struct zone *z;

	opt.percpu_pages = true;
	pm_start(&opt);
	z = pm_normal();
	while ((page[nr] = zone_alloc(z, 0, 0, 0)) != NULL)
		nr++;
	is(nr, 600);
	for (unsigned long i = 0; i < nr; i++)
		pm_free(page[i], 0);
	ok(z->managed - zone_free_pages(z) <= z->managed / 8, "%lu", zone_free_pages(z));
	is(phys_check(), 0);
	pcp_switch(false);
	is(zone_free_pages(z), 600);
	page[0] = zone_alloc(z, 0, 0, 0);
	is(zone_free_pages(z), 599, "lists are off");
	pcp_switch(true);
	pm_free(page[0], 0);
	is(phys_check(), 0);
	pcp_drain_all();
	is(zone_free_pages(z), 600);
	pm_stop();
}

TEST(bulk_takes_what_there_is)
{
	struct kmem_options opt = pm_options(256);
	struct page *page[300];
	unsigned int nr;

	pm_start(&opt);
	nr = zone_alloc_bulk(pm_normal(), 0, 0, page, 300);
	is(nr, 256);
	is(zone_free_pages(pm_normal()), 0);
	while (nr)
		pm_free(page[--nr], 0);
	is(zone_free_pages(pm_normal()), 256);
	pm_stop();
}

static void *hammer(void *arg)
{
	struct zone *z = pm_normal();
	struct held held[64] = {{0}};
	u32 rnd = (u32)(uintptr_t)arg;

	for (int i = 0; i < 60000; i++) {
		struct held *h;

		rnd = rnd * 1664525u + 1013904223u;
		h = &held[(rnd >> 20) % ARRAY_SIZE(held)];
		if (h->page) {
			h->page->refcount = 0;
			zone_free(h->page, h->order, rnd & 1 << 16, rnd & 1 << 17);
			h->page = NULL;
		} else {
			h->order = (rnd >> 8) % 5;
			h->page = zone_alloc(z, h->order, 0, rnd & 1 << 16 ? ALLOC_TRYLOCK : 0);
		}
		if (i % 8192 == 0)
			pcp_drain_all();
	}
	for (u32 i = 0; i < ARRAY_SIZE(held); i++)
		if (held[i].page)
			pm_free(held[i].page, held[i].order);
	return NULL;
}

TEST(four_threads_lose_nothing)
{
	struct kmem_options opt = pm_options(4096);
	pthread_t t[4];

	opt.percpu_pages = true;
	pm_start(&opt);
	for (uintptr_t i = 0; i < ARRAY_SIZE(t); i++)
		pthread_create(&t[i], NULL, hammer, (void *)(i * 77 + 1));
	for (u32 i = 0; i < ARRAY_SIZE(t); i++)
		pthread_join(t[i], NULL);
	is(phys_check(), 0);
	pcp_drain_all();
	is(zone_free_pages(pm_normal()), 4096);
	is(pm_normal()->area[10].nr_free[0], 4);
	pm_stop();
}

TEST(a_busy_lock_defers_frees_and_refuses_tries)
{
	struct kmem_options opt = pm_options(1024);
	struct page *page, *run;
	irqflags_t flags;
	struct zone *z;

	pm_start(&opt);
	z = pm_normal();
	page = zone_alloc(z, 3, 0, 0);
	run = zone_alloc_contig(z, 100);
	flags = lock_take(&z->lock);
	ok(!zone_alloc(z, 0, 0, ALLOC_TRYLOCK));
	page->refcount = 0;
	zone_free(page, 3, false, true);
	ok(sync_nested());
	is(zone_free_contig(run + 10, 80), PAGE_OK);
	ok(!zone_alloc_contig(z, 5));
	is(zone_free_pages(z), 1024 - 108, "not yet");
	is(page_check_free(page, 3), PAGE_BAD_FREE);
	lock_release(&z->lock, flags);
	phys_run_deferred();
	is(zone_free_pages(z), 1024 - 20);
	is(phys_check(), 0);
	is(zone_free_contig(run, 10), PAGE_OK);
	is(zone_free_contig(run + 90, 10), PAGE_OK);
	is(zone_free_pages(z), 1024);
	pm_stop();
}

/* Its owner goes on with what is left of it: that is shorter from the free on, not from when it is taken in. */
TEST(a_run_whose_end_waits_to_be_freed_is_shorter_at_once)
{
	struct kmem_options opt = pm_options(1024);
	struct page *run, *other;
	irqflags_t flags;
	struct zone *z;

	pm_start(&opt);
	z = pm_normal();
	run = zone_alloc_contig(z, 100);
	other = zone_alloc_contig(z, 50);
	flags = lock_take(&z->lock);
	zone_contig_shrink(run, 40);
	is(page_run_nr(run), 40, "a shorter run");
	is(zone_free_contig(other + 10, 30), PAGE_OK);
	is(page_run_nr(other), 10, "and the part before one that is freed");
	is(zone_free_contig(other + 10, 30), PAGE_BAD_FREE,
	   "which is told apart from a second free");
	is(zone_free_contig(run, page_run_nr(run)), PAGE_OK);
	is(zone_free_contig(run, 40), PAGE_BAD_FREE, "the same of a whole run");
	is(zone_free_pages(z), 1024 - 150, "not yet");
	lock_release(&z->lock, flags);
	phys_run_deferred();
	is(zone_free_pages(z), 1024 - 20, "all of them are taken in");
	is(phys_check(), 0);
	is(zone_free_contig(other, 10), PAGE_OK);
	is(zone_free_contig(other + 40, 10), PAGE_OK);
	is(zone_free_pages(z), 1024);
	pm_stop();
}

/* ---- Runs -------------------------------------------------------------------------------------- */

TEST(runs_of_any_length)
{
	static const unsigned long nr[] = {1, 2, 3, 5, 511, 513, 1000, 1024, 1025, 3000, 6144};
	struct kmem_options opt = pm_options(8192);
	struct zone *z;

	pm_start(&opt);
	z = pm_normal();
	for (u32 i = 0; i < ARRAY_SIZE(nr); i++) {
		struct page *run = zone_alloc_contig(z, nr[i]);

		if (!ok(run != NULL, "%lu", nr[i]))
			continue;
		is(page_run_nr(run), nr[i]);
		is(zone_free_pages(z), 8192 - nr[i], "%lu: exactly", nr[i]);
		memset(addr_of_page(run), 0x5a, nr[i] << PAGE_SHIFT);
		is(phys_check(), 0);
		is(zone_free_contig(run, nr[i]), PAGE_OK);
		is(zone_free_pages(z), 8192);
		is(z->area[10].nr_free[0], 8);
	}
	ok(!zone_alloc_contig(z, 8193));
	ok(!zone_alloc_contig(z, 0));
	pm_stop();
}

/* On a large machine sections are listed when they are needed: what lies behind them says nothing of them. */
TEST(a_run_at_the_end_of_a_large_zone_lists_no_section)
{
	struct kmem_options opt = pm_options(8192 - 512);
	struct page *run;
	struct zone *z;
	pfn_t fresh;

	pm_start(&opt);
	z = pm_normal();
	fresh = z->fresh;
	z->run_hint = z->end - 512;
	ok(fresh < z->fresh_end && z->run_hint >= z->fresh_end, "there are such sections");
	run = zone_alloc_contig(z, 5);
	ok(run == page_of_pfn(z->end - 512), "behind them");
	is(z->fresh, fresh);
	is(zone_free_contig(run, 5), PAGE_OK);
	pm_stop();
}

/* Memory that was never touched is the dearest there is: the host has to find and clear it. */
TEST(a_run_is_placed_where_one_was_freed)
{
	struct kmem_options opt = pm_options(8192);
	struct page *kept, *run;
	struct zone *z;

	pm_start(&opt);
	z = pm_normal();
	kept = zone_alloc_contig(z, 100);
	run = zone_alloc_contig(z, 100);
	for (int i = 0; i < 20; i++) {
		is(zone_free_contig(run, 100), PAGE_OK);
		is(pfn_of_page(zone_alloc_contig(z, 100)), pfn_of_page(run), "round %d", i);
	}
	is(pfn_of_page(zone_alloc_contig(z, 100)), pfn_of_page(run) + 100, "the next behind it");
	is(zone_free_contig(run, 100), PAGE_OK);
	is(zone_free_contig(kept, 100), PAGE_OK);
	is(pfn_of_page(zone_alloc_contig(z, 50)), pfn_of_page(kept));
	is(phys_check(), 0);
	pm_stop();
}

TEST(parts_of_a_run_go_back_in_any_order)
{
	struct kmem_options opt = pm_options(8192);
	struct page *run;
	struct zone *z;

	pm_start(&opt);
	z = pm_normal();
	for (int round = 0; round < 20; round++) {
		unsigned int part[20], nr = 0;

		run = zone_alloc_contig(z, 2000);
		for (nr = 0; nr < 20; nr++)
			part[nr] = nr;
		while (nr) {
			unsigned int pick = tap_below(nr);

			is(zone_free_contig(run + part[pick] * 100, 100), PAGE_OK);
			is(phys_check(), 0);
			part[pick] = part[--nr];
		}
		is(zone_free_pages(z), 8192);
	}
	run = zone_alloc_contig(z, 100);
	is(zone_free_contig(run, 101), PAGE_BAD_ORDER, "more than there is");
	is(zone_free_contig(run + 50, 51), PAGE_BAD_ORDER);
	is(zone_free_contig(run + 50, 50), PAGE_OK);
	ok(zone_free_contig(run + 50, 50) != PAGE_OK, "twice");
	is(page_check_free(run, 0), PAGE_BAD_ORDER, "not a block");
	is(zone_free_contig(run, 50), PAGE_OK);
	ok(zone_free_contig(run, 50) != PAGE_OK, "twice");
	is(zone_free_contig(page_of_pfn(8190), 10), PAGE_BAD_FOREIGN);
	pm_stop();
}

TEST(runs_grow_and_shrink_in_place)
{
	struct kmem_options opt = pm_options(8192);
	struct page *run, *other;
	struct zone *z;

	pm_start(&opt);
	z = pm_normal();
	run = zone_alloc_contig(z, 10);
	ok(zone_contig_extend(run, 3000));
	is(zone_free_pages(z), 8192 - 3000);
	is(page_run_nr(run), 3000);
	memset(addr_of_page(run), 1, 3000ul << PAGE_SHIFT);
	is(phys_check(), 0);
	zone_contig_shrink(run, 7);
	is(zone_free_pages(z), 8192 - 7);
	is(phys_check(), 0);
	other = zone_alloc(z, 10, 0, 0);
	ok(!zone_contig_extend(run, pfn_of_page(other) - pfn_of_page(run) + 1), "in the way");
	ok(!zone_contig_extend(run, 8192), "below the low mark or out of frames");
	pm_free(other, 10);
	ok(!zone_contig_extend(run, 8192 - z->mark[ALLOC_WMARK_LOW] + 1));
	ok(zone_contig_extend(run, 8192 - z->mark[ALLOC_WMARK_LOW]), "exactly the low mark stays");
	is(phys_check(), 0);
	is(zone_free_contig(run, page_run_nr(run)), PAGE_OK);
	is(zone_free_pages(z), 8192);
	pm_stop();
}

/* ---- Frames ------------------------------------------------------------------------------------ */

TEST(wrong_frees_are_told)
{
	struct kmem_options opt = pm_options(1024);
	struct page *a, *c, *s;
	struct zone *z;

	pm_start(&opt);
	z = pm_normal();
	a = zone_alloc(z, 3, 0, 0);
	is(page_check_free(a, 3), PAGE_OK);
	is(page_check_free(a, 2), PAGE_BAD_ORDER);
	is(page_check_free(a + 1, 0), PAGE_BAD_TAIL);
	is(page_check_free(kmem_machine.memmap - 1, 0), PAGE_BAD_FOREIGN);
	is(page_check_free(kmem_machine.memmap + 1024, 0), PAGE_BAD_FOREIGN);
	is(page_check_free((struct page *)(void *)((char *)a + 8), 0), PAGE_BAD_FOREIGN);
	c = zone_alloc(z, 2, 0, 0);
	page_make_compound(c, 2);
	is(phys_check(), 0);
	is(page_check_free(c + 3, 0), PAGE_BAD_TAIL);
	is(page_check_free(c, 2), PAGE_OK);
	s = zone_alloc(z, 1, 0, 0);
	page_make_slab(s, 1, (struct kmem_cache *)0x1000, 7, false);
	is(phys_check(), 0);
	is(page_check_free(s, 1), PAGE_BAD_SLAB);
	is(page_check_free(s + 1, 0), PAGE_BAD_SLAB);
	is_ptr(compound_head(s + 1), s);
	page_unmake_slab(s, 1);
	pm_free(s, 1);
	is(page_check_free(s, 1), PAGE_BAD_FREE);
	is(page_check_free(s + 1, 0), PAGE_BAD_FREE);
	pm_free(c, 2);
	pm_free(a, 3);
	is(page_check_free(a, 3), PAGE_BAD_FREE);
	is(page_check_free(a + 77, 0), PAGE_BAD_FREE);
	page_report_bad(a, 3, PAGE_BAD_FREE);
	page_report_bad(kmem_machine.memmap - 1, 3, PAGE_BAD_FOREIGN);
	is(zone_free_pages(z), 1024);
	pm_stop();
}

TEST(tails_go_at_once_and_the_head_later)
{
	struct kmem_options opt = pm_options(1024);
	struct page *page;
	struct zone *z;

	pm_start(&opt);
	z = pm_normal();
	page = zone_alloc(z, 4, 0, 0);
	get_page(page);
	is(page_count(page), 2);
	page_free_tails(page, 4, false);
	is(zone_free_pages(z), 1023);
	is(phys_check(), 0);
	pm_free(page, 0);
	is(z->area[10].nr_free[0], 1);
	page = zone_alloc(z, 3, 0, 0);
	page_split_block(page, 3);
	is(phys_check(), 0);
	for (int i = 0; i < 8; i++)
		pm_free(page + i, 0);
	is(z->area[10].nr_free[0], 1);
	pm_stop();
}

TEST(frames_without_address_are_cleared_through_windows)
{
	struct kmem_options opt = pm_options(0);
	struct zone *high;
	struct page *page;
	unsigned char *w;

	pm_zone(&opt, KMEM_ZONE_NORMAL, 0, 1024);
	pm_zone(&opt, KMEM_ZONE_HIGHMEM, 1024, 3072);
	pm_start(&opt);
	high = &kmem_machine.zones[KMEM_ZONE_HIGHMEM];
	is(kmem_machine.low_end, 1024);
	page = zone_alloc(high, 2, 0, 0);
	ok(page_address(page) == NULL, "S6");
	w = port_window_map(0, pfn_of_page(page) + 3, 1);
	memset(w, 0xaa, PAGE_SIZE);
	port_window_unmap(0, 1);
	page_clear(page, 2);
	w = port_window_map(0, pfn_of_page(page) + 3, 1);
	is(w[0], 0);
	is(w[PAGE_SIZE - 1], 0);
	port_window_unmap(0, 1);
	pm_free(page, 2);
	pm_stop();
}

TEST(address_arithmetic)
{
	struct kmem_options opt = pm_options(1024);
	struct page *page;
	unsigned char *p;

	ok(virt_to_page(&opt) == NULL, "the machine is off");
	ok(!pfn_valid(0));
	pm_start(&opt);
	page = zone_alloc(pm_normal(), 0, 0, 0);
	p = page_address(page);
	is_ptr(virt_to_page(p + 4095), page);
	is(page_to_pfn(page), virt_to_phys(p) >> PAGE_SHIFT);
	is_ptr(phys_to_virt(virt_to_phys(p)), p);
	is_ptr(pfn_to_page(page_to_pfn(page)), page);
	ok(pfn_to_page(1024) == NULL);
	ok(!virt_addr_valid(&opt));
	is(page_zonenum(page), KMEM_ZONE_NORMAL);
	is_str(page_zone_name(page), "Normal");
	ok(phys_to_virt((u64)1024 << PAGE_SHIFT) == NULL);
	pm_free(page, 0);
	pm_stop();
}

TEST(trimmed_memory_reads_as_zero_again)
{
	struct kmem_options opt = pm_options(4096);
	struct page *run;

	pm_start(&opt);
	run = zone_alloc_contig(pm_normal(), 4096);
	memset(addr_of_page(run), 0x77, 4096ul << PAGE_SHIFT);
	is(zone_free_contig(run, 4096), PAGE_OK);
	is(phys_trim(), 4096);
	is(phys_trim(), 0);
	is(phys_check(), 0);
	run = zone_alloc_contig(pm_normal(), 4096);
	is(*(unsigned char *)addr_of_page(run), 0, "the host's memory again");
	memset(addr_of_page(run), 0x77, 4096ul << PAGE_SHIFT);
	is(zone_free_contig(run, 4096), PAGE_OK);
	pm_stop();
}

TEST(a_section_decays_if_nobody_used_it_between_two_looks)
{
	struct kmem_options opt = pm_options(4096);
	pfn_t hand = 0;
	struct page *run;

	pm_start(&opt);
	run = zone_alloc_contig(pm_normal(), 2048);
	memset(addr_of_page(run), 0x77, 2048ul << PAGE_SHIFT);
	ok(phys_decay(&hand, 4), "the end after four sections");
	is(hand, 0);
	is(zone_free_contig(run, 2048), PAGE_OK);
	ok(phys_decay(&hand, 4), "the first look marks");
	is(*(unsigned char *)addr_of_page(run), 0x77);
	run = zone_alloc_contig(pm_normal(), 1);
	is(pfn_of_page(run), 0, "the first section is used");
	is(zone_free_contig(run, 1), PAGE_OK);
	ok(!phys_decay(&hand, 4), "the second gives one back, and stops");
	is(hand, 2048, "the second section, since it was not used");
	is(phys_check(), 0);
	is(*(unsigned char *)addr_of_page(page_of_pfn(0)), 0x77);
	is(phys_trim(), 1024, "of those that were backed one is left");
	is(zone_free_pages(pm_normal()), 4096);
	pm_stop();
}

TEST(a_large_machine_starts_without_touching_its_tables)
{
	struct kmem_options opt = pm_options(0);
	pfn_t frames = sizeof(void *) == 8 ? 24ul << 18 : 1ul << 18;

	pm_zone(&opt, KMEM_ZONE_NORMAL, 0, frames);
	pm_start(&opt);
	is(pm_normal()->area[10].nr_free[0], frames >> 10);
	is(page_of_pfn(frames / 2 + 1)->state, PAGE_NONE);
	pm_stop();
}
