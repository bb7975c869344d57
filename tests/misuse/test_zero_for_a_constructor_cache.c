/* SPDX-License-Identifier: MIT */
#include "misuse.h"

static void construct(void *obj)
{
	memset(obj, 1, 64);
}

MISUSE("mem=16M", KMEM_MISUSE_GFP_ZERO_CTOR, "victims")
{
	struct kmem_cache *c = kmem_cache_create("victims", 64, 0, 0, construct);

	kmem_cache_free(c, kmem_cache_zalloc(c, GFP_KERNEL));
	kmem_cache_destroy(c);
}
