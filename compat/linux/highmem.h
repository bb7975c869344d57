/* SPDX-License-Identifier: MIT */
/* <linux/highmem.h>: libkmem's windows. No cache of this machine needs flushing by hand. */
#ifndef KMEM_COMPAT_HIGHMEM_H
#define KMEM_COMPAT_HIGHMEM_H
#define _LINUX_HIGHMEM_H

#include <linux/mm.h>
#include <linux/uaccess.h>
#include <linux/hardirq.h>
#include <kmem/highmem.h>

#define flush_dcache_page(page)			      ((void)(page))
#define flush_dcache_folio(folio)		      ((void)(folio))
#define flush_kernel_dcache_page(page)		      ((void)(page))
#define flush_anon_page(vma, page, addr)	      ((void)(page))
#define flush_kernel_vmap_range(p, n)		      ((void)(p))
#define invalidate_kernel_vmap_range(p, n)	      ((void)(p))
#define kmap_local_pfn(pfn)			      kmap_local_page(pfn_to_page(pfn))
#define kmap_atomic_pfn(pfn)			      kmap_atomic(pfn_to_page(pfn))
#define kmap_atomic_prot(page, prot)		      kmap_atomic(page)
#define kmap_local_page_prot(page, prot)	      kmap_local_page(page)
#define clear_user_highpage(page, addr)		      clear_highpage(page)
#define copy_user_highpage(to, from, a, vma)	      copy_highpage((to), (from))
#define alloc_zeroed_user_highpage_movable(vma, addr) alloc_page(GFP_HIGHUSER_MOVABLE | __GFP_ZERO)
#define zero_user_segments(page, s1, e1, s2, e2)       \
	do {                                           \
		zero_user_segment((page), (s1), (e1)); \
		zero_user_segment((page), (s2), (e2)); \
	} while (0)

static inline void *kmap_local_folio(struct folio *folio, size_t offset)
{
	return (char *)kmap_local_page(folio_page(folio, offset >> PAGE_SHIFT)) +
	       (offset & ~PAGE_MASK);
}

#endif
