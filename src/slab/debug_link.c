/* SPDX-License-Identifier: MIT */
/*
 * The links of debugging caches (slab_debug F, Z or P): each free object of a slab carries the address of
 * the next free one, where the kernel's has its free pointer (layout.c).
 *
 *	bitmap	1       0      1       1
 *		A ----------> C ----> D ----> 0		in the order of their addresses
 *
 *	link(free object) = the next set bit's object, or 0	under the node lock, unless noted dirty
 *	link(object of a user) = 0				where it lies outside the object
 *
 * Nobody follows it to allocate: what is free is the bitmap's to say, so a broken link is a finding and
 * leads nowhere. Whoever writes to a freed object at that word is found: an allocation looks whether the
 * link leads to an object of the slab, kmem_cache_validate() whether it leads to the next. A broken chain
 * is cut there and the objects behind it no longer counted, as the kernel does; but they stay in use. A cut
 * link leads to its own object, which no link that is right does. The cache knows its last cut, so as to
 * tell if somebody puts the link back.
 *
 * Objects are taken from the chain's beginning, so only a free writes links: two, after two looks at
 * the bitmap. One that may not wait for the lock leaves that to who settles the slab (node.c), which writes
 * all its links anew and so forgets what was wrong with them.
 */
#include "slab/slab.h"

static void *link_get(const struct kmem_cache *c, const void *obj)
{
	void *link;

	__builtin_memcpy(&link, (const char *)obj + c->link_off, sizeof(link));
	return link;
}

static void link_set(const struct kmem_cache *c, void *obj, void *link)
{
	__builtin_memcpy((char *)obj + c->link_off, &link, sizeof(link));
}

/* The first free object from number nr on, and NULL behind the last; nr: becomes its number. */
static void *free_from(const struct kmem_cache *c, const struct page *head, u32 *nr)
{
	while (*nr < head->u.slab.objects && !slab_bit(head, *nr))
		++*nr;
	return *nr < head->u.slab.objects ? object_at(c, head, *nr) : NULL;
}

static bool link_outside(const struct kmem_cache *c)
{
	return c->link_off >= c->inuse_end;
}

u32 debug_info_start(const struct kmem_cache *c)
{
	bool outside = c->link_off != LINK_NONE && link_outside(c);

	return c->inuse_end + (outside ? (u32)sizeof(void *) : 0);
}

void *debug_link(const struct kmem_cache *c, const void *obj)
{
	return c->link_off == LINK_NONE ? NULL : link_get(c, obj);
}

void *debug_first_free(const struct kmem_cache *c, const struct page *head)
{
	u32 nr = 0;

	return free_from(c, head, &nr);
}

int kmem_cache_freeptr_offset(const struct kmem_cache *c)
{
	return c->link_off == LINK_NONE ? -KE_NOENT : (int)c->link_off;
}

/* ---- Writing them --------------------------------------------------------------------------------- */

void debug_unlink(struct kmem_cache *c, void *obj)
{
	if (c->link_off != LINK_NONE)
		link_set(c, obj, NULL);
}

void debug_relink(struct kmem_cache *c, struct page *head)
{
	u32 nr = 0;
	void *obj, *next;

	if (c->link_off == LINK_NONE)
		return;
	for (obj = free_from(c, head, &nr); obj; obj = next) {
		nr++;
		next = free_from(c, head, &nr);
		link_set(c, obj, next);
	}
}

/* One that is new in the bitmap. A link before it that is not what it should be stays: it is evidence. */
static void link_in(struct kmem_cache *c, struct page *head, u32 nr)
{
	void *obj = object_at(c, head, nr), *before, *next;
	u32 at = nr + 1;

	next = free_from(c, head, &at);
	link_set(c, obj, next);
	if (c->cut == obj)
		c->cut = NULL;
	for (at = nr; at > 0; at--) {
		if (!slab_bit(head, at - 1))
			continue;
		before = object_at(c, head, at - 1);
		if (link_get(c, before) == next)
			link_set(c, before, obj);
		return;
	}
}

void debug_link_in(struct kmem_cache *c, struct page *head, u32 first, unsigned long bits)
{
	if (c->link_off == LINK_NONE)
		return;
	for (; bits; bits &= bits - 1)
		link_in(c, head, first + (u32)__builtin_ctzl(bits));
}

void debug_link_end(struct kmem_cache *c, const struct page *head)
{
	struct page *cut = page_of_addr(c->cut);

	if (cut && slab_head(cut) == head)
		c->cut = NULL;
}

/* ---- Looking at them -------------------------------------------------------------------------------- */

/* Nothing, itself, or an object behind it in its slab. */
static bool link_leads(struct kmem_cache *c, struct page *head, const void *obj, const void *link)
{
	struct page *page = page_of_addr(link);

	if (!link || link == obj)
		return true;
	return link > obj && page >= head && page < head + (1UL << head->order) &&
	       object_nr(c, page, link) != OBJECT_NONE;
}

bool debug_link_holds(struct kmem_cache *c, struct page *head, void *obj, bool free)
{
	void *link = debug_link(c, obj);

	if (c->link_off == LINK_NONE || (!free && !link_outside(c)))
		return true;
	if (free ? link_leads(c, head, obj, link) : !link)
		return true;
	debug_report(c, head, obj, "Freepointer corrupt");
	report(KMEM_LOG_ERR, "FIX %s: Isolate corrupted freechain", c->name);
	link_set(c, obj, free ? obj : NULL);
	return false;
}

static bool counts_agree(struct kmem_cache *c, struct page *head, u32 believed, u32 counted)
{
	char text[80];
	u32 objects = head->u.slab.objects;

	if (believed == counted)
		return true;
	fmt_snprintf(text, sizeof(text), "Wrong object count. Counter is %u but counted were %u",
		     objects - believed, objects - counted);
	debug_report_slab(c, head, text);
	report(KMEM_LOG_ERR, "FIX %s: Object count adjusted", c->name);
	return false;
}

bool debug_chain_holds(struct kmem_cache *c, struct page *head)
{
	u32 nr = 0, counted = 0, mended = 0;
	bool broken = false;
	void *obj, *link, *next;

	if (c->link_off == LINK_NONE)
		return true;
	for (obj = free_from(c, head, &nr); obj; obj = next) {
		counted++;
		nr++;
		next = free_from(c, head, &nr);
		link = link_get(c, obj);
		if (link == obj)
			break;
		if (link == next && obj == c->cut) {
			mended = counted;
			c->cut = NULL;
		}
		if (link != next) {
			debug_report(c, head, obj, "Freechain corrupt");
			link_set(c, obj, obj);
			c->cut = obj;
			broken = true;
			break;
		}
	}
	if (broken)
		return counts_agree(c, head, head->u.slab.objects - head->u.slab.inuse, counted) &&
		       false;
	return !mended || counts_agree(c, head, mended, counted);
}
