/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M slab_debug=FZPU", KMEM_MISUSE_SLAB_CORRUPT, "Poison overwritten")
{
	struct kmem_cache *c = kmem_cache_create("victims", 64, 0, 0, NULL);
	char *volatile p = kmem_cache_alloc(c, GFP_KERNEL);

	kmem_cache_free(c, p);
	p[10] = 1;
	kmem_cache_shrink(c);
	kmem_cache_destroy(c);
}
