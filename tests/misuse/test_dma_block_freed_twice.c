/* SPDX-License-Identifier: MIT */
#include <kmem/dmapool.h>
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_DMAPOOL_FREE, "already free")
{
	struct dma_pool *pool = dma_pool_create("victims", (struct device *)&pool, 64, 0, 0);
	dma_addr_t dma, other;
	void *p = dma_pool_alloc(pool, GFP_KERNEL, &dma);

	dma_pool_free(pool, p, dma);
	dma_pool_free(pool, p, dma);
	ok(dma_pool_alloc(pool, GFP_KERNEL, &dma) != dma_pool_alloc(pool, GFP_KERNEL, &other),
	   "handed out once");
	dma_pool_free(pool, phys_to_virt(dma), dma);
	dma_pool_free(pool, phys_to_virt(other), other);
	dma_pool_destroy(pool);
}
