/* SPDX-License-Identifier: MIT */
/* Blocks of pages from the zones. */
#ifndef BENCH_API_H
#define BENCH_API_H

#include <kmem/kmem.h>

/* The first call starts the machine, which is no part of what is measured. */
static inline void pages_open(void)
{
	free_page(__get_free_page(GFP_KERNEL));
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
