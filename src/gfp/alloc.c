/* SPDX-License-Identifier: MIT */
/*
 * The page allocator: the walk over the zones, what is done to a block on its way out, and the way
 * back.
 *
 *	decode --> inject? --> walk at low --hit--> prepare --> charge --> trace
 *	                            |                  ^
 *	                            +--miss--> slow.c -+
 *
 * Walk. Zones from the class of the request down; the first that passes the test of its mark and
 * then has a block serves it. The test reads counts without locks and may be a moment behind, so a
 * zone that passed may still have nothing: then the next one is tried.
 *
 * Way back. A free is judged before anything changes: page_check_free() on what the descriptors say,
 * then the reference is dropped by compare-and-swap from a value above zero. Of two frees of one
 * reference, however they race, exactly one goes from 1 to 0 and owns the block; the other finds 0
 * and is reported.
 *
 *	refcount r > 1		r - 1; of a plain block the frames behind the head go back now
 *	refcount 1		0: the block goes back
 *	refcount <= 0		wrong free
 *
 * Charge (__GFP_ACCOUNT): after success, so that a refusal gives the block back and nothing is
 * left. The head remembers it in PAGE_ACCOUNTED; whoever frees the frames gives their charge back.
 *
 * Locks: none here. Any context; what may be waited for is in the request, for frees in `try`.
 */
#include "gfp/gfp.h"

enum {
	POISON_PAGE = 0xaa,
	NOLOCK_ORDER_MAX = PAGE_ALLOC_COSTLY_ORDER, /* what the kernel has per-CPU lists of */
};

/* ---- The walk ----------------------------------------------------------------------------------- */

static bool zone_allows(const struct zone *z, const struct alloc_request *req, u32 aflags)
{
	if (aflags & ALLOC_NO_WATERMARKS)
		return true;
	return zone_watermark_ok(z, req->order, atom_load(&z->mark[aflags & ALLOC_WMARK_MASK]),
				 req->class, aflags, zone_free_pages(z));
}

static struct page *walk_once(const struct alloc_request *req, u32 aflags)
{
	for (u32 i = KMEM_NR_ZONES; i-- > 0;) {
		struct zone *z = &kmem_machine.zones[i];
		struct page *page;

		if (!(req->zone_mask & 1u << i) || !zone_allows(z, req, aflags))
			continue;
		page = zone_alloc(z, req->order, req->mt, aflags);
		if (likely(page))
			return page;
	}
	return NULL;
}

struct page *gfp_walk(const struct alloc_request *req, u32 aflags)
{
	struct page *page = walk_once(req, aflags);

	if (!page && aflags & ALLOC_NOFRAGMENT)
		page = walk_once(req, aflags & ~(u32)ALLOC_NOFRAGMENT);
	if (page && aflags & ALLOC_NO_WATERMARKS)
		page->flags |= PAGE_PFMEMALLOC;
	return page;
}

/* ---- References ----------------------------------------------------------------------------------- */

/* One reference less; what there were before, or 0: there was none, and nothing has changed. */
static s32 reference_drop(struct page *page)
{
	s32 seen = atom_load(&page->refcount);

	while (seen > 0 && !atom_cas(&page->refcount, &seen, seen - 1))
		;
	return seen > 0 ? seen : 0;
}

/* ---- On the way out ----------------------------------------------------------------------------- */

void gfp_zero(struct page *page, unsigned long nr)
{
	page_clear_soiled(page, nr);
	if (unlikely(kmem_machine.watched) && pfn_of_page(page) + nr <= kmem_machine.low_end)
		port_watch_show(addr_of_page(page), nr << PAGE_SHIFT, true);
}

/* What the word asks to be done to a block. */
static void page_shape(struct page *page, gfp_t gfp, unsigned int order)
{
	assert_debug(page->state == PAGE_ALLOC && page->refcount == 1);
	assert_debug((pfn_of_page(page) & ((1UL << order) - 1)) == 0);
	if (gfp & __GFP_ZERO || kmem_machine.opt.init_on_alloc)
		gfp_zero(page, 1ul << order);
	if (order > 0 && gfp & __GFP_COMP && !(page->flags & PAGE_COMPOUND))
		page_make_compound(page, order);
}

static void page_prepare(struct page *page, const struct alloc_request *req)
{
	if (unlikely(kmem_machine.watched))
		gfp_watch(page, 1ul << req->order, true);
	page_shape(page, req->gfp, req->order);
	vm_event_add(KMEM_EV_pgalloc_dma + page->zone, 1ull << req->order);
}

/* The block itself, or NULL and it has gone back. */
static struct page *page_charge(struct page *page, const struct alloc_request *req)
{
	if (charge_try((long)(PAGE_SIZE << req->order))) {
		page->flags |= PAGE_ACCOUNTED;
		return page;
	}
	reference_drop(page);
	vm_event_add(KMEM_EV_pgfree, 1ull << req->order);
	zone_free(page, req->order, false, req->nested);
	return NULL;
}

static void trace_request(const struct page *page, const struct alloc_request *req)
{
	if (trace_on())
		trace_page_alloc(page, page ? pfn_of_page(page) : 0, req->order, (int)req->mt,
				 gfp_shown(req->gfp));
}

static struct page *page_finish(struct page *page, const struct alloc_request *req)
{
	if (likely(page)) {
		page_prepare(page, req);
		if (unlikely(req->gfp & __GFP_ACCOUNT))
			page = page_charge(page, req);
	}
	trace_request(page, req);
	return page;
}

struct page *gfp_alloc(gfp_t gfp, unsigned int order, const void *site)
{
	u32 flags = order && gfp & __GFP_COMP ? PAGE_COMPOUND : 0;
	struct page *page = gfp_hit(gfp & ~(__GFP_ZERO | __GFP_COMP), order, flags);
	struct alloc_request req;

	if (likely(page)) {
		page_shape(page, gfp, order);
		return page;
	}
	if (unlikely(!gfp_decode(gfp, order, site, &req)))
		return NULL;
	if (unlikely(gfp_should_fail(req.gfp, order)))
		return NULL;
	if (req.may_block)
		kswapd_begin();
	page = gfp_walk(&req, req.aflags_fast);
	if (unlikely(!page))
		page = gfp_slow(&req);
	return page_finish(page, &req);
}

struct page *gfp_alloc_nolock(gfp_t gfp, unsigned int order, const void *site)
{
	struct alloc_request req;

	if (order > NOLOCK_ORDER_MAX)
		return NULL;
	gfp |= __GFP_NOWARN | __GFP_ZERO | __GFP_NOMEMALLOC | __GFP_COMP | __GFP_KMEM_TRYLOCK;
	if (!gfp_decode(gfp, order, site, &req))
		return NULL;
	return page_finish(gfp_walk(&req, ALLOC_WMARK_MIN | ALLOC_TRYLOCK), &req);
}

/* The zone must still be at its low mark when all of them are gone. */
static bool zone_allows_bulk(const struct zone *z, const struct alloc_request *req, unsigned int nr)
{
	return zone_watermark_ok(z, 0, atom_load(&z->mark[ALLOC_WMARK_LOW]) + nr - 1, req->class,
				 req->aflags_fast, zone_free_pages(z));
}

unsigned int gfp_alloc_bulk(const struct alloc_request *req, struct page **pages, unsigned int nr)
{
	unsigned int got = 0;

	assert_debug(req->order == 0 && nr > 0);
	for (u32 i = KMEM_NR_ZONES; i-- > 0 && got == 0;) {
		struct zone *z = &kmem_machine.zones[i];

		if (req->zone_mask & 1u << i && zone_allows_bulk(z, req, nr))
			got = zone_alloc_bulk(z, req->mt, req->aflags_fast, pages, nr);
	}
	for (unsigned int i = 0; i < got; i++)
		page_finish(pages[i], req);
	return got;
}

void gfp_clear_frames(struct page *page, unsigned long nr)
{
	while (nr) {
		unsigned int order = (unsigned int)size_min(ilog2_ulong(nr), MAX_PAGE_ORDER);

		page_clear(page, order);
		page += 1UL << order;
		nr -= 1UL << order;
	}
}

/* ---- The way back ------------------------------------------------------------------------------- */

/* Shows a block to who watches, or hides it; frames outside the direct map are not looked at. */
void gfp_watch(const struct page *page, unsigned long nr, bool show)
{
	if (pfn_of_page(page) + nr > kmem_machine.low_end)
		return;
	if (show)
		port_watch_show(addr_of_page(page), nr << PAGE_SHIFT, false);
	else
		port_watch_hide(addr_of_page(page), nr << PAGE_SHIFT);
}

/* Frames without an address are not filled: their contents are reached through windows alone. */
static void wipe(struct page *page, unsigned long nr)
{
	const struct kmem_options *opt = &kmem_machine.opt;

	if (opt->init_on_free)
		gfp_clear_frames(page, nr);
	else if (pfn_of_page(page) + nr <= kmem_machine.low_end)
		__builtin_memset(addr_of_page(page), POISON_PAGE, nr << PAGE_SHIFT);
}

void gfp_wipe_freed(struct page *page, unsigned long nr)
{
	const struct kmem_options *opt = &kmem_machine.opt;

	if (unlikely(opt->init_on_free || opt->page_poison))
		wipe(page, nr);
	if (unlikely(kmem_machine.watched))
		gfp_watch(page, nr, false);
}

/* What every block that goes back leaves behind it. */
static void note_freed(struct page *page, unsigned int order, bool accounted)
{
	gfp_wipe_freed(page, 1UL << order);
	vm_event_add(KMEM_EV_pgfree, 1ull << order);
	if (trace_on())
		trace_page_free(page, pfn_of_page(page), order);
	if (unlikely(accounted))
		charge_try(-(long)(PAGE_SIZE << order));
}

/*
 * More than one reference: the head stays, as a single page, and the frames behind it have lost their
 * only owner. Of two frees of one block one gets to write the order, and owns the tails; that is done
 * before the reference is dropped, since after it the head may be gone.
 */
static bool tails_free(struct page *page, unsigned int order, bool try)
{
	bool accounted = page->flags & PAGE_ACCOUNTED;
	u8 seen = (u8)order;

	if (!atom_cas(&page->order, &seen, (u8)0))
		return false;
	for (unsigned int o = order; o-- > 0;)
		note_freed(page + (1UL << o), o, accounted);
	page_free_tails(page, order, try);
	return true;
}

static enum page_verdict free_verdict(const struct page *page, unsigned int order)
{
	return order > MAX_PAGE_ORDER ? PAGE_BAD_ORDER : page_check_free(page, order);
}

/* The last reference takes the block along, in the size it has by then. */
static void head_put(struct page *page, unsigned int order, bool cold, bool try)
{
	s32 before = reference_drop(page);

	if (likely(before == 1)) {
		order = atom_load(&page->order);
		note_freed(page, order, page->flags & PAGE_ACCOUNTED);
		zone_free(page, order, cold, try);
	} else if (before == 0) {
		page_report_bad(page, order, PAGE_BAD_FREE);
	}
}

static void block_free(struct page *page, unsigned int order, bool cold, bool try)
{
	enum page_verdict v = free_verdict(page, order);

	if (likely(v == PAGE_OK) && unlikely(order > 0 && !(page->flags & PAGE_COMPOUND)) &&
	    atom_load(&page->refcount) > 1 && !tails_free(page, order, try))
		v = PAGE_BAD_ORDER;
	if (likely(v == PAGE_OK))
		head_put(page, order, cold, try);
	else
		page_report_bad(page, order, v);
}

bool gfp_free_tries(const void *addr)
{
	bool nmi = context_in_nmi();

	if (unlikely(nmi))
		context_report_nmi(addr, "page free");
	return nmi || sync_nested();
}

/* The order may change under us, when the block's owner frees its tails (tails_free). */
void gfp_put(struct page *page)
{
	enum page_verdict v;
	unsigned int order;

	do {
		order = atom_load(&page->order);
		v = free_verdict(page, order);
	} while (v == PAGE_BAD_ORDER && order != atom_load(&page->order));
	if (v == PAGE_OK)
		head_put(page, order, false, gfp_free_tries(page));
	else
		page_report_bad(page, order, v);
}

static bool free_hit_large(struct page *page, unsigned int order, u8 flags)
{
	return order > PAGE_HITS_WORD && likely(!context_in_nmi()) &&
	       page_give_large(page, order, flags);
}

void gfp_free_miss(struct page *page, unsigned int order, bool cold, const void *site)
{
	if (likely(!cold) && free_hit_large(page, order, 0))
		return;
	block_free(page, order, cold, gfp_free_tries(site));
}

void gfp_free(struct page *page, unsigned int order, bool cold, const void *site)
{
	u8 flags = order && atom_load(&page->flags) == PAGE_COMPOUND ? PAGE_COMPOUND : 0;

	if (likely(!cold) &&
	    (gfp_free_hit(page, order, flags) || free_hit_large(page, order, flags)))
		return;
	block_free(page, order, cold, gfp_free_tries(site));
}

void gfp_free_nolock(struct page *page, unsigned int order)
{
	block_free(page, order, false, true);
}

void gfp_split(struct page *page, unsigned int order)
{
	u8 accounted = page->flags & PAGE_ACCOUNTED;

	page_split_block(page, order);
	for (unsigned long i = 0; accounted && i < 1UL << order; i++)
		page[i].flags |= accounted;
}

void gfp_reset(void)
{
	gfp_flags_reset();
	gfp_report_reset();
	fault_setup(NULL);
}
