/* SPDX-License-Identifier: MIT */
/*
 * Zone hooks under every schedule: whoever comes to a section at once, it is populated once, nobody
 * gets a page of it before, a refusal reaches the one who asked, and shutdown releases what there is.
 */
#include <kmem/kmem.h>
#include <kmem/port.h>
#include <kmem/stat.h>
#include <string.h>
#include "sim.h"
#include "tap.h"

enum { SECTIONS = 4, ORDER = 8 };

/* Of the world: restored before each schedule. */
static int populated[SECTIONS], populating[SECTIONS];
static unsigned int calls, served, refuse_nth;

/* Gives way inside: others come while it is under way. */
static int populate(void *addr, size_t bytes, unsigned long pfn, void *arg)
{
	unsigned int s = (unsigned int)(pfn / 1024);

	(void)arg;
	sim_expect(addr && bytes == 4 << 20 && s < SECTIONS);
	sim_expect(!sim_in_handler());
	sim_expect(!populating[s] && !populated[s]);
	populating[s] = 1;
	calls++;
	port_point();
	port_relax();
	populating[s] = 0;
	if (calls == refuse_nth)
		return -1;
	populated[s] = 1;
	return 0;
}

static void release(void *addr, size_t bytes, unsigned long pfn, void *arg)
{
	(void)arg;
	sim_expect(addr && bytes == 4 << 20 && populated[pfn / 1024] == 1);
	populated[pfn / 1024] = 0;
}

static const struct kmem_zone_ops ops = {populate, release};

static void boot(void *arg)
{
	refuse_nth = arg ? *(unsigned int *)arg : 0;
	sim_expect(kmem_zone_set_ops(KMEM_ZONE_DMA, &ops, NULL) == 0);
	sim_expect(kmem_boot("mem=16M zones=dma:8M,normal:rest nr_cpus=3 percpu_pages=0 seed=1") ==
		   0);
}

static void take_and_give(unsigned int i, void *arg)
{
	struct page *page = alloc_pages(GFP_DMA | __GFP_NOWARN, ORDER);

	(void)arg;
	(void)i;
	if (!page)
		return;
	sim_expect(populated[page_to_pfn(page) / 1024] == 1);
	served++;
	__free_pages(page, ORDER);
}

static void take_and_trim(unsigned int i, void *arg)
{
	if (i == 1)
		kmem_trim();
	take_and_give(i, arg);
}

static void halt(void *arg)
{
	(void)arg;
	sim_expect(kmem_check() == 0);
	sim_expect(kmem_shutdown() == 0);
	for (int s = 0; s < SECTIONS; s++)
		sim_expect(!populated[s] && !populating[s]);
}

static void halt_served(void *arg)
{
	sim_expect(served + (arg ? 1 : 0) >= 2);
	halt(arg);
}

static void search(const char *name, void (*task)(unsigned int, void *), void *arg,
		   unsigned int preemptions, bool handlers)
{
	struct sim_scenario sc = {name, 2, boot, task, halt_served, arg};
	struct sim_config cfg = {.seed = 1, .nr_cpus = 3, .mode = SIM_SIGNAL};
	struct sim_search_limit limit = {.preemptions = preemptions, .handlers = handlers};
	struct sim_search_result r;

	sim_search(&sc, &cfg, &limit, &r);
	diag("%s, %u preemptions: %llu schedules of up to %u choices", name, preemptions,
	     (unsigned long long)r.schedules, r.points);
	ok(!*r.finding, "%s: %s; schedule %s", name, r.finding, r.schedule);
	ok(r.complete, "%s: all schedules", name);
}

TEST(two_at_once)
{
	search("populate", take_and_give, NULL, 2, false);
}

TEST(two_at_once_and_one_is_refused)
{
	static unsigned int first = 1, second = 2;

	search("first refused", take_and_give, &first, 2, false);
	search("second refused", take_and_give, &second, 2, false);
}

TEST(one_trims_what_another_takes)
{
	search("trim", take_and_trim, NULL, 1, false);
}

/* ---- Handlers, and many seeds ----------------------------------------------------------------------- */

static void handler(void *arg)
{
	kmem_irq_enter();
	take_and_give(0, arg);
	kmem_irq_exit();
}

static void worker(void *arg)
{
	for (unsigned int n = 0; n < 12; n++) {
		take_and_give(0, arg);
		if (sim_random() % 4 == 0)
			kmem_trim();
	}
}

TEST(handlers_and_trims)
{
	uint64_t handlers = 0, total = 0;

	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct sim_config cfg = {
			.seed = seed,
			.nr_cpus = 3,
			.mode = SIM_SIGNAL,
			.preempt_every = 10,
			.irq_every = 20,
			.irq = handler,
		};
		bool good;

		sim_begin(&cfg);
		memset(populated, 0, sizeof(populated));
		memset(populating, 0, sizeof(populating));
		calls = 0;
		good = sim_call(boot, NULL) == 0;
		for (unsigned int cpu = 0; good && cpu < 3; cpu++)
			sim_spawn(cpu, worker, NULL, "worker");
		good = good && sim_run() == 0 && sim_call(halt, NULL) == 0;
		handlers += sim_injections();
		total += calls;
		ok(good, "seed %llu: %s", (unsigned long long)seed, good ? "" : sim_finding());
		sim_end();
	}
	diag("300 seeds, %llu calls, %llu handlers", (unsigned long long)total,
	     (unsigned long long)handlers);
	ok(total > 600 && handlers > 1000, "enough happened");
}
