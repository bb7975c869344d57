/* SPDX-License-Identifier: MIT */
/*
 * The names of Linux Device Drivers, third edition (kernel 2.6.10), for drivers written by it: this one
 * include stands for <linux/slab.h>, <linux/gfp.h>, <linux/mm.h>, <linux/highmem.h>, <linux/vmalloc.h>,
 * <linux/mempool.h> and <linux/percpu.h> as they were.
 *
 *	kmem_cache_t, kmem_cache_create	six arguments: name, size, offset, flags, ctor, dtor; the
 *					constructor gets the cache and SLAB_CTOR_* flags
 *	kmem_cache_destroy		says whether it did (0), and not if objects are alive
 *	SLAB_KERNEL, SLAB_ATOMIC, ...	GFP_* as kmem_cache_alloc() took them
 *	__GFP_WAIT			__GFP_RECLAIM: may sleep
 *	__GFP_REPEAT			__GFP_RETRY_MAYFAIL: tries harder, and may fail
 *	__GFP_COLD			a page from the cold end of the per-CPU list
 *	kmap_atomic(page, type)		the type (KM_USER0, ...) is not looked at: slots are a stack of
 *					the task's own, and a type in use twice is no mistake here
 *
 * What the book says of each is so, but where semantics 1.8 corrects it: __GFP_DMA is for that zone
 * alone, and __GFP_REPEAT and __GFP_NOFAIL are what kernels of today make of them.
 */
#ifndef KMEM_LDD3_H
#define KMEM_LDD3_H

#include <kmem/highmem.h>
#include <kmem/kmem.h>
#include <kmem/mempool.h>
#include <kmem/percpu.h>
#include <kmem/vmalloc.h>

#endif
