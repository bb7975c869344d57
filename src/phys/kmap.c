// SPDX-License-Identifier: MIT
/*
 * kmap: windows that all users share, for as long as they like.
 *
 * A slot's count, as in the kernel:
 *
 *	 claimed                       kmap               kmap: +1
 *	0 free ----> BUSY ----> 2 one user <----> n: n - 1 users
 *	               ^          |  ^            kunmap: -1
 *	       claimed |   kunmap v  | kmap of the same page
 *	               +-------- 1 unused, still mapped
 *
 * phys.alias[pfn] names the slot that shows a frame, so a page that is mapped is found with one load.
 * Its users are counted by compare-and-swap, without the lock; a slot is claimed for another page
 * under the lock, and only from a count below two, round robin, so that a page used again and again
 * stays where it is. Who counts himself in looks afterwards whether it still is the page's slot, and
 * else counts himself out: a count above one keeps it from changing.
 *
 * No slot: wait until a count falls to one. Whoever waits first counts himself among the waiters and
 * then looks once more; whoever lowers a count looks for waiters afterwards. One of the two sees the
 * other. All waiters are woken, because any of them may want the very page that is mapped next.
 *
 * hardened=1 unmaps with the last kunmap, so that a stale pointer traps at once.
 *
 * Lock: RANK_LEAF, for claiming a slot, the host's mapping call included. Cost: a hit is two loads
 * and one compare-and-swap; a miss is the host's call.
 */
#include "phys/internal.h"
#include <kmem/highmem.h>

enum { SLOT_FREE, SLOT_UNUSED, SLOT_ONE_USER };
#define SLOT_BUSY UINT32_MAX

static struct lock kmap_lock = {.rank = RANK_LEAF};
static u32 kmap_next;	 /* where the search for a slot goes on; under lock */
static u32 kmap_freed;	 /* changes when a slot may have become free: what waiters sleep on */
static u32 kmap_waiters; /* how many there are */

static struct window_slot *shared_slot(u32 i)
{
	assert_debug(i < windows.nr_shared);
	return &windows.slot[windows.shared + i];
}

static void *shared_addr(const struct window_slot *s)
{
	return window_addr((u32)(s - windows.slot));
}

/* NULL: no slot shows it. */
static struct window_slot *slot_of(pfn_t pfn)
{
	/* Pairs with the release in slot_show(). */
	u32 i = atom_load_acq(&phys.alias[pfn]);

	return i ? &windows.slot[i - 1] : NULL;
}

void *kmap_address(pfn_t pfn)
{
	struct window_slot *s = slot_of(pfn);
	u32 n = s ? atom_load_acq(&s->count) : SLOT_FREE;

	if (n < SLOT_ONE_USER || n == SLOT_BUSY || atom_load(&s->pfn) != (u32)pfn)
		return NULL;
	return shared_addr(s);
}

/* ---- Changing what a slot shows ------------------------------------------------------------------ */

/* From unused, or free, to the caller's. */
static bool slot_claim(struct window_slot *s)
{
	u32 n = atom_load(&s->count), seen = (u32)(s - windows.slot) + 1;

	if (n > SLOT_UNUSED || !atom_cas(&s->count, &n, SLOT_BUSY))
		return false;
	/* Another slot may show the frame by now (slot_drop runs without the lock). */
	if (s->pfn != LINK_NIL)
		atom_cas(&phys.alias[s->pfn], &seen, 0u);
	atom_store(&s->pfn, LINK_NIL);
	return true;
}

static void *slot_show(struct window_slot *s, pfn_t pfn)
{
	u32 slot = (u32)(s - windows.slot);
	void *p = window_show(slot, pfn);

	atom_store(&s->pfn, (u32)pfn);
	atom_store_rel(&phys.alias[pfn], slot + 1); /* pairs with slot_of() */
	atom_store_rel(&s->count, (u32)SLOT_ONE_USER);
	return p;
}

/* After a count has fallen. */
static void waiters_tell(void)
{
	atom_fence(); /* the count before the look; pairs with that of kmap_wait() */
	if (likely(!atom_load(&kmap_waiters)))
		return;
	atom_add(&kmap_freed, 1);
	port_wake(&kmap_freed, UINT32_MAX);
}

/* An unused slot becomes free, and traps. */
static void slot_drop(struct window_slot *s)
{
	if (atom_load(&s->count) != SLOT_UNUSED || !slot_claim(s))
		return;
	port_window_unmap((u32)(s - windows.slot), 1);
	atom_store_rel(&s->count, (u32)SLOT_FREE);
	waiters_tell();
}

/* ---- Users ----------------------------------------------------------------------------------------- */

/* False: it has none. */
static bool slot_put(struct window_slot *s)
{
	u32 n = atom_load(&s->count);

	do {
		if (n < SLOT_ONE_USER || n == SLOT_BUSY)
			return false;
	} while (!atom_cas(&s->count, &n, n - 1));
	if (n > SLOT_ONE_USER)
		return true;
	waiters_tell();
	if (unlikely(kmem_machine.opt.hardened))
		slot_drop(s);
	return true;
}

/* One more user of the slot that shows the frame; NULL: none does. */
static void *kmap_hit(pfn_t pfn)
{
	struct window_slot *s = slot_of(pfn);
	u32 n = s ? atom_load(&s->count) : SLOT_FREE;

	do {
		if (n == SLOT_FREE || n == SLOT_BUSY)
			return NULL;
	} while (!atom_cas(&s->count, &n, n + 1));
	if (likely(atom_load(&s->pfn) == (u32)pfn))
		return shared_addr(s);
	slot_put(s);
	return NULL;
}

/* NULL: all slots are in use. try: or the lock is. */
static void *kmap_try(pfn_t pfn, bool try)
{
	irqflags_t flags;
	void *p;

	if (!lock_take_or_try(&kmap_lock, try, &flags))
		return NULL;
	p = kmap_hit(pfn);
	for (u32 i = 0; i < windows.nr_shared && !p; i++) {
		struct window_slot *s = shared_slot(kmap_next++ % windows.nr_shared);

		if (slot_claim(s))
			p = slot_show(s, pfn);
	}
	lock_release(&kmap_lock, flags);
	return p;
}

static void *kmap_wait(pfn_t pfn)
{
	void *p;

	atom_add_sc(&kmap_waiters, 1);
	for (;;) {
		u32 seen = atom_load_acq(&kmap_freed);

		atom_fence(); /* counted before the look; pairs with waiters_tell() */
		p = kmap_try(pfn, false);
		if (p)
			break;
		port_wait(&kmap_freed, seen, UINT64_MAX);
	}
	atom_sub_sc(&kmap_waiters, 1);
	return p;
}

void *kmap(struct page *page)
{
	bool may_sleep = context_check_sleep(KMEM_MISUSE_CONTEXT, page, "it does not wait");
	pfn_t pfn = pfn_of_page(page);
	void *p;

	assert_always(page_valid(page));
	if (pfn < kmem_machine.low_end)
		return page_address(page);
	p = kmap_hit(pfn);
	if (!p)
		p = kmap_try(pfn, !may_sleep);
	return p || !may_sleep ? p : kmap_wait(pfn);
}

void *kmap_high_get(const struct page *page)
{
	pfn_t pfn = pfn_of_page(page);

	assert_always(page_valid(page));
	return pfn < kmem_machine.low_end ? page_address(page) : kmap_hit(pfn);
}

void kunmap(struct page *page)
{
	struct window_slot *s;
	pfn_t pfn = pfn_of_page(page);

	assert_always(page_valid(page));
	(void)context_check_sleep(KMEM_MISUSE_CONTEXT, page, "it is unmapped nevertheless");
	if (pfn < kmem_machine.low_end)
		return;
	s = slot_of(pfn);
	if (!s || atom_load(&s->pfn) != (u32)pfn || !slot_put(s))
		window_fatal(KMEM_MISUSE_KMAP_UNBALANCED, page,
			     "kunmap of a page that is not mapped");
}

void kmap_flush_unused(void)
{
	for (u32 i = 0; i < windows.nr_shared; i++)
		slot_drop(shared_slot(i));
}

/* ---- The rest --------------------------------------------------------------------------------------- */

void kmap_reset(void)
{
	kmap_next = 0;
	kmap_freed = 0;
	kmap_waiters = 0;
}

int kmap_check(void)
{
	int faults = 0;

	for (u32 i = 0; i < windows.nr_shared; i++) {
		const struct window_slot *s = shared_slot(i);
		u32 slot = windows.shared + i;

		assert_audit(s->count != SLOT_BUSY, "slot %u", slot);
		assert_audit((s->pfn == LINK_NIL) == (s->count == SLOT_FREE), "slot %u count %u",
			     slot, s->count);
		if (s->pfn != LINK_NIL)
			assert_audit(phys.alias[s->pfn] == slot + 1, "slot %u, pfn %u", slot,
				     s->pfn);
	}
	return faults;
}

void kmap_fork_lock(void)
{
	lock_fork_take(&kmap_lock);
}

void kmap_fork_unlock(bool child)
{
	if (!child) {
		lock_fork_drop(&kmap_lock);
		return;
	}
	lock_reset(&kmap_lock);
	kmap_waiters = 0;
	kmap_local_forget_others();
}
