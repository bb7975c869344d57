/* SPDX-License-Identifier: MIT */
/*
 * The order in which user pages are taken back: two lists a zone, oldest at the tail, and one for
 * pages that a reclaiming task has in its hands. include/kmem/lru.h has the picture of the states.
 *
 * Scan. The inactive list is kept as long as the active one by moving the latter's oldest over. From
 * its tail pages are looked at one by one: what may not be tried under the mask, or was used, goes
 * back to the head; the others are isolated, written if dirty, and released. A call looks at
 * (pages >> priority), at least at as many as it was asked for; so at priority 0, where references
 * save nothing, every page is tried once, and a request fails only if no page can go.
 *
 * Anonymous and file pages share the lists: age decides, not kind. The kernel keeps them apart to
 * weigh their cost against each other; here a mask that may not write steps over what is dirty.
 *
 * A page's place and marks are bits of u.own.lru. Place changes under the zone's list lock; marks are
 * set by atomics without it. ISOLATED pages keep a list so that a fork's child, in which the tasks
 * that had them are gone, can put them back.
 *
 *	bits		list
 *	ISOLATED	isolated; ACTIVE says where it will go back to
 *	ACTIVE		active
 *	neither		inactive
 *
 * Equation, per owner: pages on the lists of all zones = nr_pages, isolated ones = nr_isolated.
 *
 * Lock: RANK_LEAF, one a zone, for a few pages at a time. Cost: an add, del or move is one lock and a
 * few words; the first mark_accessed of a round is one atomic.
 */
#include "pool/pool.h"
#include <kmem/lru.h>

enum lru_bit {
	LRU_ACTIVE = 1,
	LRU_REFERENCED = 2,
	LRU_DIRTY = 4,
	LRU_ISOLATED = 8,
	LRU_WRITEBACK = 16
};
enum lru_list { LIST_INACTIVE, LIST_ACTIVE, LIST_ISOLATED, NR_LISTS };
enum {
	LRU_OWNERS = 64,
	LRU_BATCH = 32, /* pages looked at under one hold of the lock */
};

struct lru {
	struct lock lock;
	u32 head[NR_LISTS], tail[NR_LISTS]; /* pfn links */
	unsigned long nr[NR_LISTS];	    /* written under lock, read without */
};
static struct lru lrus[KMEM_NR_ZONES];
static struct kmem_lru_owner *owners[LRU_OWNERS];
static u32 owners_changing; /* a task is registering or unregistering */

static unsigned long lru_count(struct kmem_provider *p, int zone);
static unsigned long lru_reclaim(struct kmem_provider *p, int zone, unsigned long nr, int priority,
				 gfp_t gfp);
struct kmem_provider lru_provider = {
	.name = "lru",
	.count_pages = lru_count,
	.reclaim = lru_reclaim,
};

/* ---- Pages and lists ---------------------------------------------------------------------------- */

static struct lru *lru_of(const struct page *page)
{
	return &lrus[page->zone];
}

static u32 lru_bits(const struct page *page)
{
	return atom_load(&page->u.own.lru);
}

static void bits_set(struct page *page, u32 bits)
{
	atom_or(&page->u.own.lru, (u16)bits);
}

static void bits_clear(struct page *page, u32 bits)
{
	atom_and(&page->u.own.lru, (u16)~bits);
}

static struct kmem_lru_owner *owner_of(const struct page *page)
{
	return atom_load(&owners[page->u.own.lru_owner]);
}

static enum lru_list list_of(u32 bits)
{
	if (bits & LRU_ISOLATED)
		return LIST_ISOLATED;
	return bits & LRU_ACTIVE ? LIST_ACTIVE : LIST_INACTIVE;
}

static void stat_add(const struct page *page, enum kmem_lru_stat what, s64 n)
{
	atom_add(&kmem_machine.stat->zone[page->zone].lru[what], (u64)n);
}

static enum kmem_lru_stat stat_of(const struct page *page, enum lru_list list)
{
	return (enum kmem_lru_stat)(2 * (int)list + !!(owner_of(page)->flags & KMEM_LRU_FILE));
}

/* At the head, the young end. Lock held, like for all that follows. */
static void list_put(struct lru *l, struct page *page, enum lru_list list)
{
	u32 pfn = (u32)pfn_of_page(page), first = l->head[list];

	page->prev = LINK_NIL;
	page->next = first;
	if (first == LINK_NIL)
		l->tail[list] = pfn;
	else
		page_of_pfn(first)->prev = pfn;
	l->head[list] = pfn;
	atom_store(&l->nr[list], l->nr[list] + 1);
	stat_add(page, stat_of(page, list), 1);
}

static void list_cut(struct lru *l, struct page *page, enum lru_list list)
{
	assert_debug(l->nr[list] > 0);
	if (page->prev == LINK_NIL)
		l->head[list] = page->next;
	else
		page_of_pfn(page->prev)->next = page->next;
	if (page->next == LINK_NIL)
		l->tail[list] = page->prev;
	else
		page_of_pfn(page->next)->prev = page->prev;
	atom_store(&l->nr[list], l->nr[list] - 1);
	stat_add(page, stat_of(page, list), -1);
}

/* To the head of the list that its new bits say. */
static void page_move(struct lru *l, struct page *page, u32 clear, u32 set)
{
	list_cut(l, page, list_of(lru_bits(page)));
	bits_clear(page, clear);
	bits_set(page, set);
	list_put(l, page, list_of(lru_bits(page)));
}

static struct page *oldest(const struct lru *l, enum lru_list list)
{
	return l->tail[list] == LINK_NIL ? NULL : page_of_pfn(l->tail[list]);
}

static void owner_count(struct kmem_lru_owner *o, long pages, long isolated)
{
	atom_add(&o->nr_pages, (unsigned long)pages);
	atom_add(&o->nr_isolated, (unsigned long)isolated);
}

/* ---- Scan --------------------------------------------------------------------------------------- */

struct scan {
	struct lru *l;
	gfp_t gfp;
	int priority;
	unsigned long left; /* pages that may still be looked at */
};

/* The inactive list as long as the active one. What was used stays active for another round. */
static void list_refill(struct scan *s)
{
	struct lru *l = s->l;

	for (int i = 0; i < LRU_BATCH && l->nr[LIST_INACTIVE] < l->nr[LIST_ACTIVE]; i++) {
		struct page *page = oldest(l, LIST_ACTIVE);

		if (s->priority && lru_bits(page) & LRU_REFERENCED) {
			page_move(l, page, LRU_REFERENCED, 0);
			continue;
		}
		page_move(l, page, LRU_ACTIVE | LRU_REFERENCED, 0);
		vm_event(KMEM_EV_pgdeactivate);
	}
}

static bool page_may_go(const struct scan *s, const struct page *page)
{
	const struct kmem_lru_owner *o = owner_of(page);
	u32 bits = lru_bits(page);

	if (bits & LRU_REFERENCED && s->priority)
		return false;
	if (bits & LRU_DIRTY && (!(s->gfp & __GFP_IO) || !o->writepage))
		return false;
	if (o->flags & KMEM_LRU_NEEDS_FS && !(s->gfp & __GFP_FS))
		return false;
	return atom_load(&page->refcount) == 1;
}

/* The next page to be tried, isolated, or NULL: this hold of the lock found none. */
static struct page *scan_batch(struct scan *s)
{
	struct lru *l = s->l;

	list_refill(s);
	for (int i = 0; i < LRU_BATCH && s->left; i++) {
		struct page *page = oldest(l, LIST_INACTIVE);

		if (!page) {
			s->left = 0;
			return NULL;
		}
		s->left--;
		if (page_may_go(s, page)) {
			page_move(l, page, 0, LRU_ISOLATED);
			owner_count(owner_of(page), 0, 1);
			return page;
		}
		page_move(l, page, LRU_REFERENCED, 0);
	}
	return NULL;
}

static struct page *scan_next(struct scan *s)
{
	struct page *page = NULL;

	while (!page && s->left) {
		irqflags_t flags = lock_take(&s->l->lock);

		page = scan_batch(s);
		lock_release(&s->l->lock, flags);
	}
	return page;
}

/* ---- What is done with an isolated page ----------------------------------------------------------- */

static void dirty_set(struct page *page)
{
	if (!(atom_or(&page->u.own.lru, (u16)LRU_DIRTY) & LRU_DIRTY))
		stat_add(page, KMEM_LRU_DIRTY, 1);
}

static bool dirty_clear(struct page *page)
{
	bool was = atom_and(&page->u.own.lru, (u16)~LRU_DIRTY) & LRU_DIRTY;

	if (was)
		stat_add(page, KMEM_LRU_DIRTY, -1);
	return was;
}

/* True: the page is clean now. */
static bool page_clean(struct page *page, struct kmem_lru_owner *o, gfp_t gfp)
{
	int rc;

	if (!dirty_clear(page))
		return true;
	bits_set(page, LRU_WRITEBACK);
	stat_add(page, KMEM_LRU_WRITEBACK, 1);
	rc = o->writepage(o, page, gfp);
	if (rc)
		dirty_set(page);
	bits_clear(page, LRU_WRITEBACK);
	stat_add(page, KMEM_LRU_WRITEBACK, -1);
	return !(lru_bits(page) & LRU_DIRTY);
}

/* Off the lists, and no page of theirs any more. Lock held. */
static void page_leave(struct lru *l, struct page *page)
{
	list_cut(l, page, list_of(lru_bits(page)));
	dirty_clear(page);
	atom_and(&page->flags, (u8)~PAGE_LRU);
}

static void page_put_back(struct page *page)
{
	struct lru *l = lru_of(page);
	irqflags_t flags = lock_take(&l->lock);

	page_move(l, page, LRU_ISOLATED, 0);
	lock_release(&l->lock, flags);
}

/* The owner has let go of it: its last reference is ours. */
static void page_drop(struct page *page, struct kmem_lru_owner *o)
{
	struct lru *l = lru_of(page);
	irqflags_t flags = lock_take(&l->lock);

	assert_debug(!(lru_bits(page) & LRU_DIRTY));
	page_leave(l, page);
	owner_count(o, -1, 0);
	lock_release(&l->lock, flags);
	gfp_free(page, 0, true, __builtin_return_address(0));
}

static unsigned long page_reclaim(struct page *page, gfp_t gfp)
{
	struct kmem_lru_owner *o = owner_of(page);
	bool gone = page_clean(page, o, gfp) && o->release(o, page, gfp);

	if (gone)
		page_drop(page, o);
	else
		page_put_back(page);
	/* Last: who waits for it to be zero may then forget the owner. Pairs with callbacks_end. */
	atom_sub_sc(&o->nr_isolated, 1);
	return gone;
}

static unsigned long lru_count(struct kmem_provider *p, int zone)
{
	assert_debug(p == &lru_provider && zone < KMEM_NR_ZONES);
	return atom_load(&lrus[zone].nr[LIST_INACTIVE]) + atom_load(&lrus[zone].nr[LIST_ACTIVE]);
}

static unsigned long lru_reclaim(struct kmem_provider *p, int zone, unsigned long nr, int priority,
				 gfp_t gfp)
{
	struct scan s = {
		.l = &lrus[zone],
		.gfp = gfp,
		.priority = priority,
		.left = size_max(nr, lru_count(p, zone) >> priority),
	};
	unsigned long freed = 0;
	struct page *page;

	while (freed < nr && (page = scan_next(&s)))
		freed += page_reclaim(page, gfp);
	return freed;
}

/* ---- Owners --------------------------------------------------------------------------------------- */

static void owners_take_turn(void)
{
	while (atom_xchg(&owners_changing, 1u) != 0) /* pairs with the release in owners_end_turn */
		port_relax();
}

static void owners_end_turn(void)
{
	atom_store_rel(&owners_changing, 0u);
}

/* The owner's slot, or, for NULL, a free one; LRU_OWNERS: there is none. */
static u32 owner_slot(const struct kmem_lru_owner *o)
{
	u32 i = 0;

	while (i < LRU_OWNERS && owners[i] != o)
		i++;
	return i;
}

static u32 owners_nr(void)
{
	u32 nr = 0;

	for (u32 i = 0; i < LRU_OWNERS; i++)
		nr += owners[i] != NULL;
	return nr;
}

static int owner_enter(struct kmem_lru_owner *o)
{
	u32 slot = owner_slot(NULL);

	if (owner_slot(o) < LRU_OWNERS)
		return -KE_INVAL;
	if (slot == LRU_OWNERS)
		return -KE_NOSPC;
	o->id = slot;
	o->nr_pages = 0;
	o->nr_isolated = 0;
	if (owners_nr() == 0)
		kmem_provider_register(&lru_provider);
	atom_store_rel(&owners[slot], o); /* its pages come later, under a list's lock */
	return 0;
}

int kmem_lru_owner_register(struct kmem_lru_owner *o)
{
	int rc;

	if (!o || !o->release || o->flags & ~(unsigned int)(KMEM_LRU_FILE | KMEM_LRU_NEEDS_FS))
		return -KE_INVAL;
	if (!machine_ensure())
		return -KE_NOMEM;
	owners_take_turn();
	rc = owner_enter(o);
	owners_end_turn();
	return rc;
}

/* No task is in a callback of the owner, whose pages are none of reclaim's any more. */
static void callbacks_end(struct kmem_lru_owner *o)
{
	/* Pairs with the last step of page_reclaim. */
	while (atom_load_acq(&o->nr_isolated) != 0)
		port_relax();
}

static int owner_leave(struct kmem_lru_owner *o)
{
	u32 slot = owner_slot(o);

	if (slot == LRU_OWNERS)
		return -KE_INVAL;
	callbacks_end(o);
	if (atom_load(&o->nr_pages))
		return -KE_BUSY;
	atom_store(&owners[slot], NULL);
	if (owners_nr() == 0)
		kmem_provider_unregister(&lru_provider);
	return 0;
}

int kmem_lru_owner_unregister(struct kmem_lru_owner *o)
{
	int rc;

	if (!o)
		return -KE_INVAL;
	owners_take_turn();
	rc = owner_leave(o);
	owners_end_turn();
	return rc;
}

/* ---- Calls for owners ----------------------------------------------------------------------------- */

static int lru_misuse(const struct page *page, const char *what)
{
	report_misuse(KMEM_MISUSE_LRU, page, "BUG: lru: page %p %s", (const void *)page, what);
	return -KE_INVAL;
}

static bool on_lists(const struct page *page)
{
	return page && page_valid(page) && atom_load(&page->flags) & PAGE_LRU;
}

static bool page_is_single(const struct page *page)
{
	return page && page_check_free(page, 0) == PAGE_OK &&
	       atom_load(&page->state) == PAGE_ALLOC &&
	       !(atom_load(&page->flags) & (PAGE_COMPOUND | PAGE_RUN));
}

int kmem_lru_add(struct page *page, struct kmem_lru_owner *o, void *key, bool dirty)
{
	irqflags_t flags;
	struct lru *l;

	if (!o || o->id >= LRU_OWNERS || atom_load_acq(&owners[o->id]) != o)
		return lru_misuse(page, "is for an owner that is not registered");
	if (on_lists(page) || !page_is_single(page))
		return lru_misuse(page, "is on a list already, or no allocated page of order 0");
	l = lru_of(page);
	flags = lock_take(&l->lock);
	atom_store(&page->u.own.private_data, (unsigned long)(uintptr_t)key);
	page->u.own.lru_owner = (u16)o->id;
	atom_store(&page->u.own.lru, (u16)0);
	atom_or(&page->flags, (u8)PAGE_LRU);
	if (dirty)
		dirty_set(page);
	list_put(l, page, LIST_INACTIVE);
	owner_count(o, 1, 0);
	lock_release(&l->lock, flags);
	return 0;
}

/* False: it is isolated. */
static bool page_try_leave(struct page *page)
{
	struct lru *l = lru_of(page);
	irqflags_t flags = lock_take(&l->lock);
	bool idle = !(lru_bits(page) & LRU_ISOLATED);

	if (idle) {
		page_leave(l, page);
		owner_count(owner_of(page), -1, 0);
	}
	lock_release(&l->lock, flags);
	return idle;
}

int kmem_lru_del(struct page *page)
{
	if (!on_lists(page))
		return lru_misuse(page, "is on no list");
	while (!page_try_leave(page))
		port_relax();
	return 0;
}

void *kmem_lru_key(const struct page *page)
{
	return (void *)(uintptr_t)page->u.own.private_data;
}

static void page_activate(struct page *page)
{
	struct lru *l = lru_of(page);
	irqflags_t flags = lock_take(&l->lock);

	if (!(lru_bits(page) & LRU_ACTIVE)) {
		page_move(l, page, LRU_REFERENCED, LRU_ACTIVE);
		vm_event(KMEM_EV_pgactivate);
	}
	lock_release(&l->lock, flags);
}

void kmem_lru_mark_accessed(struct page *page)
{
	u32 bits;

	if (!on_lists(page)) {
		lru_misuse(page, "is on no list");
		return;
	}
	bits = lru_bits(page);
	if (!(bits & LRU_REFERENCED))
		bits_set(page, LRU_REFERENCED);
	else if (!(bits & LRU_ACTIVE))
		page_activate(page);
}

void kmem_lru_set_dirty(struct page *page)
{
	if (on_lists(page))
		dirty_set(page);
	else
		lru_misuse(page, "is on no list");
}

bool kmem_lru_dirty(const struct page *page)
{
	return lru_bits(page) & LRU_DIRTY;
}

/* ---- Check ---------------------------------------------------------------------------------------- */

static int check_page(const struct page *page, u32 zone, enum lru_list list, u32 prev)
{
	u32 bits = lru_bits(page);
	int faults = 0;

	assert_audit(page->flags & PAGE_LRU && page->state == PAGE_ALLOC && page->order == 0,
		     "pfn %lu state %u flags %#x", pfn_of_page(page), page->state, page->flags);
	assert_audit(page->zone == zone && page->refcount > 0 && page->prev == prev, "pfn %lu",
		     pfn_of_page(page));
	assert_audit(list_of(bits) == list, "pfn %lu bits %#x on list %d", pfn_of_page(page), bits,
		     (int)list);
	assert_audit(page->u.own.lru_owner < LRU_OWNERS && owner_of(page), "pfn %lu",
		     pfn_of_page(page));
	return faults;
}

static int check_list(u32 zone, enum lru_list list, unsigned long *of_owner)
{
	const struct lru *l = &lrus[zone];
	u32 prev = LINK_NIL, pfn = l->head[list];
	unsigned long nr = 0;
	int faults = 0;

	while (pfn != LINK_NIL && nr <= l->nr[list] && !faults) {
		const struct page *page = page_of_pfn(pfn);

		assert_audit(pfn < kmem_machine.end, "lru of zone %u: pfn %u", zone, pfn);
		if (faults)
			return faults;
		faults += check_page(page, zone, list, prev);
		if (!faults)
			of_owner[page->u.own.lru_owner]++;
		prev = pfn;
		pfn = page->next;
		nr++;
	}
	assert_audit(l->tail[list] == prev && nr == l->nr[list],
		     "lru of zone %u: list %d has %lu pages, %lu counted", zone, (int)list, nr,
		     l->nr[list]);
	return faults;
}

int lru_check(void)
{
	unsigned long of_owner[LRU_OWNERS] = {0};
	int faults = 0;

	for (u32 zone = 0; kmem_booted() && zone < KMEM_NR_ZONES; zone++)
		for (u32 list = 0; list < NR_LISTS; list++)
			faults += check_list(zone, (enum lru_list)list, of_owner);
	for (u32 i = 0; i < LRU_OWNERS; i++)
		assert_audit(!owners[i] || owners[i]->nr_pages == of_owner[i],
			     "%s: %lu pages, %lu on lists", owners[i]->name, owners[i]->nr_pages,
			     of_owner[i]);
	return faults;
}

/* ---- Start, end, fork ----------------------------------------------------------------------------- */

void lru_init(void)
{
	__builtin_memset(owners, 0, sizeof(owners));
	atom_store(&owners_changing, 0u);
	for (u32 zone = 0; zone < KMEM_NR_ZONES; zone++) {
		struct lru *l = &lrus[zone];

		__builtin_memset(l, 0, sizeof(*l));
		lock_init(&l->lock, RANK_LEAF);
		for (u32 list = 0; list < NR_LISTS; list++) {
			l->head[list] = LINK_NIL;
			l->tail[list] = LINK_NIL;
		}
	}
}

void lru_fork_lock(void)
{
	for (u32 zone = 0; zone < KMEM_NR_ZONES; zone++)
		lock_fork_take(&lrus[zone].lock);
}

/* The tasks that had pages in their hands are not in the child. */
static void child_put_back(struct lru *l)
{
	struct page *page;

	while ((page = oldest(l, LIST_ISOLATED))) {
		if (lru_bits(page) & LRU_WRITEBACK) {
			bits_clear(page, LRU_WRITEBACK);
			stat_add(page, KMEM_LRU_WRITEBACK, -1);
			dirty_set(page); /* nobody knows what was written of it */
		}
		owner_count(owner_of(page), 0, -1);
		page_move(l, page, LRU_ISOLATED, 0);
	}
}

void lru_fork_unlock(bool child)
{
	for (u32 zone = 0; zone < KMEM_NR_ZONES; zone++) {
		/* A fork out of a callback: what this very task has in its hands stays there. */
		if (child && !(port_task()->pf & PF_MEMALLOC))
			child_put_back(&lrus[zone]);
		if (child)
			lock_reset(&lrus[zone].lock);
		else
			lock_fork_drop(&lrus[zone].lock);
	}
	if (child)
		atom_store(&owners_changing, 0u);
}
