/* SPDX-License-Identifier: MIT */
#include <kmem/mempool.h>
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_MEMPOOL_ZERO, "__GFP_ZERO is not for pools")
{
	mempool_t *pool = mempool_create_kmalloc_pool(3, 100);

	for (int i = 0; i < 3; i++)
		mempool_free(mempool_alloc(pool, GFP_KERNEL | __GFP_ZERO), pool);
	is(reports_of(KMEM_MISUSE_MEMPOOL_ZERO), 1, "once for each caller");
	mempool_destroy(pool);
}
