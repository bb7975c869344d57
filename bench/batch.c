/* SPDX-License-Identifier: MIT */
/*
 * batch: N blocks of 64 bytes are allocated, each is written to, and all are freed: in the order they
 * came, in the reverse of it, or in a random one. Beyond what caches hold, this is the way to the slabs
 * and back. The value is for one block, allocation and free together.
 */
#include "harness.h"
#include "api.h"

enum { SIZE = 64, N_MAX = 100000, BLOCKS = 20000 };

struct batch {
	uint32_t n, rounds;
	const uint32_t *order;
	void **block;
};

static void batch_chunk(void *arg)
{
	const struct batch *b = arg;

	for (uint32_t r = 0; r < b->rounds; r++) {
		for (uint32_t i = 0; i < b->n; i++) {
			b->block[i] = need(api_alloc(SIZE));
			touch(b->block[i]);
		}
		for (uint32_t i = 0; i < b->n; i++)
			api_free(b->block[b->order[i]]);
	}
}

static void order_make(const char *how, uint32_t *order, uint32_t n)
{
	uint64_t seed = bench.seed;

	if (!strcmp(how, "random")) {
		rnd_order(&seed, order, n);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		order[i] = !strcmp(how, "fifo") ? i : n - 1 - i;
}

WORKLOAD(batch)
{
	static const char *const how[] = {"fifo", "lifo", "random"};
	uint32_t *order = own_alloc(N_MAX * sizeof(*order));
	void **block = own_alloc(N_MAX * sizeof(*block));

	api_open(SIZE);
	for (uint32_t n = 10; n <= N_MAX; n *= 10) {
		for (size_t h = 0; h < sizeof(how) / sizeof(how[0]); h++) {
			struct batch b = {n, n < BLOCKS ? BLOCKS / n : 1, order, block};
			char name[32];

			snprintf(name, sizeof(name), "%u %s", n, how[h]);
			order_make(how[h], order, n);
			measure(name, (uint64_t)n * b.rounds, batch_chunk, &b);
		}
	}
	api_close();
}
