/* SPDX-License-Identifier: MIT */
/* A list of pages that is filled takes the blocks that would have been taken one by one, and leaves the same. */
#include "phys_machine.h"

enum { FRAMES = 4096, LISTED = 4 * FRAMES, HELD = 300 };

static uint64_t turn;

static u32 below(u32 n)
{
	turn ^= turn << 13;
	turn ^= turn >> 7;
	turn ^= turn << 17;
	return (u32)((turn >> 32) * n >> 32);
}

/* All free blocks, list after list, in their order; how many numbers that is. */
static unsigned long listed(const struct zone *z, u32 *out)
{
	unsigned long nr = 0;

	for (u32 mt = 0; mt < KMEM_NR_MT; mt++) {
		for (u32 o = 0; o < NR_PAGE_ORDERS; o++) {
			out[nr++] = o;
			for (u32 pfn = z->area[o].head[mt]; pfn != LINK_NIL;
			     pfn = page_of_pfn(pfn)->next)
				out[nr++] = pfn;
		}
	}
	return nr;
}

static void fragment(struct zone *z, uint64_t seed)
{
	struct page *held[HELD] = {NULL};

	turn = seed;
	for (u32 i = below(3000); i; i--) {
		struct page **h = &held[below(HELD)];
		u32 order = below(below(2) ? 2 : 9);

		if (*h)
			pm_free(*h, (*h)->order);
		*h = *h ? NULL : zone_alloc(z, order, below(3), 0);
	}
}

/* The same machine in the same state; with lists one request fills one. *taken: blocks, 0 to be counted. */
static unsigned long state_after(const struct kmem_options *opt, uint64_t seed, u32 order,
				 bool lists, unsigned long *taken, u32 *out)
{
	unsigned long nr, free;
	struct zone *z;

	pm_start(opt);
	pcp_switch(false);
	z = pm_normal();
	fragment(z, seed);
	pcp_switch(lists);
	free = zone_free_pages(z);
	for (unsigned long i = lists ? 1 : *taken; i; i--)
		zone_alloc(z, order, KMEM_MT_UNMOVABLE, 0);
	if (lists)
		*taken = (free - zone_free_pages(z)) >> order;
	nr = listed(z, out);
	pm_stop();
	return nr;
}

static void compare(const struct kmem_options *opt)
{
	static u32 by_list[LISTED], one_by_one[LISTED];

	for (int i = 0; i < 100; i++) {
		uint64_t seed = tap_rand() | 1;
		u32 order = tap_below(4);
		unsigned long taken = 0, nr = state_after(opt, seed, order, true, &taken, by_list);

		is(state_after(opt, seed, order, false, &taken, one_by_one), nr);
		ok(memcmp(by_list, one_by_one, nr * sizeof(*by_list)) == 0,
		   "%lu blocks of order %u, seed %#lx", taken, order, (unsigned long)seed);
	}
}

TEST(a_list_that_is_filled_leaves_the_blocks_that_single_requests_leave)
{
	struct kmem_options opt = pm_options(FRAMES);

	opt.percpu_pages = true;
	compare(&opt);
}

TEST(so_does_one_where_blocks_have_types)
{
	struct kmem_options opt = pm_options(FRAMES);

	opt.percpu_pages = true;
	opt.mobility = true;
	compare(&opt);
}
