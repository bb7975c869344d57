/* SPDX-License-Identifier: MIT */
/*
 * Large blocks.
 *
 * A block of more than SMALL_MAX bytes is a run: as many contiguous pages as it needs, so a
 * malloc of 1.1 MiB takes 1.1 MiB of the budget and not 2. The library keeps the length with the
 * head of the run; there is no header in front of the block, and a run is recognised by a pointer to
 * the start of a page whose descriptor says that it heads one.
 *
 * Up to eight pages the page allocator has per-CPU lists of blocks of 2^order pages. Where such a
 * block wastes at most a quarter of itself (3, 4, 6, 7 and 8 pages) it is taken instead, through
 * kmalloc, which is many times quicker than a run.
 *
 * Alignment beyond a page: a run with align - 1 page more, of which head and tail are given back.
 */
#include "internal.h"

enum { ORDERED_MAX = 8 }; /* 2^PAGE_ALLOC_COSTLY_ORDER: what has per-CPU lists */

static size_t pages_of(size_t size)
{
	return (size >> PAGE_SHIFT) + ((size & (PAGE_SIZE - 1)) != 0);
}

/* Size of the kmalloc block for nr pages, in pages; 0: a run serves better. */
static size_t ordered_pages(size_t nr)
{
	size_t whole = 1;

	while (whole < nr)
		whole <<= 1;
	return whole <= ORDERED_MAX && whole - nr <= whole / 4 ? whole : 0;
}

static struct page *run_pages(size_t nr, gfp_t extra)
{
	return alloc_contig_pages(nr, malloc_gfp() | __GFP_NORETRY | extra, 0, NULL);
}

/* Gives back what lies before the first aligned page, and what lies behind nr pages from there. */
static struct page *run_trim(struct page *page, size_t nr, size_t align)
{
	unsigned long pfn = page_to_pfn(page);
	size_t mask = (align >> PAGE_SHIFT) - 1;
	uintptr_t vpn = (uintptr_t)page_address(page) >> PAGE_SHIFT;
	size_t before = (size_t)(-vpn) & mask;

	if (before != 0)
		free_contig_range(pfn, before);
	page = pfn_to_page(pfn + before);
	contig_resize(page, nr);
	return page;
}

void *run_alloc(size_t size, size_t align, gfp_t extra)
{
	size_t nr = pages_of(size);
	size_t ordered = ordered_pages(nr);
	size_t slack = align > PAGE_SIZE ? (align >> PAGE_SHIFT) - 1 : 0;
	struct page *page;

	/* A block of 2^order pages is aligned to itself. */
	if (ordered != 0 && align <= ordered << PAGE_SHIFT)
		return kmalloc(ordered << PAGE_SHIFT, malloc_gfp() | extra);
	if (slack > ((size_t)PTRDIFF_MAX >> PAGE_SHIFT) - nr)
		return NULL;
	page = run_pages(nr + slack, extra);
	if (page && slack != 0)
		page = run_trim(page, nr, align);
	return page ? page_address(page) : NULL;
}

void *run_alloc_roomy(size_t size)
{
	size_t nr = pages_of(size);
	struct page *page = NULL;

	if (ordered_pages(nr) == 0)
		page = run_pages(nr + nr / 8, GFP_NONE);
	return page ? page_address(page) : run_alloc(size, MALLOC_ALIGN, GFP_NONE);
}

size_t run_size(const void *p)
{
	if (((uintptr_t)p & (PAGE_SIZE - 1)) != 0)
		return 0;
	return contig_nr_pages(virt_to_page(p)) << PAGE_SHIFT;
}

bool run_resize(void *p, size_t size)
{
	return contig_resize(virt_to_page(p), pages_of(size));
}

void run_free(void *p)
{
	struct page *page = virt_to_page(p);

	free_contig_range(page_to_pfn(page), contig_nr_pages(page));
}
