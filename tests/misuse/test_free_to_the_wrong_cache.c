/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_SLAB_WRONG_CACHE, "b_cache but object is from a_cache")
{
	struct kmem_cache *a = kmem_cache_create("a_cache", 64, 0, 0, NULL);
	struct kmem_cache *b = kmem_cache_create("b_cache", 64, 0, 0, NULL);
	void *p = kmem_cache_alloc(a, GFP_KERNEL);

	kmem_cache_free(b, p);
	is(kmem_cache_destroy(a), 0, "it went to its own cache");
	is(kmem_cache_destroy(b), 0, "and not to the other");
}
