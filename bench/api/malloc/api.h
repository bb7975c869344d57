/* SPDX-License-Identifier: MIT */
/* malloc and its family: whichever library is preloaded serves them. */
#ifndef BENCH_API_H
#define BENCH_API_H

#include <stdlib.h>

enum { API_SIZES = 1 };	     /* blocks of any size at any time */
enum { API_CONSTRUCTS = 0 }; /* with a constructor, if it is asked to */

/* Blocks are of this size until the next call. */
static inline void api_open(size_t size)
{
	(void)size;
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
	return malloc(size);
}

static inline void *api_zalloc(size_t size)
{
	return calloc(1, size);
}

static inline void *api_resize(void *p, size_t size)
{
	return realloc(p, size);
}

static inline void api_free(void *p)
{
	free(p);
}

static inline void api_alloc_bulk(size_t size, size_t n, void **p)
{
	for (size_t i = 0; i < n; i++)
		p[i] = malloc(size);
}

static inline void api_free_bulk(size_t n, void **p)
{
	for (size_t i = 0; i < n; i++)
		free(p[i]);
}

#endif
