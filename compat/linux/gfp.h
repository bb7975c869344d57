/* SPDX-License-Identifier: MIT */
/* <linux/gfp.h>: flags with the kernel's values and the page allocator, both libkmem's own. */
#ifndef KMEM_COMPAT_GFP_H
#define KMEM_COMPAT_GFP_H
#define __LINUX_GFP_H

#include <linux/types.h>
#include <linux/numa.h>
#include <linux/topology.h>
#include <kmem/context.h>
#include <kmem/gfp.h>
#include <kmem/page.h>

#define __GFP_BITS_SHIFT 25
/* Up to 6.3 this is one more than the largest order. */
#define MAX_ORDER NR_PAGE_ORDERS

struct page;
struct folio;

static inline bool gfp_has_io_fs(gfp_t gfp)
{
	return (gfp & (__GFP_IO | __GFP_FS)) == (__GFP_IO | __GFP_FS);
}
#define gfp_pfmemalloc_allowed(gfp)		   (((gfp)&__GFP_MEMALLOC) != 0)
#define __alloc_pages(gfp, order, nid, mask)	   alloc_pages_node((nid), (gfp), (order))
#define __alloc_pages_node(nid, gfp, order)	   alloc_pages_node((nid), (gfp), (order))
#define alloc_page_vma(gfp, vma, addr)		   alloc_page(gfp)
#define alloc_pages_exact_nid(nid, size, gfp)	   alloc_pages_exact((size), (gfp))
#define alloc_pages_bulk_array(gfp, nr, array)	   alloc_pages_bulk((gfp), (nr), (array))
#define alloc_pages_bulk_array_node(gfp, n, nr, a) alloc_pages_bulk((gfp), (nr), (a))
#define drain_local_pages(zone)			   drain_all_pages()

/*
 * Fragments of blocks of 32 KiB, or of a page where there are none (lib/frag.c). A fragment of more than a
 * page may be had or not: NULL. The cache is its user's, who alone is in it; zeroed at first. Context as
 * alloc_pages(). Nobody waits for a large block.
 */
struct page_frag_cache;
void *page_frag_alloc_align(struct page_frag_cache *cache, unsigned int size, gfp_t gfp,
			    unsigned int align_mask);
#define page_frag_alloc(cache, size, gfp) page_frag_alloc_align((cache), (size), (gfp), ~0u)
#define page_frag_free(addr)		  put_page(virt_to_head_page(addr))
/* Drops so many references to the block: those of a cache that is given up. */
void __page_frag_cache_drain(struct page *page, unsigned int count);
void page_frag_cache_drain(struct page_frag_cache *cache);

#endif
