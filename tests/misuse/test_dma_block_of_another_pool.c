/* SPDX-License-Identifier: MIT */
#include <kmem/dmapool.h>
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_DMAPOOL_FREE, "dma_pool_free victims")
{
	struct dma_pool *pool = dma_pool_create("victims", (struct device *)&pool, 64, 0, 0);
	struct dma_pool *owner = dma_pool_create("owner", (struct device *)&pool, 64, 0, 0);
	dma_addr_t dma;
	void *p = dma_pool_alloc(owner, GFP_KERNEL, &dma);

	dma_pool_free(pool, p, dma);
	dma_pool_free(owner, p, dma);
	dma_pool_destroy(pool);
	dma_pool_destroy(owner);
}
