/* SPDX-License-Identifier: MIT */
/*
 * Blocks from a lookaside cache, and an interrupt: a timer's signal, which notes each of its ticks in an
 * object of a second cache. It may not wait, so it asks with SLAB_ATOMIC, and counts what it could not
 * have. The signal comes at any instruction, the allocator's own included.
 */
#include "store.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { BLOCK = 4000, TICKS_MAX = 500, TICK_NS = 2000000 };

struct tick {
	struct tick *next;
	struct timespec when;
};

static kmem_cache_t *blocks, *ticks;
static _Atomic(struct tick *) noted; /* newest first */
static atomic_int waiting;
static atomic_ulong refused;
static unsigned long seen;
static timer_t timer;

static void interrupt(int sig)
{
	struct tick *t = NULL;

	(void)sig;
	kmem_irq_enter();
	if (atomic_load(&waiting) < TICKS_MAX)
		t = kmem_cache_alloc(ticks, SLAB_ATOMIC);
	if (t) {
		clock_gettime(CLOCK_MONOTONIC, &t->when);
		t->next = atomic_load(&noted);
		while (!atomic_compare_exchange_weak(&noted, &t->next, t))
			continue;
		atomic_fetch_add(&waiting, 1);
	} else {
		atomic_fetch_add(&refused, 1);
	}
	kmem_irq_exit();
}

static void ticks_forget(void)
{
	struct tick *t = atomic_exchange(&noted, NULL), *next;

	for (; t; t = next) {
		next = t->next;
		kmem_cache_free(ticks, t);
		atomic_fetch_sub(&waiting, 1);
		seen++;
	}
}

size_t cache_ticks(char *buf, size_t len)
{
	int n;

	ticks_forget();
	n = snprintf(buf, len, "%lu ticks noted, %lu not\n", seen, atomic_load(&refused));
	return n < 0 ? 0 : (size_t)n;
}

/* ---- The blocks ------------------------------------------------------------------------------- */

/* Runs when a slab is made, not when an object is taken. */
static void block_ctor(void *block, kmem_cache_t *cache, unsigned long flags)
{
	(void)cache;
	if (flags & SLAB_CTOR_CONSTRUCTOR)
		memset(block, 0, BLOCK);
}

static void *block_get(void)
{
	return kmem_cache_alloc(blocks, SLAB_KERNEL);
}

/* An object goes back as the constructor left it. */
static void block_put(void *block)
{
	memset(block, 0, BLOCK);
	kmem_cache_free(blocks, block);
}

static char *block_map(void *block)
{
	return block;
}

static void block_unmap(char *bytes)
{
	(void)bytes;
}

static struct store store = {"cache",	BLOCK,	     block_get, block_put,
			     block_map, block_unmap, 0,		{NULL}};

/* ---- Loading ------------------------------------------------------------------------------------ */

static bool timer_begin(void)
{
	struct sigaction sa = {.sa_handler = interrupt, .sa_flags = SA_RESTART};
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
	struct itimerspec every = {{0, TICK_NS}, {0, TICK_NS}};

	return sigaction(SIGRTMIN, &sa, NULL) == 0 &&
	       timer_create(CLOCK_MONOTONIC, &ev, &timer) == 0 &&
	       timer_settime(timer, 0, &every, NULL) == 0;
}

struct store *cache_load(void)
{
	blocks = kmem_cache_create("ldd3_blocks", BLOCK, 0, SLAB_HWCACHE_ALIGN, block_ctor, NULL);
	ticks = kmem_cache_create("ldd3_ticks", sizeof(struct tick), 0, 0, NULL, NULL);
	if (blocks && ticks && timer_begin())
		return &store;
	kmem_cache_destroy(blocks);
	kmem_cache_destroy(ticks);
	return NULL;
}

void cache_unload(void)
{
	timer_delete(timer);
	signal(SIGRTMIN, SIG_IGN);
	ticks_forget();
	store_trim(&store);
	if (kmem_cache_destroy(blocks) || kmem_cache_destroy(ticks))
		fprintf(stderr, "ldd3: objects are left in a cache\n");
}
