/* SPDX-License-Identifier: MIT */
#include <kmem/mempool.h>
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_MEMPOOL_BUSY, "at least 2 of 3 elements out")
{
	mempool_t *pool = mempool_create_kmalloc_pool(3, 100);
	void *a = mempool_alloc_preallocated(pool), *b = mempool_alloc_preallocated(pool);

	mempool_destroy(pool);
	kfree(a);
	kfree(b);
}
