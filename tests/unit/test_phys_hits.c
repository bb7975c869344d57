/* SPDX-License-Identifier: MIT */
/* The phys floor alone: which requests and frees hit a per-CPU list (src/phys/hit.c). */
#include "phys_machine.h"

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

	opt.percpu_pages = true;
	pm_start(&opt);
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
