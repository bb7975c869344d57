/* SPDX-License-Identifier: MIT */
/*
 * Page-level allocation: blocks of 2^order pages from the zones.
 *
 * Context: every allocating call may sleep iff its mask has __GFP_DIRECT_RECLAIM; every freeing
 * call may be made from any context, a signal handler or interrupt included. Failure is NULL (or
 * 0) and changes nothing. A wrong free (wrong order, twice, a tail page, a foreign address) is
 * reported through the misuse hook with what is known of the page, and changes nothing. In NMI
 * context only the _nolock calls are silent: allocations are refused, frees done, and both
 * reported.
 */
#ifndef KMEM_PAGE_H
#define KMEM_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <kmem/gfp.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct page; /* descriptor of one frame; opaque */

/* 2^order pages aligned to their size, one reference (of the head). NULL on failure or order >
 * MAX_PAGE_ORDER. Contents are unknown without __GFP_ZERO. The first use may start the machine. */
struct page *alloc_pages(gfp_t gfp, unsigned int order) KMEM_HOT;
/* There is one node, 0; NUMA_NO_NODE (-1) means it too. Any other: NULL. */
struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order);
static inline struct page *alloc_page(gfp_t gfp)
{
	return alloc_pages(gfp, 0);
}

/* As above, but the address, 0 on failure. __GFP_HIGHMEM is masked. */
unsigned long __get_free_pages(gfp_t gfp, unsigned int order);
unsigned long get_zeroed_page(gfp_t gfp);
static inline unsigned long __get_free_page(gfp_t gfp)
{
	return __get_free_pages(gfp, 0);
}
static inline unsigned long __get_dma_pages(gfp_t gfp, unsigned int order)
{
	return __get_free_pages(gfp | GFP_DMA, order);
}

/*
 * Drops one reference; the last one frees. order is that of the allocation. With more references
 * held, a non-compound block gives its tail pages back at once and the head with the last
 * reference. NULL and 0 are no-ops.
 */
void __free_pages(struct page *page, unsigned int order) KMEM_HOT;
void free_pages(unsigned long addr, unsigned int order);
/* As __free_pages, to the cold end of the per-CPU list. */
void free_pages_cold(struct page *page, unsigned int order);
static inline void __free_page(struct page *page)
{
	__free_pages(page, 0);
}
static inline void free_page(unsigned long addr)
{
	free_pages(addr, 0);
}

/* Exactly PAGE_ALIGN(size) bytes: the excess of the block is given back. At most 4 MiB; NULL
 * for 0. The size of the free must be that of the allocation; all pages go, or, if one is not a
 * single page of the caller's, none. */
void *alloc_pages_exact(size_t size, gfp_t gfp);
void free_pages_exact(void *addr, size_t size);

/*
 * nr contiguous pages, any number up to the largest zone: what alloc_pages cannot do above
 * MAX_PAGE_ORDER. Free with free_contig_range(pfn, nr), all at once or in pieces, not with the
 * calls above. nid is 0 or -1, nodemask is not used; nr 0 is NULL. Not charged, and NULL without a
 * report; no out-of-memory handler is called for it.
 */
struct page *alloc_contig_pages(unsigned long nr, gfp_t gfp, int nid, void *nodemask);
void free_contig_range(unsigned long pfn, unsigned long nr);
/*
 * A run is what alloc_contig_pages returned; its first page, the head, knows its length. When a
 * part of a run is freed, what stays on either side is a run of its own. Both may be called by the
 * run's owner alone, in any context, and are refused (0, false: nothing has changed) for a page
 * that heads no run, NULL included.
 *
 * contig_nr_pages: pages of the run.
 * contig_resize: makes the run new_nr pages long where it lies. Shrinking gives the tail back and
 * cannot fail; growing takes the frames behind the run if they are free, of the same zone, and
 * their taking leaves the low watermark; their contents are unknown. new_nr 0 is refused.
 */
unsigned long contig_nr_pages(const struct page *head);
bool contig_resize(struct page *head, unsigned long new_nr);

/*
 * Fills the NULL slots of array[0..nr) with order-0 pages: as many as are there without effort, or
 * one with all the effort the mask permits. Returns how many slots from the start are populated.
 */
unsigned long alloc_pages_bulk(gfp_t gfp, unsigned long nr, struct page **array);

/*
 * Never sleeps, never spins; any context, NMI included. gfp: only __GFP_ACCOUNT. Orders 0..3. The
 * pages are zeroed and, above order 0, compound. NULL means busy, short or no machine; do not loop
 * on it. Another flag is reported, and NULL.
 */
struct page *alloc_pages_nolock(gfp_t gfp, int nid, unsigned int order);
void free_pages_nolock(struct page *page, unsigned int order);

/* References, of the head of a compound block or slab. put_page frees with the order recorded at
 * allocation; NULL is a no-op. get_page of a page without a reference traps. Any context. */
void get_page(struct page *page);
void put_page(struct page *page);
int page_count(const struct page *page);

/* Compound pages (__GFP_COMP): head of any member, order of the whole (0 if not compound). */
struct page *compound_head(struct page *page);
unsigned int compound_order(struct page *page);
static inline unsigned long compound_nr(struct page *page)
{
	return 1UL << compound_order(page);
}
bool PageCompound(struct page *page);
bool PageHead(struct page *page);
bool PageTail(struct page *page);

/* Makes of one non-compound block of the order 2^order pages that are freed one by one. Another
 * block is reported, and nothing has changed. Any context. */
void split_page(struct page *page, unsigned int order);

/* Conversions: arithmetic, in any context. page_address is NULL for a page of HIGHMEM. virt_to_phys
 * wants an address of the direct map; phys_to_virt is NULL outside it. */
void *page_address(const struct page *page);
struct page *virt_to_page(const void *addr); /* NULL if addr is not in the direct map */
unsigned long page_to_pfn(const struct page *page);
struct page *pfn_to_page(unsigned long pfn); /* NULL if there is no such frame */
bool pfn_valid(unsigned long pfn);
bool virt_addr_valid(const void *addr);
uint64_t virt_to_phys(const void *addr);
void *phys_to_virt(uint64_t phys);
int page_zonenum(const struct page *page);	     /* KMEM_ZONE_* of kmem/stat.h, or -1 */
const char *page_zone_name(const struct page *page); /* "DMA", "DMA32", "Normal", "HighMem"... */

/* The order that holds size bytes; 0 for size 0. */
static inline unsigned int get_order(size_t size)
{
	unsigned long last = size ? (unsigned long)((size - 1) >> PAGE_SHIFT) : 0;
	unsigned int bits = 8 * sizeof(last);
	unsigned int order = last ? bits - (unsigned int)__builtin_clzl(last) : 0;

	return order < bits - PAGE_SHIFT - 1 ? order : bits - PAGE_SHIFT - 1;
}

/* Gives the per-CPU page lists of all CPUs back to the buddy lists. Task context; does not
 * sleep. */
void drain_all_pages(void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
