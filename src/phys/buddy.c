// SPDX-License-Identifier: MIT
/*
 * buddy: a zone's free blocks.
 *
 * A free block of order o starts at a frame number that is a multiple of 2^o and lies in one zone.
 * Its buddy is the block beside it with which it makes one of order o + 1:
 *
 *	buddy(p, o) = p ^ 2^o		parent(p, o) = p & ~2^o
 *
 *	order 2  |       0       |       4       |
 *	order 1  |   0   |   2   |   4   |   6   |
 *	order 0  | 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 |
 *
 * Allocation takes the head of the smallest order that has a block and keeps the lower half of each
 * split. Freeing merges with the buddy as long as that is free and of the same order. Both are
 * bounded by MAX_PAGE_ORDER steps, so the lock is never held for long.
 *
 * Lists are doubly linked by frame numbers, one per order and mobility type. A block goes to the
 * head of its list, or to the tail when the buddy of its parent is free: it will soon be wanted
 * for a merge, so it is handed out last. (Semantics 4.1.)
 *
 * Fresh sections. Listing a section writes its head's descriptor, and on a machine of tens of
 * gigabytes that alone would cost every process megabytes at its start. So a large zone begins with
 * only its first sections listed; [fresh, fresh_end) are free and counted as such, but neither
 * linked nor written, until the list of the largest order runs dry or somebody looks at them
 * (buddy_fresh_reach). They are taken from below, as if they had all been listed at the tail.
 *
 * Equation: sum over orders of nr_free << order = zone->free; no two free buddies of one order,
 * except two page blocks whose types may not mix.
 *
 * Watermark tests read z->free and nr_free without the lock. z->free therefore moves once per
 * operation, and a count goes down only after those that replace the block have gone up: a reader
 * never sees less than what is there before or after, so no request fails for a split in progress.
 *
 * Lock: ZONE, held by the caller of everything here.
 */
#include "phys/internal.h"

static struct page *link_page(u32 pfn)
{
	assert_debug(pfn < kmem_machine.end);
	return page_of_pfn(pfn);
}

void buddy_count(struct zone *z, unsigned int order, u32 mt, long blocks)
{
	unsigned long *nr = &z->area[order].nr_free[mt];

	atom_store(nr, *nr + (unsigned long)blocks);
	z->stat_dirty |= 1u << order;
	if (mt == KMEM_MT_HIGHATOMIC)
		atom_store(&z->nr_free_highatomic,
			   z->nr_free_highatomic + ((unsigned long)blocks << order));
}

static void buddy_link(struct zone *z, struct page *page, unsigned int order, u32 mt, bool to_tail)
{
	struct free_area *area = &z->area[order];
	u32 pfn = (u32)pfn_of_page(page);

	atom_store(&page->order, (u8)order);
	page->mt = mt & 0xf;
	page->zone = z->index & 0xf;
	page->flags = 0;
	page->refcount = 0;
	page->next = to_tail ? LINK_NIL : area->head[mt];
	page->prev = to_tail ? area->tail[mt] : LINK_NIL;
	if (page->next == LINK_NIL)
		area->tail[mt] = pfn;
	else
		link_page(page->next)->prev = pfn;
	if (page->prev == LINK_NIL)
		area->head[mt] = pfn;
	else
		link_page(page->prev)->next = pfn;
	page_set_state(page, PAGE_FREE);
	buddy_count(z, order, mt, 1);
}

void buddy_unlink(struct zone *z, struct page *page)
{
	struct free_area *area = &z->area[page->order];

	assert_always(page->state == PAGE_FREE);
	if (page->next == LINK_NIL)
		area->tail[page->mt] = page->prev;
	else
		link_page(page->next)->prev = page->prev;
	if (page->prev == LINK_NIL)
		area->head[page->mt] = page->next;
	else
		link_page(page->prev)->next = page->next;
	page->flags = 0; /* PAGE_IDLE */
	page_set_state(page, PAGE_NONE);
}

void buddy_fresh_set(struct zone *z, pfn_t from, pfn_t to)
{
	assert_always((from | to) % SECTION_PAGES == 0 && from <= to && z->fresh == z->fresh_end);
	z->fresh = from;
	z->fresh_end = to;
	buddy_count(z, MAX_PAGE_ORDER, KMEM_MT_UNMOVABLE, (long)((to - from) / SECTION_PAGES));
	atom_store(&z->free, z->free + (to - from));
}

void buddy_fresh_reach(struct zone *z, pfn_t pfn)
{
	while (unlikely(pfn < z->fresh_end) && pfn >= z->fresh) {
		struct page *page = page_of_pfn(z->fresh);

		atom_store(&z->fresh, z->fresh + SECTION_PAGES);
		buddy_link(z, page, MAX_PAGE_ORDER, KMEM_MT_UNMOVABLE, true);
		buddy_count(z, MAX_PAGE_ORDER, KMEM_MT_UNMOVABLE, -1); /* it was counted */
	}
}

void buddy_split(struct zone *z, struct page *page, unsigned int from, unsigned int order, u32 mt)
{
	while (from > order) {
		from--;
		buddy_link(z, page + (1UL << from), from, mt, false);
	}
}

/* The smallest order, from this one on, that has a block; NR_PAGE_ORDERS: none has. */
static unsigned int buddy_smallest(struct zone *z, unsigned int order, u32 mt)
{
	for (; order < NR_PAGE_ORDERS; order++) {
		if (order == MAX_PAGE_ORDER && z->area[order].head[mt] == LINK_NIL)
			buddy_fresh_reach(z, z->fresh);
		if (z->area[order].head[mt] != LINK_NIL)
			break;
	}
	return order;
}

struct page *buddy_take_smallest(struct zone *z, unsigned int order, u32 mt)
{
	unsigned int o = buddy_smallest(z, order, mt);
	struct page *page;

	if (o == NR_PAGE_ORDERS)
		return NULL;
	page = link_page(z->area[o].head[mt]);
	buddy_unlink(z, page);
	buddy_split(z, page, o, order, mt);
	buddy_count(z, o, mt, -1);
	return page;
}

void buddy_take_block(struct zone *z, struct page *page)
{
	unsigned int order = page->order;

	buddy_unlink(z, page);
	buddy_count(z, order, page->mt, -1);
	atom_store(&z->free, z->free - (1UL << order));
}

/* The reserve for high-order atomic requests opens for them first, for others in need last. */
struct page *buddy_take(struct zone *z, unsigned int order, u32 mt, u32 aflags)
{
	const struct kmem_options *opt = &kmem_machine.opt;
	struct page *page = NULL;

	assert_debug(order <= MAX_PAGE_ORDER);
	if (!opt->mobility)
		mt = KMEM_MT_UNMOVABLE;
	if (opt->highatomic && (aflags & ALLOC_HIGHATOMIC) && order > 0)
		page = buddy_take_smallest(z, order, KMEM_MT_HIGHATOMIC);
	if (!page)
		page = buddy_take_smallest(z, order, mt);
	if (!page && opt->mobility)
		page = mobility_fallback(z, order, mt, aflags);
	if (!page && opt->highatomic && (aflags & (ALLOC_OOM | ALLOC_NON_BLOCK)))
		page = buddy_take_smallest(z, order, KMEM_MT_HIGHATOMIC);
	if (page)
		atom_store(&z->free, z->free - (1UL << order));
	return page;
}

struct page *buddy_take_some(struct zone *z, unsigned int order, u32 mt, u32 aflags, u32 want,
			     u32 *n)
{
	u32 own = kmem_machine.opt.mobility ? mt : (u32)KMEM_MT_UNMOVABLE;
	unsigned int o = buddy_smallest(z, order, own);

	/* One by one a block that is no larger would be used up before any other is looked at, and one
	 * that is larger be cut from below. */
	o = o == NR_PAGE_ORDERS ? order : (unsigned int)size_min(o, order + ilog2_ulong(want));
	*n = 1u << (o - order);
	return buddy_take(z, o, mt, aflags);
}

/* The free block beside this one, or NULL. The test of the zone comes first: outside it the
 * descriptor may change under us, or not exist. */
static struct page *buddy_find(const struct zone *z, pfn_t pfn, unsigned int order)
{
	pfn_t other = pfn ^ (1UL << order);
	struct page *page;

	if (other < z->start || other >= z->end)
		return NULL;
	page = page_of_pfn(other);
	return page_state(page) == PAGE_FREE && page->order == order ? page : NULL;
}

/* Page blocks of different types may join, the later takes the other's type; reserved ones not. */
static bool buddy_may_merge(struct zone *z, struct page *buddy, unsigned int order, u32 mt)
{
	if (likely(order < pageblock_order || buddy->mt == mt))
		return true;
	if (buddy->mt == KMEM_MT_HIGHATOMIC || mt == KMEM_MT_HIGHATOMIC)
		return false;
	return block_set_type(z, pfn_of_page(buddy), mt);
}

/* Will a merge one order up follow when this block's own buddy comes back? */
static bool buddy_merge_likely(const struct zone *z, pfn_t pfn, unsigned int order)
{
	if (order >= MAX_PAGE_ORDER - 1)
		return false;
	return buddy_find(z, pfn & ~(1UL << order), order + 1) != NULL;
}

void buddy_free(struct zone *z, struct page *page, unsigned int order, bool to_tail)
{
	pfn_t pfn = pfn_of_page(page);
	u32 mt = block_type(pfn);
	unsigned int first = order;
	u8 merged[NR_PAGE_ORDERS];

	assert_always((pfn & ((1UL << order) - 1)) == 0);
	assert_always(pfn >= z->start && pfn + (1UL << order) <= z->end);
	assert_always(page->state != PAGE_FREE);
	page->flags = 0;
	page->refcount = 0;
	page_set_state(page, PAGE_NONE);
	while (order < MAX_PAGE_ORDER) {
		struct page *buddy = buddy_find(z, pfn, order);

		if (!buddy || !buddy_may_merge(z, buddy, order, mt))
			break;
		merged[order] = buddy->mt;
		buddy_unlink(z, buddy);
		pfn &= ~(1UL << order);
		order++;
	}
	buddy_link(z, page_of_pfn(pfn), order, mt, to_tail || buddy_merge_likely(z, pfn, order));
	for (unsigned int o = first; o < order; o++)
		buddy_count(z, o, merged[o], -1);
	atom_store(&z->free, z->free + (1UL << first));
}

void buddy_free_frames(struct zone *z, pfn_t pfn, unsigned long nr, bool to_tail)
{
	while (nr) {
		unsigned int order = (unsigned int)size_min(ilog2_ulong(nr), MAX_PAGE_ORDER);

		if (pfn)
			order = (unsigned int)size_min(order, (size_t)__builtin_ctzl(pfn));
		buddy_free(z, page_of_pfn(pfn), order, to_tail);
		pfn += 1UL << order;
		nr -= 1UL << order;
	}
}

void buddy_retype(struct zone *z, struct page *page, u32 mt)
{
	unsigned int order = page->order;
	u32 old = page->mt;

	buddy_unlink(z, page);
	buddy_link(z, page, order, mt, false);
	buddy_count(z, order, old, -1);
}
