/* SPDX-License-Identifier: MIT */
/* Scopes, contexts, and failures made on purpose: semantics 7.6, 7.7, 10.9; S168..S173, S195, S207..S213. */
#include "pressure.h"

TEST(S168_blocking_in_atomic_context_is_reported_once_a_second)
{
	struct page *page;

	machine_start(M64);
	kmem_preempt_disable();
	for (int i = 0; i < 5; i++) {
		page = alloc_page(GFP_KERNEL);
		ok(page != NULL, "served without blocking");
		__free_page(page);
	}
	kmem_preempt_enable();
	is(reports_of(KMEM_MISUSE_GFP_SLEEP_ATOMIC), 1, "one report");
	is(log_count("BUG: sleeping function called from invalid context at "), 1, "its text");
	is(log_count("in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: "), 1, "second line");
	is(log_count("preempt_count: 1, expected: 0"), 1, "third line");
	page = alloc_page(GFP_KERNEL);
	__free_page(page);
	usleep(1100000);
	kmem_preempt_disable();
	page = alloc_page(GFP_KERNEL);
	kmem_preempt_enable();
	__free_page(page);
	is(reports_of(KMEM_MISUSE_GFP_SLEEP_ATOMIC), 2, "the next second's");
	machine_stop();
}

TEST(S168_it_does_not_block_then)
{
	static struct told t;

	m64_exhausted();
	told_start(&t, 1);
	kmem_irq_enter();
	ok(!alloc_page(GFP_KERNEL | __GFP_NOWARN), "NULL");
	kmem_irq_exit();
	is(t.asked, 0, "nobody was asked for pages");
	kmem_provider_unregister(&t.p);
	m64_end();
}

TEST(S169_atomic_in_hardirq_is_fine)
{
	struct page *page;

	machine_start(M64);
	kmem_irq_enter();
	ok(in_interrupt() && in_atomic() && !in_task(), "hardirq");
	page = alloc_page(GFP_ATOMIC);
	ok(page != NULL, "served");
	__free_page(page);
	kmem_irq_exit();
	ok(!in_interrupt() && !in_atomic() && in_task(), "task");
	is(reports_of(KMEM_MISUSE_GFP_SLEEP_ATOMIC), 0, "no report");
	machine_stop();
}

TEST(S170_scopes_nest)
{
	unsigned int a, b, c;

	a = memalloc_nofs_save();
	b = memalloc_nofs_save();
	c = memalloc_noio_save();
	is(kmem_task_flags(), PF_MEMALLOC_NOFS | PF_MEMALLOC_NOIO, "both");
	memalloc_noio_restore(c);
	memalloc_nofs_restore(b);
	is(kmem_task_flags(), PF_MEMALLOC_NOFS, "the outer one holds");
	memalloc_nofs_restore(a);
	is(kmem_task_flags(), 0, "all ended");
	a = memalloc_pin_save();
	is(kmem_task_flags(), PF_MEMALLOC_PIN, "pin");
	memalloc_pin_restore(a);
	is(kmem_task_flags(), 0, "ended");
}

TEST(S171_noreclaim_goes_below_min_and_does_not_reclaim)
{
	static struct told t;
	unsigned int saved;

	m64_exhausted();
	told_start(&t, 1);
	saved = memalloc_noreclaim_save();
	is(take(GFP_KERNEL, 50), 50, "below min");
	take(GFP_KERNEL, HELD_MAX);
	ok(!alloc_page(GFP_KERNEL | __GFP_NOWARN), "to the last page");
	memalloc_noreclaim_restore(saved);
	is(t.asked, 0, "without reclaim");
	kmem_provider_unregister(&t.p);
	m64_end();
}

TEST(S173_nmi_is_for_nolock_calls_only)
{
	struct page *page;
	void *p;

	machine_start(M64);
	kmem_nmi_enter();
	ok(!alloc_page(GFP_ATOMIC), "refused");
	is(reports_of(KMEM_MISUSE_GFP_NMI), 1, "and reported");
	ok(!kmalloc(10, GFP_ATOMIC | __GFP_ZERO), "kmalloc too");
	is(reports_of(KMEM_MISUSE_GFP_NMI), 2, "and reported");
	page = alloc_pages_nolock(__KMEM_GFP(0), -1, 0);
	ok(page != NULL, "nolock pages");
	free_pages_nolock(page, 0);
	p = kmalloc_nolock(10, __KMEM_GFP(0), -1);
	ok(p != NULL, "nolock objects");
	kfree_nolock(p);
	is(reports_of(KMEM_MISUSE_GFP_NMI), 2, "without a report");
	kmem_nmi_exit();
	machine_stop();
}

static struct kmem_trace_event last;
static unsigned int page_allocs;

static void on_event(const struct kmem_trace_event *ev, void *arg)
{
	(void)arg;
	if (ev->kind != KMEM_TRACE_PAGE_ALLOC)
		return;
	last = *ev;
	page_allocs++;
}

TEST(S195_failed_requests_are_traced_as_null_pages)
{
	char text[200];

	m64_exhausted();
	kmem_trace_start(on_event, NULL);
	ok(!alloc_page(GFP_NOWAIT), "NULL");
	is(page_allocs, 1, "one event");
	is(last.ptr, 0, "null page");
	is(last.pfn, 0, "pfn 0");
	kmem_trace_text(&last, text, sizeof(text));
	ok(strstr(text, "pfn=0x0 order=0 migratetype=0 gfp_flags=GFP_NOWAIT"), "%s", text);
	ok(!alloc_pages(GFP_NOWAIT, 11), "an order that no list has");
	is(page_allocs, 1, "leaves no event");
	kmem_trace_stop();
	m64_end();
}

/* ---- Failures made on purpose ------------------------------------------------------------------ */

TEST(S207_failslab_exempts_what_may_wait)
{
	void *p;

	machine_start("mem=64M zones=i386 failslab=1,100,0,-1");
	for (size_t n = 1; n <= 8192; n *= 2) {
		ok(!kmalloc(n, GFP_ATOMIC | __GFP_NOWARN), "ATOMIC %zu", n);
		p = kmalloc(n, GFP_KERNEL);
		ok(p != NULL, "KERNEL %zu", n);
		kfree(p);
		p = kmalloc(n, GFP_ATOMIC | __GFP_NOFAIL);
		ok(p != NULL, "NOFAIL %zu", n);
		kfree(p);
	}
	machine_stop();
}

TEST(S208_failslab_every_third_twice)
{
	machine_start("mem=64M zones=i386 failslab=3,100,0,2");
	for (int i = 1; i <= 12; i++) {
		void *p = kmalloc(100, GFP_ATOMIC);

		is(p == NULL, i == 3 || i == 6, "call %d", i);
		kfree(p);
	}
	is(log_count("FAULT_INJECTION: forcing a failure.\nname failslab, interval 3, "
		     "probability 100, space 0, times 2"),
	   1, "the first one's text");
	machine_stop();
}

TEST(S209_space_is_used_up_first)
{
	machine_start(M64 " fail_page_alloc=1,100,10,-1,min-order=0");
	for (int i = 1; i <= 12; i++) {
		struct page *page = alloc_page(GFP_ATOMIC);

		is(page != NULL, i < 10, "decision %d", i);
		if (page)
			__free_page(page);
	}
	machine_stop();
}

TEST(S210_defaults_spare_single_pages_highmem_and_waiters)
{
	struct page *page;

	machine_start("mem=1G zones=i386 nr_cpus=1 fail_page_alloc=1,100,0,-1");
	page = alloc_page(GFP_ATOMIC);
	ok(page != NULL, "order 0");
	__free_page(page);
	page = alloc_pages(GFP_KERNEL, 1);
	ok(page != NULL, "may wait");
	__free_pages(page, 1);
	page = alloc_pages(GFP_ATOMIC | __GFP_HIGHMEM, 1);
	ok(page != NULL, "highmem");
	__free_pages(page, 1);
	page = alloc_pages(GFP_ATOMIC | __GFP_NOFAIL, 1);
	ok(page != NULL, "NOFAIL");
	__free_pages(page, 1);
	page = alloc_pages_nolock(__KMEM_GFP(0), 0, 1);
	ok(page != NULL, "nolock");
	free_pages_nolock(page, 1);
	ok(!alloc_pages(GFP_ATOMIC, 1), "none of these");
	machine_stop();
}

TEST(S211_fail_nth_fails_exactly_the_nth)
{
	machine_start(M64 " fail_page_alloc=1,0,0,-1,min-order=0");
	port_task()->fail_nth = 4;
	for (int i = 1; i <= 8; i++) {
		struct page *page = alloc_page(GFP_KERNEL);

		is(page == NULL, i == 4, "decision %d", i);
		if (page)
			__free_page(page);
	}
	is(port_task()->fail_nth, 0, "used up");
	machine_stop();
}

TEST(S213_injected_failures_are_quiet_and_cheap)
{
	static struct told t;

	machine_start(M64 " fail_page_alloc=1,100,0,-1,min-order=0,ignore-gfp-wait=N");
	told_start(&t, 1);
	ok(!alloc_pages(GFP_KERNEL, 3), "NULL");
	is(log_count("page allocation failure"), 0, "no report");
	is(log_count("FAULT_INJECTION: forcing a failure.\nname fail_page_alloc, "), 1,
	   "but the injector's");
	is(t.asked, 0, "no reclaim");
	ok(!alloc_pages(GFP_KERNEL | __GFP_NOWARN, 3), "NULL");
	is(log_count("FAULT_INJECTION"), 1, "NOWARN silences that");
	kmem_provider_unregister(&t.p);
	machine_stop();
}

/* The stack of the request is printed at verbose 2, the default; 1 is the line, 0 nothing. */
TEST(verbose_says_how_much_is_told)
{
	static const char *const text[] = {"1,100,0,-1,verbose=0", "1,100,0,-1,verbose=1",
					   "1,100,0,-1"};

	machine_start(M64);
	for (unsigned int i = 0; i < ARRAY_SIZE(text); i++) {
		is(kmem_fault_set("failslab", text[i]), 0);
		reports_clear();
		ok(!kmalloc(100, GFP_ATOMIC), "fails");
		is(log_count("FAULT_INJECTION"), i > 0, "%s: the line", text[i]);
		is(log_count("Call Trace:"), i > 1, "%s: the stack", text[i]);
	}
	is(kmem_fault_set("failslab", "1,100,0,-1,verbose_ratelimit_interval_ms=1000000,"
				      "verbose_ratelimit_burst=2"),
	   0);
	reports_clear();
	for (int i = 0; i < 5; i++)
		ok(!kmalloc(100, GFP_ATOMIC), "fails");
	is(log_count("FAULT_INJECTION"), 2, "told twice an age");
	is(kmem_fault_count(), 8, "counted");
	machine_stop();
}

/* An injector that is set and unset on a running machine, and hits that come back. */
TEST(injectors_of_a_running_machine)
{
	void *p;

	machine_start(M64);
	is(kmem_fault_set("fail_nothing", "1,100,0,-1"), -22, "no such injector");
	is(kmem_fault_set("failslab", "1,100,0"), -22, "no such text");
	p = kmalloc(100, GFP_ATOMIC);
	ok(p != NULL, "and nothing is armed");
	is(kmem_fault_set("failslab", "1,100,0,-1"), 0);
	ok(!kmalloc(100, GFP_ATOMIC), "hits are out of use");
	is(kmem_fault_set("failslab", NULL), 0);
	kfree(p);
	p = kmalloc(100, GFP_ATOMIC);
	ok(p != NULL, "off");
	kfree(p);
	is(kmem_fault_set("fail_page_alloc", "1,100,0,-1,min-order=0"), 0);
	ok(!alloc_page(GFP_ATOMIC), "pages");
	is(kmem_fault_set("fail_page_alloc", ""), 0);
	is(kmem_fault_count(), 2);
	machine_stop();
	is(kmem_fault_set("failslab", "1,100,0,-1"), -22, "no machine");
}

TEST(S211_fail_nth_takes_the_hits_away_and_waiting_requests_too)
{
	machine_start(M64);
	kfree(kmalloc(100, GFP_KERNEL));
	is(kmem_fault_nth(3), 0, "none was set");
	for (int i = 1; i <= 5; i++) {
		void *p = kmalloc(100, GFP_KERNEL);

		is(p == NULL, i == 3, "request %d", i);
		kfree(p);
	}
	is(kmem_fault_nth(10), 0, "it has failed");
	kfree(kmalloc(100, GFP_KERNEL));
	is(kmem_fault_nth(0), 9, "left");
	machine_stop();
}

TEST(marked_tasks_alone_fail_with_a_task_filter)
{
	void *p;

	machine_start(M64 " failslab=1,100,0,-1,task-filter=Y");
	p = kmalloc(100, GFP_ATOMIC);
	ok(p != NULL, "a task without the mark");
	kfree(p);
	ok(!kmem_fault_task(true), "unmarked before");
	ok(!kmalloc(100, GFP_ATOMIC), "marked");
	kmem_irq_enter();
	p = kmalloc(100, GFP_ATOMIC);
	ok(p != NULL, "its interrupts are not it");
	kfree(p);
	kmem_irq_exit();
	ok(kmem_fault_task(false), "marked before");
	machine_stop();
}

static unsigned long asked_from; /* where asked_here() returns to */

static noinline void *asked_here(void)
{
	void *p;

	asked_from = (unsigned long)(uintptr_t)__builtin_return_address(0);
	p = kmalloc(100, GFP_ATOMIC);
	__asm__ volatile("" : "+r"(p)); /* a frame of its own, not a jump */
	return p;
}

TEST(stack_ranges_say_who_fails)
{
	static const char *const range[] = {"", ",require-start=%#lx,require-end=%#lx",
					    ",reject-start=%#lx,reject-end=%#lx"};
	char text[160] = "1,0,0,-1";

	machine_start(M64);
	for (int i = 0; i < 3; i++) {
		void *p, *q;

		is(kmem_fault_set("failslab", text), 0, "%s", text);
		p = asked_here();
		q = kmalloc(100, GFP_ATOMIC);
		is(p == NULL, i == 1, "%s: inside", text);
		is(q == NULL, i == 2, "%s: outside", text);
		kfree(p);
		kfree(q);
		strcpy(text, "1,100,0,-1");
		snprintf(text + 10, sizeof(text) - 10, range[(i + 1) % 3], asked_from,
			 asked_from + 1);
	}
	machine_stop();
}

TEST(the_very_calls_of_a_list_fail)
{
	machine_start(M64 " failslab=1,0,0,0,calls=2:3:7");
	for (int i = 1; i <= 9; i++) {
		void *p = kmalloc(100, GFP_ATOMIC);

		is(p == NULL, i == 2 || i == 3 || i == 7, "call %d", i);
		kfree(p);
	}
	machine_stop();
}

TEST(a_bulk_call_is_one_decision_and_nolock_none)
{
	struct kmem_cache *c;
	void *objs[5], *p;

	machine_start(M64 " failslab=1,0,0,0,calls=2:4,ignore-gfp-wait=N");
	c = kmem_cache_create("bulk", 64, 0, 0, NULL);
	for (int i = 1; i <= 5; i++) {
		int got = kmem_cache_alloc_bulk(c, GFP_KERNEL, 5, objs);

		is(got, i == 2 || i == 4 ? 0 : 5, "bulk %d", i);
		kmem_cache_free_bulk(c, (size_t)got, objs);
	}
	is(kmem_fault_set("failslab", "1,100,0,-1,ignore-gfp-wait=N"), 0);
	p = kmalloc_nolock(10, __KMEM_GFP(0), -1);
	ok(p != NULL, "nolock");
	kfree_nolock(p);
	is(kmem_fault_set("failslab", ""), 0);
	kmem_cache_destroy(c);
	machine_stop();
}

static int parse(const char *text, struct fault_attr *attr)
{
	return fault_parse(attr, text);
}

TEST(injector_texts)
{
	struct fault_attr attr = {.name = "x", .times = 77};

	is(parse("1,2,3", &attr), -22, "three numbers");
	is(parse("1,101,3,4", &attr), -22, "more than everything");
	is(parse("1,2,3,4,5", &attr), -22, "five");
	is(parse("1,2,3,4,min-order", &attr), -22, "no value");
	is(parse("1,2,3,4,ignore-gfp-wait=X", &attr), -22, "no boolean");
	is(parse("1,2,3,-2", &attr), -22, "times -2");
	is(parse("a", &attr), -22, "no number");
	is(attr.times, 77, "and nothing has changed");
	is(parse("5,50,7,-1,min-order=2,ignore-gfp-wait=N,cache-filter=Y", &attr), 0, "all");
	is(attr.interval, 5);
	is(attr.probability, 50);
	is(attr.space, 7);
	is(attr.times, -1);
	is(attr.min_order, 2);
	ok(!attr.ignore_wait && attr.ignore_highmem && attr.cache_filter && attr.active, "flags");
	is(parse("", &attr), 0, "empty");
	ok(!attr.active, "is off");
}
