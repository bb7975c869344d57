/* SPDX-License-Identifier: MIT */
/* Buddy blocks and the page-level calls: semantics 4, statements S76..S91 and S197. */
#include "../support.h"

static const struct kmem_stat_zone *zone(enum kmem_zone_index z)
{
	return &kmem_stat_get()->zone[z];
}

static uint64_t blocks(enum kmem_zone_index z, unsigned int order)
{
	uint64_t n = 0;

	for (int mt = 0; mt < KMEM_NR_MT; mt++)
		n += zone(z)->nr_free[mt][order];
	return n;
}

/* A machine with one zone and nothing else in it. */
#define BARE "mem=16M zones=flat nr_cpus=1 percpu_pages=0"

TEST(S76_S77_one_block_splits_all_the_way_and_heals)
{
	uint64_t top;
	struct page *page;

	machine_start(BARE);
	kmem_drain();
	top = blocks(KMEM_ZONE_NORMAL, MAX_PAGE_ORDER);
	for (unsigned int o = 0; o < MAX_PAGE_ORDER; o++)
		is(blocks(KMEM_ZONE_NORMAL, o), 0, "order %u before", o);
	page = alloc_page(GFP_KERNEL);
	is(page_to_pfn(page) % MAX_ORDER_NR_PAGES, 0, "the block's first frame");
	for (unsigned int o = 0; o < MAX_PAGE_ORDER; o++)
		is(blocks(KMEM_ZONE_NORMAL, o), 1, "order %u", o);
	is(blocks(KMEM_ZONE_NORMAL, MAX_PAGE_ORDER), top - 1, "one block less");
	for (unsigned int o = 0; o < MAX_PAGE_ORDER; o++) {
		struct page *next = alloc_pages(GFP_KERNEL, o);

		is(page_to_pfn(next), page_to_pfn(page) + (1UL << o), "order %u lies at p + 2^k",
		   o);
		__free_pages(next, o);
	}
	__free_page(page);
	is(blocks(KMEM_ZONE_NORMAL, MAX_PAGE_ORDER), top, "whole again");
	for (unsigned int o = 0; o < MAX_PAGE_ORDER; o++)
		is(blocks(KMEM_ZONE_NORMAL, o), 0, "order %u after", o);
	machine_stop();
}

TEST(S78_blocks_are_aligned_to_their_order)
{
	machine_start(BARE);
	for (unsigned int o = 0; o <= 8; o++) {
		struct page *p[6];
		unsigned long bad = 0;

		for (int i = 0; i < 6; i++) {
			p[i] = alloc_pages(GFP_KERNEL, o);
			bad += !p[i] || page_to_pfn(p[i]) % (1UL << o) != 0;
		}
		is(bad, 0, "order %u", o);
		for (int i = 0; i < 6; i++)
			__free_pages(p[i], o);
	}
	machine_stop();
}

TEST(S79_S80_no_merge_across_a_zone_boundary_nor_above_the_top)
{
	machine_start("mem=32M zones=dma:12M,normal:rest percpu_pages=0 nr_cpus=1");
	kmem_drain();
	is(zone(KMEM_ZONE_DMA)->managed, 3072, "DMA pages");
	is(zone(KMEM_ZONE_DMA)->free, 3072, "all free in DMA");
	is(blocks(KMEM_ZONE_DMA, MAX_PAGE_ORDER), 3, "three top blocks, not merged with Normal's");
	machine_stop();
}

TEST(S81_buddies_freed_in_either_order_give_the_same_state)
{
	uint64_t after[2][NR_PAGE_ORDERS];

	machine_start(BARE);
	for (int way = 0; way < 2; way++) {
		struct page *p = alloc_pages(GFP_KERNEL, 3);
		unsigned long pfn = page_to_pfn(p);

		split_page(p, 3);
		for (int i = 2; i < 8; i++)
			__free_page(pfn_to_page(pfn + (unsigned long)i));
		__free_page(pfn_to_page(pfn + (way ? 1 : 0)));
		__free_page(pfn_to_page(pfn + (way ? 0 : 1)));
		for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
			after[way][o] = blocks(KMEM_ZONE_NORMAL, o);
	}
	ok(!memcmp(after[0], after[1], sizeof(after[0])), "same counts at every order");
	machine_stop();
}

TEST(S82_double_free_changes_nothing)
{
	struct page *p;
	uint64_t before;

	machine_start(BARE);
	p = alloc_pages(GFP_KERNEL, 2);
	__free_pages(p, 2);
	before = pages_free();
	__free_pages(p, 2);
	is(reports_of(KMEM_MISUSE_PAGE_DOUBLE_FREE), 1, "reported");
	is(pages_free(), before, "free pages");
	machine_stop();
}

TEST(S83_wrong_order_is_reported_and_changes_nothing)
{
	struct page *p;
	uint64_t before;

	machine_start(BARE);
	p = alloc_pages(GFP_KERNEL, 3);
	before = pages_free();
	__free_pages(p, 2);
	__free_pages(p, 4);
	__free_pages(p, 0);
	is(reports_of(KMEM_MISUSE_PAGE_WRONG_ORDER), 3, "reported");
	is(pages_free(), before, "free pages");
	is(page_count(p), 1, "still referenced");
	__free_pages(p, 3);
	machine_stop();
}

/* Fresh memory is not cleared again; owned and trimmed memory must still read as zero. */
TEST(S13_zeroed_pages_are_zero_however_often_they_were_owned)
{
	machine_start("mem=16M zones=flat nr_cpus=1");
	for (int round = 0; round < 6; round++) {
		size_t dirty = 0;

		for (unsigned int order = 0; order <= 9; order++) {
			struct page *p = alloc_pages(GFP_KERNEL | __GFP_ZERO, order);
			unsigned char *mem = page_address(p);

			for (size_t i = 0; i < PAGE_SIZE << order; i++)
				dirty += mem[i] != 0;
			memset(mem, 0x99, PAGE_SIZE << order);
			if (order % 2)
				split_page(p, order);
			for (unsigned long i = 0; order % 2 && i < 1ul << order; i++)
				__free_page(pfn_to_page(page_to_pfn(p) + i));
			if (order % 2 == 0)
				__free_pages(p, order);
		}
		is(dirty, 0, "round %d", round);
		if (round % 2)
			ok(kmem_trim() > 0, "sections went back to the host");
	}
	machine_stop();
}

TEST(S13_zeroed_runs_are_zero)
{
	machine_start("mem=64M zones=flat nr_cpus=1");
	for (int round = 0; round < 4; round++) {
		unsigned long nr = 3000 - 500u * (unsigned int)round;
		struct page *p = alloc_contig_pages(nr, GFP_KERNEL | __GFP_ZERO, 0, NULL);
		unsigned char *mem = page_address(p);
		size_t dirty = 0;

		for (size_t i = 0; i < nr * PAGE_SIZE; i++)
			dirty += mem[i] != 0;
		is(dirty, 0, "round %d", round);
		memset(mem, 0x77, nr * PAGE_SIZE / 2);
		free_contig_range(page_to_pfn(p), nr);
	}
	machine_stop();
}

TEST(S84_freeing_address_zero_is_nothing)
{
	machine_start(BARE);
	free_pages(0, 0);
	free_pages(0, 5);
	__free_pages(NULL, 0);
	is(kmem_misuse_count(), 0, "quiet");
	machine_stop();
}

TEST(S85_an_extra_reference_keeps_the_head_only)
{
	struct page *p;
	uint64_t before;

	machine_start(BARE);
	before = pages_free();
	p = alloc_pages(GFP_KERNEL, 3);
	get_page(p);
	__free_pages(p, 3);
	is(pages_free(), before - 1, "the tail is free at once");
	is(page_count(p), 1, "the head is held");
	put_page(p);
	is(pages_free(), before, "then all of it");
	p = alloc_pages(GFP_KERNEL | __GFP_COMP, 3);
	get_page(p);
	__free_pages(p, 3);
	is(pages_free(), before - 8, "a compound block stays whole");
	put_page(p);
	is(pages_free(), before, "until its last reference goes");
	machine_stop();
}

TEST(S86_exact_takes_no_page_more)
{
	uint64_t before;
	char *p;

	machine_start(BARE);
	before = pages_free();
	p = alloc_pages_exact(5 * PAGE_SIZE, GFP_KERNEL);
	ok(p != NULL, "allocated");
	is(pages_free(), before - 5, "five pages");
	memset(p, 1, 5 * PAGE_SIZE);
	free_pages_exact(p, 5 * PAGE_SIZE);
	is(pages_free(), before, "all five back");
	ok(!alloc_pages_exact((4 << 20) + 1, GFP_KERNEL | __GFP_NOWARN), "4 MiB at most");
	p = alloc_pages_exact(3 * PAGE_SIZE, GFP_KERNEL | __GFP_COMP);
	is(reports_of(KMEM_MISUSE_GFP_EXACT), 1, "COMP is stripped with a report");
	free_pages_exact(p, 3 * PAGE_SIZE);
	machine_stop();
}

TEST(S87_bulk_fills_only_empty_slots)
{
	struct page *array[8] = {NULL}, *mine;

	machine_start(BARE);
	mine = alloc_page(GFP_KERNEL);
	array[2] = mine;
	is(alloc_pages_bulk(GFP_KERNEL, 8, array), 8, "populated");
	ok(array[2] == mine, "what was there stays");
	for (int i = 0; i < 8; i++)
		__free_page(array[i]);
	machine_stop();
}

TEST(S88_nolock_pages)
{
	struct page *p;
	unsigned char *mem;
	size_t dirty = 0;

	machine_start(BARE);
	p = alloc_page(GFP_KERNEL);
	memset(page_address(p), 0xee, PAGE_SIZE);
	__free_page(p);
	p = alloc_pages_nolock((gfp_t)0, 0, 0);
	ok(p != NULL, "a quiet machine serves it");
	mem = page_address(p);
	for (size_t i = 0; i < PAGE_SIZE; i++)
		dirty += mem[i] != 0;
	is(dirty, 0, "zeroed");
	free_pages_nolock(p, 0);
	ok(!alloc_pages_nolock((gfp_t)0, 0, 4), "order 4 is refused");
	machine_stop();
}

TEST(S89_hot_and_cold)
{
	struct page *a, *b, *c;

	machine_start("mem=64M zones=flat nr_cpus=1");
	a = alloc_page(GFP_KERNEL);
	b = alloc_page(GFP_KERNEL);
	__free_page(b);
	__free_page(a);
	c = alloc_page(GFP_KERNEL);
	ok(c == a, "the just-freed page comes back without COLD");
	__free_page(c);
	c = alloc_page(GFP_KERNEL | __GFP_COLD);
	ok(c != a, "and not with it");
	__free_page(c);
	free_pages_cold(alloc_page(GFP_KERNEL), 0);
	machine_stop();
}

TEST(S90_compound_pages)
{
	struct page *p;
	uint64_t before;
	unsigned long bad = 0;

	machine_start(BARE);
	before = pages_free();
	p = alloc_pages(GFP_KERNEL | __GFP_COMP, 4);
	is(compound_order(p), 4, "order");
	ok(PageHead(p) && !PageTail(p), "head");
	for (unsigned long i = 1; i < 16; i++) {
		struct page *tail = pfn_to_page(page_to_pfn(p) + i);

		bad += compound_head(tail) != p || !PageTail(tail);
	}
	is(bad, 0, "tails that do not know their head");
	__free_pages(p, 4);
	is(pages_free(), before, "16 pages back");
	machine_stop();
}

TEST(S91_lists_add_up_to_the_count)
{
	struct page *p[100];

	machine_start("mem=64M zones=i386 nr_cpus=2");
	for (unsigned int i = 0; i < 100; i++)
		p[i] = alloc_pages(GFP_KERNEL, i % 5);
	for (unsigned int i = 0; i < 100; i += 2)
		__free_pages(p[i], i % 5);
	for (int z = 0; z < KMEM_NR_ZONES; z++) {
		uint64_t sum = 0;

		for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
			sum += blocks((enum kmem_zone_index)z, o) << o;
		is(sum, zone((enum kmem_zone_index)z)->free, "zone %d", z);
	}
	for (unsigned int i = 1; i < 100; i += 2)
		__free_pages(p[i], i % 5);
	machine_stop();
}

TEST(S197_events_advance_by_pages)
{
	uint64_t alloc, freed;

	machine_start(BARE);
	alloc = events_of(KMEM_EV_pgalloc_normal);
	freed = events_of(KMEM_EV_pgfree);
	__free_pages(alloc_pages(GFP_KERNEL, 3), 3);
	__free_page(alloc_page(GFP_KERNEL));
	is(events_of(KMEM_EV_pgalloc_normal) - alloc, 9, "pgalloc_normal");
	is(events_of(KMEM_EV_pgfree) - freed, 9, "pgfree");
	machine_stop();
}

TEST(conversions_are_inverse)
{
	struct page *p;
	void *addr;

	machine_start("mem=1G zones=i386");
	p = alloc_page(GFP_KERNEL);
	addr = page_address(p);
	ok(virt_to_page((char *)addr + 100) == p, "virt_to_page");
	ok(pfn_to_page(page_to_pfn(p)) == p, "pfn_to_page");
	ok(phys_to_virt(virt_to_phys(addr)) == addr, "phys_to_virt");
	ok(virt_addr_valid(addr) && !virt_addr_valid(&p), "virt_addr_valid");
	ok(!pfn_valid(1UL << 30) && !pfn_to_page(1UL << 30), "no such frame");
	is_str(page_zone_name(p), "Normal", "zone");
	__free_page(p);
	machine_stop();
}

TEST(contiguous_runs_of_any_length)
{
	uint64_t before;

	machine_start("mem=64M zones=flat nr_cpus=1 percpu_pages=0");
	before = pages_free();
	for (unsigned long nr = 1; nr < 9000; nr = nr * 3 + 1) {
		struct page *p = alloc_contig_pages(nr, GFP_KERNEL, 0, NULL);

		ok(p != NULL, "%lu pages", nr);
		is(pages_free(), before - nr, "exactly");
		memset(page_address(p), 3, nr * PAGE_SIZE);
		free_contig_range(page_to_pfn(p), nr);
		is(pages_free(), before, "and back");
	}
	ok(!alloc_contig_pages(1 << 20, GFP_KERNEL | __GFP_NOWARN, 0, NULL), "more than there is");
	machine_stop();
}

/* Most of a large machine is free without ever having been listed; nobody may be able to tell. */
TEST(S91_sections_that_were_never_listed_are_free_like_others)
{
	struct page *p, *q, *r;
	uint64_t all;

	if (sizeof(void *) < 8)
		skip_loudly("4 GiB of direct map need 64-bit addresses");
	machine_start("mem=4G zones=flat nr_cpus=1 percpu_pages=0");
	all = pages_free();
	ok(all > 1000000, "free");
	is(kmem_check(), 0, "fresh");
	__free_page(pfn_to_page(700000));
	is(reports_of(KMEM_MISUSE_PAGE_DOUBLE_FREE), 1, "freeing what was never taken");
	p = alloc_contig_pages(300000, GFP_KERNEL, 0, NULL);
	q = alloc_contig_pages(5000, GFP_KERNEL, 0, NULL);
	r = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
	ok(p && q && r, "taken");
	is(pages_free(), all - 306024, "counted");
	is(kmem_check(), 0, "while taken");
	free_contig_range(page_to_pfn(p) + 1000, 299000);
	kmem_trim();
	is(kmem_check(), 0, "after a trim");
	free_contig_range(page_to_pfn(p), 1000);
	free_contig_range(page_to_pfn(q), 5000);
	__free_pages(r, MAX_PAGE_ORDER);
	is(pages_free(), all, "all back");
	machine_stop();
}

TEST(S91_the_last_section_can_be_had)
{
	struct taken {
		struct taken *next;
	} *list = NULL;
	unsigned long n = 0;

	machine_start("mem=1G zones=flat nr_cpus=2");
	for (;;) {
		struct taken *t =
			(struct taken *)__get_free_pages(GFP_ATOMIC | __GFP_NOWARN, MAX_PAGE_ORDER);
		if (!t)
			break;
		t->next = list;
		list = t;
		n++;
	}
	ok(n >= 250, "%lu of 256 sections", n);
	while (list) {
		struct taken *next = list->next;

		free_pages((unsigned long)list, MAX_PAGE_ORDER);
		list = next;
	}
	machine_stop();
}
