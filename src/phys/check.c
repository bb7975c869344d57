// SPDX-License-Identifier: MIT
/*
 * check: proves the invariants of a zone (see zone.c and buddy.c) from its memory alone.
 *
 * The walk goes from head to head, so untouched descriptors of large free blocks stay untouched:
 * O(blocks), at most O(managed). It finds every frame in exactly one free, per-CPU, allocated or
 * deferred block, or a hole. The lists and stacks are then counted against what the walk found.
 *
 * For quiescent zones: takes no lock, since a report may call the user's log, and bounds each loop
 * by the counts of the walk, so that even a zone in motion or in ruins only gives false findings.
 */
#include "phys/internal.h"

struct census {
	unsigned long free, pcp, alloc, deferred, holes;
	unsigned long blocks[NR_PAGE_ORDERS][KMEM_NR_MT];
	unsigned long pcp_blocks[PCP_SLOTS]; /* by order, or list of runs */
};

static int check_free_block(const struct zone *z, const struct page *page, struct census *c)
{
	pfn_t pfn = pfn_of_page(page), other;
	unsigned int order = page->order;
	int faults = 0;

	assert_audit(order <= MAX_PAGE_ORDER && page->mt < KMEM_NR_MT, "pfn %lu order %u", pfn,
		     order);
	if (faults)
		return faults;
	other = pfn ^ (1UL << order);
	c->free += 1UL << order;
	c->blocks[order][page->mt]++;
	assert_audit(page->refcount == 0, "pfn %lu", pfn);
	assert_audit(page->flags == 0 ||
			     (page->flags == PAGE_IDLE && page->order == MAX_PAGE_ORDER),
		     "pfn %lu flags %#x", pfn, page->flags);
	if (order < MAX_PAGE_ORDER && other >= z->start && other + (1UL << order) <= z->end) {
		const struct page *buddy = page_of_pfn(other);
		bool pair = buddy->state == PAGE_FREE && buddy->order == order &&
			    (order < pageblock_order || buddy->mt == page->mt);

		assert_audit(!pair, "pfn %lu and %lu of order %u are both free", pfn, other, order);
	}
	/* The largest blocks may never have been looked into: leave their memory alone. */
	for (unsigned long i = 1; order < MAX_PAGE_ORDER && i < 1UL << order; i++)
		assert_audit(page[i].state == PAGE_NONE, "pfn %lu in free block %lu is state %u",
			     pfn + i, pfn, page[i].state);
	return faults;
}

static int check_tails(const struct page *page)
{
	pfn_t pfn = pfn_of_page(page);
	bool slab = page->state == PAGE_SLAB;
	bool comp = slab || (page->flags & PAGE_COMPOUND);
	int faults = 0;

	for (unsigned long i = 1; i < 1UL << page->order; i++) {
		const struct page *t = &page[i];

		assert_audit(t->state == (comp ? PAGE_TAIL : PAGE_NONE), "pfn %lu is state %u",
			     pfn + i, t->state);
		if (slab)
			assert_audit(t->u.slab.tail_nr == i &&
					     t->u.slab.cache == page->u.slab.cache,
				     "slab tail pfn %lu", pfn + i);
		else if (comp)
			assert_audit(t->u.tail.head == pfn, "tail pfn %lu", pfn + i);
	}
	return faults;
}

static int check_used_block(const struct page *page, struct census *c)
{
	pfn_t pfn = pfn_of_page(page);
	unsigned long nr = 1UL << page->order;
	int faults = 0;

	if (page->state == PAGE_PCP) {
		assert_audit(page->order < PCP_ORDERS && page->refcount == 0, "pfn %lu", pfn);
		faults += phys.forked ? 0 : check_tails(page);
		c->pcp += nr;
		if (page->order < PCP_ORDERS)
			c->pcp_blocks[page->order]++;
	} else if (page->state == PAGE_ALLOC && page->refcount == 0) {
		c->deferred += nr;
	} else {
		assert_audit(page->refcount > 0, "pfn %lu refcount %d", pfn, (int)page->refcount);
		c->alloc += nr;
		faults += phys.forked ? 0 : check_tails(page);
	}
	return faults;
}

static int check_run(const struct zone *z, const struct page *page, struct census *c,
		     unsigned long *step)
{
	unsigned long nr = page_run_nr(page), left = z->end - pfn_of_page(page);
	unsigned int listed = page->u.own.listed;
	int faults = 0;

	assert_audit(nr > 0 && nr <= left && page->refcount >= 0, "run at pfn %lu of %lu",
		     pfn_of_page(page), nr);
	assert_audit(page->state == PAGE_ALLOC || page->state == PAGE_PCP,
		     "run at pfn %lu, state %u", pfn_of_page(page), page->state);
	assert_audit(!listed || (listed <= RUN_LISTS && run_list_nr(listed - 1) == nr),
		     "run at pfn %lu of %lu, on list %u", pfn_of_page(page), nr, listed - 1);
	if (page->state == PAGE_PCP && !faults && listed) {
		c->pcp += nr;
		c->pcp_blocks[PCP_RUNS + listed - 1]++;
	} else if (page->state == PAGE_ALLOC) {
		*(page->refcount ? &c->alloc : &c->deferred) += nr;
	}
	*step = size_max(1, size_min(nr, left));
	return faults;
}

/* In a forked child: a block that another task had in its hands, its words as the copy caught them. */
static bool lost_in_fork(const struct page *page)
{
	return phys.forked && (page->state == PAGE_NONE || page->state == PAGE_TAIL ||
			       (page->state == PAGE_PCP && page->refcount));
}

/* Looks at the block at pfn; *step is its length. */
static int check_block(const struct zone *z, pfn_t pfn, struct census *c, unsigned long *step)
{
	const struct page *page = page_of_pfn(pfn);
	int faults = 0;

	*step = 1;
	if (page->state == PAGE_HOLE) {
		c->holes++;
		return 0;
	}
	if (lost_in_fork(page))
		return 0;
	assert_audit(page->state != PAGE_NONE && page->state != PAGE_TAIL &&
			     page->state < PAGE_NR_STATES,
		     "%s: pfn %lu belongs to no block, state %u", z->name, pfn, page->state);
	if (faults)
		return faults;
	assert_audit(page->zone == z->index, "pfn %lu says zone %u", pfn, page->zone);
	if (page->flags & PAGE_RUN)
		return faults + check_run(z, page, c, step);
	assert_audit(page->order <= MAX_PAGE_ORDER, "pfn %lu order %u", pfn, page->order);
	if (faults)
		return faults;
	*step = 1UL << page->order;
	assert_audit((pfn & (*step - 1)) == 0 && pfn + *step <= z->end, "pfn %lu order %u", pfn,
		     page->order);
	if (page->state == PAGE_FREE)
		return faults + check_free_block(z, page, c);
	return faults + check_used_block(page, c);
}

/* One free list: linked both ways, of this order and type, as long as counted and as found. */
static int check_list(const struct zone *z, unsigned int order, u32 mt, unsigned long found)
{
	const struct free_area *area = &z->area[order];
	u32 prev = LINK_NIL, pfn = area->head[mt];
	unsigned long nr = 0, fresh = 0;
	int faults = 0;

	if (order == MAX_PAGE_ORDER && mt == KMEM_MT_UNMOVABLE)
		fresh = (z->fresh_end - z->fresh) / SECTION_PAGES;
	while (pfn != LINK_NIL && nr <= found && !faults) {
		const struct page *page = page_of_pfn(pfn);

		assert_audit(pfn >= z->start && pfn < z->end, "%s list %u: pfn %u", z->name, order,
			     pfn);
		if (faults)
			return faults;
		assert_audit(page->state == PAGE_FREE && page->order == order && page->mt == mt &&
				     page->prev == prev,
			     "%s list %u: pfn %u", z->name, order, pfn);
		prev = pfn;
		pfn = page->next;
		nr++;
	}
	assert_audit(area->tail[mt] == prev, "%s list %u: tail %u", z->name, order, area->tail[mt]);
	assert_audit(nr == found && area->nr_free[mt] == found + fresh,
		     "%s list %u type %u: %lu linked, %lu counted, %lu found", z->name, order, mt,
		     nr, area->nr_free[mt], found);
	return faults;
}

/* Marks what it meets, so that a page met twice is noticed; check_stacks() unmarks. */
static int check_sheaf(const struct zone *z, unsigned int slot, const struct sheaf *sheaf, u32 n,
		       unsigned long *met)
{
	unsigned int order = slot < PCP_RUNS ? slot % PCP_URGENT : (unsigned int)PAGE_ORDER_RUN;
	int faults = 0;

	assert_audit(n <= sheaf->cap, "%s sheaf %u of %u", z->name, n, sheaf->cap);
	for (u32 i = 0; i < n && !faults; i++) {
		struct page *page = sheaf->slot[i];

		assert_audit(page_valid(page), "%s sheaf holds %p", z->name, (void *)page);
		if (faults)
			break;
		assert_audit(page->state == PAGE_PCP && page->order == order &&
				     page->zone == z->index && !(page->flags & PAGE_SEEN),
			     "%s sheaf of slot %u: pfn %lu state %u order %u", z->name, slot,
			     pfn_of_page(page), page->state, page->order);
		assert_audit(slot < PCP_RUNS || page->u.own.listed == slot - PCP_RUNS + 1,
			     "%s sheaf of slot %u: run at pfn %lu of list %u", z->name, slot,
			     pfn_of_page(page), page->u.own.listed - 1u);
		page->flags |= PAGE_SEEN;
		(*met)++;
	}
	return faults;
}

static void sheaf_unmark(const struct sheaf *sheaf, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		struct page *page = sheaf->slot[i];

		if (page_valid(page))
			page->flags &= (u8)~PAGE_SEEN;
	}
}

/* One slot of all CPUs: looks at their sheaves, or unmarks what that has marked. */
static int check_slot(const struct zone *z, unsigned int slot, unsigned long *met, bool unmark)
{
	int faults = 0;

	for (unsigned int cpu = 0; z->pcp_home[slot] && cpu < port_ncpu(); cpu++) {
		u32 n;
		const struct sheaf *sheaf = port_stack_peek(z->pcp_home[slot], cpu, &n);

		if (sheaf && unmark)
			sheaf_unmark(sheaf, n);
		else if (sheaf)
			faults += check_sheaf(z, slot, sheaf, n, met);
	}
	return faults;
}

/* The urgent pages are blocks of order 0 too. */
static int check_stacks(const struct zone *z, unsigned int slot, unsigned long found)
{
	unsigned long met = 0;
	int faults = check_slot(z, slot, &met, false);

	if (slot == 0) {
		faults += check_slot(z, PCP_URGENT, &met, false);
		check_slot(z, PCP_URGENT, &met, true);
	}
	check_slot(z, slot, &met, true);
	assert_audit(phys.forked ? met <= found : met == found,
		     "%s: %lu blocks of slot %u on per-CPU lists, %lu found", z->name, met, slot,
		     found);
	return faults;
}

int zone_check(struct zone *z)
{
	struct census c = {0};
	unsigned long step, owned;
	int faults = 0;

	phys_run_deferred();
	for (pfn_t pfn = z->start; pfn < z->end; pfn += step) {
		step = zone_skip_fresh(z, pfn) - pfn;
		c.free += step;
		if (!step)
			faults += check_block(z, pfn, &c, &step);
	}
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		for (u32 mt = 0; mt < KMEM_NR_MT; mt++)
			faults += check_list(z, o, mt, c.blocks[o][mt]);
	for (unsigned int s = 0; s < PCP_SLOTS; s++)
		faults += s == PCP_URGENT ? 0 : check_stacks(z, s, c.pcp_blocks[s]);
	assert_audit(c.free == z->free, "%s: %lu free, %lu counted", z->name, c.free, z->free);
	assert_audit(c.deferred == 0 || phys.forked, "%s: %lu pages deferred", z->name, c.deferred);
	faults += page_hits_check(z);
	owned = c.free + c.pcp + c.alloc + c.deferred;
	assert_audit(phys.forked ? owned <= z->managed : owned == z->managed,
		     "%s: free %lu + pcp %lu + allocated %lu + deferred %lu, managed %lu", z->name,
		     c.free, c.pcp, c.alloc, c.deferred, z->managed);
	return faults;
}

int phys_check(void)
{
	int faults = 0;

	if (!phys.live)
		return 0;
	for_each_zone (z)
		faults += zone_check(z);
	return faults + windows_check() + zone_hooks_check();
}
