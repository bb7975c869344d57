// SPDX-License-Identifier: MIT
/*
 * contig: runs of any number of contiguous frames.
 *
 *	|H . . . . . . . . . .|        H head: PAGE_ALLOC, PAGE_RUN, private_data = frames
 *	       free this part          . tails: PAGE_NONE, never written
 *	|H . .|#########|H . .|        what stays are two runs
 *
 * A run is placed, under the lock, by the first of these that succeeds:
 *
 *	hint	right behind the run placed last. The excess of a block lies there, and what follows is
 *		often free, so that a sequence of runs of one size is packed without gaps, where each
 *		in a block of its own would leave up to half of it unusable. If a run was freed since:
 *		where it was, since its memory is backed, and likely in a cache. A few steps; none if
 *		nobody has had that memory yet, and somebody that of the next block
 *	block	the lower part of the next larger block; sections: above the largest block, the first
 *		stretch of whole free sections that is long enough, one step per section
 *	scan	the first stretch of free frames that is long enough, wherever it begins: one step per
 *		allocated frame and free block, taken only by what would be refused without it
 *
 * A part is freed by its first frame, and its head is found by walking back over tails; whole runs,
 * the common case, are their own head. Tails are PAGE_NONE, so the walk ends at the head for any
 * frame of a run; for a frame of no run it ends at a head that does not reach it, which is how
 * wrong frees are told.
 *
 * Runs of some lengths rest on per-CPU lists (pcp.c) when they are freed, and are taken from there first:
 * nobody has the lock then. So a run is its reference holder's: who cuts one takes the reference for that
 * long, which a free without the lock (run_give_hit) drops before it looks at the length.
 *
 * Lock: ZONE. Memory is committed outside it; a refusal gives everything back.
 */
#include "phys/internal.h"

static void run_make(struct page *page, struct zone *z, unsigned long nr)
{
	atom_store(&page->u.own.listed, (u16)0);
	page_hand_out_as(page, z, nr,
			 page_kind(PAGE_ALLOC, PAGE_ORDER_RUN, PAGE_RUN) |
				 KMEM_MT_UNMOVABLE << PAGE_KIND_MT_SHIFT);
}

/* The first of enough neighbouring sections that are free as a whole. */
static struct page *sections_find(struct zone *z, unsigned long sections)
{
	unsigned long found = 0;

	for (pfn_t pfn = align_up(z->start, SECTION_PAGES); pfn + SECTION_PAGES <= z->end;
	     pfn += SECTION_PAGES) {
		const struct page *page = page_of_pfn(pfn);

		buddy_fresh_reach(z, pfn);
		if (page_state(page) == PAGE_FREE && page->order == MAX_PAGE_ORDER &&
		    page->mt != KMEM_MT_HIGHATOMIC)
			found++;
		else
			found = 0;
		if (found == sections)
			return page_of_pfn(pfn - (sections - 1) * SECTION_PAGES);
	}
	return NULL;
}

static struct page *sections_take(struct zone *z, unsigned long nr)
{
	unsigned long sections = (nr + SECTION_PAGES - 1) >> MAX_PAGE_ORDER;
	struct page *head = sections_find(z, sections);

	for (unsigned long i = 0; head && i < sections; i++)
		buddy_take_block(z, head + i * SECTION_PAGES);
	if (head)
		buddy_free_frames(z, pfn_of_page(head) + nr, sections * SECTION_PAGES - nr, false);
	return head;
}

static struct page *block_take(struct zone *z, unsigned long nr)
{
	unsigned int order = fls_ulong(nr - 1);
	struct page *head = buddy_take(z, order, KMEM_MT_UNMOVABLE, 0);

	if (head)
		buddy_free_frames(z, pfn_of_page(head) + nr, (1UL << order) - nr, false);
	return head;
}

/* How far the frames from pfn on are free, in whole blocks, up to at least target. */
static pfn_t free_until(struct zone *z, pfn_t pfn, pfn_t target)
{
	while (pfn < target && pfn < z->end) {
		const struct page *page = page_of_pfn(pfn);

		buddy_fresh_reach(z, pfn);
		if (page_state(page) != PAGE_FREE || page->mt == KMEM_MT_HIGHATOMIC)
			break;
		pfn += 1UL << page->order;
	}
	return pfn;
}

/* Takes the frames [from, target), which are free blocks that begin at from. */
static void stretch_take(struct zone *z, pfn_t from, pfn_t target)
{
	pfn_t pfn = from;

	while (pfn < target) {
		struct page *page = page_of_pfn(pfn);

		pfn += 1UL << page->order;
		buddy_take_block(z, page);
	}
	buddy_free_frames(z, target, pfn - target, false);
}

static struct page *hint_take(struct zone *z, unsigned long nr)
{
	pfn_t pfn = z->run_hint;

	if (pfn < z->start || pfn >= z->end || nr > z->end - pfn ||
	    free_until(z, pfn, pfn + nr) < pfn + nr)
		return NULL;
	stretch_take(z, pfn, pfn + nr);
	return page_of_pfn(pfn);
}

static struct page *scan_take(struct zone *z, unsigned long nr)
{
	pfn_t pfn = z->start;

	while (z->free >= nr && pfn < z->end && nr <= z->end - pfn) {
		pfn_t until = free_until(z, pfn, pfn + nr);

		if (until >= pfn + nr) {
			stretch_take(z, pfn, pfn + nr);
			return page_of_pfn(pfn);
		}
		pfn = until + 1; /* that one is not free */
	}
	return NULL;
}

/* Has the next block that serves been somebody's? Then its memory is there. */
static bool block_used(const struct zone *z, unsigned long nr)
{
	for (unsigned int o = fls_ulong(nr - 1); o < NR_PAGE_ORDERS; o++) {
		u32 pfn = z->area[o].head[KMEM_MT_UNMOVABLE];

		if (pfn != LINK_NIL)
			return frames_known_soiled(pfn, 0);
	}
	return false;
}

static struct page *run_take(struct zone *z, unsigned long nr)
{
	pfn_t hint = z->run_hint;
	bool fresh = hint < z->end && !frames_known_soiled(hint, 0);
	struct page *head = fresh && block_used(z, nr) ? NULL : hint_take(z, nr);

	if (!head)
		head = nr <= SECTION_PAGES ? block_take(z, nr) : sections_take(z, nr);
	if (!head)
		head = scan_take(z, nr);
	if (head)
		z->run_hint = pfn_of_page(head) + nr;
	return head;
}

struct page *zone_alloc_contig(struct zone *z, unsigned long nr)
{
	struct page *head;
	irqflags_t flags;

	if (nr == 0 || nr > z->managed)
		return NULL;
	head = pcp_run_take(z, nr);
	if (head)
		return head;
	if (!zone_lock(z, context_is_async(), &flags))
		return NULL;
	head = run_take(z, nr);
	zone_unlock(z, flags);
	if (!head)
		return NULL;
	run_make(head, z, nr);
	if (frames_commit(pfn_of_page(head), nr, context_is_async()))
		return head;
	assert_always(zone_free_contig(head, nr) == PAGE_OK);
	return NULL;
}

/* The head of the run that has all of these frames; else NULL. */
static struct page *run_of(const struct zone *z, struct page *page, unsigned long nr)
{
	struct page *first = page_of_pfn(z->start), *head = page;

	while (head > first && page_state(head) == PAGE_NONE)
		head--;
	if (!page_is_run(head) || atom_load(&head->refcount) < 1)
		return NULL;
	return page_run_nr(head) >= (unsigned long)(page - head) + nr ? head : NULL;
}

static enum page_verdict run_blame(const struct page *page)
{
	u8 state = page_state(page);

	if (state == PAGE_SLAB)
		return PAGE_BAD_SLAB;
	if (state == PAGE_FREE || state == PAGE_PCP || (page_is_run(page) && page->refcount == 0))
		return PAGE_BAD_FREE;
	return state == PAGE_HOLE ? PAGE_BAD_FOREIGN : PAGE_BAD_ORDER;
}

/* Makes these frames of a run a run of their own, and so of those before and behind them. */
static enum page_verdict run_cut(struct zone *z, struct page *page, unsigned long nr)
{
	struct page *head = run_of(z, page, nr);
	unsigned long before, after;
	s32 held = head ? atom_load(&head->refcount) : 0;

	if (!head)
		return run_blame(page);
	if (head == page && held > 1)
		return PAGE_BAD_REFCOUNT;
	/* Pairs with the cas of a free without the lock. */
	if (held < 1 || !atom_cas(&head->refcount, &held, 0))
		return PAGE_BAD_FREE;
	before = (unsigned long)(page - head);
	after = page_run_nr(head) - before - nr;
	if (after)
		run_make(page + nr, z, after);
	if (before)
		run_make(page, z, nr);
	if (before || after) {
		atom_store(&head->u.own.private_data, before ? before : nr);
		atom_store(&head->u.own.listed, (u16)0);
	}
	atom_store_rel(&head->refcount, held);
	return PAGE_OK;
}

void run_free_locked(struct zone *z, struct page *head)
{
	pfn_t pfn = pfn_of_page(head);
	unsigned long nr = page_run_nr(head);

	frames_soil(pfn, nr);
	buddy_free_frames(z, pfn, nr, false);
	z->run_hint = pfn;
}

enum page_verdict zone_free_contig(struct page *page, unsigned long nr)
{
	enum page_verdict v;
	struct zone *z;
	irqflags_t flags;
	pfn_t pfn;

	if (nr == 0)
		return PAGE_OK;
	if (!page_valid(page))
		return PAGE_BAD_FOREIGN;
	pfn = pfn_of_page(page);
	z = zone_of_pfn(pfn);
	if (!z || nr > z->end - pfn)
		return PAGE_BAD_FOREIGN;
	if (pcp_run_give(z, page, nr, context_is_async()))
		return PAGE_OK;
	if (!zone_lock(z, context_is_async(), &flags)) {
		/* The lock's holder may be the task we interrupted. A run is its owner's alone, who cuts
		 * it now: he may go on with the rest before this part is taken in. */
		v = run_cut(z, page, nr);
		return v == PAGE_OK ? defer_run(z, page) : v;
	}
	v = run_cut(z, page, nr);
	if (v == PAGE_OK)
		run_free_locked(z, page);
	zone_unlock(z, flags);
	return v;
}

/* Behind an allocated frame a free block can only begin, so blocks are met head first. */
static bool extend_locked(struct zone *z, pfn_t from, pfn_t target)
{
	if (free_until(z, from, target) < target)
		return false;
	if (!zone_watermark_ok(z, 0, atom_load(&z->mark[ALLOC_WMARK_LOW]) + (target - from) - 1,
			       z->index, 0, z->free))
		return false;
	stretch_take(z, from, target);
	return true;
}

bool zone_contig_extend(struct page *head, unsigned long nr)
{
	struct zone *z = zone_of_head(head);
	unsigned long old = page_run_nr(head);
	pfn_t end = pfn_of_page(head) + old;
	struct page *behind;
	irqflags_t flags;
	bool ok;

	assert_always(page_is_run(head));
	if (nr <= old || nr > z->end - pfn_of_page(head))
		return false;
	if (!zone_lock(z, context_is_async(), &flags))
		return false;
	ok = extend_locked(z, end, pfn_of_page(head) + nr);
	if (ok) /* a run of its own until its memory is there */
		run_make(page_of_pfn(end), z, nr - old);
	zone_unlock(z, flags);
	if (!ok)
		return false;
	if (!frames_commit(end, nr - old, context_is_async())) {
		assert_always(zone_free_contig(page_of_pfn(end), nr - old) == PAGE_OK);
		return false;
	}
	/* The frame behind turns from a head into a tail; the owner alone frees parts of this run. */
	behind = page_of_pfn(end);
	atom_store(&behind->kind, page_kind(PAGE_NONE, 0, 0) | (behind->kind & PAGE_KIND_ZONE));
	atom_store(&head->u.own.listed, (u16)0);
	atom_store(&head->u.own.private_data, nr);
	return true;
}

void zone_contig_shrink(struct page *head, unsigned long nr)
{
	unsigned long old = page_run_nr(head);

	assert_always(page_is_run(head) && nr > 0 && nr <= old);
	if (nr < old)
		assert_always(zone_free_contig(head + nr, old - nr) == PAGE_OK);
}
