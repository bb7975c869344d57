/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_SLAB_DEAD_CACHE, "destroyed")
{
	struct kmem_cache *c = kmem_cache_create("victims", 64, 0, 0, NULL);

	kmem_cache_destroy(c);
	ok(!kmem_cache_alloc(c, GFP_KERNEL), "refused");
}
