// SPDX-License-Identifier: MIT
/*
 * kmap: windows onto frames that have no address.
 *
 * The port has a few window slots of one page. A slot is taken by an exchange on its byte, so any
 * context may open one. Who finds all taken tries again: slots are held for the time of clearing
 * one page, never across a wait, and each level of interruption holds one at most, so with more
 * slots than levels (task, softirq, irq, NMI) somebody always runs on and gives his back.
 */
#include "phys/internal.h"

enum {
	WINDOWS_MOST = 64,
	WINDOWS_LEAST = 4, /* levels of interruption */
};
static u8 window_busy[WINDOWS_MOST];

static unsigned int window_slots(void)
{
	return (unsigned int)size_min(port_window_slots(), WINDOWS_MOST);
}

void *window_open(pfn_t pfn, unsigned int *slot)
{
	unsigned int nr = window_slots();
	unsigned int i = port_cpu();

	assert_always(nr >= WINDOWS_LEAST);
	for (;; i++) {
		void *p;

		/* Pairs with the release in window_close(). */
		if (atom_xchg(&window_busy[i % nr], (u8)1))
			continue;
		*slot = i % nr;
		p = port_window_map(*slot, pfn);
		assert_always(p);
		return p;
	}
}

void window_close(unsigned int slot)
{
	port_window_unmap(slot);
	atom_store_rel(&window_busy[slot], (u8)0);
}

void window_reset(void)
{
	__builtin_memset(window_busy, 0, sizeof(window_busy));
}
