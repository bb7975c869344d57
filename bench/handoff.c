/* SPDX-License-Identifier: MIT */
/*
 * handoff: one thread allocates and writes, another reads and frees, through a ring between the two: no
 * block is freed where it was allocated. The value is for one block, of all pairs of threads.
 */
#include "harness.h"
#include "api.h"

#include <sched.h>

enum { RING = 1024, PAIRS_MAX = 128, TURN = 64, LEAST = 16, MOST = 512 };

/* One writer of head, one of tail; both count without end. */
struct ring {
	uint32_t head __attribute__((aligned(128)));
	uint32_t tail __attribute__((aligned(128)));
	bool closed __attribute__((aligned(128)));
	void *slot[RING];
};

static void ring_wait(unsigned int *turns)
{
	if (++*turns % TURN == 0)
		sched_yield();
}

static bool ring_put(struct ring *r, void *p)
{
	uint32_t head = r->head;

	if (head - __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE) == RING)
		return false;
	r->slot[head % RING] = p;
	__atomic_store_n(&r->head, head + 1, __ATOMIC_RELEASE);
	return true;
}

static void *ring_get(struct ring *r)
{
	uint32_t tail = r->tail;
	void *p;

	if (tail == __atomic_load_n(&r->head, __ATOMIC_ACQUIRE))
		return NULL;
	p = r->slot[tail % RING];
	__atomic_store_n(&r->tail, tail + 1, __ATOMIC_RELEASE);
	return p;
}

static void produce(struct worker *w, struct ring *r, size_t fixed)
{
	uint64_t seed = w->seed;
	unsigned int turns = 0;

	while (!worker_stop(w)) {
		void *p = need(api_alloc(fixed ? fixed : rnd_size(&seed, LEAST, MOST)));

		touch(p);
		while (!ring_put(r, p)) {
			if (worker_stop(w)) {
				api_free(p);
				break;
			}
			ring_wait(&turns);
		}
	}
	__atomic_store_n(&r->closed, true, __ATOMIC_RELEASE);
}

static void consume(struct worker *w, struct ring *r)
{
	unsigned int turns = 0;

	for (;;) {
		bool closed = __atomic_load_n(&r->closed, __ATOMIC_ACQUIRE);
		void *p = ring_get(r);

		if (p) {
			touch(p);
			api_free(p);
			worker_did(w, 1);
		} else if (closed) {
			return;
		} else {
			ring_wait(&turns);
		}
	}
}

struct handoff {
	struct ring ring[PAIRS_MAX];
	size_t fixed; /* size of all blocks; 0: mixed */
};

static void handoff_work(struct worker *w)
{
	struct handoff *h = w->arg;
	struct ring *r = &h->ring[w->nr / 2];

	if (w->nr % 2 == 0)
		produce(w, r, h->fixed);
	else
		consume(w, r);
}

static void handoff_run(size_t fixed, const char *what)
{
	unsigned int pairs = bench.threads / 2 ? bench.threads / 2 : 1;

	for (unsigned int n = 1;; n = pairs) {
		struct handoff *h = own_alloc(sizeof(*h));
		char name[48];

		h->fixed = fixed;
		snprintf(name, sizeof(name), "%s, %u + %u threads", what, n, n);
		measure_team(name, 2 * n, handoff_work, h);
		own_free(h, sizeof(*h));
		if (n == pairs)
			return;
	}
}

WORKLOAD(handoff)
{
	api_open(64);
	handoff_run(64, "64");
	api_close();
	if (API_SIZES)
		handoff_run(0, "16..512");
}
