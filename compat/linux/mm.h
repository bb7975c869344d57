/* SPDX-License-Identifier: MIT */
/*
 * <linux/mm.h>: pages and what one asks of them. struct page is opaque: kernel code that reads its
 * fields does not compile; the accessors do. A page's private word lies in a table beside the
 * descriptors. A folio is its head page.
 */
#ifndef KMEM_COMPAT_MM_H
#define KMEM_COMPAT_MM_H
#define _LINUX_MM_H

#include <linux/gfp.h>
#include <linux/mm_types.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/errno.h>
#include <linux/bug.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/string.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/shrinker.h>
#endif
#include <asm/page.h>
#include <kmem/page.h>

#ifndef __pa
#define __pa(addr) ((unsigned long)virt_to_phys((const void *)(addr)))
#endif
#ifndef __va
#define __va(phys) phys_to_virt((uint64_t)(phys))
#endif
#ifndef page_to_phys
#define page_to_phys(page) ((phys_addr_t)page_to_pfn(page) << PAGE_SHIFT)
#endif
#define phys_to_page(phys) pfn_to_page((unsigned long)((phys) >> PAGE_SHIFT))
#define virt_to_pfn(addr)  page_to_pfn(virt_to_page(addr))
#define PAGE_ALIGNED(a)	   (((unsigned long)(a) & ~PAGE_MASK) == 0)
#ifndef offset_in_page
#define offset_in_page(p) ((unsigned long)(p) & ~PAGE_MASK)
#endif
#define lowmem_page_address(page) page_address(page)
#define page_size(page)		  (PAGE_SIZE << compound_order(page))
#define page_shift(page)	  (PAGE_SHIFT + compound_order(page))
#define thp_nr_pages(page)	  ((int)compound_nr(page))
#define nth_page(page, n)	  pfn_to_page(page_to_pfn(page) + (n))
#define page_ref_count(page)	  page_count(page)
#define page_to_nid(page)	  ((void)(page), 0)
#define is_zero_pfn(pfn)	  false
#define PAGE_FILE_ALIGN(a)	  PAGE_ALIGN(a)

static inline struct page *virt_to_head_page(const void *addr)
{
	struct page *page = virt_to_page(addr);

	return page ? compound_head(page) : NULL;
}

/* The word that set_page_private() has put beside a page. Nobody clears it when a page is freed. */
unsigned long *kmem_env_page_private(const struct page *page);
#define page_private(page) (*kmem_env_page_private(page))
static inline void set_page_private(struct page *page, unsigned long value)
{
	*kmem_env_page_private(page) = value;
}

/* Pages of the machine, of it those above the direct map, and those free now. */
unsigned long totalram_pages(void);
unsigned long totalhigh_pages(void);
unsigned long nr_free_pages(void);
#define nr_free_buffer_pages() nr_free_pages()
/* Of <linux/sysinfo.h>: all but the times, the swap and the processes, in units of a page. */
struct sysinfo;
void si_meminfo(struct sysinfo *si);
/* Pages to be had without swapping, an estimate as the kernel's. */
long si_mem_available(void);

#define page_folio(p)		 ((struct folio *)compound_head((struct page *)(p)))
#define folio_page(folio, n)	 nth_page((struct page *)(folio), (n))
#define folio_address(folio)	 page_address((struct page *)(folio))
#define folio_pfn(folio)	 page_to_pfn((struct page *)(folio))
#define folio_order(folio)	 compound_order((struct page *)(folio))
#define folio_nr_pages(folio)	 ((long)compound_nr((struct page *)(folio)))
#define folio_size(folio)	 page_size((struct page *)(folio))
#define folio_ref_count(folio)	 page_count((struct page *)(folio))
#define folio_get(folio)	 get_page((struct page *)(folio))
#define folio_put(folio)	 put_page((struct page *)(folio))
#define folio_get_private(folio) ((void *)page_private((struct page *)(folio)))
#define folio_alloc(gfp, order)	 ((struct folio *)alloc_pages((gfp) | __GFP_COMP, (order)))
#define virt_to_folio(addr)	 ((struct folio *)virt_to_head_page(addr))

/* There is one address space, and nothing in it moves. */
#define want_init_on_free()		false
#define want_init_on_alloc(gfp)		(((gfp)&__GFP_ZERO) != 0)
#define debug_pagealloc_enabled()	false
#define page_poisoning_enabled_static() false
#define unpoison_page(page)		((void)(page))
#define mark_page_reserved(page)	((void)(page))
#define SetPageReserved(page)		((void)(page))
#define ClearPageReserved(page)		((void)(page))
#define PageReserved(page)		false

#endif
