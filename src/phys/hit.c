// SPDX-License-Identifier: MIT
/*
 * hit: pages taken and given back without a question asked (page_take_hit, page_give_hit).
 *
 * What such a question would be about changes rarely: the marks only together with the free lists,
 * under the zone's lock, and options and switches almost never. So the answers are worked out there,
 * and a hit finds them as the offset of the per-CPU stack that it may use, or PERCPU_NONE, whose stack
 * is always empty and never has room:
 *
 *	take[order][class]	the zone where walks for the class begin, passes at its low mark, without
 *				reserves, for this order (zone_watermark_ok); its lists are on
 *	give[order][zone]	its lists are on, and nothing is done to what is freed
 *	run_take, run_give	the same of runs: their order is that of a block that would hold them
 *
 * Pages on the lists are not free for watermarks (S44), so between two holds of the lock no number of
 * hits changes an answer: it is exact, except that whoever looks during a hold sees the one before.
 *
 *	z->hits		a row of bits, one an order, for each class: take; a last one: give; under
 *			the lock
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

enum {
	ROW_GIVE = KMEM_NR_ZONES,
	ROW_ALL = (1 << PCP_ORDERS) - 1,
};
_Static_assert((ROW_GIVE + 1) * PCP_ORDERS <= 64, "all answers of a zone are a word");

struct page_hits page_hits;

/* A row of answers in its place, and out of it. */
static u64 row_put(u32 row, u32 bits)
{
	return (u64)bits << (row * PCP_ORDERS);
}

static u32 row_get(u64 hits, u32 row)
{
	return (u32)(hits >> (row * PCP_ORDERS)) & ROW_ALL;
}

/* The largest order there is a block of; 0 also if there is none. */
static unsigned int order_top(const struct zone *z)
{
	unsigned int o = MAX_PAGE_ORDER;

	while (o > 0 && !z->area[o].nr_free[KMEM_MT_UNMOVABLE])
		o--;
	return o;
}

/*
 * The orders that pass, as zone_watermark_ok() says without types, in figures of the lock's holder:
 * those up to top of which a block, less one page, can go and more than the floor stays.
 */
static u32 orders_passing(const struct zone *z, u32 class, unsigned int top)
{
	unsigned long floor = z->hits_floor[class];

	if (z->free <= floor)
		return 0;
	top = (unsigned int)size_min(top, ilog2_ulong(z->free - floor));
	return (2u << top) - 1;
}

/* No class has a larger reserve in a zone than the highest. */
static u64 hits_now(const struct zone *z)
{
	unsigned int top = order_top(z);
	u64 hits;

	if (likely(orders_passing(z, KMEM_NR_ZONES - 1, top) >= ROW_ALL))
		return z->hits_most;
	hits = row_put(ROW_GIVE, ROW_ALL);
	for (u32 class = 0; class < KMEM_NR_ZONES; class ++)
		hits |= row_put(class, orders_passing(z, class, top) & ROW_ALL);
	return hits & z->hits_most;
}

static struct port_stack *home_stack(const struct zone *z, unsigned int slot)
{
	return percpu_first(z->pcp_home[slot]);
}

/* Where the row's bits changed, in one column of a table. */
static void row_write(const struct zone *z, struct port_stack *(*table)[PAGE_HITS_ROW], u32 column,
		      u32 bits, u32 changed)
{
	for (; changed; changed &= changed - 1) {
		unsigned int o = (unsigned int)__builtin_ctz(changed);

		/* Pairs with page_take_hit() of whoever is there before the machine is. */
		atom_store_rel(&table[o][column], bits >> o & 1 ? home_stack(z, o) : NULL);
	}
}

/* The order of a block that would hold a run of the list. */
static unsigned int run_list_order(unsigned int list)
{
	return fls_ulong(run_list_nr(list) - 1);
}

/* As many lists as have the same answer as their order. */
static void runs_write(const struct zone *z, u32 column, u32 bits, u32 changed)
{
	for (unsigned int list = 0; list < RUN_LISTS; list++) {
		unsigned int o = run_list_order(list);

		if (changed >> o & 1)
			atom_store_rel(&page_hits.run_take[list][column], /* as row_write() */
				       bits >> o & 1 ? home_stack(z, PCP_RUNS + list) : NULL);
	}
}

static noinline void hits_write(struct zone *z, u64 hits)
{
	u64 changed = hits ^ z->hits;
	u32 give = row_get(hits, ROW_GIVE);

	for (u32 class = 0; class < KMEM_NR_ZONES; class ++) {
		u32 bits = row_get(hits, class), diff = row_get(changed, class);

		row_write(z, page_hits.take, class, bits, diff);
		if (diff)
			runs_write(z, class, bits, diff);
	}
	row_write(z, page_hits.give, z->index, give, row_get(changed, ROW_GIVE));
	atom_store(&page_hits.run_give[z->index],
		   give & 1 ? (struct port_stack *)percpu_first(z->run_stacks) : NULL);
	z->hits = hits;
}

void page_hits_settle(struct zone *z)
{
	u64 hits = hits_now(z);

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

static u64 hits_most(const struct zone *z)
{
	const struct kmem_options *opt = &kmem_machine.opt;
	bool wiped = opt->init_on_free || opt->page_poison || kmem_machine.watched;
	u32 orders = 0;
	u64 most = 0;

	for (unsigned int o = 0; o < PCP_ORDERS; o++)
		if (!phys.typed && atom_load(&z->pcp_off[o]) != PERCPU_NONE)
			orders |= 1u << o;
	for (u32 class = 0; class < KMEM_NR_ZONES; class ++)
		most |= walk_begins(z, class) ? row_put(class, orders) : 0;
	return most | (wiped ? 0 : row_put(ROW_GIVE, orders));
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

	assert_audit(z->hits == hits_now(z), "%s: hits %#llx, should be %#llx", z->name,
		     (unsigned long long)z->hits, (unsigned long long)hits_now(z));
	for (unsigned int o = 0; o < PCP_ORDERS; o++) {
		for (u32 class = 0; class < KMEM_NR_ZONES; class ++)
			assert_audit(!(row_get(z->hits, class) >> o & 1) ||
					     page_hits.take[o][class] == home_stack(z, o),
				     "%s: class %u, order %u", z->name, class, o);
		assert_audit(!page_hits.give[o][z->index] ||
				     page_hits.give[o][z->index] == home_stack(z, o),
			     "%s: frees of order %u", z->name, o);
	}
	for (unsigned int list = 0; list < RUN_LISTS; list++)
		for (u32 class = 0; class < KMEM_NR_ZONES; class ++)
			assert_audit(!(row_get(z->hits, class) >> run_list_order(list) & 1) ||
					     page_hits.run_take[list][class] ==
						     home_stack(z, PCP_RUNS + list),
				     "%s: runs, class %u, list %u", z->name, class, list);
	assert_audit(!page_hits.run_give[z->index] ||
			     page_hits.run_give[z->index] == percpu_first(z->run_stacks),
		     "%s: frees of runs", z->name);
	return faults;
}

struct page *page_take_counted(struct page *page, unsigned int order)
{
	vm_event_add(KMEM_EV_pgalloc_dma + page->zone, 1ull << order);
	return page;
}

struct page *page_take_odd(struct page *page, unsigned int order, u32 flags)
{
	assert_always((page->kind & ~(u32)PAGE_KIND_ZONE) ==
		      page_kind(PAGE_PCP, order, PAGE_COMPOUND - flags));
	if (flags)
		page_make_compound(page, order);
	else
		page_clear_compound(page, order);
	page_hand_out(page, zone_of_head(page), order, page->mt);
	page->flags = (u8)flags;
	return page_take_counted(page, order);
}

bool page_give_large(struct page *page, unsigned int order, u8 flags)
{
	return order > PAGE_HITS_WORD && order < PCP_ORDERS && page_give_known(page, order, flags);
}

void page_give_counted(unsigned int order)
{
	vm_event_add(KMEM_EV_pgfree, 1ull << order);
}

void page_hits_reset(void)
{
	__builtin_memset(&page_hits, 0, sizeof(page_hits));
}
