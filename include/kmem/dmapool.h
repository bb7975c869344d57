/* SPDX-License-Identifier: MIT */
/*
 * DMA pools: small blocks of memory that a device reaches, each known by two addresses.
 *
 *	struct dma_pool *pool = dma_pool_create("descriptors", dev, 64, 64, 4096);
 *	struct descriptor *d = dma_pool_zalloc(pool, GFP_ATOMIC, &dma);
 *	dma_pool_free(pool, d, dma);
 *	dma_pool_destroy(pool);
 *
 * A device's address of memory is its physical one here. Which memory a device reaches is said by
 * the mask of each dma_pool_alloc: GFP_DMA and GFP_DMA32 as everywhere. The rules are those of Linux
 * 6.18.
 */
#ifndef KMEM_DMAPOOL_H
#define KMEM_DMAPOOL_H

#include <stddef.h>
#include <stdint.h>
#include <kmem/gfp.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef unsigned long long dma_addr_t; /* the kernel's u64 */
struct device;			       /* the program's own; a pool keeps none of it */
struct dma_pool;

/*
 * A pool of blocks of size bytes: at least 16, rounded up to a multiple of align, aligned to it (a
 * power of two, 0 is 1). No block crosses a multiple of boundary, a power of two not below the size;
 * 0: none crosses a page, or is larger than one. NULL: no memory, a rule broken, dev or name NULL,
 * size 0 or above INT_MAX, a context that may not sleep (reported). The name is cut to 31 characters.
 * Task context, may sleep.
 */
struct dma_pool *dma_pool_create(const char *name, struct device *dev, size_t size, size_t align,
				 size_t boundary);
/*
 * Gives the pool's pages back. With blocks still out that is reported, and the pages stay allocated:
 * a device may be writing to them. NULL is a no-op. Nobody may use the pool meanwhile or after. Task
 * context.
 */
void dma_pool_destroy(struct dma_pool *pool);
/*
 * A block, and in *dma the device's address of it; NULL when the pool had to grow and could not.
 * Contents are unknown without __GFP_ZERO. May sleep iff the mask has __GFP_DIRECT_RECLAIM; any
 * context else, signal handlers included.
 */
void *dma_pool_alloc(struct dma_pool *pool, gfp_t gfp, dma_addr_t *dma);
static inline void *dma_pool_zalloc(struct dma_pool *pool, gfp_t gfp, dma_addr_t *dma)
{
	return dma_pool_alloc(pool, gfp | __GFP_ZERO, dma);
}
/*
 * Both addresses as dma_pool_alloc gave them. What is no block of the pool, or free already, is
 * reported, and nothing has changed. The pool keeps its pages until it is destroyed. Any context,
 * signal handlers included.
 */
void dma_pool_free(struct dma_pool *pool, void *vaddr, dma_addr_t dma);
/* Proves the invariants of a pool that nobody uses meanwhile; 0, or the number of faults, each
 * reported. Task context. */
int dma_pool_check(struct dma_pool *pool);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
