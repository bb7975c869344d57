/* SPDX-License-Identifier: MIT */
/*
 * <linux/slab.h>: libkmem's own calls have the kernel's names; here is what they lack: the forms for a
 * NUMA node (there is one), those that say who called, and constants.
 */
#ifndef KMEM_COMPAT_SLAB_H
#define KMEM_COMPAT_SLAB_H
#define _LINUX_SLAB_H

#include <linux/gfp.h>
#include <linux/types.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/overflow.h>
#include <linux/workqueue.h>
#endif
#include <kmem/slab.h>
#include <kmem/vmalloc.h>

/* Of sanitizers and of the kernel's own start: no effect here. */
#define SLAB_KASAN	   0u
#define SLAB_KFENCE	   0u
#define SLAB_SKIP_KFENCE   0u
#define SLAB_DEBUG_OBJECTS 0u

#define ARCH_KMALLOC_MINALIGN KMALLOC_MINALIGN
#define ARCH_SLAB_MINALIGN    __alignof__(unsigned long long)
#define KMALLOC_MIN_SIZE      8
#define KMALLOC_SHIFT_LOW     3
#define KMALLOC_SHIFT_HIGH    (PAGE_SHIFT + 1)
#define KMALLOC_SHIFT_MAX     (PAGE_SHIFT + MAX_PAGE_ORDER)
#define KMALLOC_MAX_ORDER     MAX_PAGE_ORDER

#define KMEM_CACHE_USERCOPY(type, flags, field)                                                   \
	kmem_cache_create_usercopy(#type, sizeof(struct type), __alignof__(struct type), (flags), \
				   __builtin_offsetof(struct type, field),                        \
				   sizeof(((struct type *)0)->field), NULL)
#define kmem_cache_alloc_lru(cache, lru, gfp) kmem_cache_alloc((cache), (gfp))

#define __kmalloc(size, gfp)			kmalloc((size), (gfp))
#define __kmalloc_node(size, gfp, node)		kmalloc_node((size), (gfp), (node))
#define kmalloc_track_caller(size, gfp)		kmalloc((size), (gfp))
#define kmalloc_node_track_caller(s, gfp, node) kmalloc_node((s), (gfp), (node))
#define __ksize(p)				ksize(p)
#define kmemdup_noprof				kmemdup
#define mem_dump_obj(p)				kmem_dump_obj(p)
#define slab_is_available()			true
#define kmem_cache_init_late()			((void)0)

static inline void *kzalloc_node(size_t size, gfp_t gfp, int node)
{
	return kmalloc_node(size, gfp | __GFP_ZERO, node);
}
static inline void *kmalloc_array_node(size_t n, size_t size, gfp_t gfp, int node)
{
	(void)node;
	return kmalloc_array(n, size, gfp);
}
static inline void *kcalloc_node(size_t n, size_t size, gfp_t gfp, int node)
{
	(void)node;
	return kcalloc(n, size, gfp);
}
static inline void *kvzalloc_node(size_t size, gfp_t gfp, int node)
{
	return kvmalloc_node(size, gfp | __GFP_ZERO, node);
}

/* Up to 6.8 krealloc()'s like for kvmalloc() takes the old size as well; here both forms do. */
static inline void *__kmem_kvrealloc4(const void *p, size_t old, size_t size, gfp_t gfp)
{
	return size <= old ? (void *)(uintptr_t)p : kvrealloc(p, size, gfp);
}
#define __KMEM_KVREALLOC_PICK(_1, _2, _3, _4, NAME, ...) NAME
#define kvrealloc(...) \
	__KMEM_KVREALLOC_PICK(__VA_ARGS__, __kmem_kvrealloc4, kvrealloc, )(__VA_ARGS__)

#endif
