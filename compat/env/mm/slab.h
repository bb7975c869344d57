/* SPDX-License-Identifier: MIT */
/*
 * What tests of the slab allocator want of its private header. `s->offset` is where a free object of a
 * debugging cache has the address of the next one; the cache's variable must have the kernel's name for it.
 */
#ifndef KMEM_ENV_MM_SLAB_H
#define KMEM_ENV_MM_SLAB_H

#include <linux/kasan.h>
#include <linux/slab.h>

struct kmem_cache {
	unsigned int opaque; /* the library's: never used */
};
#define offset		       opaque * 0 + (unsigned int)kmem_cache_freeptr_offset(s)
#define validate_slab_cache(s) ((long)kmem_cache_validate(s))

#endif
