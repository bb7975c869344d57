/* SPDX-License-Identifier: MIT */
/* With another free in between: hardened=1 and slab_debug=F see it at the call. */
#include "misuse.h"

MISUSE("mem=16M hardened=1", KMEM_MISUSE_SLAB_DOUBLE_FREE, "victims")
{
	struct kmem_cache *c = kmem_cache_create("victims", 64, 0, 0, NULL);
	void *p = kmem_cache_alloc(c, GFP_KERNEL), *q = kmem_cache_alloc(c, GFP_KERNEL);

	kmem_cache_free(c, p);
	kmem_cache_free(c, q);
	kmem_cache_free(c, p);
	kmem_cache_destroy(c);
}
