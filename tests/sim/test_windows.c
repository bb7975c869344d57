/* SPDX-License-Identifier: MIT */
/*
 * Windows and areas: all schedules of small scenarios, with and without a handler that maps; a random
 * load under seeded schedules, with mapping and backing refused; every refusal in turn; and what the
 * simulator says where all wait for a slot that nobody gives back.
 */
#include <kmem/highmem.h>
#include <kmem/kmem.h>
#include <kmem/port.h>
#include <kmem/vmalloc.h>
#include <string.h>
#include "lib/windows.h"
#include "found.h"

TEST(S176_every_schedule_of_two_cpus)
{
	struct sim_search_result r;

	for (unsigned int i = 0; i < nr_window_scenarios; i++) {
		const struct named_scenario *s = &window_scenarios[i];

		window_search(s, 2, s->cpus2, false, SIM_SIGNAL, &r);
		found(s, 2, s->cpus2, &r);
	}
}

TEST(S176_every_schedule_of_three_cpus)
{
	struct sim_search_result r;

	for (unsigned int i = 0; i < nr_window_scenarios; i++) {
		const struct named_scenario *s = &window_scenarios[i];

		if (!s->cpus3)
			continue;
		window_search(s, 3, s->cpus3, false, SIM_SIGNAL, &r);
		found(s, 3, s->cpus3, &r);
	}
}

static void with_handler(enum sim_mode mode)
{
	struct sim_search_result r;

	for (unsigned int i = 0; i < nr_window_scenarios; i++) {
		const struct named_scenario *s = &window_scenarios[i];

		if (!s->handler)
			continue;
		window_search(s, 2, s->handler, true, mode, &r);
		found(s, 2, s->handler, &r);
	}
}

TEST(every_place_for_a_handler_that_interrupts)
{
	with_handler(SIM_MASKED);
}

TEST(every_place_for_a_handler_in_a_signal)
{
	with_handler(SIM_SIGNAL);
}

TEST(random_windows_and_areas)
{
	struct window_sum sum = {0};
	uint64_t first = tap_rand() >> 20;

	for (uint64_t seed = first; seed < first + 200; seed++)
		ok(window_seed(seed, &sum), "seed %llu: %s", (unsigned long long)seed,
		   sim_finding());
	diag("200 seeds, %llu steps, %llu handlers, %llu maps, %llu areas, %llu refused",
	     (unsigned long long)sum.steps, (unsigned long long)sum.injections,
	     (unsigned long long)sum.maps, (unsigned long long)sum.areas,
	     (unsigned long long)sum.refused);
	ok(sum.areas && sum.refused && sum.injections);
}

/* ---- All slots held, all holders waiting ------------------------------------------------------------ */

static struct page *two[2];

static void greedy_boot(void *arg)
{
	(void)arg;
	sim_expect(kmem_boot("mem=4M zones=normal:3M,highmem:rest seed=1 kmap_slots=2") == 0);
	for (int i = 0; i < 2; i++)
		two[i] = alloc_page(GFP_HIGHUSER);
}

/* Holds one, and wants another: fine alone, and all are stuck when there are two of it. */
static void greedy(void *arg)
{
	unsigned int me = *(unsigned int *)arg;
	struct page *more = alloc_page(GFP_HIGHUSER);

	kmap(two[me]);
	for (int i = 0; i < 50; i++)
		port_relax();
	kmap(more);
	kunmap(more);
	kunmap(two[me]);
}

TEST(S176_all_slots_held_and_all_waiting_is_diagnosed)
{
	struct sim_config cfg = {.seed = 1, .nr_cpus = 2};
	unsigned int nr[2] = {0, 1};

	sim_begin(&cfg);
	is(sim_call(greedy_boot, NULL), 0);
	sim_spawn(0, greedy, &nr[0], "greedy0");
	sim_spawn(1, greedy, &nr[1], "greedy1");
	is(sim_run(), 1);
	ok(sim_finding() && strstr(sim_finding(), "deadlock"), "%s", sim_finding());
	sim_end();
}

/* ---- Every refusal in turn ---------------------------------------------------------------------------- */

static unsigned int refusals_seen;

static void refused_work(void *arg)
{
	struct page *pages[600];
	char *p, *q;

	(void)arg;
	for (int i = 0; i < 600; i++)
		pages[i] = NULL;
	p = __vmalloc(3u << 20, GFP_KERNEL | __GFP_NOWARN);
	refusals_seen += !p;
	q = vrealloc(p, 4u << 20, GFP_KERNEL | __GFP_NOWARN);
	refusals_seen += !q;
	vfree(q ? q : p);
	if (alloc_pages_bulk(GFP_HIGHUSER | __GFP_NOWARN, 600, pages) == 600) {
		p = vmap(pages, 600, VM_MAP, PAGE_KERNEL);
		refusals_seen += !p;
		vunmap(p);
	}
	for (int i = 0; i < 600; i++)
		if (pages[i])
			__free_page(pages[i]);
	/* May not fail: tried again every tick. */
	p = __vmalloc(9000, GFP_KERNEL | __GFP_NOFAIL);
	sim_expect(p);
	vfree(p);
}

static void refused_boot(void *arg)
{
	(void)arg;
	sim_expect(kmem_boot("mem=16M zones=normal:8M,highmem:rest seed=1 percpu_pages=0") == 0);
}

static void refused_end(void *arg)
{
	(void)arg;
	sim_expect(kmem_misuse_count() == 0);
	if (kmem_check() != 0 || kmem_shutdown() != 0)
		sim_fail("machine: %s", sim_messages());
}

TEST(every_refusal_in_turn)
{
	struct sim_config cfg = {.seed = 1, .nr_cpus = 2};
	uint64_t n = 0, calls = 1;

	for (n = 0; n <= calls; n++) {
		sim_begin(&cfg);
		is(sim_call(refused_boot, NULL), 0);
		sim_set_refuse((struct sim_plan){n ? SIM_NTH : SIM_NEVER, n},
			       SIM_VMAP | SIM_COMMIT);
		is(sim_call(refused_work, NULL), 0, "refusal %llu: %s", (unsigned long long)n,
		   sim_finding() ? sim_finding() : "");
		if (n == 0)
			calls = sim_refusable_calls();
		is(sim_call(refused_end, NULL), 0, "refusal %llu: %s", (unsigned long long)n,
		   sim_finding() ? sim_finding() : "");
		sim_end();
	}
	diag("%llu calls refused in turn, %u seen", (unsigned long long)calls, refusals_seen);
	ok(calls > 7 && refusals_seen > 3);
}
