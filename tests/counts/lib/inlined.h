/* SPDX-License-Identifier: MIT */
/* Hits as programs have them in place of calls (<kmem/inline.h>), each in a function of its own. */
#ifndef KMEM_TEST_INLINED_H
#define KMEM_TEST_INLINED_H

#include <kmem/slab.h>

void *inlined_cache_alloc(struct kmem_cache *c);
void inlined_cache_free(struct kmem_cache *c, void *p);
void *inlined_kmalloc(void); /* 64 bytes */
void *inlined_kzalloc(void); /* the same */
void inlined_kfree(void *p);

#endif
