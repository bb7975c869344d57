/* SPDX-License-Identifier: MIT */
/*
 * mixed: a table of blocks of many sizes, of which a random one is freed and another allocated in its
 * place, again and again. Powers of two are equally likely, so small blocks are many and large ones
 * take the memory. The value is for one replacement.
 */
#include "harness.h"
#include "api.h"

enum { SLOTS = 4096, STEPS = 16384 };

/* Drawn before the clock starts. */
struct mixed {
	struct step {
		uint32_t slot, size;
	} step[STEPS];
	void *slot[SLOTS];
};

static void mixed_chunk(void *arg)
{
	struct mixed *m = arg;

	for (uint32_t i = 0; i < STEPS; i++) {
		void **slot = &m->slot[m->step[i].slot];

		api_free(*slot);
		*slot = need(api_alloc(m->step[i].size));
		touch(*slot);
	}
}

WORKLOAD(mixed)
{
	static const uint32_t most[] = {256, 2048, 16384};

	for (size_t k = 0; k < sizeof(most) / sizeof(most[0]); k++) {
		struct mixed *m = own_alloc(sizeof(*m));
		uint64_t seed = bench.seed + k;
		char name[32];

		for (uint32_t i = 0; i < SLOTS; i++)
			m->slot[i] = need(api_alloc(rnd_size(&seed, 8, most[k])));
		for (uint32_t i = 0; i < STEPS; i++) {
			m->step[i].slot = rnd_below(&seed, SLOTS);
			m->step[i].size = rnd_size(&seed, 8, most[k]);
		}
		snprintf(name, sizeof(name), "8..%u", most[k]);
		measure(name, STEPS, mixed_chunk, m);
		for (uint32_t i = 0; i < SLOTS; i++)
			api_free(m->slot[i]);
		own_free(m, sizeof(*m));
	}
}
