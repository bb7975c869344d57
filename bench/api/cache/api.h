/* SPDX-License-Identifier: MIT */
/* A cache of objects of one size at a time, from a task that may sleep. */
#ifndef BENCH_API_H
#define BENCH_API_H

#include <stdlib.h>
#include <kmem/kmem.h>

enum { API_SIZES = 0, API_CONSTRUCTS = 1 };
static struct kmem_cache *api_cache;

static inline void api_open_constructed(size_t size, void (*construct)(void *p))
{
	api_cache = kmem_cache_create("bench", (unsigned int)size, 0, 0, construct);
	if (!api_cache)
		abort();
}

static inline void api_open(size_t size)
{
	api_open_constructed(size, NULL);
}

static inline void api_close(void)
{
	if (kmem_cache_destroy(api_cache) != 0)
		abort();
}

static inline void *api_alloc(size_t size)
{
	(void)size;
	return kmem_cache_alloc(api_cache, GFP_KERNEL);
}

static inline void api_free(void *p)
{
	kmem_cache_free(api_cache, p);
}

static inline void api_alloc_bulk(size_t size, size_t n, void **p)
{
	(void)size;
	if (kmem_cache_alloc_bulk(api_cache, GFP_KERNEL, n, p) != (int)n)
		abort();
}

static inline void api_free_bulk(size_t n, void **p)
{
	kmem_cache_free_bulk(api_cache, n, p);
}

#endif
