/* SPDX-License-Identifier: MIT */
#include "inlined.h"

enum { SMALL = 64 };

void *inlined_cache_alloc(struct kmem_cache *c)
{
	return kmem_cache_alloc(c, GFP_KERNEL);
}

void inlined_cache_free(struct kmem_cache *c, void *p)
{
	kmem_cache_free(c, p);
}

void *inlined_kmalloc(void)
{
	return kmalloc(SMALL, GFP_KERNEL);
}

void *inlined_kzalloc(void)
{
	return kzalloc(SMALL, GFP_KERNEL);
}

void inlined_kfree(void *p)
{
	kfree(p);
}
