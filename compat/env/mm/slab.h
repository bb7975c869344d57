/* SPDX-License-Identifier: MIT */
/*
 * What tests of the slab allocator want of its private header. A free object has no pointer in it
 * here: `offset`, where the kernel's lies, is the object's beginning.
 */
#ifndef KMEM_ENV_MM_SLAB_H
#define KMEM_ENV_MM_SLAB_H

#include <linux/kasan.h>
#include <linux/slab.h>

struct kmem_cache {
	unsigned int opaque; /* the library's: never used */
};
#define offset		       opaque * 0
#define validate_slab_cache(s) ((long)kmem_cache_validate(s))

#endif
