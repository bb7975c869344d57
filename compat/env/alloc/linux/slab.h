/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ALLOC_LINUX_SLAB_H
#define KMEM_ENV_ALLOC_LINUX_SLAB_H
#define _LINUX_SLAB_H

#include <linux/gfp.h>
#include <linux/overflow.h>
#include <linux/workqueue.h>
#include <kmem/slab.h>
#include <kmem/vmalloc.h>

#define kmem_cache_alloc_lru(c, lru, gfp)     kmem_cache_alloc((c), (gfp))
#define kzalloc_node(size, gfp, node)	      kmalloc_node((size), (gfp) | __GFP_ZERO, (node))
#define kmalloc_array_node(n, size, gfp, nid) kmalloc_array((n), (size), (gfp))
#define kcalloc_node(n, size, gfp, nid)	      kcalloc((n), (size), (gfp))
#define kvzalloc_node(size, gfp, node)	      kvmalloc_node((size), (gfp) | __GFP_ZERO, (node))
#ifndef ARCH_KMALLOC_MINALIGN
#define ARCH_KMALLOC_MINALIGN KMALLOC_MINALIGN
#endif

#endif
