/* SPDX-License-Identifier: MIT */
/*
 * Runs for users: any number of contiguous pages (semantics 4.5, <kmem/page.h>).
 *
 * A run is taken from a zone that keeps its mark afterwards: low without effort, then min, less what
 * the request is privileged to. A blocking request then asks for pages back, as often as that frees
 * something, at most 16 times; nobody is killed for a run. Which zones, which marks and which
 * privileges: as for a single page.
 *
 * A run is not charged (__GFP_ACCOUNT): it can be freed in pieces by anybody who knows a frame.
 */
#include "gfp/gfp.h"

/* ---- Allocation --------------------------------------------------------------------------------- */

static bool zone_allows_run(const struct zone *z, const struct alloc_request *req, u32 aflags,
			    unsigned long nr)
{
	if (aflags & ALLOC_NO_WATERMARKS)
		return true;
	/* As nr single pages: the last of them is tested with all others gone. */
	if (zone_free_pages(z) < nr)
		return false;
	return zone_watermark_ok(z, 0, atom_load(&z->mark[aflags & ALLOC_WMARK_MASK]), req->class,
				 aflags, zone_free_pages(z) - (nr - 1));
}

static struct page *run_walk(const struct alloc_request *req, u32 aflags, unsigned long nr)
{
	for (u32 i = KMEM_NR_ZONES; i-- > 0;) {
		struct zone *z = &kmem_machine.zones[i];
		struct page *page;

		if (!(req->zone_mask & 1u << i) || !zone_allows_run(z, req, aflags, nr))
			continue;
		page = zone_alloc_contig(z, nr);
		if (page)
			return page;
	}
	return NULL;
}

static struct page *run_slow(const struct alloc_request *req, unsigned long nr)
{
	u32 reserve = gfp_reserve_aflags(req);
	u32 aflags = reserve ? reserve : gfp_slow_aflags(req) & ~(u32)ALLOC_HIGHATOMIC;
	bool may_reclaim = req->may_block && !(port_task()->pf & PF_MEMALLOC);
	u32 rounds = req->gfp & __GFP_NORETRY ? 1 : MAX_RECLAIM_RETRIES;
	struct page *page;

	if (req->gfp & __GFP_KSWAPD_RECLAIM)
		reclaim_wake_kswapd(gfp_shown(req->gfp), 0, req->class, req->nested);
	page = run_walk(req, aflags, nr);
	for (u32 i = 0; !page && may_reclaim && i < rounds; i++) {
		unsigned long freed = reclaim_direct(gfp_shown(req->gfp), 0, req->class);

		pcp_drain_lists(); /* what lies there breaks runs up */
		page = run_walk(req, aflags, nr);
		if (freed == 0)
			break;
	}
	return page;
}

static unsigned int run_order(unsigned long nr)
{
	return (unsigned int)size_min(fls_ulong(nr - 1), MAX_PAGE_ORDER);
}

static struct page *run_hit(gfp_t gfp, unsigned long nr)
{
	unsigned int list = nr <= RUN_LISTED ? run_list(nr) : RUN_LISTS;

	return list < RUN_LISTS && run_list_nr(list) == nr ? gfp_run_hit(gfp, list) : NULL;
}

struct page *alloc_contig_pages(unsigned long nr, gfp_t gfp, int nid, void *nodemask)
{
	const void *site = __builtin_return_address(0);
	struct alloc_request req;
	struct page *page;

	(void)nodemask; /* there is one node */
	if (nr == 0 || nid > 0 || nid < -1 || !machine_ensure())
		return NULL;
	page = run_hit(gfp & ~__GFP_ZERO, nr);
	if (page) {
		if (!run_count(page_run_nr(page), run_taken(page)))
			run_count_slow(page_run_nr(page), run_taken(page));
		if (gfp & __GFP_ZERO)
			gfp_zero(page, nr);
		return page;
	}
	if (!gfp_decode(gfp_fix_public(gfp), 0, site, &req) ||
	    gfp_should_fail(req.gfp, run_order(nr)))
		return NULL;
	if (req.may_block)
		kswapd_begin();
	page = run_walk(&req, req.aflags_fast, nr);
	if (!page)
		page = run_slow(&req, nr);
	if (!page) {
		vm_event(KMEM_EV_kmem_alloc_fail);
		return NULL;
	}
	if (unlikely(kmem_machine.watched))
		gfp_watch(page, nr, true);
	if (req.gfp & __GFP_ZERO || kmem_machine.opt.init_on_alloc)
		gfp_zero(page, nr);
	vm_event_add(KMEM_EV_pgalloc_dma + page->zone, nr);
	return page;
}

/* ---- Free, resize ----------------------------------------------------------------------------- */

/* False for every page that heads no run, foreign ones and NULL included. */
static bool run_is_valid(const struct page *head)
{
	return page_valid(head) && page_is_run(head);
}

void free_contig_range(unsigned long pfn, unsigned long nr)
{
	struct page *page = page_of_pfn(pfn);
	enum page_verdict v;

	if (nr == 0)
		return;
	if (run_is_valid(page) && page_run_nr(page) == nr && gfp_run_give(page))
		return;
	(void)gfp_free_tries(page);
	/* Only what certainly is the caller's may be overwritten. */
	if (run_is_valid(page) && nr <= page_run_nr(page) && atom_load(&page->refcount) == 1)
		gfp_wipe_freed(page, nr);
	v = zone_free_contig(page, nr);
	if (v == PAGE_OK)
		vm_event_add(KMEM_EV_pgfree, nr);
	else
		page_report_bad(page, run_order(nr), v);
	reclaim_decay();
}

unsigned long contig_nr_pages(const struct page *head)
{
	return run_is_valid(head) ? page_run_nr(head) : 0;
}

bool contig_resize(struct page *head, unsigned long new_nr)
{
	unsigned long old = contig_nr_pages(head);

	if (old == 0 || new_nr == 0)
		return false;
	if (new_nr > old) {
		if (!zone_contig_extend(head, new_nr))
			return false;
		if (unlikely(kmem_machine.watched))
			gfp_watch(head + old, new_nr - old, true);
		vm_event_add(KMEM_EV_pgalloc_dma + head->zone, new_nr - old);
	} else if (new_nr < old) {
		gfp_wipe_freed(head + new_nr, old - new_nr);
		zone_contig_shrink(head, new_nr);
		vm_event_add(KMEM_EV_pgfree, old - new_nr);
	}
	return true;
}
