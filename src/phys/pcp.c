// SPDX-License-Identifier: MIT
/*
 * pcp: a zone's front door, and the page lists of each CPU behind it.
 *
 * Orders 0..9, and runs of some lengths (run_list()), pass through per-CPU stacks: one per zone, slot and
 * CPU, each holding one sheaf of page pointers. The top is the hot end; a cold request takes from, and a
 * cold free puts to, the bottom. A hit is one stack verb and no lock.
 *
 *	alloc   pop ----miss----> take the sheaf, fill it by one batch under one lock hold, put it; a
 *				  run: the zone's lists
 *	free    push ---full----> take the sheaf, give the coldest of it back under one hold, put it
 *
 * A sheaf is in a stack, in the hands of one function, or, empty, on zone->pcp_parked: the place
 * for sheaves whose stack got another one in the meantime. Nothing is ever allocated for this.
 *
 * Which blocks. With mobility grouping only UNMOVABLE requests and page blocks use the lists, so a
 * sheaf never mixes types; without it every block is UNMOVABLE. Requests for the high-order atomic
 * reserve, and blocks of it, go past the lists, which would dissolve it. A run may be of several page
 * blocks: where these have types it is on no list.
 *
 * Compound blocks remain that on the lists, so that large kmallocs, which are always of them, need not write
 * all tails each time. Who wants the other kind changes it (page_take_odd, page_lose_tails).
 *
 * Urgent. A handler may have interrupted the holder of the very lock it needs. So each CPU has a few
 * single pages more (PCP_URGENT), which others get only when the zone has nothing else. Tasks fill
 * them up when they fill or spill an ordinary list: one push a page, and no lock held, so that a
 * handler that comes in between finds either the lock free or the pages there. At most 16 a CPU, and
 * a 64th of the zone for all CPUs. Pressure leaves them alone.
 *
 * Bound: the lists of all CPUs together hold at most an eighth of the zone (pcp_capacity), those of
 * one order and CPU a MiB, or two blocks; those of runs as much again. Pages on them are not free for watermarks. A block there does
 * not merge with its buddy; so what asks for pages back empties the lists before it gives up, and
 * decay (reclaim/decay.c) once a round, or no section could be given back.
 *
 * Any context. With try the zone's lock is tried once. A block that cannot go home then is left on
 * zone->deferred, a lock-free stack linked by frame numbers: pushed by compare-and-swap, taken
 * whole by exchange, so a head that comes back (ABA) does no harm. The next holder of the lock
 * takes it in; the one who holds it now looks when he lets go.
 */
#include "phys/internal.h"

enum {
	PCP_SHEAF_MOST = 510, /* a sheaf's block is a page at most */
	PCP_SPILL = 32,	      /* blocks that a full one gives back */
	PCP_PART = 8,	      /* the same when it is drained bit by bit, */
	PCP_PARTS = PCP_SHEAF_MOST / PCP_PART + 1,
	PCP_LOOKS = 16,	  /* and lists looked at to find one */
	URGENT_MOST = 16, /* what a slab's worth of work in one handler may take */
	URGENT_ZONE_SHARE = 64,
};

/* ---- Blocks left aside --------------------------------------------------------------------------- */

static void defer_push(u32 *stack, struct page *page)
{
	u32 seen = atom_load(stack);

	/* The exchange in defer_take() acquires what is released here. */
	do
		atom_store(&page->next, seen);
	while (!atom_cas(stack, &seen, (u32)pfn_of_page(page)));
}

/* State ALLOC and no reference: what zone_check knows such blocks by. */
void defer_block(struct zone *z, struct page *page, unsigned int order)
{
	atom_store(&page->order, (u8)order);
	page->flags = 0;
	page->refcount = 0;
	page_set_state(page, PAGE_ALLOC);
	defer_push(&z->deferred, page);
}

/* Of two who free it one drops the reference, by which it is known as well. */
enum page_verdict defer_run(struct zone *z, struct page *head)
{
	s32 one = 1;

	if (!atom_cas(&head->refcount, &one, 0))
		return PAGE_BAD_FREE;
	defer_push(&z->deferred_runs, head);
	return PAGE_OK;
}

void deferred_run_locked(struct zone *z)
{
	u32 pfn = atom_xchg(&z->deferred, LINK_NIL); /* pairs with the cas of defer_push */

	while (pfn != LINK_NIL) {
		struct page *page = page_of_pfn(pfn);

		pfn = page->next;
		buddy_free(z, page, page->order, false);
	}
	pfn = atom_xchg(&z->deferred_runs, LINK_NIL);
	while (pfn != LINK_NIL) {
		struct page *head = page_of_pfn(pfn);

		pfn = head->next;
		run_free_locked(z, head);
	}
}

void phys_run_deferred(void)
{
	irqflags_t flags;

	if (!phys.live)
		return;
	for_each_zone (z)
		if (zone_has_deferred(z) && zone_lock(z, context_is_async(), &flags))
			zone_unlock(z, flags);
}

/* ---- To and from the buddy lists ------------------------------------------------------------------ */

void page_hand_out_as(struct page *page, const struct zone *z, unsigned long private_data, u32 kind)
{
	atom_store(&page->refcount, 1);
	page->next = LINK_NIL;
	page->prev = LINK_NIL;
	atom_store(&page->u.own.private_data, private_data);
	/* Walks over frames look at those of others: at all of it at once, and at what is before it. */
	atom_store_rel(&page->kind, kind | (z->index & 0xf) << PAGE_KIND_ZONE_SHIFT);
}

void page_hand_out(struct page *page, const struct zone *z, unsigned int order, u32 mt)
{
	page_hand_out_as(page, z, 0, page_kind(PAGE_ALLOC, order, 0) | mt << PAGE_KIND_MT_SHIFT);
}

static unsigned long slot_frames(unsigned int slot)
{
	if (slot >= PCP_RUNS)
		return run_list_nr(slot - PCP_RUNS);
	return slot == PCP_URGENT ? 1 : 1ul << slot;
}

/* A compound block that leaves the lists for the zone's, or for an owner who has not asked for one. */
static inline void page_lose_tails(struct page *page, unsigned int order)
{
	if (unlikely(page->flags & PAGE_COMPOUND))
		page_clear_compound(page, order);
}

/* A block, or a run that is on no list any more. */
static void slot_defer(struct zone *z, struct page *page, unsigned int slot)
{
	if (slot < PCP_RUNS) {
		defer_block(z, page, slot);
		return;
	}
	page_set_state(page, PAGE_ALLOC);
	defer_push(&z->deferred_runs, page);
}

static void slot_free_locked(struct zone *z, struct page *page, unsigned int slot)
{
	if (slot < PCP_RUNS)
		buddy_free(z, page, slot, false);
	else
		run_free_locked(z, page);
}

/* False: the lock is busy, and they are still the caller's. */
static bool blocks_free(struct zone *z, void *const *block, unsigned int nr, unsigned int slot,
			bool try)
{
	irqflags_t flags;

	for (unsigned int i = 0; i < nr; i++)
		page_lose_tails(block[i], slot);
	if (!zone_lock(z, try, &flags))
		return false;
	for (unsigned int i = 0; i < nr; i++)
		slot_free_locked(z, block[i], slot);
	zone_unlock(z, flags);
	return true;
}

void blocks_to_buddy(struct zone *z, void *const *block, unsigned int nr, unsigned int slot,
		     bool try)
{
	if (nr == 0 || blocks_free(z, block, nr, slot, try))
		return;
	for (unsigned int i = 0; i < nr; i++)
		slot_defer(z, block[i], slot);
}

static struct page *zone_alloc_buddy(struct zone *z, unsigned int order, u32 mt, u32 aflags)
{
	struct page *page;
	irqflags_t flags;

	if (!zone_lock(z, aflags & ALLOC_TRYLOCK, &flags))
		return NULL;
	page = buddy_take(z, order, mt, aflags);
	if (page && unlikely(aflags & ALLOC_HIGHATOMIC) && kmem_machine.opt.highatomic && order > 0)
		highatomic_reserve(z, page, order);
	zone_unlock(z, flags);
	if (page &&
	    unlikely(!frames_commit(pfn_of_page(page), 1UL << order, aflags & ALLOC_TRYLOCK))) {
		blocks_to_buddy(z, (void *[]){page}, 1, order, aflags & ALLOC_TRYLOCK);
		return NULL;
	}
	if (page)
		page_hand_out(page, z, order, mt);
	return page;
}

static void zone_free_buddy(struct zone *z, struct page *page, unsigned int order, bool try)
{
	blocks_to_buddy(z, (void *[]){page}, 1, order, try);
}

/* ---- Sheaves -------------------------------------------------------------------------------------- */

/* The count of a sheaf in the caller's hands. The statistics may be looking (pcp_count). */
static void sheaf_set(struct sheaf *sheaf, u32 n)
{
	atom_store(&sheaf->n, n);
}

static void parked_push(struct zone *z, unsigned int slot, struct sheaf *first, struct sheaf *last)
{
	struct sheaf *seen = atom_load(&z->pcp_parked[slot]);

	do
		atom_store(&last->next, seen);
	while (!atom_cas(&z->pcp_parked[slot], &seen, first));
}

/* All at once, so that no head can come back in between; the others are pushed again. */
static struct sheaf *parked_take(struct zone *z, unsigned int slot)
{
	struct sheaf *sheaf, *last;

	if (!atom_load(&z->pcp_parked[slot]))
		return NULL;
	sheaf = atom_xchg(&z->pcp_parked[slot], NULL); /* pairs with the cas of parked_push */
	if (!sheaf || !sheaf->next)
		return sheaf;
	for (last = sheaf->next; last->next;)
		last = last->next;
	parked_push(z, slot, sheaf->next, last);
	sheaf->next = NULL;
	return sheaf;
}

/* The statistics know each sheaf as it was when it was last put back; peeking into stacks that are
 * in use would cost their owners a cache line. */
static void pcp_mirror(struct zone *z, unsigned int slot, unsigned int cpu, u32 blocks)
{
	struct kmem_stat *st = kmem_machine.stat;
	u32 *seen = z->pcp_seen + cpu * PCP_SLOTS;
	u32 pages = 0;

	atom_store(&seen[slot], blocks * (u32)slot_frames(slot));
	for (unsigned int s = 0; s < PCP_SLOTS; s++)
		pages += atom_load(&seen[s]);
	atom_store(&st->cpu[cpu].pcp_count[z->index], pages);
}

/* Ends the hands-on part that pcp_sheaf_get() began. */
static void pcp_sheaf_put(struct zone *z, unsigned int slot, unsigned int cpu, struct sheaf *sheaf,
			  bool try)
{
	u32 off = atom_load(&z->pcp_off[slot]);
	u32 nr = sheaf->n;

	if (off != PERCPU_NONE && port_stack_put(off, cpu, sheaf)) {
		pcp_mirror(z, slot, cpu, nr);
		return;
	}
	if (off == PERCPU_NONE) /* else whoever put another one there has told */
		pcp_mirror(z, slot, cpu, 0);
	blocks_to_buddy(z, sheaf->slot, nr, slot, try);
	sheaf_set(sheaf, 0);
	parked_push(z, slot, sheaf, sheaf);
}

static struct sheaf *pcp_sheaf_get(struct zone *z, unsigned int slot, unsigned int cpu)
{
	u32 off = atom_load(&z->pcp_off[slot]);
	struct sheaf *sheaf;

	if (off == PERCPU_NONE)
		return NULL;
	sheaf = port_stack_take(off, cpu);
	return sheaf ? sheaf : parked_take(z, slot);
}

/* Blocks whose memory the port refuses go back; the sheaf keeps the others, in order. */
static void sheaf_commit(struct zone *z, struct sheaf *sheaf, unsigned int order, bool try)
{
	pfn_t backed = ~(pfn_t)0; /* a section that is */
	u32 kept = 0;

	for (u32 i = 0; i < sheaf->n; i++) {
		struct page *page = sheaf->slot[i];
		pfn_t pfn = pfn_of_page(page), section = pfn >> MAX_PAGE_ORDER;

		if (section == backed || frames_commit(pfn, 1UL << order, try)) {
			backed = section;
			sheaf->slot[kept++] = page;
		} else {
			zone_free_buddy(z, page, order, try);
		}
	}
	sheaf_set(sheaf, kept);
}

static void *sheaf_take_top(struct sheaf *sheaf)
{
	sheaf_set(sheaf, sheaf->n - 1);
	return sheaf->slot[sheaf->n];
}

static void *sheaf_take_bottom(struct sheaf *sheaf)
{
	void *page = sheaf->slot[0];

	sheaf_set(sheaf, sheaf->n - 1);
	__builtin_memmove(&sheaf->slot[0], &sheaf->slot[1], sheaf->n * sizeof(sheaf->slot[0]));
	return page;
}

static void sheaf_add(struct sheaf *sheaf, struct page *page, bool cold)
{
	if (cold) {
		__builtin_memmove(&sheaf->slot[1], &sheaf->slot[0],
				  sheaf->n * sizeof(sheaf->slot[0]));
		sheaf->slot[0] = page;
	} else {
		sheaf->slot[sheaf->n] = page;
	}
	sheaf_set(sheaf, sheaf->n + 1);
}

/* How many urgent pages the CPU lacks, if more than half and the zone has plenty; a guess, as nothing
 * is locked. */
static u32 urgent_missing(const struct zone *z, unsigned int slot, bool try)
{
	u32 has, nr;
	const struct sheaf *sheaf = port_stack_peek(z->pcp_home[PCP_URGENT], port_cpu(), &has);

	if (z->pcp_home[PCP_URGENT] == PERCPU_NONE || !sheaf || slot != 0 || try ||
	    zone_free_pages(z) < atom_load(&z->mark[ALLOC_WMARK_HIGH]))
		return 0;
	nr = sheaf->cap - has;
	return nr * 2 > sheaf->cap ? nr : 0;
}

/* From a list in the caller's hands. No lock is held: see above. */
static void urgent_fill(struct zone *z, struct sheaf *sheaf, unsigned int slot, bool try)
{
	u32 nr = urgent_missing(z, slot, try);

	for (; nr && sheaf->n > 1; nr--) {
		struct page *page = sheaf_take_top(sheaf);

		if (!port_stack_push(z->pcp_home[PCP_URGENT], page)) {
			sheaf_add(sheaf, page, false);
			break;
		}
	}
}

/* An empty sheaf gets a batch. The lowest frame ends on top, so blocks are handed out ascending. */
static void sheaf_fill(struct zone *z, struct sheaf *sheaf, unsigned int order, u32 mt, u32 aflags)
{
	u32 extra = urgent_missing(z, order, aflags & ALLOC_TRYLOCK);
	u32 want =
		(u32)size_min(size_max(atom_load(&z->pcp_batch) >> order, 1) + extra, sheaf->cap);
	u32 kind = page_kind(PAGE_PCP, order, 0) | z->index << PAGE_KIND_ZONE_SHIFT |
		   mt << PAGE_KIND_MT_SHIFT;
	u32 left = want;
	irqflags_t flags;

	if (!zone_lock(z, aflags & ALLOC_TRYLOCK, &flags))
		return;
	while (left) {
		u32 n;
		/* Reserves are for the request at hand, not for filling up. */
		struct page *page =
			buddy_take_some(z, order, mt, left == want ? aflags : 0, left, &n);

		if (!page)
			break;
		for (; n; n--, page += 1UL << order) {
			page->refcount = 0;
			atom_store(&page->kind, kind);
			sheaf->slot[--left] = page;
		}
	}
	zone_unlock(z, flags);
	if (left)
		__builtin_memmove(&sheaf->slot[0], &sheaf->slot[left],
				  (want - left) * sizeof(sheaf->slot[0]));
	sheaf_set(sheaf, want - left);
	sheaf_commit(z, sheaf, order, aflags & ALLOC_TRYLOCK);
}

static struct page *pcp_alloc_slow(struct zone *z, unsigned int order, u32 mt, u32 aflags)
{
	unsigned int cpu = port_cpu();
	struct sheaf *sheaf = pcp_sheaf_get(z, order, cpu);
	struct page *page = NULL;

	if (!sheaf)
		return NULL;
	if (sheaf->n == 0) {
		sheaf_fill(z, sheaf, order, mt, aflags);
		urgent_fill(z, sheaf, order, aflags & ALLOC_TRYLOCK);
	}
	if (sheaf->n)
		page = aflags & ALLOC_COLD ? sheaf_take_bottom(sheaf) : sheaf_take_top(sheaf);
	pcp_sheaf_put(z, order, cpu, sheaf, aflags & ALLOC_TRYLOCK);
	return page;
}

/* Gives the nr coldest back; false if the lock is busy. */
static bool sheaf_spill(struct zone *z, struct sheaf *sheaf, unsigned int slot, u32 nr, bool try)
{
	if (!blocks_free(z, sheaf->slot, nr, slot, try))
		return false;
	sheaf_set(sheaf, sheaf->n - nr);
	__builtin_memmove(&sheaf->slot[0], &sheaf->slot[nr], sheaf->n * sizeof(sheaf->slot[0]));
	return true;
}

bool pcp_free_slow(struct zone *z, struct page *page, unsigned int slot, bool cold, bool try)
{
	unsigned int cpu = port_cpu();
	struct sheaf *sheaf = pcp_sheaf_get(z, slot, cpu);
	bool room;

	if (!sheaf)
		return false;
	if (sheaf->n == sheaf->cap)
		urgent_fill(z, sheaf, slot, try);
	room = sheaf->n < sheaf->cap ||
	       sheaf_spill(z, sheaf, slot, (u32)size_min(sheaf->cap / 2, PCP_SPILL), try);
	if (room)
		sheaf_add(sheaf, page, cold);
	pcp_sheaf_put(z, slot, cpu, sheaf, try);
	return room;
}

/* ---- The front door ------------------------------------------------------------------------------ */

static bool pcp_serves(const struct zone *z, unsigned int order, u32 mt, u32 aflags)
{
	return order < PCP_ORDERS && atom_load(&z->pcp_off[order]) != PERCPU_NONE &&
	       !(aflags & ALLOC_HIGHATOMIC) &&
	       (mt == KMEM_MT_UNMOVABLE || !kmem_machine.opt.mobility);
}

static struct page *urgent_take(struct zone *z, u32 mt)
{
	struct page *page = port_stack_pop(z->pcp_home[PCP_URGENT]);

	if (page) {
		assert_always(page->state == PAGE_PCP && page->order == 0);
		page_hand_out(page, z, 0, mt);
	}
	return page;
}

struct page *zone_alloc(struct zone *z, unsigned int order, u32 mt, u32 aflags)
{
	struct page *page = NULL;

	assert_debug(order <= MAX_PAGE_ORDER && mt < KMEM_NR_MT);
	if (pcp_serves(z, order, mt, aflags)) {
		if (likely(!(aflags & ALLOC_COLD)))
			page = port_stack_pop(atom_load(&z->pcp_off[order]));
		if (unlikely(!page))
			page = pcp_alloc_slow(z, order, mt, aflags);
		if (likely(page)) {
			assert_always(page->state == PAGE_PCP && page->order == order);
			page_lose_tails(page, order);
			page_hand_out(page, z, order, mt);
			return page;
		}
	}
	page = zone_alloc_buddy(z, order, mt, aflags);
	if (unlikely(!page && order == 0))
		page = urgent_take(z, mt);
	return page;
}

/* Bulk requests beyond what the CPU's list has: straight from the lists, one lock hold. */
static unsigned int zone_bulk_buddy(struct zone *z, u32 mt, u32 aflags, struct page **pages,
				    unsigned int nr)
{
	unsigned int taken = 0, kept = 0;
	irqflags_t flags;

	if (!zone_lock(z, aflags & ALLOC_TRYLOCK, &flags))
		return 0;
	while (taken < nr) {
		struct page *page = buddy_take(z, 0, mt, aflags);

		if (!page)
			break;
		pages[taken++] = page;
	}
	zone_unlock(z, flags);
	for (unsigned int i = 0; i < taken; i++) {
		struct page *page = pages[i];

		pages[i] = NULL;
		if (unlikely(!frames_commit(pfn_of_page(page), 1, aflags & ALLOC_TRYLOCK))) {
			zone_free_buddy(z, page, 0, aflags & ALLOC_TRYLOCK);
			continue;
		}
		page_hand_out(page, z, 0, mt);
		pages[kept++] = page;
	}
	return kept;
}

unsigned int zone_alloc_bulk(struct zone *z, u32 mt, u32 aflags, struct page **pages,
			     unsigned int nr)
{
	enum { HOLD = 64 }; /* blocks under one lock hold: what a handler may have to wait for */
	unsigned int got = 0, step;

	while (got < nr && pcp_serves(z, 0, mt, aflags) && !(aflags & ALLOC_COLD)) {
		struct page *page = port_stack_pop(atom_load(&z->pcp_off[0]));

		if (!page)
			break;
		page_hand_out(page, z, 0, mt);
		pages[got++] = page;
	}
	while (got < nr) {
		step = (unsigned int)size_min(nr - got, HOLD);
		step = zone_bulk_buddy(z, mt, aflags, pages + got, step);
		if (step == 0)
			break;
		got += step;
	}
	return got;
}

static bool pcp_takes(const struct zone *z, const struct page *page, unsigned int order)
{
	if (order >= PCP_ORDERS || atom_load(&z->pcp_off[order]) == PERCPU_NONE)
		return false;
	return !phys.typed || block_type(pfn_of_page(page)) == KMEM_MT_UNMOVABLE;
}

void page_give_full(struct page *page, unsigned int order)
{
	struct zone *z = zone_of_head(page);
	bool try = sync_nested();

	vm_event_add(KMEM_EV_pgfree, 1ull << order);
	if (port_hit_never() && port_stack_push(atom_load(&z->pcp_off[order]), page))
		return;
	if (!pcp_free_slow(z, page, order, false, try))
		zone_free_buddy(z, page, order, try);
}

void zone_free(struct page *page, unsigned int order, bool cold, bool try)
{
	struct zone *z = zone_of_head(page);

	assert_always(page->state == PAGE_ALLOC || page->state == PAGE_LARGE);
	assert_always(page->order == order && page->refcount == 0);
	atom_store(&page->flags, (u8)(page->flags & PAGE_COMPOUND));
	frames_soil(pfn_of_page(page), 1ul << order);
	if (pcp_takes(z, page, order)) {
		page_set_state(page, PAGE_PCP);
		if (likely(!cold) && likely(port_stack_push(atom_load(&z->pcp_off[order]), page)))
			return;
		if (pcp_free_slow(z, page, order, cold, try))
			return;
	}
	zone_free_buddy(z, page, order, try);
}

/* ---- All CPUs -------------------------------------------------------------------------------------- */

static void pcp_drain_stack(struct zone *z, unsigned int slot, unsigned int cpu, bool wait)
{
	u32 off = z->pcp_home[slot], n;
	struct sheaf *sheaf;

	/* Nothing is there just now: not worth stopping the CPU for. */
	if (port_stack_peek(off, cpu, &n) && n == 0)
		return;
	sheaf = wait ? port_stack_drain(off, cpu) : port_stack_take(off, cpu);
	if (!sheaf)
		return;
	pcp_mirror(z, slot, cpu, 0);
	blocks_to_buddy(z, sheaf->slot, sheaf->n, slot, !wait);
	sheaf_set(sheaf, 0);
	pcp_sheaf_put(z, slot, cpu, sheaf, !wait);
}

/* The sheaf has no other place, and nobody puts one there, so it waits for a verb in progress again. */
static void urgent_drain(struct zone *z, unsigned int cpu)
{
	u32 off = z->pcp_home[PCP_URGENT];
	struct sheaf *sheaf = port_stack_drain(off, cpu);

	if (!sheaf) /* somebody else is at it */
		return;
	blocks_to_buddy(z, sheaf->slot, sheaf->n, 0, false);
	sheaf_set(sheaf, 0);
	while (!port_stack_put(off, cpu, sheaf))
		port_relax();
}

void pcp_drain_lists(void)
{
	bool wait = !context_is_async();

	if (!phys.live)
		return;
	for_each_zone (z)
		for (unsigned int s = 0; s < PCP_SLOTS; s++)
			for (unsigned int cpu = 0;
			     s != PCP_URGENT && z->pcp_home[s] && cpu < port_ncpu(); cpu++)
				pcp_drain_stack(z, s, cpu, wait);
	phys_run_deferred();
}

/* The coldest part of a list. False: it was empty, or in use. */
static bool pcp_drain_part(struct zone *z, unsigned int slot, unsigned int cpu)
{
	struct sheaf *sheaf;
	u32 n;

	if (port_stack_peek(z->pcp_home[slot], cpu, &n) && n == 0)
		return false;
	sheaf = port_stack_take(z->pcp_home[slot], cpu);
	if (!sheaf)
		return false;
	pcp_mirror(z, slot, cpu, 0);
	n = sheaf->n;
	sheaf_spill(z, sheaf, slot, (u32)size_min(n, PCP_PART), false);
	pcp_sheaf_put(z, slot, cpu, sheaf, false);
	return n != 0;
}

/* *at counts parts, list after list: who fills one meanwhile does not make it longer. */
bool pcp_drain_some(u32 *at)
{
	u32 cpus = port_ncpu(), lists = KMEM_NR_ZONES * PCP_SLOTS * cpus;

	for (u32 i = 0; i < PCP_LOOKS && *at / PCP_PARTS < lists; i++) {
		u32 list = *at / PCP_PARTS, slot = list / cpus % PCP_SLOTS;
		struct zone *z = &kmem_machine.zones[list / cpus / PCP_SLOTS];

		if (slot != PCP_URGENT && z->pcp_home[slot] &&
		    pcp_drain_part(z, slot, list % cpus)) {
			++*at;
			return true;
		}
		*at = (list + 1) * PCP_PARTS;
	}
	return *at / PCP_PARTS < lists;
}

/* What is kept for handlers no handler gives back, and others last of all. */
void pcp_drain_all(void)
{
	pcp_drain_lists();
	if (!phys.live || context_is_async())
		return;
	for_each_zone (z)
		for (unsigned int cpu = 0; z->pcp_home[PCP_URGENT] && cpu < port_ncpu(); cpu++)
			urgent_drain(z, cpu);
}

/* A verb that read the offset before it was taken away may still push; the drains of all homes,
 * now and later, find what it pushed. */
void pcp_switch(bool on)
{
	if (!phys.live)
		return;
	for_each_zone (z)
		for (unsigned int s = 0; s < PCP_SLOTS; s++)
			atom_store(&z->pcp_off[s], on ? z->pcp_home[s] : (u32)PERCPU_NONE);
	page_hits_refresh();
	if (!on) {
		for (unsigned int cpu = 0; cpu < port_ncpu(); cpu++)
			port_fence_cpu(cpu);
		pcp_drain_all();
	}
}

unsigned long pcp_count(const struct zone *z, unsigned int cpu)
{
	unsigned long nr = 0;

	/* Sheaves are never given back, so a stale one is still a sheaf. */
	for (unsigned int o = 0; o < PCP_SLOTS; o++) {
		u32 n;

		if (port_stack_peek(z->pcp_home[o], cpu, &n))
			nr += n * slot_frames(o);
	}
	return nr;
}

/* ---- Start ----------------------------------------------------------------------------------------- */

/*
 * Blocks a stack of this order may hold: four batches, scaled by the order, and all stacks of the
 * zone together at most an eighth of its pages: the same share of that for each order.
 */
static u32 pcp_capacity(const struct zone *z, unsigned int order)
{
	unsigned long share = z->present / PCP_ZONE_SHARE / PCP_ORDERS / port_ncpu();
	unsigned long cap = size_max(4UL * pcp_batch_of(z->present), 16) >> order;

	cap = size_max(cap, order <= PAGE_ALLOC_COSTLY_ORDER ? 4 : PCP_SHEAF_LEAST);
	return (u32)size_min(size_min(cap, share >> order), PCP_SHEAF_MOST);
}

static u32 urgent_capacity(const struct zone *z)
{
	return (u32)size_min(z->present / URGENT_ZONE_SHARE / port_ncpu(), URGENT_MOST);
}

/* What the sheaf of a stack takes up. */
size_t pcp_sheaf_bytes(u32 cap)
{
	return size_max(sheaf_block(cap), KMEM_CACHE_LINE);
}

void pcp_init_at(struct zone *z, unsigned int slot, u32 off, u32 cap, unsigned char *mem)
{
	size_t bytes = pcp_sheaf_bytes(cap);

	for (unsigned int cpu = 0; cpu < port_ncpu(); cpu++) {
		struct sheaf *sheaf = sheaf_in(mem + bytes * cpu, cap);

		sheaf->cap = cap;
		port_stack_init(off, cpu, cap);
		assert_always(port_stack_put(off, cpu, sheaf)); /* nobody else knows it */
	}
	z->pcp_home[slot] = off;
	atom_store(&z->pcp_off[slot], off);
}

static void pcp_init_stack(struct zone *z, unsigned int slot, u32 cap)
{
	u32 off = percpu_alloc(sizeof(struct port_stack));
	unsigned char *mem = off ? boot_alloc(pcp_sheaf_bytes(cap) * port_ncpu(), false) : NULL;

	if (mem)
		pcp_init_at(z, slot, off, cap, mem);
	else
		percpu_free(off, sizeof(struct port_stack));
}

/* Without stacks (switched off, a tiny zone, no memory) the zone works, through its lock. */
void pcp_init(struct zone *z)
{
	if (!kmem_machine.opt.percpu_pages || z->present == 0)
		return;
	z->pcp_seen = boot_alloc(port_ncpu() * PCP_SLOTS * sizeof(u32), false);
	if (!z->pcp_seen)
		return;
	for (unsigned int o = 0; o < PCP_ORDERS; o++) {
		u32 cap = pcp_capacity(z, o);

		if (cap >= PCP_SHEAF_LEAST)
			pcp_init_stack(z, o, cap);
	}
	if (urgent_capacity(z))
		pcp_init_stack(z, PCP_URGENT, urgent_capacity(z));
	pcp_run_init(z);
}
