/* SPDX-License-Identifier: MIT */
/* Blocks of pages from the zones. */
#ifndef BENCH_API_H
#define BENCH_API_H

#include <kmem/kmem.h>

static inline void pages_open(void)
{
}

static inline void *pages_alloc(unsigned int order)
{
	return alloc_pages(GFP_KERNEL, order);
}

static inline void pages_free(void *page, unsigned int order)
{
	__free_pages(page, order);
}

#endif
