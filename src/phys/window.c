// SPDX-License-Identifier: MIT
/*
 * Windows onto frames that have no address, and who owns which.
 *
 *	slots	| the library's own, in windows of `run` pages | kmap | kmap_local_page |
 *
 * The three never compete: the library clears pages while users hold all of theirs, and the other way
 * round.
 *
 * An own window is taken by an exchange on its byte, so any context may open one. Who finds all taken
 * tries again: they are held for the time of clearing a few pages, never across a wait, and each level
 * of interruption holds one at most, so with more windows than levels (task, softirq, irq, NMI)
 * somebody always runs on and gives his back.
 *
 * Slots keep what they show after use, until it is replaced: mapping a page costs the host far more
 * than any use of it.
 */
#include "phys/internal.h"

enum {
	SLOTS_LEAST = 64,
	OWN_WINDOWS = 16, /* four for each level of interruption */
	SHARED_MOST = 512 /* the kernel's LAST_PKMAP with large page tables */
};

struct windows windows;
static u8 window_busy[OWN_WINDOWS];

_Static_assert(SLOTS_LEAST >= 2 * OWN_WINDOWS, "half of the least is the users'");

int windows_init(void)
{
	struct windows *w = &windows;
	unsigned int nr;
	u32 own, left;

	w->base = port_window_base(&nr);
	if (!w->base || nr < SLOTS_LEAST)
		return -KE_NOSYS;
	w->slot = boot_alloc(nr * sizeof(*w->slot), false);
	if (!w->slot)
		return -KE_NOMEM;
	w->run = nr / (4 * OWN_WINDOWS);
	own = w->run * OWN_WINDOWS;
	left = nr - own;
	w->shared = own;
	w->nr_shared = (u32)size_min(left / 2, SHARED_MOST);
	if (kmem_machine.opt.kmap_slots)
		w->nr_shared = (u32)size_min(w->nr_shared, kmem_machine.opt.kmap_slots);
	w->local = w->shared + w->nr_shared;
	w->nr_local = nr - w->local;
	for (u32 i = 0; i < nr; i++)
		w->slot[i].pfn = LINK_NIL;
	return 0;
}

void windows_reset(void)
{
	__builtin_memset(&windows, 0, sizeof(windows));
	__builtin_memset(window_busy, 0, sizeof(window_busy));
	kmap_reset();
	kmap_local_reset();
}

void *window_open(pfn_t pfn, unsigned int nr, unsigned int *window)
{
	unsigned int i = port_cpu();

	assert_always(windows.slot && nr >= 1 && nr <= windows.run);
	for (;; i++) {
		void *p;

		/* Pairs with the release in window_close(). */
		if (atom_xchg(&window_busy[i % OWN_WINDOWS], (u8)1))
			continue;
		*window = i % OWN_WINDOWS;
		p = port_window_map(*window * windows.run, pfn, nr);
		assert_always(p);
		return p;
	}
}

void window_close(unsigned int window)
{
	assert_debug(window < OWN_WINDOWS && atom_load(&window_busy[window]));
	atom_store_rel(&window_busy[window], (u8)0);
}

/* The kernel's kmap cannot fail, so nobody looks whether it did. */
void *window_show(u32 slot, pfn_t pfn)
{
	void *p = port_window_map(slot, pfn, 1);

	if (unlikely(!p))
		port_panic("kmap: the host refuses to map a page");
	assert_debug(p == window_addr(slot));
	return p;
}

void window_fatal(enum kmem_misuse code, const void *addr, const char *text)
{
	report_misuse(code, addr, "BUG: %s", text);
	port_panic(text);
}

int windows_check(void)
{
	int faults = 0;

	if (!windows.slot)
		return 0;
	for (u32 i = 0; i < OWN_WINDOWS; i++)
		assert_audit(!window_busy[i] || phys.forked, "window %u is open", i);
	return faults + kmap_check();
}
