/* SPDX-License-Identifier: MIT */
#include <kmem/kmem.h>
#include <kmem/port.h>
#include <string.h>
#include "scenarios.h"

enum { OBJ = 512, HELD = 60, CAP = 6, HANDLERS_BYTE = 250, LARGE = 4, RUN = 4 };

/* Of the program's static variables: restored with the machine before each schedule. */
static struct kmem_cache *cache, *other[3];
static void *held[3][HELD]; /* what each task has */
static struct page *pages[3];
static unsigned int page_order[3];
static void *from_handler;
static unsigned char *watched;
static unsigned int thrice; /* were there three? */

/* Every object out of the machine is full of a byte of its own. */
static void *mark(void *p, unsigned int byte)
{
	if (p)
		memset(p, (int)byte, OBJ);
	return p;
}

static void marked(const void *p, unsigned int byte)
{
	for (unsigned int i = 0; i < OBJ; i += OBJ / 8)
		sim_expect(((const unsigned char *)p)[i] == byte);
}

static unsigned int byte_of(unsigned int i, unsigned int k)
{
	return 1 + i * HELD + k;
}

static void take(unsigned int i, unsigned int k)
{
	held[i][k] = mark(kmem_cache_alloc(cache, GFP_NOWAIT | __GFP_NOWARN), byte_of(i, k));
}

static void give(unsigned int i, unsigned int k)
{
	if (!held[i][k])
		return;
	marked(held[i][k], byte_of(i, k));
	kmem_cache_free(cache, held[i][k]);
	held[i][k] = NULL;
}

/* ---- Setups -------------------------------------------------------------------------------------- */

static void boot_with(const char *cmdline, slab_flags_t flags)
{
	struct kmem_cache_args args = {.sheaf_capacity = CAP};

	sim_expect(kmem_boot(cmdline) == 0);
	cache = kmem_cache_create("scene", OBJ, &args, flags | SLAB_NO_MERGE);
	sim_expect(cache);
	for (unsigned int k = 0; k < 4 * CAP; k++)
		take(0, k);
	for (unsigned int k = 0; k < 4 * CAP; k++)
		give(0, k);
}

#define MACHINE "mem=2M zones=flat seed=1 nr_cpus=3 "

/* Slabs with free objects, no sheaves. */
static void setup_bare(void *arg)
{
	(void)arg;
	boot_with(MACHINE, 0);
	kmem_cache_shrink(cache);
}

/* Sheaves and barn as a run of frees has left them. */
static void setup_warm(void *arg)
{
	(void)arg;
	boot_with(MACHINE, 0);
}

/* CPU 0 has used its own sheaves up, and CPU 1 has none: both will want the barn's. */
static void setup_barn(void *arg)
{
	setup_warm(arg);
	for (unsigned int k = 0; k < 2 * CAP; k++)
		take(0, k);
}

static void setup_held(void *arg)
{
	setup_bare(arg);
	for (unsigned int i = 0; i < 3; i++)
		take(i, 0);
}

/* Task 0 has a sheaf's worth and more, its own sheaves are full: the next free goes on. */
static void setup_full(void *arg)
{
	setup_bare(arg);
	for (unsigned int k = 0; k < 3 * CAP; k++)
		take(0, k);
	for (unsigned int k = 0; k < 2 * CAP; k++)
		give(0, k + CAP);
	for (unsigned int i = 1; i < 3; i++)
		take(i, 0);
}

static void setup_rcu(void *arg)
{
	(void)arg;
	boot_with(MACHINE, SLAB_TYPESAFE_BY_RCU);
	kmem_cache_shrink(cache);
	take(0, 0);
	watched = held[0][0];
}

static void setup_pages(void *arg)
{
	(void)arg;
	sim_expect(kmem_boot(MACHINE) == 0);
	for (unsigned int i = 0; i < 3; i++)
		pages[i] = alloc_pages(GFP_KERNEL, 0);
}

/* Each CPU's list of order 4 has room for two. */
static void setup_large(void *arg)
{
	(void)arg;
	sim_expect(kmem_boot("mem=32M zones=flat seed=1 nr_cpus=3") == 0);
	for (unsigned int i = 0; i < 3; i++) {
		page_order[i] = LARGE;
		pages[i] = alloc_pages(GFP_KERNEL, LARGE);
	}
}

/* Runs that have been on a list, so that their frees may hit; task 2's is another length, and new. */
static void setup_runs(void *arg)
{
	(void)arg;
	sim_expect(kmem_boot("mem=32M zones=flat seed=1 nr_cpus=3") == 0);
	for (unsigned int i = 0; i < 3; i++)
		pages[i] = alloc_contig_pages(i < 2 ? RUN : RUN + 1, GFP_KERNEL, 0, NULL);
	for (unsigned int i = 0; i < 2; i++)
		free_contig_range(page_to_pfn(pages[i]), RUN);
	for (unsigned int i = 0; i < 2; i++)
		pages[i] = alloc_contig_pages(RUN, GFP_KERNEL, 0, NULL);
}

static void setup_buddy(void *arg)
{
	(void)arg;
	sim_expect(kmem_boot(MACHINE "percpu_pages=0") == 0);
	for (unsigned int i = 0; i < 3; i++) {
		page_order[i] = 1;
		pages[i] = alloc_pages(GFP_KERNEL, 1);
	}
}

/* ---- Tasks --------------------------------------------------------------------------------------- */

static void task_alloc(unsigned int i, void *arg)
{
	(void)arg;
	take(i, 1);
}

static void task_alloc_free(unsigned int i, void *arg)
{
	(void)arg;
	take(i, 1);
	give(i, 1);
}

/* With what the barn has: nothing of it is a slab's. */
static void task_alloc_two(unsigned int i, void *arg)
{
	(void)arg;
	take(i, 1);
	take(i, 2);
}

static void task_alloc_last(unsigned int i, void *arg)
{
	(void)arg;
	take(i, 3 * CAP);
}

/* From a sheaf to another CPU's slab, and the other way round. */
static void task_free_alloc(unsigned int i, void *arg)
{
	(void)arg;
	give(i, 0);
	take(i, 0);
}

static void task_free(unsigned int i, void *arg)
{
	(void)arg;
	give(i, 0);
}

static void task_flush_or_take(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0)
		give(0, 0);
	else
		take(i, 1);
}

static void task_flush_or_free(unsigned int i, void *arg)
{
	(void)arg;
	give(i, 0);
}

static void task_shrink(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0)
		kmem_cache_shrink(cache);
	else
		give(i, 0);
}

static void task_shrink_or_alloc(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0)
		kmem_cache_shrink(cache);
	else
		take(i, 0);
}

static void task_destroy(unsigned int i, void *arg)
{
	(void)arg;
	if (i != 0) {
		take(i, 1);
		return;
	}
	sim_expect(kmem_cache_destroy(other[0]) == 0);
	other[0] = NULL;
}

static void setup_destroy(void *arg)
{
	setup_held(arg);
	other[0] = kmem_cache_create("other", 64, NULL, SLAB_NO_MERGE);
	sim_expect(other[0]);
	kmem_cache_free(other[0], kmem_cache_alloc(other[0], GFP_KERNEL));
}

/* A walk over the list of caches meets the end of one of them, whose place another takes at once. */
static void task_destroy_or_reap(unsigned int i, void *arg)
{
	if (i != 0) {
		kmem_cache_reap();
		return;
	}
	task_destroy(0, arg);
	other[0] = kmem_cache_create("another", 64, NULL, SLAB_NO_MERGE);
}

/* A drain has the other cache's sheaf in hand when that cache is to end. */
static void task_destroy_or_drain(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0)
		task_destroy(0, arg);
	else
		kmem_drain();
}

static void task_create(unsigned int i, void *arg)
{
	char name[] = "created-0";

	(void)arg;
	name[8] = (char)('0' + i);
	other[i] = kmem_cache_create(name, 64, NULL, SLAB_NO_MERGE);
	sim_expect(other[i]);
}

/* What a reader may see of an object that is freed meanwhile: it stays one of the cache's. */
static void task_rcu(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0) {
		give(0, 0);
		kmem_cache_shrink(cache);
		return;
	}
	kmem_rcu_read_lock();
	if (held[0][0]) {
		port_point();
		sim_expect(ksize(watched) == OBJ);
	}
	kmem_rcu_read_unlock();
}

static void task_pages(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0)
		drain_all_pages();
	else
		__free_pages(pages[i], 0);
	if (i != 0)
		pages[i] = NULL;
}

/* One is taken while the old one is held, so that the list must be refilled now and then. */
static void swap_page(unsigned int i)
{
	struct page *new = alloc_pages(GFP_NOWAIT | __GFP_NOWARN, 0);

	sim_expect(!new || new != pages[i]);
	if (new) {
		__free_pages(pages[i], 0);
		pages[i] = new;
	}
}

static void task_pages_alloc(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0)
		drain_all_pages();
	else
		swap_page(i);
}

/* The block goes to its CPU's list and comes from there, or from where the drain has taken it to. */
static void task_large(unsigned int i, void *arg)
{
	struct page *was = pages[i];

	(void)arg;
	if (i == 0) {
		drain_all_pages();
		return;
	}
	pages[i] = NULL;
	__free_pages(was, LARGE);
	pages[i] = alloc_pages(GFP_NOWAIT | __GFP_NOWARN, LARGE);
	sim_expect(pages[i]);
}

/* One drains the lists while the others free a run, and want one again. */
static void task_runs(unsigned int i, void *arg)
{
	struct page *was = pages[i];
	unsigned long nr = contig_nr_pages(was);

	(void)arg;
	if (i == 0) {
		drain_all_pages();
		return;
	}
	pages[i] = NULL;
	free_contig_range(page_to_pfn(was), nr);
	pages[i] = alloc_contig_pages(nr, GFP_NOWAIT | __GFP_NOWARN, 0, NULL);
	sim_expect(pages[i] && contig_nr_pages(pages[i]) == nr);
}

/* A block that has been on a list; all free it. */
static void setup_kfree(void *arg)
{
	(void)arg;
	sim_expect(kmem_boot("mem=32M zones=flat seed=1 nr_cpus=3") == 0);
	kfree(kmalloc(PAGE_SIZE << LARGE, GFP_KERNEL));
	held[0][0] = kmalloc(PAGE_SIZE << LARGE, GFP_KERNEL);
}

static void task_kfree(unsigned int i, void *arg)
{
	(void)i;
	(void)arg;
	kfree(held[0][0]);
}

/* It went once; those that saw it go say nothing. */
static void check_kfree(void *arg)
{
	(void)arg;
	held[0][0] = NULL;
	if (kmem_check() != 0)
		sim_fail("check: %s", sim_messages());
	drain_all_pages();
	if (kmem_check() != 0)
		sim_fail("check of the zones alone: %s", sim_messages());
	sim_expect(kmem_misuse_count() <= 2);
	if (kmem_shutdown() != 0)
		sim_fail("leaks: %s", sim_messages());
}

/* One frees a run, one an end of it, one all of it again: that is wrong, and of a run's frames each goes once. */
static void task_run_thrice(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 2)
		thrice = 1;
	free_contig_range(page_to_pfn(pages[0]) + (i == 1 ? RUN / 2 : 0), i == 1 ? RUN / 2 : RUN);
}

static void task_pages_free(unsigned int i, void *arg)
{
	struct page *was = pages[i];

	(void)arg;
	pages[i] = NULL;
	__free_pages(was, 0);
}

static void task_merge(unsigned int i, void *arg)
{
	struct page *was = pages[i];

	(void)arg;
	pages[i] = NULL;
	__free_pages(was, 1);
}

static void task_buddy(unsigned int i, void *arg)
{
	struct page *was = pages[i];

	(void)arg;
	pages[i] = NULL;
	__free_pages(was, 1);
	if (i != 0)
		return;
	page_order[0] = 2;
	pages[0] = alloc_pages(GFP_NOWAIT | __GFP_NOWARN, 2);
}

void scenario_handler(void *arg)
{
	void *old = from_handler;

	(void)arg;
	if (!cache)
		return;
	from_handler = NULL;
	if (old) {
		marked(old, HANDLERS_BYTE);
		kmem_cache_free(cache, old);
	}
	old = mark(kmem_cache_alloc(cache, GFP_ATOMIC | __GFP_NOWARN), HANDLERS_BYTE);
	if (from_handler && old)
		kmem_cache_free(cache, old);
	else
		from_handler = old;
}

/* ---- The end of a schedule ----------------------------------------------------------------------- */

static void check_sound(void)
{
	if (kmem_check() != 0)
		sim_fail("kmem_check: %s", sim_messages());
	if (kmem_misuse_count() != 0)
		sim_fail("misuse: %s", sim_messages());
}

static void check(void *arg)
{
	(void)arg;
	if (kmem_zones_check() != 0 || (cache && kmem_cache_check(cache) != 0))
		sim_fail("check: %s", sim_messages());
	if (from_handler) {
		marked(from_handler, HANDLERS_BYTE);
		kmem_cache_free(cache, from_handler);
	}
	for (unsigned int i = 0; i < 3; i++) {
		for (unsigned int k = 0; k < HELD; k++)
			give(i, k);
		if (pages[i])
			__free_pages(pages[i], page_order[i]);
		if (other[i])
			sim_expect(kmem_cache_destroy(other[i]) == 0);
	}
	if (cache && kmem_cache_destroy(cache) != 0)
		sim_fail("objects are left: %s", sim_messages());
	check_sound();
	if (kmem_shutdown() != 0)
		sim_fail("leaks: %s", sim_messages());
}

static void check_runs(void *arg)
{
	(void)arg;
	if (kmem_check() != 0 || kmem_misuse_count() != 0)
		sim_fail("check: %s", sim_messages());
	for (unsigned int i = 0; i < 3; i++)
		free_contig_range(page_to_pfn(pages[i]), contig_nr_pages(pages[i]));
	check_sound();
	if (kmem_shutdown() != 0)
		sim_fail("leaks: %s", sim_messages());
}

/* All but the first are reported; the head's half is left if its end went first. */
static void check_run_thrice(void *arg)
{
	unsigned long left = contig_nr_pages(pages[0]);

	(void)arg;
	sim_expect(kmem_check() == 0);
	sim_expect(left == 0 || left == RUN / 2);
	sim_expect(kmem_misuse_count() == 1 + thrice);
	free_contig_range(page_to_pfn(pages[0]), left);
	for (unsigned int i = 1; i < 3; i++)
		free_contig_range(page_to_pfn(pages[i]), contig_nr_pages(pages[i]));
	sim_expect(kmem_check() == 0);
	if (kmem_shutdown() != 0)
		sim_fail("leaks: %s", sim_messages());
}

/* Bounds: preemptions with 2 CPUs, with 3, and with 2 and a handler (0: not run). */
const struct named_scenario scenarios[] = {
	{{"refill", 0, setup_held, task_alloc, check, NULL}, 3, 2, 2},
	{{"grow", 0, setup_bare, task_alloc, check, NULL}, 2, 1, 1},
	{{"alloc and free", 0, setup_held, task_alloc_free, check, NULL}, 3, 2, 2},
	{{"free of what another CPU allocated", 0, setup_held, task_free, check, NULL}, 3, 3, 2},
	{{"free, then alloc", 0, setup_held, task_free_alloc, check, NULL}, 3, 3, 2},
	{{"barn exchange", 0, setup_warm, task_alloc_free, check, NULL}, 3, 3, 2},
	{{"barn to sheaf", 0, setup_warm, task_alloc_two, check, NULL}, 3, 3, 2},
	{{"two at the barn", 0, setup_barn, task_alloc_last, check, NULL}, 3, 3, 2},
	{{"flush and refill", 0, setup_full, task_flush_or_take, check, NULL}, 3, 3, 2},
	{{"flush and free", 0, setup_full, task_flush_or_free, check, NULL}, 3, 3, 2},
	{{"shrink and free", 0, setup_held, task_shrink, check, NULL}, 3, 2, 2},
	{{"shrink and alloc", 0, setup_warm, task_shrink_or_alloc, check, NULL}, 2, 1, 1},
	{{"destroy and alloc", 0, setup_destroy, task_destroy, check, NULL}, 2, 1, 1},
	{{"destroy and reap", 0, setup_destroy, task_destroy_or_reap, check, NULL}, 1, 1, 0},
	{{"destroy and drain", 0, setup_destroy, task_destroy_or_drain, check, NULL}, 1, 1, 0},
	{{"create and create", 0, setup_bare, task_create, check, NULL}, 3, 2, 0},
	{{"grace period", 0, setup_rcu, task_rcu, check, NULL}, 3, 2, 0},
	{{"pages: drain and free", 0, setup_pages, task_pages, check, NULL}, 3, 2, 0},
	{{"pages: drain and alloc", 0, setup_pages, task_pages_alloc, check, NULL}, 2, 1, 0},
	{{"pages: drain, free and alloc", 0, setup_large, task_large, check, NULL}, 3, 2, 0},
	{{"large: freed by all", 0, setup_kfree, task_kfree, check_kfree, NULL}, 3, 3, 0},
	{{"runs: drain, free and alloc", 0, setup_runs, task_runs, check_runs, NULL}, 3, 2, 0},
	{{"runs: freed, and freed in part", 0, setup_runs, task_run_thrice, check_run_thrice, NULL},
	 3,
	 2,
	 0},
	{{"pages: free", 0, setup_pages, task_pages_free, check, NULL}, 3, 3, 0},
	{{"pages: merge", 0, setup_buddy, task_merge, check, NULL}, 3, 2, 0},
	{{"pages: merge and split", 0, setup_buddy, task_buddy, check, NULL}, 3, 2, 0},
};
const unsigned int nr_scenarios = sizeof(scenarios) / sizeof(scenarios[0]);

void scenario_search(const struct named_scenario *s, unsigned int cpus, unsigned int preemptions,
		     bool handlers, enum sim_mode mode, struct sim_search_result *r)
{
	struct sim_scenario sc = s->sc;
	struct sim_config cfg = {.seed = 1, .nr_cpus = 3, .mode = mode};
	struct sim_search_limit limit = {.preemptions = preemptions, .handlers = handlers};

	sc.nr_tasks = cpus;
	cfg.irq = handlers ? scenario_handler : NULL;
	cfg.irq_max = 1;
	sim_search(&sc, &cfg, &limit, r);
}
