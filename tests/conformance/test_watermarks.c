/* SPDX-License-Identifier: MIT */
/*
 * Watermarks and reserves on the 64 MiB i386 machine: semantics 1.5, 3.7, statements S23..S44.
 *
 * Pages taken are chained through their own first word, so that taking needs no other memory.
 */
#include "../support.h"
#include "slab/slab.h"

struct taken {
	struct taken *next;
};

static const struct kmem_stat_zone *zone(enum kmem_zone_index z)
{
	return &kmem_stat_get()->zone[z];
}

static unsigned long kswapd_wakes, reclaim_rounds;

static void on_wake(int node, unsigned int order, int z, void *arg)
{
	(void)node;
	(void)order;
	(void)z;
	(void)arg;
	kswapd_wakes++;
}

/* As many as make it be asked from the first priority on, for one page. */
static unsigned long some_pages(struct kmem_provider *p, int z)
{
	(void)p;
	(void)z;
	return 1ul << 12;
}

static unsigned long count_round(struct kmem_provider *p, int z, unsigned long nr, int priority,
				 gfp_t gfp)
{
	(void)p;
	(void)nr;
	(void)gfp;
	reclaim_rounds += priority == 12 && z == KMEM_ZONE_NORMAL;
	return 0;
}
static struct kmem_provider counter = {
	.name = "counter", .count_pages = some_pages, .reclaim = count_round};

/* The machine M64, all of it free. */
static void m64(void)
{
	machine_start(M64);
	kmem_drain();
	is(zone(KMEM_ZONE_NORMAL)->free,
	   zone(KMEM_ZONE_NORMAL)->managed -
		   (kmem_stat_get()->nr_slab_reclaimable + kmem_stat_get()->nr_slab_unreclaimable),
	   "nothing taken but the library's own slabs");
	kmem_set_kswapd_wake(on_wake, NULL);
}

/* The library's own descriptors take a page or two of Normal before anybody asks. */
static unsigned long own_pages(void)
{
	return (unsigned long)(kmem_stat_get()->nr_slab_unreclaimable +
			       kmem_stat_get()->nr_slab_reclaimable);
}

/* Takes up to max order-0 pages; how many came from each zone. */
static unsigned long take(struct taken **list, gfp_t gfp, unsigned long max, unsigned long by[2])
{
	unsigned long n = 0;

	by[0] = 0;
	by[1] = 0;
	while (n < max) {
		struct taken *t = (struct taken *)__get_free_page(gfp | __GFP_NOWARN);

		if (!t)
			break;
		by[virt_to_phys(t) >= 16u << 20]++;
		t->next = *list;
		*list = t;
		n++;
	}
	return n;
}

static void give_back(struct taken *list)
{
	while (list) {
		struct taken *next = list->next;

		free_page((unsigned long)list);
		list = next;
	}
}

/* Until the fast path fails: both zones at their LOW floor. */
static struct taken *to_low(void)
{
	struct taken *list = NULL;
	unsigned long by[2], own = own_pages(), n = take(&list, GFP_KERNEL, 12048 - own + 3968, by);

	is(n, 12048 - own + 3968, "first pass");
	is(by[1], 12048 - own, "from Normal");
	is(by[0], 3968, "from DMA");
	return list;
}

static struct taken *to_min(void)
{
	struct taken *list = to_low();
	unsigned long by[2];

	is(take(&list, GFP_KERNEL, 64, by), 64, "64 more");
	is(by[1], 48, "Normal");
	is(by[0], 16, "DMA");
	return list;
}

TEST(S23_marks_and_reserve)
{
	m64();
	is(zone(KMEM_ZONE_DMA)->min, 64, "DMA min");
	is(zone(KMEM_ZONE_DMA)->low, 80, "DMA low");
	is(zone(KMEM_ZONE_DMA)->high, 96, "DMA high");
	is(zone(KMEM_ZONE_NORMAL)->min, 192, "Normal min");
	is(zone(KMEM_ZONE_NORMAL)->low, 240, "Normal low");
	is(zone(KMEM_ZONE_NORMAL)->high, 288, "Normal high");
	is(zone(KMEM_ZONE_DMA)->protection[KMEM_ZONE_NORMAL], 48, "DMA against Normal");
	machine_stop();
}

TEST(S24_first_pass_takes_normal_then_dma)
{
	struct taken *list;

	m64();
	list = to_low();
	is(kswapd_wakes, 0, "without the slow path");
	is(zone(KMEM_ZONE_NORMAL)->free, 240, "Normal free");
	is(zone(KMEM_ZONE_DMA)->free, 128, "DMA free");
	give_back(list);
	machine_stop();
}

TEST(S25_then_the_min_mark_with_a_wake_on_the_first)
{
	struct taken *list;
	unsigned long by[2];

	m64();
	list = to_low();
	take(&list, GFP_KERNEL, 1, by);
	ok(kswapd_wakes >= 1, "woken by the first");
	is(take(&list, GFP_KERNEL, 63, by), 63, "63 more");
	is(zone(KMEM_ZONE_NORMAL)->free, 192, "Normal free");
	is(zone(KMEM_ZONE_DMA)->free, 112, "DMA free");
	give_back(list);
	machine_stop();
}

TEST(S26_noretry_gives_up_after_one_round)
{
	struct taken *list;

	m64();
	list = to_min();
	kmem_provider_register(&counter);
	reclaim_rounds = 0;
	ok(!alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN), "NULL");
	is(reclaim_rounds, 1, "rounds of reclaim");
	kmem_provider_unregister(&counter);
	give_back(list);
	machine_stop();
}

TEST(S27_atomic_reserve)
{
	struct taken *list;
	unsigned long by[2];

	m64();
	list = to_min();
	is(take(&list, GFP_ATOMIC, 1000, by), 160, "pages");
	is(by[1], 120, "from Normal");
	is(by[0], 40, "from DMA");
	give_back(list);
	machine_stop();
}

TEST(S28_nowait_has_no_reserve)
{
	struct taken *list;
	unsigned long by[2];

	m64();
	list = to_min();
	is(take(&list, GFP_NOWAIT, 1000, by), 0, "pages");
	give_back(list);
	machine_stop();
}

TEST(S29_S30_dma_atomic_then_memalloc_to_the_last_page)
{
	struct taken *list;
	unsigned long by[2];
	unsigned int saved;

	m64();
	list = to_min();
	take(&list, GFP_ATOMIC, 1000, by);
	is(take(&list, GFP_DMA | GFP_ATOMIC, 1000, by), 48, "DMA|ATOMIC");
	is(zone(KMEM_ZONE_DMA)->free, 24, "DMA free");
	saved = memalloc_noreclaim_save();
	is(take(&list, GFP_KERNEL, 1000, by), 96, "PF_MEMALLOC takes all");
	ok(!alloc_page(GFP_KERNEL | __GFP_NOWARN), "then NULL");
	memalloc_noreclaim_restore(saved);
	is(zone(KMEM_ZONE_NORMAL)->free + zone(KMEM_ZONE_DMA)->free, 0, "nothing is left");
	give_back(list);
	machine_stop();
}

TEST(S31_nomemalloc_makes_an_ordinary_caller)
{
	struct taken *list;
	unsigned long by[2];
	unsigned int saved;

	m64();
	list = to_min();
	saved = memalloc_noreclaim_save();
	is(take(&list, GFP_KERNEL | __GFP_NOMEMALLOC, 10, by), 0, "pages");
	memalloc_noreclaim_restore(saved);
	give_back(list);
	machine_stop();
}

TEST(S17_nomemalloc_wins_over_memalloc)
{
	struct taken *list;
	unsigned long by[2];

	m64();
	list = to_min();
	is(take(&list, GFP_NOWAIT | __GFP_MEMALLOC | __GFP_NOMEMALLOC, 10, by), 0, "pages");
	is(take(&list, GFP_NOWAIT | __GFP_MEMALLOC, 10, by), 10, "MEMALLOC alone");
	give_back(list);
	machine_stop();
}

TEST(S32_memalloc_gives_nothing_in_hardirq)
{
	struct taken *list;
	unsigned long by[2];
	unsigned int saved;

	m64();
	list = to_min();
	saved = memalloc_noreclaim_save();
	kmem_irq_enter();
	is(take(&list, GFP_NOWAIT, 10, by), 0, "pages in hardirq");
	kmem_irq_exit();
	is(take(&list, GFP_NOWAIT, 10, by), 10, "pages in task context");
	memalloc_noreclaim_restore(saved);
	give_back(list);
	machine_stop();
}

TEST(S33_blocking_high_stops_at_half_min)
{
	struct taken *list;
	unsigned long by[2];

	m64();
	list = to_min();
	take(&list, GFP_KERNEL | __GFP_HIGH | __GFP_NORETRY, 1000, by);
	is(zone(KMEM_ZONE_NORMAL)->free, 96, "Normal free");
	is(zone(KMEM_ZONE_DMA)->free, 80, "DMA free: 32 + 48");
	give_back(list);
	machine_stop();
}

TEST(S34_real_time_task_stops_at_half_min)
{
	struct taken *list;
	unsigned long by[2];

	m64();
	list = to_min();
	kmem_task_set_flags(PF_KMEM_RT, 0);
	take(&list, GFP_KERNEL | __GFP_NORETRY, 1000, by);
	kmem_task_set_flags(0, PF_KMEM_RT);
	is(zone(KMEM_ZONE_NORMAL)->free, 96, "Normal free");
	give_back(list);
	machine_stop();
}

TEST(S35_oom_victim_stops_at_half_min)
{
	struct taken *list;
	unsigned long by[2];

	m64();
	list = to_min();
	kmem_task_set_flags(PF_KMEM_OOM_VICTIM, 0);
	take(&list, GFP_KERNEL | __GFP_NORETRY, 1000, by);
	kmem_task_set_flags(0, PF_KMEM_OOM_VICTIM);
	is(zone(KMEM_ZONE_NORMAL)->free, 96, "Normal free");
	give_back(list);
	machine_stop();
}

/* ---- The test itself, on zones of our own -------------------------------------------------------- */

static struct zone toy(unsigned long o0, unsigned long o1, unsigned long o2)
{
	struct zone z = {.managed = 4096, .present = 4096};

	z.area[0].nr_free[0] = o0;
	z.area[1].nr_free[0] = o1;
	z.area[2].nr_free[0] = o2;
	z.free = o0 + 2 * o1 + 4 * o2;
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++) {
		z.area[o].head[0] = z.area[o].nr_free[0] ? 0 : LINK_NIL;
		z.area[o].tail[0] = z.area[o].head[0];
		for (unsigned int mt = 1; mt < KMEM_NR_MT; mt++) {
			z.area[o].head[mt] = LINK_NIL;
			z.area[o].tail[mt] = LINK_NIL;
		}
	}
	return z;
}

TEST(S36_the_inequality)
{
	struct zone z = toy(300, 0, 0);

	z.reserve[KMEM_ZONE_NORMAL] = 20;
	for (unsigned long free = 0; free < 300; free++) {
		bool want = (long)free - 1 >= 100 + 20;

		if (zone_watermark_ok(&z, 0, 100, KMEM_ZONE_NORMAL, 0, free) != want)
			ok(0, "free %lu", free);
	}
	ok(1, "300 values");
}

TEST(S37_fragmented_but_enough)
{
	struct zone z = toy(200, 25, 12);

	ok(zone_watermark_ok(&z, 2, 240, KMEM_ZONE_NORMAL, 0, z.free), "6.18 says yes");
}

TEST(S38_no_block_no_pass)
{
	struct zone z = toy(3000, 0, 0);

	ok(!zone_watermark_ok(&z, 2, 240, KMEM_ZONE_NORMAL, 0, z.free), "order 2");
	ok(zone_watermark_ok(&z, 0, 240, KMEM_ZONE_NORMAL, 0, z.free), "order 0");
}

TEST(S39_the_reserve_is_never_scaled)
{
	struct zone z = toy(300, 0, 0);

	z.reserve[KMEM_ZONE_NORMAL] = 100;
	/* ATOMIC: 64 - 32 - 8 = 24, and the reserve whole. */
	ok(!zone_watermark_ok(&z, 0, 64, KMEM_ZONE_NORMAL, ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK,
			      124),
	   "124 free");
	ok(zone_watermark_ok(&z, 0, 64, KMEM_ZONE_NORMAL, ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK, 125),
	   "125 free");
}

TEST(S40_S42_changes_recompute_at_once)
{
	m64();
	is(kmem_sysctl("watermark_scale_factor", "100"), 0, "scale 100");
	is(zone(KMEM_ZONE_NORMAL)->low, 192 + 122, "low");
	is(zone(KMEM_ZONE_NORMAL)->high, 436, "high");
	is(kmem_sysctl("watermark_scale_factor", "10"), 0, "scale 10");
	is(kmem_sysctl("min_free_kbytes", "2048"), 0, "twice the reserve");
	is(zone(KMEM_ZONE_NORMAL)->min, 384, "Normal min");
	is(zone(KMEM_ZONE_DMA)->min, 128, "DMA min");
	is(kmem_sysctl("lowmem_reserve_ratio", "128 256 32"), 0, "ratio");
	is(zone(KMEM_ZONE_DMA)->protection[KMEM_ZONE_NORMAL], 96, "reserve");
	ok(kmem_sysctl("lowmem_reserve_ratio", "x") < 0, "nonsense is refused");
	ok(kmem_sysctl("no_such_thing", "1") < 0, "so is an unknown name");
	is(zone(KMEM_ZONE_DMA)->protection[KMEM_ZONE_NORMAL], 96, "and changes nothing");
	machine_stop();
}

TEST(S43_ratio_zero_protects_nothing)
{
	m64();
	is(kmem_sysctl("lowmem_reserve_ratio", "0 0 0"), 0, "ratios 0");
	for (int i = 0; i < KMEM_NR_ZONES; i++)
		for (int j = 0; j < KMEM_NR_ZONES; j++)
			is(zone((enum kmem_zone_index)i)->protection[j], 0, "zone %d against %d", i,
			   j);
	machine_stop();
}

TEST(S44_percpu_pages_are_not_free_for_watermarks)
{
	struct page *p;
	uint64_t before;

	machine_start("mem=64M zones=i386 nr_cpus=1");
	before = zone(KMEM_ZONE_NORMAL)->free;
	p = alloc_page(GFP_KERNEL);
	__free_page(p);
	ok(zone(KMEM_ZONE_NORMAL)->free < before, "a refilled list took pages out of the count");
	drain_all_pages();
	is(zone(KMEM_ZONE_NORMAL)->free, before, "draining gives them back");
	machine_stop();
}
