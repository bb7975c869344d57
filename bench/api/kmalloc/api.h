/* SPDX-License-Identifier: MIT */
/* kmalloc and kfree, from a task that may sleep. */
#ifndef BENCH_API_H
#define BENCH_API_H

#include <kmem/kmem.h>

enum { API_SIZES = 1 };	     /* blocks of any size at any time */
enum { API_CONSTRUCTS = 0 }; /* with a constructor, if it is asked to */

/* The first call starts the machine, which is no part of what is measured. */
static inline void api_open(size_t size)
{
	kfree(kmalloc(size, GFP_KERNEL));
}

static inline void api_open_constructed(size_t size, void (*construct)(void *p))
{
	(void)size;
	(void)construct;
}

static inline void api_close(void)
{
}

static inline void *api_alloc(size_t size)
{
	return kmalloc(size, GFP_KERNEL);
}

static inline void *api_zalloc(size_t size)
{
	return kzalloc(size, GFP_KERNEL);
}

static inline void *api_resize(void *p, size_t size)
{
	return krealloc(p, size, GFP_KERNEL);
}

static inline void api_free(void *p)
{
	kfree(p);
}

static inline void api_alloc_bulk(size_t size, size_t n, void **p)
{
	for (size_t i = 0; i < n; i++)
		p[i] = kmalloc(size, GFP_KERNEL);
}

static inline void api_free_bulk(size_t n, void **p)
{
	kfree_bulk(n, p);
}

#endif
