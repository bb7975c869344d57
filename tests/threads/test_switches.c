/* SPDX-License-Identifier: MIT */
/* What decides whether caches hit changes while others decide, and while caches are made. */
#include <pthread.h>
#include "../support.h"
#include "slab/slab.h"

#define FLAT "mem=16M zones=flat nr_cpus=4 kswapd=0 "
enum { MANY = 60, SOME = 20 };

static struct kmem_cache *made[MANY];
static bool over;

static void *switches(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		kmem_trace_start(NULL, NULL);
		kmem_trace_stop();
	}
	return NULL;
}

TEST(two_switch_tracing)
{
	pthread_t t;

	machine_start(FLAT);
	pthread_create(&t, NULL, switches, NULL);
	for (unsigned int i = 0; i < 1000 / tap_slow(); i++) {
		kmem_trace_start(NULL, NULL);
		kmem_trace_stop();
	}
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	kmem_trace_start(NULL, NULL);
	for (struct kmem_cache *c = kmem_machine.caches; c; c = c->next)
		is(c->fast_off, PERCPU_NONE, "%s: all is seen", c->name);
	kmem_trace_stop();
	machine_stop();
}

static void *makes(void *arg)
{
	(void)arg;
	for (int i = 0; i < MANY; i++) {
		char name[20];

		snprintf(name, sizeof(name), "made-%d", i);
		__atomic_store_n(&made[i], kmem_cache_create(name, 100, 8, 0, NULL),
				 __ATOMIC_RELEASE);
	}
	return NULL;
}

TEST(a_cache_that_is_made_while_tracing_starts_is_traced)
{
	unsigned int hits = 0;
	pthread_t t;

	for (unsigned int round = 0; round < 100 / tap_slow(); round++) {
		machine_start(FLAT);
		pthread_create(&t, NULL, makes, NULL);
		while (!__atomic_load_n(&made[SOME], __ATOMIC_ACQUIRE))
			;
		kmem_trace_start(NULL, NULL);
		pthread_join(t, NULL);
		for (int i = 0; i < MANY; i++) {
			hits += made[i]->fast_off != PERCPU_NONE;
			is(kmem_cache_destroy(made[i]), 0);
			made[i] = NULL;
		}
		kmem_trace_stop();
		machine_stop();
	}
	is(hits, 0, "caches whose operations are not seen");
}
