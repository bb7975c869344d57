/* SPDX-License-Identifier: MIT */
/*
 * Memory pools: a few elements kept back, so that those who must go on can.
 *
 *	mempool_t *pool = mempool_create_slab_pool(4, cache);
 *	struct request *rq = mempool_alloc(pool, GFP_NOIO);	never NULL: it waits
 *	mempool_free(rq, pool);
 *
 * The promise: elements in reserve + elements handed out >= min_nr. So min_nr users at a time always
 * get on, whatever else happens to memory, as long as each of them frees what it has got. The
 * reserve is what is touched last and refilled first.
 *
 * The semantics are those of Linux 6.18; mempool_resize also takes the three arguments of Linux
 * Device Drivers.
 */
#ifndef KMEM_MEMPOOL_H
#define KMEM_MEMPOOL_H

#include <stddef.h>
#include <kmem/gfp.h>
#include <kmem/slab.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* An element, or NULL; may sleep iff the mask has __GFP_DIRECT_RECLAIM. Called with no lock held. */
typedef void *(mempool_alloc_t)(gfp_t gfp, void *pool_data);
/* From any context in which the pool's users free. Called with no lock held. */
typedef void(mempool_free_t)(void *element, void *pool_data);

/* For embedding. The first five members may be read, min_nr and curr_nr while others use the pool as
 * a hint; the rest is the library's. A pool does not move. */
typedef struct mempool_s {
	int min_nr;  /* elements promised */
	int curr_nr; /* elements in reserve */
	void *pool_data;
	mempool_alloc_t *alloc;
	mempool_free_t *free;
	struct mempool_store *store;
	unsigned int wakes, waiters, nr_aside;
	int made;
	size_t poison;
} mempool_t;

/*
 * Creates a pool and fills its reserve: min_nr elements by alloc_fn, one if min_nr is 0. NULL: no
 * memory, an alloc_fn that failed (what it gave before has gone back), min_nr below 0, a function
 * missing, mempool_alloc_slab over a cache with a constructor, or a context that may not sleep (the
 * last two are reported). Task context, may sleep; gfp (GFP_KERNEL where there is none) is what
 * alloc_fn is called with. node: 0 or -1.
 * mempool_init: the same for a pool in the caller's memory: 0, -ENOMEM or -EINVAL.
 */
mempool_t *mempool_create(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
			  void *pool_data);
mempool_t *mempool_create_node(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
			       void *pool_data, gfp_t gfp, int node);
int mempool_init(mempool_t *pool, int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
		 void *pool_data);
int mempool_init_node(mempool_t *pool, int min_nr, mempool_alloc_t *alloc_fn,
		      mempool_free_t *free_fn, void *pool_data, gfp_t gfp, int node);
/*
 * Frees the reserve, and the pool if mempool_create made it; NULL, and a pool that is all zeroes, are
 * no-ops. Elements still out are reported as far as the reserve tells (those that alloc_fn gave
 * while it was full are not missed), and stay their owners'. Nobody may use the pool meanwhile or
 * after. Task context.
 */
void mempool_destroy(mempool_t *pool);
void mempool_exit(mempool_t *pool);

/*
 * An element: from alloc_fn without waiting, else from the reserve; else from alloc_fn with all the
 * mask permits, else from the reserve; else it waits for a free, 5 s at a time, and begins again. So a
 * mask with __GFP_DIRECT_RECLAIM never gives NULL, and sleeps; any other gives NULL when alloc_fn and
 * the reserve do. alloc_fn sees the mask with __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN, the
 * first time without __GFP_DIRECT_RECLAIM and __GFP_IO. __GFP_ZERO is reported and dropped: elements
 * of the reserve are not zero.
 * Any context with a mask that does not block, signal handlers included; a handler that has
 * interrupted a call on a pool may be given NULL while there are elements in reserve.
 */
void *mempool_alloc(mempool_t *pool, gfp_t gfp);
/* From the reserve alone: never calls alloc_fn, never sleeps. NULL: it is empty. Any context. */
void *mempool_alloc_preallocated(mempool_t *pool);
/*
 * Refills the reserve and wakes a waiter, or, when the reserve is full, calls free_fn. NULL is a
 * no-op. Never sleeps; any context, signal handlers included.
 */
void mempool_free(void *element, mempool_t *pool);

/*
 * Another min_nr, at least 1. Smaller: surplus elements of the reserve are freed. Larger: 0 even if
 * not all the new elements could be had; frees fill up what is missing. -ENOMEM: there is no room for
 * more, -EINVAL: below 1, or the context may not sleep; nothing has changed. Others may use the pool
 * meanwhile, and resize it: the last one decides. Task context, may sleep. Two arguments, or three
 * (pool, min_nr, gfp); without gfp GFP_KERNEL.
 */
int mempool_resize(mempool_t *pool, int new_min_nr);
int mempool_resize_gfp(mempool_t *pool, int new_min_nr, gfp_t gfp);
#define __KMEM_RESIZE_PICK(_1, _2, _3, NAME, ...) NAME
#define mempool_resize(...) \
	__KMEM_RESIZE_PICK(__VA_ARGS__, mempool_resize_gfp, mempool_resize, )(__VA_ARGS__)

/* Any context, and a hint if others use the pool. */
static inline bool mempool_is_saturated(const mempool_t *pool)
{
	return __atomic_load_n(&pool->curr_nr, __ATOMIC_RELAXED) >=
	       __atomic_load_n(&pool->min_nr, __ATOMIC_RELAXED);
}
/* While others use and resize it, too. */
static inline bool mempool_initialized(const mempool_t *pool)
{
	return __atomic_load_n(&pool->store, __ATOMIC_RELAXED) != NULL;
}
/* Proves the invariants of a pool that nobody uses meanwhile; 0, or the number of faults, each
 * reported. Task context. */
int mempool_check(mempool_t *pool);

/*
 * Elements of the library's own kinds. slab: objects, pool_data is their cache, which may have no
 * constructor. kmalloc, kvmalloc: pool_data is the size. pages: struct page *, pool_data is the order.
 * Where poison is on (slab_debug=P, caches with it, libraries that check) such elements hold
 * 0x6b..0xa5 while in reserve, whoever writes to one then is reported when it is taken out, and what
 * is handed out of the reserve is full of 0x5a. Pages without an address are left alone.
 */
void *mempool_alloc_slab(gfp_t gfp, void *pool_data);
void mempool_free_slab(void *element, void *pool_data);
void *mempool_kmalloc(gfp_t gfp, void *pool_data);
void mempool_kfree(void *element, void *pool_data);
void *mempool_kvmalloc(gfp_t gfp, void *pool_data);
void mempool_kvfree(void *element, void *pool_data);
void *mempool_alloc_pages(gfp_t gfp, void *pool_data);
void mempool_free_pages(void *element, void *pool_data);

static inline mempool_t *mempool_create_slab_pool(int min_nr, struct kmem_cache *cache)
{
	return mempool_create(min_nr, mempool_alloc_slab, mempool_free_slab, cache);
}
static inline mempool_t *mempool_create_kmalloc_pool(int min_nr, size_t size)
{
	return mempool_create(min_nr, mempool_kmalloc, mempool_kfree, (void *)size);
}
static inline mempool_t *mempool_create_kvmalloc_pool(int min_nr, size_t size)
{
	return mempool_create(min_nr, mempool_kvmalloc, mempool_kvfree, (void *)size);
}
static inline mempool_t *mempool_create_page_pool(int min_nr, int order)
{
	return mempool_create(min_nr, mempool_alloc_pages, mempool_free_pages,
			      (void *)(size_t)order);
}
static inline int mempool_init_slab_pool(mempool_t *pool, int min_nr, struct kmem_cache *cache)
{
	return mempool_init(pool, min_nr, mempool_alloc_slab, mempool_free_slab, cache);
}
static inline int mempool_init_kmalloc_pool(mempool_t *pool, int min_nr, size_t size)
{
	return mempool_init(pool, min_nr, mempool_kmalloc, mempool_kfree, (void *)size);
}
static inline int mempool_init_kvmalloc_pool(mempool_t *pool, int min_nr, size_t size)
{
	return mempool_init(pool, min_nr, mempool_kvmalloc, mempool_kvfree, (void *)size);
}
static inline int mempool_init_page_pool(mempool_t *pool, int min_nr, int order)
{
	return mempool_init(pool, min_nr, mempool_alloc_pages, mempool_free_pages,
			    (void *)(size_t)order);
}

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
