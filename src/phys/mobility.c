// SPDX-License-Identifier: MIT
/*
 * mobility: keeping pages that can move away from pages that cannot (semantics 4.3), and the reserve
 * for high-order atomic requests (2.9). Both type memory per page block of 2^pageblock_order frames;
 * both are options, and without them every block is UNMOVABLE and nothing here runs.
 *
 * A request whose own list is empty falls back, in this order:
 *
 *	claim   the largest block of another type, and its whole page block with it if the request
 *		is of the kind that pollutes, or the block is large: one spoilt page block, not many
 *	steal   the smallest sufficient block of another type, without retyping anything
 *
 * What may be claimed is decided by counting: a page block changes its type when its free pages and
 * those compatible with the new type are at least half. Allocated heads carry the mobility type of
 * their request (page->mt), which is all that counting needs.
 *
 * A page block that is not wholly inside one zone never changes its type: two locks would guard it.
 *
 * Cost: a claim walks one page block. Lock: ZONE, held by the callers.
 */
#include "phys/internal.h"

enum {
	FALLBACKS = 2,
	MT_ORDINARY = KMEM_MT_RECLAIMABLE + 1, /* types that requests name */
};

static const u8 fallback_order[MT_ORDINARY][FALLBACKS] = {
	[KMEM_MT_UNMOVABLE] = {KMEM_MT_RECLAIMABLE, KMEM_MT_MOVABLE},
	[KMEM_MT_MOVABLE] = {KMEM_MT_RECLAIMABLE, KMEM_MT_UNMOVABLE},
	[KMEM_MT_RECLAIMABLE] = {KMEM_MT_UNMOVABLE, KMEM_MT_MOVABLE},
};

static pfn_t block_start(pfn_t pfn)
{
	return align_down(pfn, pageblock_nr_pages);
}

void mobility_init(struct zone *z)
{
	u32 mt = kmem_machine.opt.mobility ? KMEM_MT_MOVABLE : KMEM_MT_UNMOVABLE;
	pfn_t first = z->start >> pageblock_order;
	pfn_t last = (z->end + pageblock_nr_pages - 1) >> pageblock_order;

	if (z->start == z->end)
		return;
	if (phys.typed)
		__builtin_memset(phys.block_type + first, (int)mt, last - first);
	atom_store(&z->stat->nr_blocks[mt], (u64)(last - first));
}

bool block_set_type(struct zone *z, pfn_t pfn, u32 mt)
{
	pfn_t start = block_start(pfn);
	u32 old = block_type(pfn);

	if (start < z->start || start + pageblock_nr_pages > z->end)
		return false;
	if (old == mt)
		return true;
	atom_store(&phys.block_type[pfn >> pageblock_order], (u8)mt);
	atom_store(&z->stat->nr_blocks[old], z->stat->nr_blocks[old] - 1);
	atom_store(&z->stat->nr_blocks[mt], z->stat->nr_blocks[mt] + 1);
	return true;
}

/* Moves the free blocks of a page block to the list of its new type; frames moved. */
static unsigned long block_move_free(struct zone *z, pfn_t start, u32 mt)
{
	unsigned long moved = 0, step;

	for (pfn_t pfn = start; pfn < start + pageblock_nr_pages; pfn += step) {
		struct page *page = page_of_pfn(pfn);

		step = size_min(page_frames(page), start + pageblock_nr_pages - pfn);
		if (page_state(page) != PAGE_FREE)
			continue;
		buddy_retype(z, page, mt);
		moved += step;
	}
	return moved;
}

/* Free frames of the page block, and allocated ones that can move. */
static void block_census(pfn_t start, unsigned long *free, unsigned long *movable)
{
	unsigned long step;

	*free = 0;
	*movable = 0;
	for (pfn_t pfn = start; pfn < start + pageblock_nr_pages; pfn += step) {
		const struct page *page = page_of_pfn(pfn);
		u32 kind = atom_load(&page->kind);

		step = size_min(page_frames(page), start + pageblock_nr_pages - pfn);
		if (page_kind_state(kind) == PAGE_FREE)
			*free += step;
		else if (page_kind_state(kind) == PAGE_ALLOC &&
			 kind >> PAGE_KIND_MT_SHIFT == KMEM_MT_MOVABLE)
			*movable += step;
	}
}

static bool claim_allowed(unsigned int order, u32 mt)
{
	return order >= pageblock_order / 2 || mt == KMEM_MT_UNMOVABLE || mt == KMEM_MT_RECLAIMABLE;
}

/* Claims the block's page block for mt, if that is worth it; the block stays on a list. */
static bool claim_block(struct zone *z, struct page *page, u32 mt)
{
	pfn_t start = block_start(pfn_of_page(page));
	unsigned long free, movable, alike = 0;
	u32 old = block_type(start);

	if (page->order >= pageblock_order) {
		for (pfn_t pfn = start; pfn < start + (1UL << page->order);
		     pfn += pageblock_nr_pages)
			if (!block_set_type(z, pfn, mt))
				return false;
		buddy_retype(z, page, mt);
		return true;
	}
	block_census(start, &free, &movable);
	if (mt == KMEM_MT_MOVABLE)
		alike = movable;
	else if (old == KMEM_MT_MOVABLE)
		alike = pageblock_nr_pages - size_min(pageblock_nr_pages, free + movable);
	if (free + alike < pageblock_nr_pages / 2 || !block_set_type(z, start, mt))
		return false;
	block_move_free(z, start, mt);
	return true;
}

static struct page *list_head_page(const struct zone *z, unsigned int order, u32 mt)
{
	u32 pfn = z->area[order].head[mt];

	return pfn == LINK_NIL ? NULL : page_of_pfn(pfn);
}

static struct page *mobility_claim(struct zone *z, unsigned int order, u32 mt, u32 aflags)
{
	unsigned int least = order;

	if (aflags & ALLOC_NOFRAGMENT)
		least = (unsigned int)size_max(order, pageblock_order);
	for (unsigned int o = MAX_PAGE_ORDER + 1; o-- > least;) {
		for (u32 i = 0; i < FALLBACKS; i++) {
			struct page *page = list_head_page(z, o, fallback_order[mt][i]);

			if (!page)
				continue;
			/* Smaller ones will not be allowed either. */
			if (!claim_allowed(o, mt))
				return NULL;
			if (claim_block(z, page, mt))
				return buddy_take_smallest(z, order, mt);
			break;
		}
	}
	return NULL;
}

static struct page *mobility_steal(struct zone *z, unsigned int order, u32 mt)
{
	for (unsigned int o = order; o <= MAX_PAGE_ORDER; o++)
		for (u32 i = 0; i < FALLBACKS; i++)
			if (list_head_page(z, o, fallback_order[mt][i]))
				return buddy_take_smallest(z, order, fallback_order[mt][i]);
	return NULL;
}

struct page *mobility_fallback(struct zone *z, unsigned int order, u32 mt, u32 aflags)
{
	struct page *page;

	if (mt >= MT_ORDINARY)
		return NULL;
	page = mobility_claim(z, order, mt, aflags);
	if (!page && !(aflags & ALLOC_NOFRAGMENT))
		page = mobility_steal(z, order, mt);
	return page;
}

/* ---- The reserve for high-order atomic requests --------------------------------------------------- */

/* After a success: the rest of its page block is kept for the next of its kind. */
void highatomic_reserve(struct zone *z, struct page *page, unsigned int order)
{
	unsigned long share = z->managed / 100;
	pfn_t start = block_start(pfn_of_page(page));

	if (share < pageblock_nr_pages || order > pageblock_order)
		return;
	if (z->nr_reserved_highatomic >= align_up(share, pageblock_nr_pages))
		return;
	if (block_type(start) == KMEM_MT_HIGHATOMIC ||
	    !block_set_type(z, start, KMEM_MT_HIGHATOMIC))
		return;
	atom_store(&z->nr_reserved_highatomic, z->nr_reserved_highatomic + pageblock_nr_pages);
	block_move_free(z, start, KMEM_MT_HIGHATOMIC);
	z->stat_dirty |= 1;
}

static bool zone_unreserve_locked(struct zone *z, u32 mt)
{
	for (unsigned int o = 0; o <= MAX_PAGE_ORDER; o++) {
		struct page *page = list_head_page(z, o, KMEM_MT_HIGHATOMIC);
		pfn_t start;

		if (!page)
			continue;
		start = block_start(pfn_of_page(page));
		if (!block_set_type(z, start, mt))
			return false;
		atom_store(&z->nr_reserved_highatomic,
			   z->nr_reserved_highatomic - pageblock_nr_pages);
		return block_move_free(z, start, mt) > 0;
	}
	return false;
}

bool zone_unreserve_highatomic(u32 mt, bool force)
{
	bool done = false;

	if (!phys.live || !kmem_machine.opt.highatomic)
		return false;
	if (!kmem_machine.opt.mobility)
		mt = KMEM_MT_UNMOVABLE;
	for_each_zone (z) {
		irqflags_t flags;

		if (done || (!force && atom_load(&z->nr_reserved_highatomic) <= pageblock_nr_pages))
			continue;
		if (!zone_lock(z, context_is_async(), &flags))
			continue;
		done = zone_unreserve_locked(z, mt);
		zone_unlock(z, flags);
	}
	return done;
}
