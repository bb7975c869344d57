/* SPDX-License-Identifier: MIT */
/* The slow path on the 64 MiB i386 machine: semantics 2.5 to 2.11, statements S45..S70. */
#include <pthread.h>
#include "pressure.h"

TEST(S45_who_may_not_block_asks_nobody)
{
	static struct told t;

	m64_exhausted();
	told_start(&t, 1000);
	kmem_set_oom_handler(on_oom, NULL);
	take(GFP_ATOMIC, HELD_MAX);
	ok(!alloc_page(GFP_ATOMIC | __GFP_NOWARN), "ATOMIC");
	ok(!alloc_page(GFP_NOWAIT), "NOWAIT");
	is(t.asked, 0, "the provider was not asked");
	is(oom_calls, 0, "nor the OOM handler");
	is(rounds(), 1, "no reclaim since the machine was exhausted");
	kmem_provider_unregister(&t.p);
	m64_end();
}

TEST(S46_without_the_kswapd_bit_nobody_is_woken)
{
	m64_exhausted();
	kmem_set_kswapd_wake(on_wake, NULL);
	ok(!alloc_page((GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN) & ~__GFP_KSWAPD_RECLAIM),
	   "direct reclaim only");
	is(wakes, 0, "no wake");
	ok(!alloc_page(GFP_NOWAIT), "kswapd only");
	ok(wakes >= 1, "woken");
	m64_end();
}

TEST(S47_nothing_reclaimable_reaches_the_oom_hook_at_once)
{
	unsigned long before;

	m64_exhausted();
	kmem_set_oom_handler(on_oom, NULL);
	before = rounds();
	ok(!alloc_page(GFP_KERNEL | __GFP_NOWARN), "NULL");
	is(oom_calls, 1, "OOM calls");
	is(rounds() - before, 1, "rounds");
	m64_end();
}

TEST(S48_seventeen_fruitless_rounds_before_oom)
{
	static struct told t;

	m64_exhausted();
	told_start(&t, 1);
	kmem_set_oom_handler(on_oom, NULL);
	ok(!alloc_page(GFP_KERNEL | __GFP_NOWARN), "NULL");
	is(oom_calls, 1, "OOM calls");
	is(t.asked, 17, "rounds");
	kmem_provider_unregister(&t.p);
	m64_end();
}

TEST(S49_progress_resets_the_count_of_small_orders)
{
	static struct told t;

	m64_exhausted();
	told_start(&t, 1);
	t.lie_in = 10;
	kmem_set_oom_handler(on_oom, NULL);
	ok(!alloc_page(GFP_KERNEL | __GFP_NOWARN), "NULL");
	is(oom_calls, 1, "OOM calls");
	is(t.asked, 10 + 17, "rounds");
	t.asked = 0;
	ok(!alloc_pages(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN, 4), "order 4: NULL");
	is(t.asked, 1, "and it does not loop");
	kmem_provider_unregister(&t.p);
	m64_end();
}

TEST(S50_order_four_gives_up_after_one_round)
{
	unsigned long before;

	m64_exhausted();
	kmem_set_oom_handler(on_oom, NULL);
	before = rounds();
	ok(!alloc_pages(GFP_KERNEL | __GFP_NOWARN, 4), "NULL");
	is(rounds() - before, 1, "rounds");
	is(oom_calls, 0, "no OOM");
	m64_end();
}

TEST(S51_retry_mayfail_never_kills)
{
	static struct told t;

	m64_exhausted();
	told_start(&t, 1);
	kmem_set_oom_handler(on_oom, NULL);
	ok(!alloc_page(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN), "NULL");
	is(oom_calls, 0, "no OOM");
	is(t.asked, 17, "rounds");
	kmem_provider_unregister(&t.p);
	m64_end();
}

TEST(S52_noretry_never_kills)
{
	static struct told t;

	m64_exhausted();
	told_start(&t, 1);
	kmem_set_oom_handler(on_oom, NULL);
	ok(!alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN), "NULL");
	is(oom_calls, 0, "no OOM");
	is(t.asked, 1, "rounds");
	kmem_provider_unregister(&t.p);
	m64_end();
}

TEST(S52_costly_noretry_does_not_even_reclaim)
{
	static struct told t;

	m64_exhausted();
	told_start(&t, 1);
	ok(!alloc_pages(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN, 5), "NULL");
	is(t.asked, 0, "rounds");
	kmem_provider_unregister(&t.p);
	m64_end();
}

TEST(S53_nofs_loops_until_the_guard_says_stop)
{
	unsigned long limit = 20;

	m64_exhausted();
	kmem_set_oom_handler(on_oom, NULL);
	kmem_set_livelock_guard(on_round, &limit);
	ok(!alloc_page(GFP_NOFS | __GFP_NOWARN), "stopped");
	is(guard_rounds, 20, "rounds");
	is(oom_calls, 0, "nobody was killed");
	is(log_count("kmem: livelock: order:0, mode:0x2c40(GFP_NOFS|__GFP_NOWARN), 20 rounds"), 1,
	   "the diagnosis");
	is(log_count("Node 0 Normal free:768kB"), 1, "with the zones");
	ok(!alloc_page(GFP_NOIO | __GFP_NOWARN), "NOIO likewise");
	m64_end();
}

TEST(S54_dma_never_kills)
{
	m64_exhausted();
	exhaust(GFP_KERNEL | __GFP_DMA);
	kmem_set_oom_handler(on_oom, NULL);
	ok(!alloc_page(GFP_KERNEL | __GFP_DMA | __GFP_NOWARN), "NULL");
	is(oom_calls, 0, "no OOM");
	m64_end();
}

static unsigned long free_soon(void *arg)
{
	(void)arg;
	usleep(20000);
	give_back(200);
	return 0;
}

static void *freer(void *arg)
{
	free_soon(arg);
	return NULL;
}

TEST(S55_S56_nofail_waits_until_a_page_is_there)
{
	pthread_t thread;
	struct page *page;

	m64_exhausted();
	kmem_set_oom_handler(on_oom, NULL);
	/* Half of the reserve is for it, once the ordinary path has failed. */
	page = alloc_page(GFP_KERNEL | __GFP_NOFAIL);
	ok(page != NULL, "out of the reserve");
	is(oom_calls, 1, "after the OOM handler had its say");
	is(zone_free_now(KMEM_ZONE_NORMAL), 191, "below min");
	__free_page(page);
	take(GFP_KERNEL | __GFP_HIGH | __GFP_NORETRY, HELD_MAX);
	is(zone_free_now(KMEM_ZONE_NORMAL), 96, "half of min is left");
	pthread_create(&thread, NULL, freer, NULL);
	page = alloc_page(GFP_KERNEL | __GFP_NOFAIL);
	ok(page != NULL, "not before somebody freed");
	pthread_join(thread, NULL);
	__free_page(page);
	m64_end();
}

/* One call site, whatever the compiler makes of the loop around it. */
static noinline struct page *nofail_nowait(void)
{
	struct page *page = alloc_page(GFP_NOWAIT | __GFP_NOFAIL);

	__asm__ volatile("" : : : "memory");
	return page;
}

TEST(S57_nofail_that_may_not_block_is_warned_of_and_fails)
{
	m64_exhausted();
	for (int i = 0; i < 2; i++)
		ok(!nofail_nowait(), "NULL");
	is(reports_of(KMEM_MISUSE_GFP_NOFAIL), 1, "one warning");
	m64_end();
}

TEST(S58_nofail_of_order_two_is_warned_of_and_served)
{
	pthread_t thread;
	struct page *page;

	m64_exhausted();
	pthread_create(&thread, NULL, freer, NULL);
	page = alloc_pages(GFP_KERNEL | __GFP_NOFAIL, 2);
	ok(page != NULL, "served");
	is(reports_of(KMEM_MISUSE_GFP_NOFAIL), 1, "one warning");
	pthread_join(thread, NULL);
	__free_pages(page, 2);
	m64_end();
}

TEST(S60_repeat_of_a_high_order_is_bounded)
{
	static struct told t;

	m64_exhausted();
	told_start(&t, 1);
	kmem_set_oom_handler(on_oom, NULL);
	ok(!alloc_pages(GFP_KERNEL | __GFP_REPEAT | __GFP_NOWARN, 5), "NULL");
	is(t.asked, 1, "rounds");
	is(oom_calls, 0, "no OOM");
	kmem_provider_unregister(&t.p);
	m64_end();
}

TEST(S61_S62_reclaim_runs_as_memalloc_and_does_not_nest)
{
	static struct told t;
	unsigned int saved;

	m64_exhausted();
	told_start(&t, 1);
	t.nested_ok = true;
	ok(!alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN), "NULL");
	ok(t.task_flags & PF_MEMALLOC, "PF_MEMALLOC inside");
	ok(!(kmem_task_flags() & PF_MEMALLOC), "not after");
	ok(t.nested_ok, "what the provider allocates comes out of the reserves");
	is(t.asked, 1, "without reclaiming");
	t.nested_ok = false;
	saved = memalloc_noreclaim_save();
	take(GFP_KERNEL, HELD_MAX);
	ok(!alloc_page(GFP_KERNEL | __GFP_NOWARN), "a PF_MEMALLOC task's request fails");
	is(t.asked, 1, "without reclaiming");
	memalloc_noreclaim_restore(saved);
	kmem_provider_unregister(&t.p);
	m64_end();
}

TEST(S63_pages_on_percpu_lists_are_found)
{
	static struct told t;
	struct page *page;

	machine_start("mem=64M zones=i386 nr_cpus=2");
	exhaust(GFP_KERNEL);
	told_start(&t, 1);
	t.in = 1;
	t.gives = 8;
	t.admits = 8;
	kmem_set_oom_handler(on_oom, NULL);
	page = alloc_page(GFP_KERNEL);
	ok(page != NULL, "served");
	is(t.asked, 1, "after one round");
	is(oom_calls, 0, "no OOM");
	__free_page(page);
	kmem_provider_unregister(&t.p);
	m64_end();
}

/* Else tasks that drain each other's lists would take that for progress, and never come to OOM. */
TEST(pages_on_percpu_lists_serve_a_request_but_are_no_progress)
{
	struct page *page;

	machine_start("mem=64M zones=i386 nr_cpus=2");
	exhaust(GFP_KERNEL);
	give_back(4);
	is(reclaim_direct(GFP_KERNEL, 0, KMEM_ZONE_NORMAL), 0, "nothing came back");
	exhaust(GFP_KERNEL);
	give_back(4);
	page = alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	ok(page != NULL, "served after one reclaim");
	if (page)
		__free_page(page);
	m64_end();
}

static enum kmem_oom_result oom_frees(gfp_t gfp, unsigned int order, void *arg)
{
	(void)gfp;
	(void)order;
	(void)arg;
	ok(!(kmem_task_flags() & PF_MEMALLOC), "not as PF_MEMALLOC");
	if (++oom_calls == 2)
		give_back(100);
	return KMEM_OOM_FREED;
}

TEST(S64_freed_by_the_oom_hook_means_try_again_from_the_start)
{
	static struct told t;
	struct page *page;

	m64_exhausted();
	told_start(&t, 1);
	kmem_set_oom_handler(oom_frees, NULL);
	page = alloc_page(GFP_KERNEL);
	ok(page != NULL, "served");
	is(oom_calls, 2, "OOM calls");
	is(t.asked, 17 + 17, "rounds, counted anew");
	is(events_of(KMEM_EV_oom_kill), 2, "counted");
	__free_page(page);
	kmem_provider_unregister(&t.p);
	m64_end();
}

TEST(S65_none_fails_with_one_report)
{
	m64_exhausted();
	kmem_set_oom_handler(on_oom, NULL);
	ok(!alloc_page(GFP_KERNEL), "NULL");
	is(oom_calls, 1, "OOM calls");
	is(log_count("page allocation failure"), 1, "reports");
	kmem_set_oom_handler(NULL, NULL);
	ok(!alloc_page(GFP_KERNEL), "NULL without a handler too");
	m64_end();
}

static void panics(void *arg)
{
	(void)arg;
	kmem_set_log(NULL, NULL);
	alloc_page(GFP_KERNEL);
}

TEST(S65_oom_panic)
{
	machine_start(M64 " oom_panic=1");
	exhaust(GFP_KERNEL);
	dies_saying(panics, NULL, "System is deadlocked on memory");
	m64_end();
}

static unsigned int inside, inside_max;

static enum kmem_oom_result oom_slow(gfp_t gfp, unsigned int order, void *arg)
{
	unsigned int n = __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);

	(void)gfp;
	(void)order;
	(void)arg;
	if (n > inside_max)
		inside_max = n;
	__atomic_add_fetch(&oom_calls, 1, __ATOMIC_SEQ_CST);
	usleep(20000);
	__atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
	return KMEM_OOM_NONE;
}

static void *one_request(void *arg)
{
	*(struct page **)arg = alloc_page(GFP_KERNEL | __GFP_NOWARN);
	return NULL;
}

TEST(S66_one_oom_at_a_time)
{
	pthread_t thread[4];
	struct page *page[4];

	m64_exhausted();
	kmem_set_oom_handler(oom_slow, NULL);
	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, one_request, &page[i]);
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], NULL);
		ok(!page[i], "request %d", i);
	}
	is(inside_max, 1, "at once");
	is(oom_calls, 4, "each had its turn");
	m64_end();
}

static enum kmem_oom_result oom_allocates(gfp_t gfp, unsigned int order, void *arg)
{
	(void)gfp;
	(void)order;
	(void)arg;
	oom_calls++;
	ok(!alloc_page(GFP_KERNEL | __GFP_NOWARN), "a handler gets no handler");
	return KMEM_OOM_NONE;
}

TEST(oom_handler_that_runs_out_of_memory_does_not_hang)
{
	m64_exhausted();
	kmem_set_oom_handler(oom_allocates, NULL);
	ok(!alloc_page(GFP_KERNEL | __GFP_NOWARN), "NULL");
	is(oom_calls, 1, "OOM calls");
	m64_end();
}

TEST(S67_oom_looks_once_more_at_the_high_mark)
{
	static struct told t;
	struct page *page;

	m64_exhausted();
	told_start(&t, 1);
	/* Given back in the last round, and not admitted: only the high mark's walk finds it. */
	t.in = 17;
	t.gives = 400;
	kmem_set_oom_handler(on_oom, NULL);
	page = alloc_page(GFP_KERNEL);
	ok(page != NULL, "served");
	is(oom_calls, 0, "nobody was killed");
	__free_page(page);
	kmem_provider_unregister(&t.p);
	m64_end();
}

TEST(S68_the_report)
{
	m64_exhausted();
	ok(!alloc_pages(GFP_KERNEL | __GFP_ZERO, 2), "NULL");
	is(log_count(": page allocation failure: order:2, mode:0xdc0(GFP_KERNEL|__GFP_ZERO), "
		     "nodemask=(null),cpuset=/,mems_allowed=0\n"),
	   1, "its first line");
	is(log_count("Call Trace:\n"), 1, "stack");
	is(log_count("Mem-Info:\nactive_anon:0 "), 1, "totals");
	is(log_count("Node 0 DMA free:448kB boost:0kB min:256kB low:320kB high:384kB "
		     "reserved_highatomic:0KB free_highatomic:0KB "),
	   1, "DMA");
	is(log_count("lowmem_reserve[]: 0 0 48 48 48\n"), 1, "its reserve");
	is(log_count("Node 0 Normal: "), 1, "blocks");
	is(log_count("= 768kB\n"), 1, "their sum");
	is(log_count("16384 pages RAM\n0 pages HighMem/MovableOnly\n"), 1, "pages");
	for (int i = 0; i < 5; i++)
		ok(!alloc_page(GFP_KERNEL), "NULL");
	is(log_count("page allocation failure"), 1, "once in ten seconds");
	is(events_of(KMEM_EV_kmem_alloc_fail), 1 + 6, "all are counted");
	m64_end();
}

TEST(S69_dma_on_a_machine_without_dma_is_not_news)
{
	machine_start("mem=16M zones=flat percpu_pages=0 nr_cpus=1");
	exhaust(GFP_KERNEL);
	ok(!alloc_page(GFP_KERNEL | __GFP_DMA | __GFP_NORETRY), "NULL");
	is(log_count("page allocation failure"), 0, "quietly");
	ok(!alloc_page(GFP_KERNEL | __GFP_NORETRY), "NULL");
	is(log_count("page allocation failure"), 1, "the plain one is reported");
	m64_end();
}

TEST(S70_atomic_high_orders_reserve_a_block)
{
	struct zone *z = &kmem_machine.zones[KMEM_ZONE_NORMAL];
	struct page *big, *page[600];
	unsigned long n = 0;

	machine_start("mem=256M zones=flat percpu_pages=0 nr_cpus=1 highatomic=1");
	z = &kmem_machine.zones[KMEM_ZONE_NORMAL];
	ok(z->managed >= 51200, "large enough");
	big = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
	exhaust(GFP_KERNEL);
	__free_pages(big, MAX_PAGE_ORDER);
	take(GFP_KERNEL, 1024 - 100);
	page[n] = alloc_pages(GFP_ATOMIC | __GFP_NOWARN, 2);
	ok(page[n] != NULL, "served");
	is(z->nr_reserved_highatomic, 512, "one block reserved");
	while (page[n] && ++n < 600)
		page[n] = alloc_pages(GFP_ATOMIC | __GFP_NOWARN, 2);
	ok(z->nr_reserved_highatomic <= 1024, "at most 1 %%, whole blocks: %lu",
	   z->nr_reserved_highatomic);
	for (unsigned long i = 0; i < n; i++)
		__free_pages(page[i], 2);
	m64_end();
}

/* ---- What the statements say of task contexts ----------------------------------------------------- */

static unsigned long provider_calls;
static unsigned long slow_reclaim(struct kmem_provider *p, int zone, unsigned long nr, int priority,
				  gfp_t gfp)
{
	(void)p;
	(void)zone;
	(void)nr;
	(void)priority;
	(void)gfp;
	__atomic_add_fetch(&provider_calls, 1, __ATOMIC_SEQ_CST);
	usleep(50000);
	__atomic_add_fetch(&provider_calls, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static unsigned long one_page(struct kmem_provider *p, int zone)
{
	(void)p;
	return zone == KMEM_ZONE_NORMAL;
}

static void *one_noretry(void *arg)
{
	*(struct page **)arg = alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	return NULL;
}

TEST(unregistering_waits_for_a_provider_that_is_being_asked)
{
	struct kmem_provider p = {.name = "slow", .count_pages = one_page, .reclaim = slow_reclaim};
	struct page *page;
	pthread_t thread;

	m64_exhausted();
	is(kmem_provider_register(&p), 0, "register");
	is(kmem_provider_register(&p), -22, "twice");
	is(kmem_provider_register(NULL), -22, "nothing");
	pthread_create(&thread, NULL, one_noretry, &page);
	while (__atomic_load_n(&provider_calls, __ATOMIC_SEQ_CST) == 0)
		usleep(100);
	kmem_provider_unregister(&p);
	is(provider_calls, 2, "it had ended");
	memset(&p, 0xff, sizeof(p));
	pthread_join(thread, NULL);
	ok(!page, "NULL");
	kmem_provider_unregister(&p);
	m64_end();
}
