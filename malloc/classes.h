/* SPDX-License-Identifier: MIT */
/* The caches of malloc: classes.c says which sizes there are, and why. */
#ifndef KMEM_MALLOC_CLASSES_H
#define KMEM_MALLOC_CLASSES_H

#include "internal.h"
#include "slab/slab.h"

enum { NR_SIZES = 41 };
extern struct kmem_cache *malloc_caches[NR_SIZES] HIDDEN;
extern const u8 malloc_class[SMALL_MAX / MALLOC_ALIGN] HIDDEN;

/* The cache for 1 to SMALL_MAX bytes, or NULL. */
static inline struct kmem_cache *malloc_cache(size_t size)
{
	/* Another task may be booting: who sees the cache sees the per-CPU areas as well. */
	return atom_load_acq(&malloc_caches[malloc_class[(size - 1) / MALLOC_ALIGN]]);
}
/* As malloc_cache(); makes them if nobody has. NULL: another is about it, or there is no room. */
struct kmem_cache *malloc_cache_made(size_t size);

#endif
