// SPDX-License-Identifier: MIT
/*
 * hit: pages taken and given back without a question asked (page_take_hit, page_give_hit).
 *
 * What such a question would be about changes rarely: the marks only together with the free lists,
 * under the zone's lock, and options and switches almost never. So the answers are worked out there,
 * and a hit finds them as the offset of the per-CPU stack that it may use, or PERCPU_NONE, whose stack
 * is always empty and never has room:
 *
 *	take[class][order]	the zone where walks for the class begin, passes at its low mark, without
 *				reserves, for this order (zone_watermark_ok); its lists are on
 *	give[zone][order]	its lists are on, and nothing is done to what is freed
 *
 * Pages on the lists are not free for watermarks (S44), so between two holds of the lock no number of
 * hits changes an answer: it is exact, except that whoever looks during a hold sees the one before.
 *
 *	z->hits		bit 4 class + order: take; bit 20 + order: give; under the lock
 *	z->hits_most	those that do not depend on how much is free
 *	z->hits_floor	by class: more than this must be free
 *
 * With types of page blocks (phys.typed) the way in depends on the request and the way out on the
 * block: nothing hits then.
 *
 * Lock: ZONE, held by page_hits_settle()'s caller; the table is read without. Cost: while the zone is
 * far above its marks, a comparison for each hold of its lock.
 */
#include "phys/internal.h"

enum { GIVE_SHIFT = KMEM_NR_ZONES * PCP_ORDERS };
_Static_assert(GIVE_SHIFT + PCP_ORDERS <= 32, "all answers of a zone are a word");

struct page_hits page_hits;

static u32 take_bit(u32 class, unsigned int order)
{
	return 1u << (class * PCP_ORDERS + order);
}

/* The largest order there is a block of; 0 also if there is none. */
static unsigned int order_top(const struct zone *z)
{
	unsigned int o = MAX_PAGE_ORDER;

	while (o > 0 && !z->area[o].nr_free[KMEM_MT_UNMOVABLE])
		o--;
	return o;
}

/* As zone_watermark_ok() says without types, in figures of the lock's holder. */
static bool passes(const struct zone *z, u32 class, unsigned int order, unsigned int top)
{
	return order <= top && (long)z->free - ((1L << order) - 1) > (long)z->hits_floor[class];
}

/* No class has a larger reserve in a zone than the highest. */
static u32 hits_now(const struct zone *z)
{
	u32 most = z->hits_most, hits = most;
	unsigned int top = order_top(z);

	if (likely(passes(z, KMEM_NR_ZONES - 1, PCP_ORDERS - 1, top)))
		return most;
	for (u32 class = 0; class < KMEM_NR_ZONES; class ++)
		for (unsigned int o = 0; o < PCP_ORDERS; o++)
			if (most & take_bit(class, o) && !passes(z, class, o, top))
				hits &= ~take_bit(class, o);
	return hits;
}

static noinline void hits_write(struct zone *z, u32 hits)
{
	u32 changed = hits ^ z->hits;

	for (unsigned int o = 0; o < PCP_ORDERS; o++) {
		u32 off = z->pcp_home[o];

		for (u32 class = 0; class < KMEM_NR_ZONES; class ++)
			if (changed & take_bit(class, o))
				atom_store(&page_hits.take[class][o],
					   hits & take_bit(class, o) ? off : (u32)PERCPU_NONE);
		atom_store(&page_hits.give[z->index][o],
			   hits & 1u << (GIVE_SHIFT + o) ? off : (u32)PERCPU_NONE);
	}
	z->hits = hits;
}

void page_hits_settle(struct zone *z)
{
	u32 hits = hits_now(z);

	if (unlikely(hits != z->hits))
		hits_write(z, hits);
}

/* Does the walk for a class begin at this zone? */
static bool walk_begins(const struct zone *z, u32 class)
{
	for (u32 i = z->index + 1; i < KMEM_NR_ZONES; i++)
		if (zone_serves(&kmem_machine.zones[i], class))
			return false;
	return zone_serves(z, class);
}

static u32 hits_most(const struct zone *z)
{
	const struct kmem_options *opt = &kmem_machine.opt;
	bool wiped = opt->init_on_free || opt->page_poison || kmem_machine.watched;
	u32 most = 0;

	for (unsigned int o = 0; o < PCP_ORDERS; o++) {
		if (phys.typed || atom_load(&z->pcp_off[o]) == PERCPU_NONE)
			continue;
		for (u32 class = 0; class < KMEM_NR_ZONES; class ++)
			most |= walk_begins(z, class) ? take_bit(class, o) : 0;
		most |= wiped ? 0 : 1u << (GIVE_SHIFT + o);
	}
	return most;
}

void page_hits_refresh(void)
{
	irqflags_t flags;

	for_each_zone (z) {
		zone_lock(z, false, &flags);
		z->hits_most = hits_most(z);
		for (u32 class = 0; class < KMEM_NR_ZONES; class ++)
			z->hits_floor[class] = atom_load(&z->mark[ALLOC_WMARK_LOW]) +
					       atom_load(&z->reserve[class]);
		page_hits_settle(z);
		zone_unlock(z, flags);
	}
}

int page_hits_check(const struct zone *z)
{
	int faults = 0;

	assert_audit(z->hits == hits_now(z), "%s: hits %#x, should be %#x", z->name, z->hits,
		     hits_now(z));
	for (unsigned int o = 0; o < PCP_ORDERS; o++) {
		for (u32 class = 0; class < KMEM_NR_ZONES; class ++)
			assert_audit(!(z->hits & take_bit(class, o)) ||
					     page_hits.take[class][o] == z->pcp_home[o],
				     "%s: class %u, order %u", z->name, class, o);
		assert_audit(page_hits.give[z->index][o] == PERCPU_NONE ||
				     page_hits.give[z->index][o] == z->pcp_off[o],
			     "%s: frees of order %u", z->name, o);
	}
	return faults;
}

struct page *page_take_counted(struct page *page, unsigned int order)
{
	vm_event_add(KMEM_EV_pgalloc_dma + page->zone, 1ull << order);
	return page;
}

void page_give_counted(unsigned int order)
{
	vm_event_add(KMEM_EV_pgfree, 1ull << order);
}

void page_hits_reset(void)
{
	__builtin_memset(&page_hits, 0, sizeof(page_hits));
}
