// SPDX-License-Identifier: MIT
/*
 * kmap_local_page: a task's own mappings, last in, first out, in any context.
 *
 * They are a stack, linked through their slots: the task's word names the newest, and each slot keeps
 * what the word was before.
 *
 *	task->kmap	| depth 3 | slot 8 + 1 |
 *	slot 8 .below	| depth 2 | slot 5 + 1 | ---> slot 5 .below ---> slot 9 .below = 0
 *
 * A handler that comes in at any instruction pushes and pops on the same word and leaves it as it
 * found it. Slots are shared by all tasks and taken by an exchange; the search begins at a place that
 * follows from the frame, so that a page mapped again and again is found as it was left, still mapped.
 * Who finds all taken gives way and tries again.
 *
 * Cost: a page that was left mapped is one exchange; another is the host's mapping call.
 */
#include "phys/internal.h"
#include <kmem/highmem.h>

enum {
	DEPTH_MOST = 15, /* the kernel has 16 places, and its check stops at the last */
	DEPTH_SHIFT = 16,
	SLOT_MASK = (1 << DEPTH_SHIFT) - 1,
};

static u32 word_depth(u32 word)
{
	return word >> DEPTH_SHIFT;
}

/* What the word's newest slot is; the word is not empty. */
static u32 word_slot(u32 word)
{
	assert_debug((word & SLOT_MASK) > windows.local);
	return (word & SLOT_MASK) - 1;
}

static u32 slot_take(pfn_t pfn)
{
	for (u32 i = (u32)pfn % windows.nr_local, left = windows.nr_local;; i++) {
		/* Pairs with the release in slot_leave(). */
		if (!atom_xchg(&windows.slot[windows.local + i % windows.nr_local].count, 1u))
			return windows.local + i % windows.nr_local;
		if (--left)
			continue;
		left = windows.nr_local;
		if (context_may_sleep())
			port_relax();
	}
}

static void slot_leave(u32 slot)
{
	struct window_slot *s = &windows.slot[slot];

	if (unlikely(kmem_machine.opt.hardened)) {
		s->pfn = LINK_NIL;
		port_window_unmap(slot, 1);
	}
	atom_store_rel(&s->count, 0u);
}

void *kmap_local_page(const struct page *page)
{
	struct port_task *task = port_task();
	pfn_t pfn = pfn_of_page(page);
	struct window_slot *s;
	u32 slot;

	assert_always(page_valid(page));
	if (pfn < kmem_machine.low_end)
		return page_address(page);
	if (word_depth(task->kmap) == DEPTH_MOST)
		window_fatal(KMEM_MISUSE_KMAP_DEPTH, page, "kmap_local_page is nested too deep");
	slot = slot_take(pfn);
	s = &windows.slot[slot];
	if (s->pfn != (u32)pfn) {
		window_show(slot, pfn);
		s->pfn = (u32)pfn;
	}
	s->below = task->kmap;
	task->kmap = (word_depth(s->below) + 1) << DEPTH_SHIFT | (slot + 1);
	return window_addr(slot);
}

/* Slot number of an address of kmap_local_page; UINT32_MAX: none. */
static u32 slot_at(const void *addr)
{
	size_t slot = ((uintptr_t)addr - (uintptr_t)windows.base) >> PAGE_SHIFT;

	if (!windows.slot || slot < windows.local || slot >= windows.local + windows.nr_local)
		return UINT32_MAX;
	return (u32)slot;
}

/* Out of order: out of the middle of the stack. Those above it are one less deep from now on. */
static bool slot_unlink(u32 *word, u32 slot)
{
	u32 depth = word_depth(*word), above = 0;
	u32 *at = word;

	while (above < depth && word_slot(*at) != slot) {
		at = &windows.slot[word_slot(*at)].below;
		above++;
	}
	if (above == depth)
		return false;
	*at = windows.slot[slot].below;
	for (at = word; above-- > 0; at = &windows.slot[word_slot(*at)].below)
		*at -= 1u << DEPTH_SHIFT;
	return true;
}

void __kunmap_local(const void *addr)
{
	u32 *word = &port_task()->kmap, slot = slot_at(addr);

	if (slot == UINT32_MAX)
		return;
	if (word_depth(*word) == 0)
		window_fatal(KMEM_MISUSE_KMAP_UNBALANCED, addr, "kunmap_local without a mapping");
	if (word_slot(*word) == slot) {
		*word = windows.slot[slot].below;
		slot_leave(slot);
		return;
	}
	report_misuse(KMEM_MISUSE_KMAP_ORDER, addr,
		      "kunmap_local(%p): the last mapping is %p, to be undone first", addr,
		      window_addr(word_slot(*word)));
	if (slot_unlink(word, slot))
		slot_leave(slot);
}

struct page *kmap_to_page(const void *addr)
{
	size_t slot = ((uintptr_t)addr - (uintptr_t)windows.base) >> PAGE_SHIFT;
	u32 pfn;

	if (!windows.slot || slot < windows.shared || slot >= windows.local + windows.nr_local)
		return page_of_addr(addr);
	pfn = atom_load(&windows.slot[slot].pfn);
	return pfn == LINK_NIL ? NULL : page_of_pfn(pfn);
}

void kmap_local_reset(void)
{
	port_task()->kmap = 0;
}

void kmap_local_forget_others(void)
{
	u32 mine = port_task()->kmap;

	for (u32 i = 0; i < windows.nr_local; i++)
		windows.slot[windows.local + i].count = 0;
	for (; word_depth(mine); mine = windows.slot[word_slot(mine)].below)
		windows.slot[word_slot(mine)].count = 1;
}
