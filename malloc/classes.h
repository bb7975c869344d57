/* SPDX-License-Identifier: MIT */
/* The caches of malloc: classes.c says which sizes there are, and why. */
#ifndef KMEM_MALLOC_CLASSES_H
#define KMEM_MALLOC_CLASSES_H

#include "internal.h"
#include "slab/slab.h"

enum { MALLOC_SLOTS = SMALL_MAX / MALLOC_ALIGN };
/* By (size - 1) / MALLOC_ALIGN. */
extern struct port_stack *malloc_fast[MALLOC_SLOTS] HIDDEN;
/* The cache for 1 to SMALL_MAX bytes; makes all if nobody has. NULL: another is about it, or there is no room. */
struct kmem_cache *malloc_cache_made(size_t size);

#endif
