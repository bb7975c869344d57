/* SPDX-License-Identifier: MIT */
#include <kmem/dmapool.h>
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_DMAPOOL_BUSY, "victims busy: 1 blocks are out")
{
	struct dma_pool *pool = dma_pool_create("victims", (struct device *)&pool, 64, 0, 0);
	dma_addr_t dma;
	void *p = dma_pool_alloc(pool, GFP_KERNEL, &dma);

	dma_pool_destroy(pool);
	memset(p, 1, 64);
	free_page((unsigned long)p & PAGE_MASK);
}
