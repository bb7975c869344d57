/* SPDX-License-Identifier: MIT */
/* Without a checking option: seen when the sheaf is flushed. */
#include "misuse.h"

MISUSE("mem=16M nr_cpus=1", KMEM_MISUSE_SLAB_DOUBLE_FREE, "victims")
{
	struct kmem_cache *c = kmem_cache_create("victims", 64, 0, 0, NULL);
	void *p = kmem_cache_alloc(c, GFP_KERNEL), *q = kmem_cache_alloc(c, GFP_KERNEL);

	kmem_cache_free(c, p);
	kmem_cache_free(c, q);
	kmem_cache_free(c, p);
	kmem_cache_shrink(c);
	kmem_cache_destroy(c);
}
