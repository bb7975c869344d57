/* SPDX-License-Identifier: MIT */
/*
 * A request that may not fail on a machine where nothing is left: it gets through when another task
 * frees, however late and in whatever order things happen; and where nobody ever frees, the guard ends
 * it and the library says so. Nothing waits in silence.
 */
#include <kmem/kmem.h>
#include <kmem/port.h>
#include <kmem/shrinker.h>
#include "sim.h"
#include "tap.h"

enum { HELD_MAX = 1024, CPUS = 3, SEEDS = 150, TICK_NS = 1000000 };

enum what { PAGE, TWO_PAGES, SMALL, OBJECT, LARGE, NR_WHATS };

struct fixture {
	enum what what;
	gfp_t gfp;
	bool frees;	   /* somebody will */
	unsigned int late; /* ticks until then */
	struct page *held[HELD_MAX];
	unsigned int nr_held;
	struct kmem_cache *cache;
	bool refused;
	unsigned long rounds;
};

static bool on_round(gfp_t gfp, unsigned int order, unsigned long rounds, void *arg)
{
	struct fixture *f = arg;

	(void)gfp;
	(void)order;
	f->rounds = rounds;
	if (f->frees && rounds > 50000)
		sim_fail("no end after %lu rounds, though there is memory", rounds);
	return !f->frees && rounds >= 30;
}

static void start(void *arg)
{
	struct fixture *f = arg;

	if (kmem_boot("mem=2M zones=flat nr_cpus=3 seed=1") != 0)
		sim_fail("%s", kmem_boot_error());
	f->cache = kmem_cache_create("nofail", 1000, 0, SLAB_NO_MERGE, NULL);
	sim_expect(f->cache);
	kmem_set_livelock_guard(on_round, f);
	while (f->nr_held < HELD_MAX &&
	       (f->held[f->nr_held] = alloc_pages(GFP_ATOMIC | __GFP_NOWARN, 0)))
		f->nr_held++;
}

static void *get(struct fixture *f)
{
	struct page *page;

	if (f->what == SMALL)
		return kmalloc(100, f->gfp);
	if (f->what == LARGE)
		return kmalloc(8000, f->gfp);
	if (f->what == OBJECT)
		return kmem_cache_alloc(f->cache, f->gfp);
	page = alloc_pages(f->gfp, f->what == TWO_PAGES);
	return page ? page_address(page) : NULL;
}

static void asker(void *arg)
{
	struct fixture *f = arg;
	void *p = get(f);

	f->refused = !p;
	if (!p)
		return;
	if (f->what == PAGE || f->what == TWO_PAGES)
		__free_pages(virt_to_page(p), f->what == TWO_PAGES);
	else
		kfree(p);
}

static void freer(void *arg)
{
	struct fixture *f = arg;
	uint32_t word = 0;

	if (!f->frees)
		return;
	for (unsigned int i = 0; i < f->late; i++)
		port_wait(&word, 0, TICK_NS);
	while (f->nr_held)
		__free_pages(f->held[--f->nr_held], 0);
}

static void end(void *arg)
{
	struct fixture *f = arg;

	if (kmem_check() != 0)
		sim_fail("kmem_check: %s", sim_messages());
	while (f->nr_held)
		__free_pages(f->held[--f->nr_held], 0);
	sim_expect(kmem_cache_destroy(f->cache) == 0);
	if (kmem_shutdown() != 0)
		sim_fail("leaks: %s", sim_messages());
}

static bool run(struct fixture *f, uint64_t seed)
{
	struct sim_config cfg = {
		.seed = seed,
		.nr_cpus = CPUS,
		.mode = seed % 2 ? SIM_SIGNAL : SIM_MASKED,
		.preempt_every = 1 + (uint32_t)(seed % 40),
	};

	bool fine = false;

	sim_begin(&cfg);
	if (sim_call(start, f) == 0) {
		sim_spawn(0, asker, f, "asker");
		sim_spawn(1, freer, f, "freer");
		fine = sim_run() == 0 && sim_call(end, f) == 0;
	}
	sim_end();
	return ok(fine, "seed %llu, what %d, gfp %#x, late %u: %s", (unsigned long long)seed,
		  (int)f->what, f->gfp, f->late, fine ? "" : sim_finding());
}

static const gfp_t masks[] = {GFP_KERNEL, GFP_NOFS, GFP_NOIO};

TEST(S55_what_may_not_fail_gets_through_when_another_task_frees)
{
	unsigned long most = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct fixture f = {.what = (enum what)(seed % NR_WHATS), .frees = true};

		f.gfp = masks[seed / NR_WHATS % 3] | __GFP_NOFAIL | __GFP_NOWARN;
		f.late = (unsigned int)(seed % 60);
		if (!run(&f, seed))
			return;
		ok(!f.refused, "seed %llu", (unsigned long long)seed);
		most = f.rounds > most ? f.rounds : most;
	}
	ok(most > 16, "they had to wait: up to %lu rounds", most);
}

TEST(where_nobody_frees_the_guard_ends_it_and_the_library_says_so)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct fixture f = {.what = (enum what)(seed % NR_WHATS)};

		f.gfp = masks[seed / NR_WHATS % 3] | __GFP_NOFAIL | __GFP_NOWARN;
		if (!run(&f, seed))
			return;
		ok(f.refused && f.rounds == 30, "seed %llu: %lu rounds", (unsigned long long)seed,
		   f.rounds);
		ok(strstr(sim_messages(), "kmem: livelock: order:"), "seed %llu: %s",
		   (unsigned long long)seed, sim_messages());
	}
}
