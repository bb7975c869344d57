/* SPDX-License-Identifier: MIT */
/*
 * server: each thread replaces random blocks of its table, as a server does whose requests end in any
 * order. After a while it hands the whole table to the next thread, so that what one allocated another
 * frees. The value is for one replacement, of all threads.
 *
 * churn: threads that live as long as a request: each is started, frees half of what its predecessor
 * left, allocates as much for its successor and a hundred blocks for itself, and ends. The value is
 * for one thread.
 */
#include "harness.h"
#include "api.h"

#include <pthread.h>

enum { SLOTS = 1000, TABLES_MAX = 256, LEAST = 16, MOST = 1024, TURN = 256, HAND_ON = 40 };

struct table {
	void *slot[SLOTS];
};

struct server {
	struct table *mailbox; /* the table that lies between two threads */
	struct table table[TABLES_MAX + 1];
};

static void table_fill(struct table *t, uint64_t *seed)
{
	for (uint32_t i = 0; i < SLOTS; i++) {
		t->slot[i] = need(api_alloc(rnd_size(seed, LEAST, MOST)));
		touch(t->slot[i]);
	}
}

static void table_empty(struct table *t)
{
	for (uint32_t i = 0; i < SLOTS; i++)
		api_free(t->slot[i]);
}

static void table_replace(struct table *t, uint64_t *seed)
{
	void **slot = &t->slot[rnd_below(seed, SLOTS)];

	api_free(*slot);
	*slot = need(api_alloc(rnd_size(seed, LEAST, MOST)));
	touch(*slot);
}

static void server_work(struct worker *w)
{
	struct server *s = w->arg;
	struct table *t = &s->table[w->nr];
	uint64_t seed = w->seed;

	for (unsigned int turn = 1; !worker_stop(w); turn++) {
		for (unsigned int i = 0; i < TURN; i++)
			table_replace(t, &seed);
		worker_did(w, TURN);
		if (turn % HAND_ON == 0)
			t = __atomic_exchange_n(&s->mailbox, t, __ATOMIC_ACQ_REL);
	}
}

WORKLOAD(server)
{
	unsigned int n = 1;

	for (;;) {
		struct server *s = own_alloc(sizeof(*s));
		uint64_t seed = bench.seed;
		char name[32];

		for (unsigned int i = 0; i <= n; i++)
			table_fill(&s->table[i], &seed);
		s->mailbox = &s->table[n];
		snprintf(name, sizeof(name), "%u thread%s", n, n == 1 ? "" : "s");
		measure_team(name, n, server_work, s);
		for (unsigned int i = 0; i <= n; i++)
			table_empty(&s->table[i]);
		own_free(s, sizeof(*s));
		if (n == bench.threads)
			return;
		n = n * 2 < bench.threads ? n * 2 : bench.threads;
	}
}

enum { CHURN_OWN = 100 };

struct churn {
	struct table *table;
	uint64_t seed;
};

static void *churn_thread(void *arg)
{
	struct churn *c = arg;
	void *own[CHURN_OWN];

	for (uint32_t i = 0; i < SLOTS / 2; i++)
		table_replace(c->table, &c->seed);
	for (uint32_t i = 0; i < CHURN_OWN; i++) {
		own[i] = need(api_alloc(rnd_size(&c->seed, LEAST, MOST)));
		touch(own[i]);
	}
	for (uint32_t i = 0; i < CHURN_OWN; i++)
		api_free(own[i]);
	return NULL;
}

/* As many chains as threads, in each of them one thread at a time. */
static void churn_work(struct worker *w)
{
	struct churn c = {.table = (struct table *)w->arg + w->nr, .seed = w->seed};

	while (!worker_stop(w)) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, churn_thread, &c) != 0)
			die("pthread_create failed");
		pthread_join(thread, NULL);
		worker_did(w, 1);
	}
}

static void churn_run(unsigned int n)
{
	struct table *table = own_alloc(n * sizeof(*table));
	uint64_t seed = bench.seed;
	char name[32];

	for (unsigned int i = 0; i < n; i++)
		table_fill(&table[i], &seed);
	snprintf(name, sizeof(name), "%u at once", n);
	measure_team(name, n, churn_work, table);
	for (unsigned int i = 0; i < n; i++)
		table_empty(&table[i]);
	own_free(table, n * sizeof(*table));
}

WORKLOAD(churn)
{
	churn_run(1);
	if (bench.threads > 1)
		churn_run(bench.threads);
}
