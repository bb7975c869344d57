/* SPDX-License-Identifier: MIT */
/*
 * Pages inside of slabs that nothing is in.
 *
 * Of many objects freed in any order a few stay, and each keeps its slab. Where objects are large the others
 * leave whole pages of it empty:
 *
 *	page	|       0       |       1       |       2       |       3       |
 *	object	| free  | free  | free  | free  |in use | free  | free  | free  |
 *		 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^                 ^^^^^^^^^^^^^^^ hollow
 *
 * Their memory can be the host's until an object there is allocated, whose first touch brings it back. So it is
 * not asked for while a program keeps its size, but before it grows (malloc/growth.c).
 *
 * The objects of the hollow pages are taken as if they were allocated, so that nobody else has them while
 * the memory goes, and are freed again. A page is asked for once: it counts as soiled again when an
 * object of its slab is taken (commit.c).
 *
 * Lock: RANK_NODE for each look at eight slabs; none while the host is asked. Only slabs of one word of bitmap.
 */
#include "slab/slab.h"

/* The bits of the objects that have a part in the page, or none if one of them is in use. */
static unsigned long page_free_bits(const struct kmem_cache *c, u32 page, u32 objects,
				    unsigned long free)
{
	u32 from = page << PAGE_SHIFT, first = from / c->size;
	u32 last = (from + (u32)PAGE_SIZE - 1) / c->size;
	unsigned long bits;

	if (first >= objects)
		return 0;
	last = (u32)size_min(last, objects - 1);
	bits = (~0UL >> (HOLLOW_MOST - 1 - (last - first))) << first;
	return (free & bits) == bits ? bits : 0;
}

static bool page_soiled(const struct page *head, u32 page)
{
	return frames_known_soiled(pfn_of_page(head) + page, 0);
}

unsigned long slab_hollow_bits(const struct kmem_cache *c, const struct page *head)
{
	u32 objects = head->u.slab.objects;
	unsigned long free, bits = 0;

	if (objects > HOLLOW_MOST)
		return 0;
	free = atom_load(page_bitmap(head, objects));
	for (u32 i = 0; free && i < 1u << head->order; i++)
		if (page_soiled(head, i))
			bits |= page_free_bits(c, i, objects, free);
	return bits;
}

/* The bits of n objects of the slab. */
static unsigned long bits_of(const struct kmem_cache *c, const struct page *head, void **objs,
			     u32 n)
{
	unsigned long bits = 0;

	while (n--)
		bits |= 1UL << ((u32)((unsigned char *)objs[n] - slab_base(head)) / c->size);
	return bits;
}

/* Pages in a row go in one call. False: some cannot be had again. */
static bool slab_discard(const struct kmem_cache *c, const struct page *head, unsigned long taken)
{
	u32 objects = head->u.slab.objects, pages = 1u << head->order;

	for (u32 i = 0, n; i < pages; i += n + 1) {
		for (n = 0; i + n < pages && page_free_bits(c, i + n, objects, taken);)
			n++;
		if (n && !frames_discard(pfn_of_page(head) + i, n))
			return false;
	}
	return true;
}

/* Does nobody rely on what is in a free object? */
static bool cache_is_plain(const struct kmem_cache *c)
{
	return !c->ctor && !c->ctor_ldd3 && !c->dtor_ldd3 && !c->internal && !cache_watched(c) &&
	       !(c->flags & (SLAB_DEBUG_FLAGS | SLAB_TYPESAFE_BY_RCU | SLAB_NO_REAP));
}

/* A walk over all caches, which may be left after each piece, as reclaim's (cache.c). */
struct walk {
	u64 at; /* seq of the cache whose turn it is, if it still is there; else that of the next one */
	unsigned long left; /* slabs of that one to be looked at; 0: it has not been begun */
};

enum {
	WALK_GLANCES = 8, /* caches that have nothing to give */
	GIVE_SLABS = 4	  /* that give something in one piece */
};

/* Eight slabs are looked at, of which one gives something. */
static void cache_discard_some(struct kmem_cache *c, struct walk *w)
{
	void *objs[HOLLOW_MOST];
	struct page *slab;
	u32 n;

	if (!w->left || w->at != c->seq)
		*w = (struct walk){c->seq, ~0UL};
	n = node_take_hollow(c, &w->left, &slab, objs);
	/* What cannot be had again is nobody's from now on. */
	if (n && slab_discard(c, slab, bits_of(c, slab, objs, n)))
		node_free(c, objs, n, false);
}

/* False: it is over. */
static bool discard_some(struct walk *w)
{
	struct kmem_cache *c = cache_from(w->at);
	bool some = false;

	for (u32 i = 0; c && !some && i < WALK_GLANCES; i++) {
		some = cache_is_plain(c) && c->size > PAGE_SIZE / 16 && atom_load(&c->nr_slabs);
		if (some)
			cache_discard_some(c, w);
		if (!some || !w->left) {
			*w = (struct walk){.at = c->seq - 1};
			c = cache_next(c);
		}
	}
	if (c)
		cache_unpin(c);
	return c;
}

void slab_discard_hollow(void)
{
	struct walk w = {.at = UINT64_MAX};

	while (discard_some(&w))
		;
}

/* ---- Growth -------------------------------------------------------------------------------------- */

static struct {
	struct walk w;
	bool lists;
	u32 list; /* pcp_drain_some() */
	u32 state;
} giving;

static bool give_some(void)
{
	bool slabs = !giving.lists, more;

	for (u32 i = 0; i < GIVE_SLABS && !giving.lists; i++)
		giving.lists = !discard_some(&giving.w);
	if (slabs)
		return true;
	more = pcp_drain_some(&giving.list);
	phys_run_deferred();
	return more;
}

void slab_give(bool begin, unsigned long pieces)
{
	bool more = true, fresh;

	if (!turn_take(&giving.state, begin, &fresh))
		return;
	if (fresh) {
		giving.w = (struct walk){.at = UINT64_MAX};
		giving.lists = false;
		giving.list = 0;
	}
	while (more && pieces--)
		more = give_some();
	turn_end(&giving.state, more);
}

void slab_give_reset(void)
{
	giving.state = TURN_NONE;
}
