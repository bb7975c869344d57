/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_SLAB_DESTROY_LIVE, "victims")
{
	struct kmem_cache *c = kmem_cache_create("victims", 64, 0, 0, NULL);
	void *p = kmem_cache_alloc(c, GFP_KERNEL);

	ok(kmem_cache_destroy(c) != 0, "refused");
	kmem_cache_free(c, p);
	is(kmem_cache_destroy(c), 0, "later it goes");
}
