/* SPDX-License-Identifier: MIT */
/*
 * Pools: all schedules of small scenarios, with and without a handler; a random load of mempools under
 * seeded schedules, with handlers injected and commits refused; and how long a waiter sleeps.
 */
#include <kmem/kmem.h>
#include <kmem/mempool.h>
#include <kmem/port.h>
#include "lib/pools.h"
#include "found.h"

#define SECOND 1000000000ull

TEST(every_schedule_of_two_cpus)
{
	struct sim_search_result r;

	for (unsigned int i = 0; i < nr_pool_scenarios; i++) {
		const struct named_scenario *s = &pool_scenarios[i];

		pool_search(s, 2, s->cpus2, false, SIM_SIGNAL, &r);
		found(s, 2, s->cpus2, &r);
	}
}

TEST(every_schedule_of_three_cpus)
{
	struct sim_search_result r;

	for (unsigned int i = 0; i < nr_pool_scenarios; i++) {
		const struct named_scenario *s = &pool_scenarios[i];

		if (!s->cpus3)
			continue;
		pool_search(s, 3, s->cpus3, false, SIM_SIGNAL, &r);
		found(s, 3, s->cpus3, &r);
	}
}

static void with_handler(enum sim_mode mode)
{
	struct sim_search_result r;

	for (unsigned int i = 0; i < nr_pool_scenarios; i++) {
		const struct named_scenario *s = &pool_scenarios[i];

		if (!s->handler)
			continue;
		pool_search(s, 2, s->handler, true, mode, &r);
		found(s, 2, s->handler, &r);
	}
}

TEST(every_schedule_with_a_signal)
{
	with_handler(SIM_SIGNAL);
}

TEST(every_schedule_with_an_interrupt)
{
	with_handler(SIM_MASKED);
}

static void seeds(uint64_t first, unsigned int n)
{
	struct mempool_sum sum = {0};

	for (unsigned int i = 0; i < n; i++) {
		if (!mempool_seed(first + i, &sum)) {
			ok(false, "seed %llu: %s", (unsigned long long)(first + i), sim_finding());
			return;
		}
	}
	ok(sum.elements > n && sum.refused > n && sum.injections > n, "it was a load");
	ok(sum.aside, "handlers met the lock held");
	diag("%u seeds: %llu elements, %llu refusals, %llu handlers, %llu of them left some aside, "
	     "%llu steps",
	     n, (unsigned long long)sum.elements, (unsigned long long)sum.refused,
	     (unsigned long long)sum.injections, (unsigned long long)sum.aside,
	     (unsigned long long)sum.steps);
}

TEST(five_hundred_seeds)
{
	seeds(1, 500);
}

TEST(five_hundred_new_seeds)
{
	seeds(tap_rand() >> 16, 500);
}

/* ---- How long a waiter sleeps ----------------------------------------------------------------------- */

static struct {
	uint64_t when[8];
	unsigned int calls, willing_at;
} asked;

static void *ask(gfp_t gfp, void *data)
{
	(void)data;
	if (!(gfp & __GFP_DIRECT_RECLAIM))
		return NULL;
	asked.when[asked.calls++] = port_now_ns();
	return asked.calls == asked.willing_at ? &asked : NULL;
}

static void unask(void *el, void *data)
{
	(void)el;
	(void)data;
}

static void wait_in_vain(void *arg)
{
	mempool_t pool;
	void *el;

	(void)arg;
	sim_expect(kmem_boot("mem=2M zones=flat seed=1") == 0);
	asked.willing_at = 1;
	sim_expect(mempool_init(&pool, 1, ask, unask, NULL) == 0);
	el = mempool_alloc_preallocated(&pool);
	asked.calls = 0;
	asked.willing_at = 5;
	sim_expect(el && mempool_alloc(&pool, GFP_KERNEL) == &asked);
	mempool_free(el, &pool);
	mempool_exit(&pool);
	sim_expect(kmem_shutdown() == 0);
}

TEST(S152_a_waiter_asks_again_every_five_seconds)
{
	struct sim_config cfg = {.seed = 1};

	sim_begin(&cfg);
	ok(sim_call(wait_in_vain, NULL) == 0, "the machine holds");
	ok(!sim_finding(), "%s", sim_finding());
	is(asked.calls, 5, "asked five times");
	for (unsigned int i = 1; i < asked.calls; i++) {
		uint64_t pause = asked.when[i] - asked.when[i - 1];

		ok(pause >= 5 * SECOND && pause < 5 * SECOND + SECOND / 1000,
		   "after %llu ns of sleep", (unsigned long long)pause);
	}
	sim_end();
}
