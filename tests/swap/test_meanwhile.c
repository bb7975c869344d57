/* SPDX-License-Identifier: MIT */
/* Swap while somebody looks, and while its area comes and goes. ThreadSanitizer sees what is not ordered. */
#include <pthread.h>
#include "../conformance/pressure.h"
#include "../store.h"
#include "pool/pool.h"
#include <kmem/highmem.h>
#include <kmem/lru.h>
#include <kmem/swap.h>

#define FLAT "mem=16M zones=flat nr_cpus=4 kswapd=0 "
enum { USERS = 3 };

static struct mem_store area;
static bool over;

static bool is_over(void)
{
	return __atomic_load_n(&over, __ATOMIC_RELAXED);
}

static void meanwhile(void *(*fn)(void *), void *arg, pthread_t *threads, int n)
{
	__atomic_store_n(&over, false, __ATOMIC_RELAXED);
	for (int i = 0; i < n; i++)
		pthread_create(&threads[i], NULL, fn, arg);
}

static void until_here(pthread_t *threads, int n)
{
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

static void *looks(void *handle)
{
	unsigned long seen = 0;

	while (!is_over())
		seen += kmem_swap_resident(handle);
	return (void *)(uintptr_t)seen;
}

TEST(who_asks_if_a_page_is_here_needs_no_lock)
{
	struct kmem_swap_page *h;
	pthread_t t;

	machine_start(FLAT);
	mem_store_start(&area, 64 * PAGE_SIZE);
	is(kmem_swapon(&area.s), 0);
	h = kmem_swap_alloc(GFP_HIGHUSER);
	meanwhile(looks, h, &t, 1);
	for (unsigned int i = 0; i < 2000 / tap_slow(); i++) {
		for (int zone = 0; zone < KMEM_NR_ZONES; zone++)
			lru_provider.reclaim(&lru_provider, zone, 1, 0, GFP_KERNEL);
		is(kmem_swap_in(h, GFP_HIGHUSER), 0);
	}
	until_here(&t, 1);
	kmem_swap_free(h);
	is(kmem_swapoff(), 0);
	mem_store_stop(&area);
	machine_stop();
}

static void *makes_pages(void *arg)
{
	(void)arg;
	while (!is_over()) {
		struct kmem_swap_page *h = kmem_swap_alloc(GFP_HIGHUSER);

		kmem_swap_free(h);
	}
	return NULL;
}

TEST(an_area_comes_and_goes_while_pages_are_made)
{
	pthread_t t[USERS];

	machine_start(FLAT);
	mem_store_start(&area, 64 * PAGE_SIZE);
	meanwhile(makes_pages, NULL, t, USERS);
	for (unsigned int i = 0; i < 300 / tap_slow(); i++) {
		is(kmem_swapon(&area.s), 0);
		is(kmem_swapoff(), 0);
	}
	until_here(t, USERS);
	is(kmem_misuse_count(), 0, "each page had an owner that was known");
	mem_store_stop(&area);
	machine_stop();
}
