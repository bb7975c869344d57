/* SPDX-License-Identifier: MIT */
/*
 * pages: blocks of 2^order pages by several threads at once. `pair`: allocated and freed at once;
 * `set`: each thread holds some blocks and replaces a random one, so that the free lists are as they
 * are in use. The blocks are not touched. The value is for one allocation and one free, of all threads.
 */
#include "harness.h"
#include "api.h"

enum { ORDERS = 10, SET_MAX = 64, TURN = 64 };

static void pair_work(struct worker *w)
{
	unsigned int order = *(unsigned int *)w->arg;

	while (!worker_stop(w)) {
		for (unsigned int i = 0; i < TURN; i++) {
			void *p = need(pages_alloc(order));

			keep(p);
			pages_free(p, order);
		}
		worker_did(w, TURN);
	}
}

/* A thread holds 4 MiB at most. */
static unsigned int set_size(unsigned int order)
{
	return order <= 4 ? SET_MAX : SET_MAX >> (order - 4);
}

static void set_work(struct worker *w)
{
	unsigned int order = *(unsigned int *)w->arg, n = set_size(order);
	uint64_t seed = w->seed;
	void *set[SET_MAX];

	for (unsigned int i = 0; i < n; i++)
		set[i] = need(pages_alloc(order));
	while (!worker_stop(w)) {
		for (unsigned int i = 0; i < TURN; i++) {
			void **p = &set[rnd_below(&seed, n)];

			pages_free(*p, order);
			*p = need(pages_alloc(order));
		}
		worker_did(w, TURN);
	}
	for (unsigned int i = 0; i < n; i++)
		pages_free(set[i], order);
}

WORKLOAD(pages)
{
	unsigned int n = 1;

	pages_open();
	for (;;) {
		for (unsigned int order = 0; order < ORDERS; order++) {
			char name[48];

			snprintf(name, sizeof(name), "pair, order %u, %u thread%s", order, n,
				 n == 1 ? "" : "s");
			measure_team(name, n, pair_work, &order);
			snprintf(name, sizeof(name), "set, order %u, %u thread%s", order, n,
				 n == 1 ? "" : "s");
			measure_team(name, n, set_work, &order);
		}
		if (n == bench.threads)
			return;
		n = n * 2 < bench.threads ? n * 2 : bench.threads;
	}
}
