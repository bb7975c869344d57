/* SPDX-License-Identifier: MIT */
/*
 * Swap: an owner of LRU pages (kmem/lru.h) that keeps their contents in a store (kmem/store.h).
 *
 * A handle is a page, or a slot of the area, or both:
 *
 *	          kmem_swap_alloc              written                    released
 *	(nothing) ---------------> page only ----------> page and slot ------------> slot only
 *	                            ^    ^               (clean: equal)                  |
 *	                            |    | dirtied: the slot waits to be       ^         |
 *	                            |    | overwritten, and is not read        +---------+
 *	                            |    v                                      brought in
 *	                            |  page and slot, dirty
 *	                            |
 *	                            + brought in while more than half of the slots are in use: the slot
 *	                              goes at once, so that pages in memory do not fill the area
 *
 * A mutex a handle serialises all of it. Reclaim, which calls swap_writepage and swap_release in a task
 * that may hold any other handle's mutex, only tries it. While it is held nobody maps the page, and
 * while the page is mapped neither callback touches it: so what is written holds still, needs no copy,
 * and its checksum is that of what is in the slot.
 *
 * Nothing is allocated on the way out. Slots are bits of a map that kmem_swapon allocates; checksum and
 * slot number are in the handle, and the number is part of the sum, so a page read from the wrong place
 * is as bad as one with a wrong bit.
 *
 * Handles are on one list, under the area's lock, for kmem_swapon and kmem_swapoff, which walk it. They
 * take those they want to the tail, so each walk looks at a handle once. One that is locked is
 * looked at again: nobody knows what it is about to become.
 *
 * Equation: slots in use = handles with a slot.
 *
 * Locks: `changing` (mutex) around on and off, then a handle's mutex, then swap.lock (RANK_LEAF). Cost:
 * a map of a page in memory is two locks; a page out or in is one transfer and a pass for its sum.
 */
#include "pool/pool.h"
#include <kmem/highmem.h>
#include <kmem/lru.h>
#include <kmem/swap.h>

#define SLOT_NONE UINT32_MAX
enum {
	WORD_BITS = 8 * sizeof(unsigned long),
	SLOTS_MAX = 1 << 24, /* 64 GiB; a map of 2 MiB */
};

struct kmem_swap_page {
	struct mutex mutex;
	u32 pins;	   /* mappings */
	u32 slot;	   /* SLOT_NONE: none */
	bool listed;	   /* the page is on the LRU lists */
	u64 sum;	   /* of what is in the slot; meaningless while the page is dirty */
	struct page *page; /* NULL: it is out */
	struct list all;
};

static struct {
	struct mutex changing;
	struct lock lock;
	struct list pages; /* all handles */
	struct kmem_store *store;
	unsigned long *map;
	u32 nr, used, hint;
	bool on;     /* pages may go out */
	bool forked; /* the slots are another process's to change */
	struct kmem_lru_owner owner;
} swap;

static struct ratelimit error_limit = {.interval_ms = 10000, .burst = 5};

static struct kmem_swap_page *handle_of(const struct page *page)
{
	return kmem_lru_key(page);
}

static bool swap_may_go_out(void)
{
	return atom_load(&swap.on) && !atom_load(&swap.forked);
}

/* ---- Slots ---------------------------------------------------------------------------------------- */

static void slots_count(int n)
{
	atom_store(&swap.used, swap.used + (u32)n);
	atom_store(&kmem_machine.stat->swap_free, (u64)(swap.nr - swap.used));
}

/* The next free slot behind the last one given, so that pages that go out together lie together. */
static u32 slot_find(void)
{
	for (u32 i = 0; i < swap.nr; i++) {
		u32 slot = swap.hint + i < swap.nr ? swap.hint + i : swap.hint + i - swap.nr;

		if (slot % WORD_BITS == 0 && swap.nr - slot >= WORD_BITS &&
		    swap.map[slot / WORD_BITS] == ~0ul) {
			i += WORD_BITS - 1;
			continue;
		}
		if (!(swap.map[slot / WORD_BITS] >> (slot % WORD_BITS) & 1))
			return slot;
	}
	return SLOT_NONE;
}

static u32 slot_alloc(void)
{
	irqflags_t flags = lock_take(&swap.lock);
	u32 slot = swap.used < swap.nr ? slot_find() : SLOT_NONE;

	if (slot != SLOT_NONE) {
		swap.map[slot / WORD_BITS] |= 1ul << (slot % WORD_BITS);
		swap.hint = slot + 1 < swap.nr ? slot + 1 : 0;
		slots_count(1);
	}
	lock_release(&swap.lock, flags);
	return slot;
}

static void slot_free(u32 slot)
{
	irqflags_t flags = lock_take(&swap.lock);
	unsigned long bit = 1ul << (slot % WORD_BITS);

	assert_always(slot < swap.nr && swap.map[slot / WORD_BITS] & bit);
	swap.map[slot / WORD_BITS] &= ~bit;
	slots_count(-1);
	lock_release(&swap.lock, flags);
}

/* The handle's mutex is held, as in all that follows. */
static void handle_drop_slot(struct kmem_swap_page *h)
{
	if (h->slot != SLOT_NONE)
		slot_free(h->slot);
	h->slot = SLOT_NONE;
}

/* ---- Contents ------------------------------------------------------------------------------------- */

/* Any change of one word changes the result: each step is a bijection of the sum so far. */
static u64 page_sum(const void *contents, u32 slot)
{
	const u64 odd = 0x9e3779b97f4a7c15u;
	const u64 *word = contents;
	u64 sum = (slot + 1) * odd;

	for (size_t i = 0; i < PAGE_SIZE / sizeof(*word); i++) {
		sum = (sum ^ word[i]) * odd;
		sum = sum << 29 | sum >> 35;
	}
	return sum;
}

static u64 slot_pos(u32 slot)
{
	return (u64)slot << PAGE_SHIFT;
}

static int page_write(struct page *page, u32 slot, u64 *sum)
{
	void *contents = kmap_local_page(page);
	int rc;

	*sum = page_sum(contents, slot);
	rc = swap.store->write(swap.store, slot_pos(slot), contents, PAGE_SIZE);
	kunmap_local(contents);
	return rc;
}

static int page_read(struct page *page, u32 slot, u64 sum)
{
	void *contents = kmap_local_page(page);
	int rc = swap.store->read(swap.store, slot_pos(slot), contents, PAGE_SIZE);
	bool same = !rc && page_sum(contents, slot) == sum;

	kunmap_local(contents);
	if (rc)
		return rc;
	return same ? 0 : -KE_IO;
}

static void report_error(const char *what, u32 slot, int rc)
{
	if (ratelimit_ok(&error_limit))
		report(KMEM_LOG_ERR, "kmem: swap: %s: %s, slot %d, error %d", swap.store->name,
		       what, (int)slot, -rc);
}

/* ---- Out ------------------------------------------------------------------------------------------ */

static int page_out(struct kmem_swap_page *h, struct page *page)
{
	u32 slot;
	u64 sum;
	int rc;

	if (h->pins || !swap_may_go_out())
		return -KE_BUSY;
	slot = h->slot == SLOT_NONE ? slot_alloc() : h->slot;
	if (slot == SLOT_NONE) {
		report_error("full; pages stay in memory", slot, -KE_NOSPC);
		return -KE_NOSPC;
	}
	rc = page_write(page, slot, &sum);
	if (rc) {
		report_error("write failed; the page stays in memory", slot, rc);
		if (h->slot == SLOT_NONE)
			slot_free(slot);
		return rc;
	}
	h->slot = slot;
	h->sum = sum;
	vm_event(KMEM_EV_pswpout);
	return 0;
}

static int swap_writepage(struct kmem_lru_owner *o, struct page *page, gfp_t gfp)
{
	struct kmem_swap_page *h = handle_of(page);
	int rc;

	assert_debug(o == &swap.owner && gfp & __GFP_IO);
	if (!mutex_try(&h->mutex))
		return -KE_BUSY;
	assert_debug(h->page == page);
	rc = page_out(h, page);
	mutex_release(&h->mutex);
	return rc;
}

static bool swap_release(struct kmem_lru_owner *o, struct page *page, gfp_t gfp)
{
	struct kmem_swap_page *h = handle_of(page);
	bool gone;

	(void)gfp;
	assert_debug(o == &swap.owner);
	if (!mutex_try(&h->mutex))
		return false;
	gone = !h->pins && swap_may_go_out() && !kmem_lru_dirty(page);
	if (gone) {
		assert_always(h->page == page && h->slot != SLOT_NONE);
		atom_store(&h->page, NULL);
		h->listed = false;
	}
	mutex_release(&h->mutex);
	return gone;
}

/* ---- In ------------------------------------------------------------------------------------------- */

/* Pages whose contents are nowhere else are dirty. */
static void handle_list(struct kmem_swap_page *h)
{
	if (!atom_load_acq(&swap.on) || h->listed)
		return;
	kmem_lru_add(h->page, &swap.owner, h, h->slot == SLOT_NONE);
	h->listed = true;
}

static void handle_unlist(struct kmem_swap_page *h)
{
	if (!h->listed)
		return;
	kmem_lru_del(h->page);
	h->listed = false;
}

static bool swap_is_crowded(void)
{
	return atom_load(&swap.used) > swap.nr / 2;
}

static int page_in(struct kmem_swap_page *h, gfp_t gfp)
{
	struct page *page;
	int rc;

	if (h->page)
		return 0;
	assert_always(h->slot != SLOT_NONE);
	page = alloc_page(gfp & ~__GFP_ZERO);
	if (!page)
		return -KE_NOMEM;
	rc = page_read(page, h->slot, h->sum);
	if (rc) {
		report_error("a page cannot be read back", h->slot, rc);
		__free_page(page);
		return rc;
	}
	vm_event(KMEM_EV_pswpin);
	atom_store(&h->page, page);
	if (swap_is_crowded() && !atom_load(&swap.forked))
		handle_drop_slot(h);
	handle_list(h);
	return 0;
}

static int handle_use(struct kmem_swap_page *h, gfp_t gfp, u32 pins)
{
	int rc;

	if (!context_check_sleep(KMEM_MISUSE_CONTEXT, h, "the page is not brought in"))
		return -KE_BUSY;
	mutex_take(&h->mutex);
	rc = page_in(h, gfp);
	if (!rc) {
		h->pins += pins;
		if (h->listed)
			kmem_lru_mark_accessed(h->page);
	}
	mutex_release(&h->mutex);
	return rc;
}

int kmem_swap_in(struct kmem_swap_page *h, gfp_t gfp)
{
	return handle_use(h, gfp, 0);
}

int kmem_swap_map(struct kmem_swap_page *h, gfp_t gfp, void **addr)
{
	int rc = handle_use(h, gfp, 1);

	/* Pinned: the page stays, and stays this one. */
	*addr = rc ? NULL : kmap(h->page);
	return rc;
}

void kmem_swap_unmap(struct kmem_swap_page *h, void *addr, bool dirty)
{
	if (!context_check_sleep(KMEM_MISUSE_CONTEXT, h, "the page stays mapped"))
		return;
	mutex_take(&h->mutex);
	if (h->pins == 0 || kmap_to_page(addr) != h->page) {
		mutex_release(&h->mutex);
		report_misuse(KMEM_MISUSE_KMAP_UNBALANCED, h,
			      "BUG: kmem_swap_unmap of a page that is not mapped at %p", addr);
		return;
	}
	kunmap(h->page);
	if (dirty && h->listed)
		kmem_lru_set_dirty(h->page);
	else if (dirty)
		handle_drop_slot(h); /* brought in while the area was being switched off */
	h->pins--;
	mutex_release(&h->mutex);
}

bool kmem_swap_resident(struct kmem_swap_page *h)
{
	return atom_load(&h->page) != NULL;
}

/* ---- Handles -------------------------------------------------------------------------------------- */

struct kmem_swap_page *kmem_swap_alloc(gfp_t gfp)
{
	struct kmem_swap_page *h;
	irqflags_t flags;

	if (!context_check_sleep(KMEM_MISUSE_CONTEXT, NULL, "no page is allocated"))
		return NULL;
	h = kzalloc(sizeof(*h), gfp & ~(__GFP_HIGHMEM | __GFP_MOVABLE));
	if (!h)
		return NULL;
	h->slot = SLOT_NONE;
	h->page = alloc_page(gfp);
	if (!h->page) {
		kfree(h);
		return NULL;
	}
	mutex_take(&h->mutex);
	flags = lock_take(&swap.lock);
	list_add(&h->all, &swap.pages);
	lock_release(&swap.lock, flags);
	handle_list(h);
	mutex_release(&h->mutex);
	return h;
}

void kmem_swap_free(struct kmem_swap_page *h)
{
	irqflags_t flags;

	if (!h || !context_check_sleep(KMEM_MISUSE_CONTEXT, h, "the page is not freed"))
		return;
	mutex_take(&h->mutex);
	if (h->pins) {
		mutex_release(&h->mutex);
		report_misuse(KMEM_MISUSE_LRU, h, "BUG: kmem_swap_free of a page that is mapped");
		return;
	}
	/* Callbacks that look for the handle now find its mutex held, until the page is off the lists;
	 * and so does kmem_swapoff, until the handle has nothing of the area any more. */
	handle_unlist(h);
	handle_drop_slot(h);
	flags = lock_take(&swap.lock);
	list_del(&h->all);
	lock_release(&swap.lock, flags);
	if (h->page)
		__free_page(h->page);
	kfree(h);
}

/* ---- On and off ----------------------------------------------------------------------------------- */

typedef bool (*handle_test)(const struct kmem_swap_page *h);

static bool is_unlisted(const struct kmem_swap_page *h)
{
	return h->page && !h->listed;
}

static bool uses_area(const struct kmem_swap_page *h)
{
	return h->listed || h->slot != SLOT_NONE;
}

/* A handle that passes, with its mutex held, now last in the list. NULL: none does, but there may be
 * more among those that are locked (*busy). */
static struct kmem_swap_page *handle_pick(handle_test wanted, bool *busy)
{
	struct kmem_swap_page *h, *found = NULL;
	irqflags_t flags = lock_take(&swap.lock);

	*busy = false;
	list_for_each_entry (h, &swap.pages, struct kmem_swap_page, all) {
		if (!mutex_try(&h->mutex)) {
			*busy = true;
			continue;
		}
		if (wanted(h)) {
			found = h;
			break;
		}
		mutex_release(&h->mutex);
	}
	if (found) {
		list_del(&found->all);
		list_add_tail(&found->all, &swap.pages);
	}
	lock_release(&swap.lock, flags);
	return found;
}

/* What fn does to all handles that pass, each with its mutex held, until one fails. */
static int handles_do(handle_test wanted, int (*fn)(struct kmem_swap_page *h))
{
	bool busy = true;
	int rc = 0;

	while (busy && !rc) {
		struct kmem_swap_page *h = handle_pick(wanted, &busy);

		if (h) {
			rc = fn(h);
			mutex_release(&h->mutex);
			busy = true;
		} else if (busy) {
			port_relax();
		}
	}
	return rc;
}

static int enlist(struct kmem_swap_page *h)
{
	handle_list(h);
	return 0;
}

/* The page in memory and nowhere else. Its memory must not be made by writing others out. */
static int bring_home(struct kmem_swap_page *h)
{
	int rc = page_in(h, (GFP_HIGHUSER | __GFP_NORETRY | __GFP_NOWARN) & ~(__GFP_IO | __GFP_FS));

	if (rc)
		return rc;
	handle_unlist(h);
	handle_drop_slot(h);
	return 0;
}

static u32 store_slots(const struct kmem_store *store)
{
	return (u32)u64_min(store->size >> PAGE_SHIFT, SLOTS_MAX);
}

static int area_start(struct kmem_store *store)
{
	u32 nr = store_slots(store);
	unsigned long *map = kzalloc(align_up(nr, WORD_BITS) / 8, GFP_KERNEL);
	int rc;

	if (!map)
		return -KE_NOMEM;
	swap.owner = (struct kmem_lru_owner){
		.name = "swap",
		.writepage = swap_writepage,
		.release = swap_release,
	};
	rc = kmem_lru_owner_register(&swap.owner);
	if (rc) {
		kfree(map);
		return rc;
	}
	swap.store = store;
	swap.map = map;
	swap.nr = nr;
	swap.used = 0;
	swap.hint = 0;
	atom_store(&swap.forked, false);
	atom_store(&kmem_machine.stat->swap_total, (u64)nr);
	slots_count(0);
	atom_store_rel(&swap.on, true); /* pairs with handle_list */
	handles_do(is_unlisted, enlist);
	return 0;
}

int kmem_swapon(struct kmem_store *store)
{
	int rc;

	if (!store || !store->read || !store->write || store_slots(store) == 0)
		return -KE_INVAL;
	if (!machine_ensure())
		return -KE_NOMEM;
	if (!context_check_sleep(KMEM_MISUSE_CONTEXT, store, "kmem_swapon is refused"))
		return -KE_BUSY;
	mutex_take(&swap.changing);
	rc = swap.store ? -KE_BUSY : area_start(store);
	mutex_release(&swap.changing);
	return rc;
}

static int area_stop(void)
{
	int rc;

	/* From here on nothing goes out, so each page is brought home once. */
	atom_store(&swap.on, false);
	rc = handles_do(uses_area, bring_home);
	if (rc) {
		atom_store_rel(&swap.on, true);
		handles_do(is_unlisted, enlist);
		return rc;
	}
	rc = kmem_lru_owner_unregister(&swap.owner);
	assert_always(rc == 0 && swap.used == 0);
	if (swap.store->discard && !swap.forked)
		swap.store->discard(swap.store, 0, slot_pos(swap.nr));
	kfree(swap.map);
	swap.map = NULL;
	swap.store = NULL;
	swap.nr = 0;
	atom_store(&kmem_machine.stat->swap_total, (u64)0);
	slots_count(0);
	return 0;
}

int kmem_swapoff(void)
{
	int rc;

	if (!kmem_booted())
		return -KE_INVAL;
	if (!context_check_sleep(KMEM_MISUSE_CONTEXT, NULL, "kmem_swapoff is refused"))
		return -KE_BUSY;
	mutex_take(&swap.changing);
	rc = swap.store ? area_stop() : -KE_INVAL;
	mutex_release(&swap.changing);
	return rc;
}

/* ---- Check, start, end, fork ----------------------------------------------------------------------- */

int swap_check(void)
{
	const struct kmem_swap_page *h;
	u32 slots = 0;
	int faults = 0;

	if (!kmem_booted())
		return 0;
	list_for_each_entry (h, &swap.pages, struct kmem_swap_page, all) {
		bool slot = h->slot != SLOT_NONE;

		assert_audit(h->page || slot, "a handle without page and slot");
		assert_audit(!h->pins || h->page, "%u mappings of a page that is out", h->pins);
		assert_audit(!slot || (h->slot < swap.nr &&
				       swap.map[h->slot / WORD_BITS] >> (h->slot % WORD_BITS) & 1),
			     "slot %u", h->slot);
		assert_audit(!h->listed || (h->page && handle_of(h->page) == h), "its page's key");
		slots += slot;
	}
	assert_audit(slots == swap.used || swap.forked, "%u slots in use, %u owned", swap.used,
		     slots);
	return faults;
}

void swap_init(void)
{
	__builtin_memset(&swap, 0, sizeof(swap));
	lock_init(&swap.lock, RANK_LEAF);
	list_init(&swap.pages);
}

void swap_fork_lock(void)
{
	lock_fork_take(&swap.lock);
}

/* Who held a mutex is not in the child, but for this task itself in a callback. What he was doing is
 * as good as undone: a page is the handle's, or the slot is, before the other is given up. */
void swap_fork_unlock(bool child)
{
	struct kmem_swap_page *h;

	if (!child) {
		lock_fork_drop(&swap.lock);
		return;
	}
	swap.forked = swap.store != NULL;
	if (!(port_task()->pf & PF_MEMALLOC)) {
		swap.changing.word = 0;
		list_for_each_entry (h, &swap.pages, struct kmem_swap_page, all)
			h->mutex.word = 0;
	}
	lock_reset(&swap.lock);
}
