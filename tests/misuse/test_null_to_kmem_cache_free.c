/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_SLAB_NULL, "victims")
{
	struct kmem_cache *c = kmem_cache_create("victims", 64, 0, 0, NULL);

	kmem_cache_free(c, NULL);
	kmem_cache_destroy(c);
}
