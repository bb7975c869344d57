/* SPDX-License-Identifier: MIT */
/*
 * The table of calls and contexts (semantics 7.7), cell by cell: what is reported, and that the call
 * does what it says nevertheless. Each cell is a process of its own, since reports are limited to
 * one a second.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include "pressure.h"

/* ---- Contexts ----------------------------------------------------------------------------------- */

static unsigned long irq_flags;

static void nothing(void)
{
}

static void irqs_off(void)
{
	local_irq_save(irq_flags);
}

static void irqs_on(void)
{
	local_irq_restore(irq_flags);
}

enum place { TASK, PREEMPT, BH_OFF, IRQS_OFF, NON_BLOCK, SOFTIRQ, HARDIRQ, NMI, NR_PLACES };

static const struct {
	const char *name;
	void (*enter)(void), (*leave)(void);
	/* in_nmi, in_hardirq, in_serving_softirq, in_softirq, in_interrupt, in_task, in_atomic,
	 * irqs_disabled */
	const char *is;
	unsigned int count;
} places[NR_PLACES] = {
	[TASK] = {"task", nothing, nothing, "-----t--", 0},
	[PREEMPT] = {"preempt", kmem_preempt_disable, kmem_preempt_enable, "-----ta-", 0x1},
	[BH_OFF] = {"bh off", local_bh_disable, local_bh_enable, "---Sita-", 0x200},
	[IRQS_OFF] = {"irqs off", irqs_off, irqs_on, "-----t-d", 0},
	[NON_BLOCK] = {"non-block", non_block_start, non_block_end, "-----t--", 0},
	[SOFTIRQ] = {"softirq", kmem_softirq_enter, kmem_softirq_exit, "--sSi-a-", 0x100},
	[HARDIRQ] = {"hardirq", kmem_irq_enter, kmem_irq_exit, "-h--i-a-", 0x10000},
	[NMI] = {"NMI", kmem_nmi_enter, kmem_nmi_exit, "n---i-a-", 0x100000},
};

static const char *where_am_i(void)
{
	static char text[9];

	text[0] = in_nmi() ? 'n' : '-';
	text[1] = in_hardirq() ? 'h' : '-';
	text[2] = in_serving_softirq() ? 's' : '-';
	text[3] = in_softirq() ? 'S' : '-';
	text[4] = in_interrupt() ? 'i' : '-';
	text[5] = in_task() ? 't' : '-';
	text[6] = in_atomic() ? 'a' : '-';
	text[7] = irqs_disabled() ? 'd' : '-';
	return text;
}

TEST(what_each_context_is)
{
	for (int i = 0; i < NR_PLACES; i++) {
		places[i].enter();
		is_str(where_am_i(), places[i].is, "%s", places[i].name);
		is(preempt_count(), places[i].count, "%s", places[i].name);
		places[i].leave();
		is_str(where_am_i(), places[TASK].is, "after %s", places[i].name);
	}
}

/* A handler in a section in a section. */
TEST(contexts_nest)
{
	preempt_disable();
	preempt_disable();
	local_bh_disable();
	kmem_irq_enter();
	kmem_irq_enter();
	is(preempt_count(), 0x20202, "all counted");
	ok(in_hardirq() && in_softirq() && !in_serving_softirq());
	kmem_irq_exit();
	kmem_irq_exit();
	ok(!in_hardirq() && in_task() && in_atomic());
	local_bh_enable();
	preempt_enable();
	ok(in_atomic());
	preempt_enable();
	ok(!in_atomic());
}

TEST(interrupts_off_is_what_it_was_before)
{
	unsigned long outer, inner;

	local_irq_save(outer);
	local_irq_save(inner);
	local_irq_restore(inner);
	ok(irqs_disabled(), "the outer one holds");
	local_irq_restore(outer);
	ok(!irqs_disabled());
	local_irq_disable();
	local_irq_save(outer);
	local_irq_enable();
	ok(!irqs_disabled());
	local_irq_restore(outer);
	ok(irqs_disabled(), "as it was saved");
	local_irq_enable();
}

/* ---- Mismatches trap ------------------------------------------------------------------------------ */

static int fate(void (*fn)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		close(2);
		fn();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void irq_too_deep(void)
{
	for (int i = 0; i < 16; i++)
		kmem_irq_enter();
}

static void irq_deep(void)
{
	for (int i = 0; i < 15; i++)
		kmem_irq_enter();
}

static void softirq_twice(void)
{
	kmem_softirq_enter();
	kmem_softirq_enter();
}

static void bh_deep(void)
{
	kmem_softirq_enter();
	for (int i = 0; i < 127; i++)
		local_bh_disable();
}

static void bh_too_deep(void)
{
	bh_deep();
	local_bh_disable();
}

static void left_another_way(void)
{
	kmem_softirq_enter();
	local_bh_enable();
}

static void non_block_deep(void)
{
	for (int i = 0; i < 63; i++)
		non_block_start();
}

static void non_block_too_deep(void)
{
	non_block_deep();
	non_block_start();
}

static void foreign_irq_flags(void)
{
	local_irq_restore(1);
}

TEST(a_mismatch_traps)
{
	is(fate(kmem_irq_exit), SIGABRT, "irq");
	is(fate(kmem_nmi_exit), SIGABRT, "nmi");
	is(fate(kmem_softirq_exit), SIGABRT, "softirq");
	is(fate(local_bh_enable), SIGABRT, "bh");
	is(fate(kmem_preempt_enable), SIGABRT, "preempt");
	is(fate(non_block_end), SIGABRT, "non-block");
	is(fate(left_another_way), SIGABRT, "a handler left as a section");
	is(fate(foreign_irq_flags), SIGABRT, "flags that are none");
	is(fate(irq_deep), 0, "15 interrupts");
	is(fate(irq_too_deep), SIGABRT, "16");
	is(fate(softirq_twice), SIGABRT, "two softirq handlers");
	is(fate(bh_deep), 0, "127 times held off, in a handler");
	is(fate(bh_too_deep), SIGABRT, "128");
	is(fate(non_block_deep), 0, "63");
	is(fate(non_block_too_deep), SIGABRT, "64");
}

/* ---- The table ------------------------------------------------------------------------------------- */

enum { NR_BULK = 8, CELL_FAILED = 200 };

static struct kmem_cache *cache;
static void *object, *small, *large, *bulk[NR_BULK];
static struct page *page;

static bool blocking(void)
{
	return (small = kmalloc(64, GFP_KERNEL)) != NULL;
}

static bool blocking_object(void)
{
	return (object = kmem_cache_alloc(cache, GFP_KERNEL)) != NULL;
}

static bool blocking_pages(void)
{
	return (page = alloc_pages(GFP_KERNEL, 1)) != NULL;
}

static bool blocking_large(void)
{
	return (large = kmalloc(100000, GFP_NOIO)) != NULL;
}

static bool atomic(void)
{
	return (small = kmalloc(64, GFP_ATOMIC)) != NULL;
}

static bool nowait_object(void)
{
	return (object = kmem_cache_alloc(cache, GFP_NOWAIT)) != NULL;
}

static bool atomic_pages(void)
{
	return (page = alloc_pages(GFP_ATOMIC, 1)) != NULL;
}

static bool free_small(void)
{
	kfree(small);
	small = NULL;
	return true;
}

static bool free_large(void)
{
	kfree(large);
	large = NULL;
	return true;
}

static bool free_object(void)
{
	kmem_cache_free(cache, object);
	object = NULL;
	return true;
}

static bool free_pages_call(void)
{
	__free_pages(page, 1);
	page = NULL;
	return true;
}

static bool put(void)
{
	put_page(page);
	page = NULL;
	return true;
}

static bool nolock(void)
{
	void *p = kmalloc_nolock(64, __KMEM_GFP(0), -1);
	struct page *q = alloc_pages_nolock(__KMEM_GFP(0), -1, 0);

	if (!p || !q)
		return false;
	kfree_nolock(p);
	free_pages_nolock(q, 0);
	return true;
}

static bool create(void)
{
	struct kmem_cache *c = kmem_cache_create("made", 40, 0, 0, NULL);

	if (c)
		kmem_cache_destroy(c);
	return c != NULL;
}

static bool shrink(void)
{
	kmem_cache_shrink(cache);
	return true;
}

static bool reap(void)
{
	kmem_cache_reap();
	return true;
}

static bool bulk_alloc(void)
{
	return kmem_cache_alloc_bulk(cache, GFP_NOWAIT, NR_BULK, bulk) == NR_BULK;
}

static bool sleeps(void)
{
	might_sleep();
	return true;
}

static bool sleeps_if_allowed(void)
{
	might_sleep_if(false);
	might_alloc(GFP_ATOMIC);
	return true;
}

static bool would_allocate(void)
{
	might_alloc(GFP_NOFS);
	return true;
}

static bool retry_wait(void)
{
	memalloc_retry_wait(GFP_KERNEL);
	return true;
}

enum {
	SLEEP = KMEM_MISUSE_GFP_SLEEP_ATOMIC,
	NMI_ONLY = KMEM_MISUSE_GFP_NMI,
	SLAB = KMEM_MISUSE_SLAB_CONTEXT,
	CTX = KMEM_MISUSE_CONTEXT,
	NO = 100 /* and it returns failure */
};

/* task, preempt, bh off, irqs off, non-block, softirq, hardirq, NMI */
#define OK_BUT_NMI(nmi)                    \
	{                                  \
		0, 0, 0, 0, 0, 0, 0, (nmi) \
	}
#define ALL_BUT_TASK(code)                                  \
	{                                                   \
		0, code, code, code, code, code, code, code \
	}
#define BLOCKING                                                           \
	{                                                                  \
		0, SLEEP, SLEEP, SLEEP, SLEEP, SLEEP, SLEEP, NO + NMI_ONLY \
	}

static const struct row {
	const char *name;
	bool (*call)(void);
	int expect[NR_PLACES];
} rows[] = {
	{"kmalloc, blocking", blocking, BLOCKING},
	{"kmem_cache_alloc, blocking", blocking_object, BLOCKING},
	{"alloc_pages, blocking", blocking_pages, BLOCKING},
	{"large kmalloc, blocking", blocking_large, BLOCKING},
	{"kmalloc, ATOMIC", atomic, OK_BUT_NMI(NO + NMI_ONLY)},
	{"kmem_cache_alloc, NOWAIT", nowait_object, OK_BUT_NMI(NO + NMI_ONLY)},
	{"alloc_pages, ATOMIC", atomic_pages, OK_BUT_NMI(NO + NMI_ONLY)},
	{"kfree", free_small, OK_BUT_NMI(NMI_ONLY)},
	{"kfree, large", free_large, OK_BUT_NMI(NMI_ONLY)},
	{"kmem_cache_free", free_object, OK_BUT_NMI(NMI_ONLY)},
	{"__free_pages", free_pages_call, OK_BUT_NMI(NMI_ONLY)},
	{"put_page", put, OK_BUT_NMI(NMI_ONLY)},
	{"nolock calls", nolock, OK_BUT_NMI(0)},
	{"kmem_cache_create", create, ALL_BUT_TASK(NO + SLAB)},
	{"kmem_cache_shrink", shrink, ALL_BUT_TASK(SLAB)},
	{"kmem_cache_reap", reap, ALL_BUT_TASK(SLAB)},
	{"bulk", bulk_alloc, {0, 0, 0, CTX, 0, 0, CTX, NO + NMI_ONLY}},
	{"might_sleep", sleeps, ALL_BUT_TASK(CTX)},
	{"might_sleep_if, might_alloc", sleeps_if_allowed, OK_BUT_NMI(0)},
	{"might_alloc, blocking", would_allocate, ALL_BUT_TASK(CTX)},
	{"memalloc_retry_wait", retry_wait, ALL_BUT_TASK(CTX)},
};

static void cell_prepare(bool (*call)(void))
{
	machine_start("mem=16M zones=i386 nr_cpus=1");
	cache = kmem_cache_create("table", 100, 0, 0, NULL);
	if (call == free_small)
		small = kmalloc(64, GFP_KERNEL);
	if (call == free_large)
		large = kmalloc(100000, GFP_KERNEL);
	if (call == free_object)
		object = kmem_cache_alloc(cache, GFP_KERNEL);
	if (call == free_pages_call)
		page = alloc_pages(GFP_KERNEL, 1);
	if (call == put)
		page = alloc_pages(GFP_KERNEL | __GFP_COMP, 1);
}

static void cell_clean(void)
{
	kfree(small);
	kfree(large);
	if (object)
		kmem_cache_free(cache, object);
	for (int i = 0; i < NR_BULK; i++) {
		if (bulk[i])
			kmem_cache_free(cache, bulk[i]);
	}
	if (page)
		__free_pages(page, 1);
}

/* The code of the one report, plus NO if the call failed. */
static int cell_run(bool (*call)(void), enum place at)
{
	int code = 0, reports = 0;
	bool served;

	cell_prepare(call);
	places[at].enter();
	served = call();
	places[at].leave();
	/* A refused cache is also reported as one that was not created. */
	support_codes[KMEM_MISUSE_SLAB_CREATE] = 0;
	for (int i = 0; i < SUPPORT_CODES; i++) {
		reports += (int)reports_of((enum kmem_misuse)i);
		code = reports_of((enum kmem_misuse)i) ? i : code;
	}
	if (reports > 1)
		return CELL_FAILED;
	cell_clean();
	if (cache && kmem_cache_destroy(cache))
		return CELL_FAILED + 1;
	if (kmem_check() || kmem_shutdown())
		return CELL_FAILED + 2;
	return served ? code : NO + code;
}

static int cell(bool (*call)(void), enum place at)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(cell_run(call, at));
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(S168_S169_S173_every_call_in_every_context)
{
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		for (int at = 0; at < NR_PLACES; at++)
			is(cell(rows[r].call, (enum place)at), rows[r].expect[at], "%s in %s",
			   rows[r].name, places[at].name);
	}
}

static int destroy_cell(enum place at)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		bool done;

		machine_start("mem=16M zones=i386 nr_cpus=1");
		cache = kmem_cache_create("table", 100, 0, 0, NULL);
		places[at].enter();
		done = kmem_cache_destroy(cache) == 0;
		places[at].leave();
		_exit(done * 100 + (int)reports_of(KMEM_MISUSE_SLAB_CONTEXT) * 10 +
		      (done || kmem_cache_destroy(cache) == 0));
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(S143_destroying_is_for_tasks_that_may_sleep)
{
	is(destroy_cell(TASK), 101, "done");
	for (int at = PREEMPT; at < NR_PLACES; at++)
		is(destroy_cell((enum place)at), 11, "refused once, done later: %s",
		   places[at].name);
}

/* ---- The text --------------------------------------------------------------------------------------- */

static noinline void make_atomic(void)
{
	kmem_preempt_disable();
	__asm__ volatile("");
}

/* The address on the line behind the title. */
static uintptr_t address_after(const char *title)
{
	const char *at = strstr(support_log, title);
	unsigned long addr = 0;

	if (at && sscanf(at + strlen(title), "\n [<%lx>]", &addr) != 1)
		addr = 0;
	return addr;
}

TEST(S168_the_report_names_both_places)
{
	char want[300];
	uintptr_t place;
	int line;

	machine_start(M64);
	make_atomic();
	kmem_irq_enter();
	line = __LINE__ + 1;
	might_sleep();
	kmem_irq_exit();
	kmem_preempt_enable();
	snprintf(want, sizeof(want),
		 "BUG: sleeping function called from invalid context at %s:%d\n", __FILE__, line);
	is(log_count(want), 1, "file and line");
	snprintf(want, sizeof(want),
		 "in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: %d, name: ", getpid());
	is(log_count(want), 1, "the task");
	is(log_count("preempt_count: 10001, expected: 0\n"), 1, "the count");
	is(log_count("Call Trace:\n"), 1, "where we are");
	place = address_after("Preemption disabled at:");
	ok(place > (uintptr_t)make_atomic && place < (uintptr_t)make_atomic + 64,
	   "who disabled it: %#lx is in make_atomic, %p", (unsigned long)place,
	   (void *)(uintptr_t)make_atomic);
	machine_stop();
}

static noinline void ask_for_section(void)
{
	make_atomic();
	__asm__ volatile("");
}

static noinline void sleep_in_section(void)
{
	might_sleep();
	__asm__ volatile("");
}

/* How many addresses stand behind the title, one a line. */
static unsigned int stack_after(const char *title, uintptr_t pc[], unsigned int max)
{
	const char *at = strstr(support_log, title);
	unsigned int n = 0;
	unsigned long addr;

	for (at = at ? strchr(at, '\n') : NULL; at && n < max; at = strchr(at + 1, '\n')) {
		if (sscanf(at, "\n [<%lx>]", &addr) != 1)
			break;
		pc[n++] = addr;
	}
	return n;
}

static bool in_start_of(uintptr_t pc, void (*fn)(void))
{
	return pc > (uintptr_t)fn && pc < (uintptr_t)fn + 64;
}

TEST(the_report_has_both_stacks)
{
	uintptr_t pc[40];
	unsigned int n;

	machine_start(M64 " atomic_stack=1");
	ask_for_section();
	kmem_irq_enter(); /* inside, it changes nothing: the outermost is shown */
	sleep_in_section();
	kmem_irq_exit();
	kmem_preempt_enable();
	n = stack_after("Call Trace:", pc, 40);
	ok(n >= 2 && n <= 16, "%u addresses of the call", n);
	for (unsigned int i = 0; i < n; i++)
		if (in_start_of(pc[i], sleep_in_section))
			n = 0;
	is(n, 0, "the function that would have slept is among them");
	n = stack_after("Preemption disabled at:", pc, 40);
	ok(n >= 3 && n <= PORT_ATOMIC_STACK, "%u addresses of the other", n);
	ok(in_start_of(pc[0], make_atomic), "first who disabled it");
	ok(in_start_of(pc[1], ask_for_section), "then its caller");
	machine_stop();
}

TEST(one_address_where_the_stack_is_not_asked_for)
{
	uintptr_t pc[40];

	machine_start(M64 " atomic_stack=1");
	ask_for_section();
	kmem_preempt_enable();
	machine_stop();
	machine_start(M64 " atomic_stack=0");
	ask_for_section();
	sleep_in_section();
	kmem_preempt_enable();
	is(stack_after("Preemption disabled at:", pc, 40), 1, "and none of a stack before");
	ok(in_start_of(pc[0], make_atomic), "who disabled it");
	machine_stop();
}

TEST(the_report_tells_all_kinds_apart)
{
	machine_start(M64);
	local_irq_disable();
	non_block_start();
	non_block_start();
	might_sleep();
	is(log_count("in_atomic(): 0, irqs_disabled(): 1, non_block: 2, pid: "), 1, "all three");
	is(log_count("preempt_count: 0, expected: 0\n"), 1, "no count");
	non_block_end();
	non_block_end();
	local_irq_enable();
	machine_stop();
}

TEST(assumed_atomic_and_is_not)
{
	machine_start(M64);
	kmem_preempt_disable();
	cant_sleep();
	kmem_preempt_enable();
	is(reports_of(KMEM_MISUSE_CONTEXT), 0, "it is");
	cant_sleep();
	cant_sleep();
	is(reports_of(KMEM_MISUSE_CONTEXT), 1, "it is not; once a second");
	is(log_count("BUG: assuming atomic context at "), 1, "its text");
	machine_stop();
}

/* ---- Scopes ------------------------------------------------------------------------------------------ */

TEST(S170_flags_of_a_scope_in_one)
{
	unsigned int outer = memalloc_nofs_save(), both;

	both = memalloc_flags_save(PF_MEMALLOC_NOFS | PF_MEMALLOC_NOIO | PF_KTHREAD);
	is(both, PF_MEMALLOC_NOIO, "what was not set before, and is a scope");
	is(kmem_task_flags(), PF_MEMALLOC_NOFS | PF_MEMALLOC_NOIO, "both");
	memalloc_flags_restore(both);
	is(kmem_task_flags(), PF_MEMALLOC_NOFS, "the outer one holds");
	memalloc_nofs_restore(outer);
	is(kmem_task_flags(), 0);
}

/* Waiting itself is virtual time in the simulator; here, that it waits at all, and how long at least. */
TEST(a_retry_waits_a_tick_or_twenty)
{
	uint64_t begin;

	machine_start(M64);
	begin = port_now_ns();
	memalloc_retry_wait(GFP_KERNEL);
	ok(port_now_ns() - begin >= 1000000, "a tick");
	begin = port_now_ns();
	memalloc_retry_wait(GFP_KERNEL | __GFP_NORETRY);
	ok(port_now_ns() - begin >= 20000000, "twenty");
	begin = port_now_ns();
	memalloc_retry_wait(GFP_ATOMIC);
	ok(port_now_ns() - begin >= 20000000, "twenty");
	machine_stop();
}
