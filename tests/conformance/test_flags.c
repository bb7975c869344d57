/* SPDX-License-Identifier: MIT */
/* Flags and zone selection: semantics 1, statements S1..S22, and their names, S194. */
#include "pressure.h"

static bool from(struct page *page, enum kmem_zone_index z)
{
	return page && page_zonenum(page) == (int)z;
}

TEST(S1_normal_first_and_dma_only_if_asked)
{
	struct page *a, *b;

	machine_start(M64);
	a = alloc_page(GFP_KERNEL);
	b = alloc_page(GFP_KERNEL | __GFP_DMA);
	ok(from(a, KMEM_ZONE_NORMAL), "GFP_KERNEL");
	ok(b && page_to_pfn(b) < 4096, "GFP_KERNEL|__GFP_DMA");
	__free_page(a);
	__free_page(b);
	machine_stop();
}

TEST(S2_dma_fails_rather_than_take_normal)
{
	machine_start(M64);
	exhaust(GFP_KERNEL | __GFP_DMA);
	for (unsigned long i = 0; i < nr_held; i++)
		if (!from(held[i], KMEM_ZONE_DMA))
			ok(0, "pfn %lu", page_to_pfn(held[i]));
	ok(zone_free_now(KMEM_ZONE_NORMAL) > 10000, "Normal is free");
	ok(!alloc_page(GFP_KERNEL | __GFP_DMA | __GFP_NOWARN), "NULL");
	m64_end();
}

TEST(S3_plain_requests_fall_back_to_dma)
{
	struct page *page;

	machine_start(M64);
	while (zone_free_now(KMEM_ZONE_NORMAL) > 240)
		take(GFP_KERNEL, 1);
	page = alloc_page(GFP_KERNEL);
	ok(from(page, KMEM_ZONE_DMA), "from DMA");
	__free_page(page);
	m64_end();
}

static unsigned long free_at_wake[KMEM_NR_ZONES];

static void note_free(int node, unsigned int order, int zone, void *arg)
{
	(void)node;
	(void)order;
	(void)zone;
	(void)arg;
	for (int z = 0; wakes == 0 && z < KMEM_NR_ZONES; z++)
		free_at_wake[z] = zone_free_now((enum kmem_zone_index)z);
	wakes++;
}

TEST(S4_S5_highuser_takes_highmem_then_normal_then_dma_above_their_reserves)
{
	machine_start("mem=1G zones=i386 nr_cpus=2 percpu_pages=0");
	take(GFP_HIGHUSER, 1);
	ok(from(held[0], KMEM_ZONE_HIGHMEM), "HighMem first");
	kmem_set_kswapd_wake(note_free, NULL);
	while (wakes == 0 && take(GFP_HIGHUSER | __GFP_NORETRY, 1) == 1)
		;
	is(free_at_wake[KMEM_ZONE_HIGHMEM], 66, "HighMem after the first pass");
	is(free_at_wake[KMEM_ZONE_NORMAL], 1173 + 1024, "Normal after the first pass");
	is(free_at_wake[KMEM_ZONE_DMA], 21 + 1008, "DMA after the first pass");
	take(GFP_HIGHUSER | __GFP_NORETRY, HELD_MAX);
	is(zone_free_now(KMEM_ZONE_HIGHMEM), 32, "HighMem after the slow pass");
	is(zone_free_now(KMEM_ZONE_NORMAL), 939 + 1024, "Normal after the slow pass");
	is(zone_free_now(KMEM_ZONE_DMA), 17 + 1008, "DMA after the slow pass");
	m64_end();
}

TEST(S6_highmem_pages_have_no_address)
{
	struct page *page;
	unsigned long addr;

	machine_start("mem=1G zones=i386 nr_cpus=2");
	page = alloc_page(GFP_HIGHUSER);
	ok(from(page, KMEM_ZONE_HIGHMEM), "from HighMem");
	ok(!page_address(page), "no address");
	addr = __get_free_page(GFP_KERNEL | __GFP_HIGHMEM);
	ok(addr && virt_addr_valid((void *)addr), "__get_free_page masks the bit");
	free_page(addr);
	addr = get_zeroed_page(GFP_KERNEL | __GFP_HIGHMEM);
	ok(addr && virt_addr_valid((void *)addr), "so does get_zeroed_page");
	free_page(addr);
	__free_page(page);
	machine_stop();
}

TEST(S7_without_highmem_highuser_is_user)
{
	static const char *const line[] = {M64, "mem=64M zones=flat", "mem=64M zones=x86_64"};

	for (int i = 0; i < 3; i++) {
		struct page *a, *b;

		machine_start(line[i]);
		a = alloc_page(GFP_USER);
		b = alloc_page(GFP_HIGHUSER);
		is(page_zonenum(b), page_zonenum(a), "%s", line[i]);
		ok(page_address(b) != NULL, "with an address");
		__free_page(a);
		__free_page(b);
		machine_stop();
	}
}

TEST(S8_movable_needs_highmem_to_mean_the_zone)
{
	struct page *a, *b;

	machine_start("mem=128M zones=dma:16M,normal:48M,movable:rest");
	a = alloc_page(GFP_USER | __GFP_MOVABLE);
	b = alloc_page(GFP_HIGHUSER_MOVABLE);
	ok(from(a, KMEM_ZONE_NORMAL), "MOVABLE alone");
	ok(from(b, KMEM_ZONE_MOVABLE), "MOVABLE|HIGHMEM");
	__free_page(a);
	__free_page(b);
	machine_stop();
}

TEST(S9_two_zone_selectors_are_reported_and_the_stricter_one_counts)
{
	struct page *page;

	machine_start("mem=1G zones=i386");
	page = alloc_page(GFP_KERNEL | __GFP_DMA | __GFP_HIGHMEM);
	ok(from(page, KMEM_ZONE_DMA), "from DMA");
	is(reports_of(KMEM_MISUSE_GFP_BAD_ZONE), 1, "one report");
	__free_page(page);
	machine_stop();
}

TEST(S9_every_bad_combination)
{
	static const unsigned int bad[] = {0x3, 0x5, 0x6, 0x7, 0xb, 0xd, 0xe, 0xf};

	machine_start("mem=1G zones=i386");
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct page *page = alloc_page(GFP_NOWAIT | (gfp_t)bad[i]);

		is(reports_of(KMEM_MISUSE_GFP_BAD_ZONE), i + 1, "0x%x reported", bad[i]);
		if (bad[i] & 1)
			ok(from(page, KMEM_ZONE_DMA), "0x%x from DMA", bad[i]);
		ok(page && page_address(page), "0x%x: never from HighMem", bad[i]);
		__free_page(page);
	}
	machine_stop();
}

TEST(S10_dma32_is_below_four_gigabytes)
{
	struct page *page;

	if (sizeof(void *) < 8)
		skip_loudly("5 GiB of direct map need 64-bit addresses");
	machine_start("mem=5G zones=x86_64 nr_cpus=1");
	page = alloc_page(GFP_KERNEL);
	ok(page_to_pfn(page) >= 1048576, "GFP_KERNEL lies above");
	__free_page(page);
	take(GFP_KERNEL | GFP_DMA32, 1000);
	is(nr_held, 1000, "taken");
	for (unsigned long i = 0; i < nr_held; i++)
		if (page_to_pfn(held[i]) >= 1048576)
			ok(0, "pfn %lu", page_to_pfn(held[i]));
	give_back_all();
	machine_stop();
}

TEST(zone_said_to_be_reachable_by_devices_serves_dma_requests)
{
	unsigned long dma = 0;
	struct page *page;

	machine_start("mem=64M zones=dma:16M,normal:rest:dma percpu_pages=0");
	page = alloc_page(GFP_KERNEL | __GFP_DMA);
	ok(from(page, KMEM_ZONE_NORMAL), "highest first");
	exhaust(GFP_KERNEL | __GFP_DMA);
	for (unsigned long i = 0; i < nr_held; i++)
		dma += from(held[i], KMEM_ZONE_DMA);
	is(dma, 4096 - 64, "then DMA, to its min mark");
	__free_page(page);
	m64_end();
}

TEST(S11_values)
{
	is(GFP_KERNEL, 0xcc0);
	is(GFP_ATOMIC, 0x820);
	is(GFP_NOWAIT, 0x2800);
	is(GFP_NOFS, 0xc40);
	is(GFP_NOIO, 0xc00);
	is(GFP_USER, 0x100cc0);
	is(GFP_HIGHUSER, 0x100cc2);
}

TEST(S13_zero_means_zero)
{
	machine_start("mem=32M zones=flat nr_cpus=1");
	for (unsigned int o = 0; o <= MAX_PAGE_ORDER; o++) {
		size_t n = PAGE_SIZE << o, dirty = 0;
		unsigned char *p = (void *)__get_free_pages(GFP_KERNEL, o);

		memset(p, 0x5a, n);
		free_pages((unsigned long)p, o);
		p = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, o);
		for (size_t i = 0; i < n; i++)
			dirty += p[i] != 0;
		is(dirty, 0, "order %u", o);
		free_pages((unsigned long)p, o);
	}
	machine_stop();
}

TEST(S13_highmem_too)
{
	struct page *page;

	machine_start("mem=1G zones=i386 nr_cpus=1");
	page = alloc_pages(GFP_HIGHUSER | __GFP_ZERO, 3);
	ok(from(page, KMEM_ZONE_HIGHMEM), "through windows");
	__free_pages(page, 3);
	machine_stop();
}

static gfp_t seen_in_scope(unsigned int (*save)(void), void (*restore)(unsigned int),
			   unsigned int (*save2)(void), void (*restore2)(unsigned int))
{
	static struct told t;
	unsigned int a, b = 0;

	memset(&t, 0, sizeof(t));
	told_start(&t, 1);
	a = save();
	if (save2)
		b = save2();
	ok(!alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN), "nothing is there");
	if (save2)
		restore2(b);
	restore(a);
	is(t.asked, 1, "the provider was asked");
	kmem_provider_unregister(&t.p);
	return t.gfp;
}

TEST(S15_S16_providers_see_the_scope)
{
	gfp_t gfp;

	m64_exhausted();
	gfp = seen_in_scope(memalloc_noio_save, memalloc_noio_restore, NULL, NULL);
	is(gfp & (__GFP_IO | __GFP_FS), 0, "noio");
	gfp = seen_in_scope(memalloc_nofs_save, memalloc_nofs_restore, NULL, NULL);
	is(gfp & (__GFP_IO | __GFP_FS), __GFP_IO, "nofs");
	gfp = seen_in_scope(memalloc_nofs_save, memalloc_nofs_restore, memalloc_noio_save,
			    memalloc_noio_restore);
	is(gfp & (__GFP_IO | __GFP_FS), 0, "both");
	m64_end();
}

static long charged;
static bool charge_refuses;

static bool on_charge(long bytes, void *arg)
{
	(void)arg;
	if (bytes > 0 && charge_refuses)
		return false;
	charged += bytes;
	return true;
}

TEST(S18_refused_charge_leaves_nothing)
{
	unsigned long before;
	struct page *page;

	machine_start(M64);
	kmem_set_charge_hook(on_charge, NULL);
	before = zone_free_now(KMEM_ZONE_NORMAL);
	charge_refuses = true;
	ok(!alloc_pages(GFP_KERNEL_ACCOUNT, 3), "NULL");
	is(zone_free_now(KMEM_ZONE_NORMAL), before, "free pages");
	charge_refuses = false;
	page = alloc_pages(GFP_KERNEL_ACCOUNT, 3);
	is(charged, 8 * (long)PAGE_SIZE, "charged");
	__free_pages(page, 3);
	is(charged, 0, "and given back");
	page = alloc_pages(GFP_KERNEL_ACCOUNT, 2);
	split_page(page, 2);
	__free_page(page + 1);
	is(charged, 3 * (long)PAGE_SIZE, "a split block's pages are charged one by one");
	__free_page(page);
	__free_page(page + 2);
	__free_page(page + 3);
	page = alloc_pages(GFP_KERNEL_ACCOUNT, 3);
	get_page(page);
	__free_pages(page, 3);
	is(charged, (long)PAGE_SIZE, "a held head keeps its own charge");
	put_page(page);
	is(charged, 0, "and given back");
	machine_stop();
}

TEST(S19_nowarn_is_only_about_noise)
{
	m64_exhausted();
	ok(!alloc_page(GFP_KERNEL | __GFP_NOWARN), "NULL with NOWARN");
	is(log_count("page allocation failure"), 0, "quietly");
	ok(!alloc_page(GFP_KERNEL), "NULL without");
	is(log_count("page allocation failure"), 1, "with a report");
	m64_end();
}

TEST(S20_order_above_the_largest)
{
	machine_start(M64);
	ok(!alloc_pages(GFP_KERNEL | __GFP_NOWARN, 11), "NULL");
	is(reports_of(KMEM_MISUSE_GFP_ORDER), 0, "NOWARN");
	for (int i = 0; i < 3; i++)
		ok(!alloc_pages(GFP_KERNEL, 11), "NULL");
	is(reports_of(KMEM_MISUSE_GFP_ORDER), 1, "once a site");
	ok(!alloc_pages(GFP_KERNEL, 4000000000u), "NULL");
	is(reports_of(KMEM_MISUSE_GFP_ORDER), 2, "another site");
	machine_stop();
}

TEST(S21_thisnode_never_kills)
{
	struct page *page;

	m64_exhausted();
	kmem_set_oom_handler(on_oom, NULL);
	ok(!alloc_page(GFP_KERNEL | __GFP_THISNODE), "NULL");
	is(oom_calls, 0, "no OOM call");
	give_back(1000);
	ok(!alloc_pages_node(1, GFP_KERNEL | __GFP_THISNODE, 0), "no such node");
	page = alloc_pages_node(0, GFP_KERNEL | __GFP_THISNODE, 0);
	ok(page != NULL, "node 0");
	__free_page(page);
	page = alloc_pages_node(-1, GFP_KERNEL, 0);
	ok(page != NULL, "any node");
	__free_page(page);
	m64_end();
}

TEST(S22_old_names)
{
	is(__GFP_WAIT, __GFP_RECLAIM);
	is(__GFP_REPEAT, __GFP_RETRY_MAYFAIL);
	is(SLAB_KERNEL, GFP_KERNEL);
	is(SLAB_ATOMIC, GFP_ATOMIC);
	is(SLAB_DMA, GFP_DMA);
}

/* ---- Fix-ups that have no statement of their own -------------------------------------------------- */

TEST(unknown_bits_are_reported_and_dropped)
{
	struct page *page;

	machine_start(M64);
	page = alloc_page(GFP_KERNEL | (gfp_t)0x08000000u);
	ok(page != NULL, "served all the same");
	is(reports_of(KMEM_MISUSE_GFP_UNKNOWN_BITS), 1, "one report");
	__free_page(page);
	page = alloc_page(GFP_KERNEL | (gfp_t)0x20000000u);
	ok(page != NULL, "the library's own bit");
	is(reports_of(KMEM_MISUSE_GFP_UNKNOWN_BITS), 2, "is nobody else's");
	__free_page(page);
	machine_stop();
}

TEST(two_mobilities_are_reported)
{
	struct page *page;

	machine_start("mem=64M zones=i386 mobility=1");
	page = alloc_page(GFP_USER | __GFP_MOVABLE | __GFP_RECLAIMABLE);
	ok(page != NULL, "served");
	is(reports_of(KMEM_MISUSE_GFP_MOBILITY), 1, "one report");
	is(page->mt, KMEM_MT_RECLAIMABLE, "as reclaimable");
	__free_page(page);
	machine_stop();
}

TEST(exact_pages_are_never_compound)
{
	void *p;

	machine_start(M64);
	for (int i = 0; i < 2; i++) {
		p = alloc_pages_exact(3 * PAGE_SIZE, GFP_KERNEL | __GFP_COMP);
		ok(p && !PageCompound(virt_to_page(p)), "plain pages");
		free_pages_exact(p, 3 * PAGE_SIZE);
	}
	is(reports_of(KMEM_MISUSE_GFP_EXACT), 1, "once a site");
	machine_stop();
}

TEST(allowed_mask_applies_to_all)
{
	static struct told t;
	gfp_t old;

	m64_exhausted();
	told_start(&t, 1);
	old = kmem_set_allowed_mask(~(__GFP_RECLAIM | __GFP_IO | __GFP_FS));
	ok(!alloc_page(GFP_KERNEL), "NULL");
	is(t.asked, 0, "may not reclaim during bring-up");
	kmem_set_allowed_mask(old);
	ok(!alloc_page(GFP_KERNEL | __GFP_NORETRY), "NULL");
	is(t.asked, 1, "may again");
	kmem_provider_unregister(&t.p);
	m64_end();
}

/* ---- Names -------------------------------------------------------------------------------------- */

static const struct {
	unsigned int value;
	const char *text;
} samples[] = {
	{0xcc0, "GFP_KERNEL"},
	{0xdc0, "GFP_KERNEL|__GFP_ZERO"},
	{0x820, "GFP_ATOMIC"},
	{0x2800, "GFP_NOWAIT"},
	{0x402800, "GFP_NOWAIT|__GFP_ACCOUNT"},
	{0xc40, "GFP_NOFS"},
	{0x140cca, "GFP_HIGHUSER_MOVABLE|__GFP_COMP"},
	{0x440dc0, "GFP_KERNEL_ACCOUNT|__GFP_ZERO|__GFP_COMP"},
	{0x52cc0, "GFP_KERNEL|__GFP_NOWARN|__GFP_NORETRY|__GFP_COMP"},
	{0xcc1, "GFP_KERNEL|GFP_DMA"},
	{0xce0, "GFP_KERNEL|__GFP_HIGH"},
	{0x800, "__GFP_KSWAPD_RECLAIM"},
	{0xc00, "GFP_NOIO"},
	{0, "none"},
	{0x200, "0x200"},
	{0x40000cc0, "GFP_KERNEL|__GFP_COLD"},
};

TEST(S194_names_of_masks)
{
	char buf[200];

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		unsigned long n = kmem_gfp_text((gfp_t)samples[i].value, buf, sizeof(buf));

		is_str(buf, samples[i].text, "0x%x", samples[i].value);
		is(n, strlen(samples[i].text), "length");
	}
}

TEST(S194_texts_parse_back)
{
	gfp_t gfp = (gfp_t)0x12345678;
	char buf[600];

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		is(kmem_gfp_parse(samples[i].text, strlen(samples[i].text), &gfp), 0, "%s",
		   samples[i].text);
		is(gfp, samples[i].value, "%s", samples[i].text);
	}
	for (int i = 0; i < 1000; i++) {
		gfp_t random = (gfp_t)(tap_rand() & 0x41ffffffu);
		unsigned long n = kmem_gfp_text(random, buf, sizeof(buf));

		if (kmem_gfp_parse(buf, n, &gfp) || gfp != random)
			ok(0, "%x: %s", random, buf);
	}
	gfp = GFP_NOIO;
	is(kmem_gfp_parse("GFP_KERNEL|GFP_WHATEVER", 23, &gfp), -22, "unknown");
	is(kmem_gfp_parse("GFP_KERNEL|", 11, &gfp), -22, "empty word");
	is(kmem_gfp_parse("", 0, &gfp), -22, "nothing");
	is(kmem_gfp_parse("0x123456789", 11, &gfp), -22, "too long");
	is(gfp, GFP_NOIO, "left alone");
	is(kmem_gfp_text(GFP_KERNEL, buf, 5), 10, "full length");
	is_str(buf, "GFP_", "cut");
}
