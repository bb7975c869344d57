/* SPDX-License-Identifier: MIT */
/*
 * Constants of the machine. Every limit of libkmem stands here or in the header of the floor
 * that owns it, with the reason for its value.
 */
#ifndef KMEM_CONFIG_H
#define KMEM_CONFIG_H

#define KMEM_VERSION_MAJOR 0
#define KMEM_VERSION_MINOR 1
#define KMEM_VERSION_PATCH 0
#define KMEM_VERSION	   "0.1.0"

#ifndef PAGE_SHIFT
#define PAGE_SHIFT 12
#define PAGE_SIZE  (1UL << PAGE_SHIFT)
#define PAGE_MASK  (~(PAGE_SIZE - 1))
#endif

/* Largest block the buddy allocator keeps: 2^10 pages, 4 MiB, as in Linux since 2.3. */
#define MAX_PAGE_ORDER	   10
#define NR_PAGE_ORDERS	   (MAX_PAGE_ORDER + 1)
#define MAX_ORDER_NR_PAGES (1UL << MAX_PAGE_ORDER)

/* Orders above this are "costly": the allocator does not loop for them (docs/gfp.md). */
#define PAGE_ALLOC_COSTLY_ORDER 3

/* Mobility is typed per page block: 2 MiB, the huge page of x86-64 and aarch64. */
#define pageblock_order	   9U
#define pageblock_nr_pages (1UL << pageblock_order)

/* Largest kmalloc: one block of the largest order. */
#define KMALLOC_MAX_SIZE (PAGE_SIZE << MAX_PAGE_ORDER)
/* Above this kmalloc hands out whole pages. */
#define KMALLOC_MAX_CACHE_SIZE (PAGE_SIZE * 2)

#ifndef KMALLOC_MINALIGN
/* 8, 16, 32, 64 or 128. Smaller classes do not exist then, nor 96 from 64 on, nor 192 at 128. */
#define KMALLOC_MINALIGN 8
#endif

/* Hot functions are called without the jump of the linkage table, where a compiler can: two jumps a call of the
 * shared library where there were three; of the archive's the linker makes an ordinary call. And they begin where a
 * line of the cache does, which is worth a tenth of a hit's time. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __STDC_HOSTED__
#define KMEM_HOT __attribute__((__noplt__, __aligned__(64)))
#else
#define KMEM_HOT
#endif

/* The cache line that SLAB_HWCACHE_ALIGN aligns to. */
#define KMEM_CACHE_LINE 64

/* Upper bounds that size static tables; the library's own caches count, and longer names are
 * cut. */
#define KMEM_MAX_CPUS	256
#define KMEM_MAX_CACHES 1024
#define KMEM_NAME_MAX	32

#endif
