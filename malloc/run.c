/* SPDX-License-Identifier: MIT */
/*
 * Large blocks.
 *
 * A block of more than SMALL_MAX bytes is a run: as many contiguous pages as it needs, so a
 * malloc of 1.1 MiB takes 1.1 MiB of the budget and not 2. The library keeps the length with the
 * head of the run; there is no header in front of the block, and a run is recognised by a pointer to
 * the start of a page whose descriptor says that it heads one.
 *
 * Up to RUN_MAX bytes the lengths are those of the library's per-CPU lists of runs: each up to 16 pages,
 * then eight to a doubling, at most an eighth more than was asked for. What was freed is allocated again
 * from there, without a lock (run.h).
 *
 * Alignment beyond a page: a run with align - 1 page more, of which head and tail are given back.
 */
#include "run.h"

static size_t run_pages_for(size_t size)
{
	return size <= RUN_MAX ? run_list_nr(run_list_for(size)) : pages_of(size);
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
	size_t nr = run_pages_for(size);
	size_t slack = align > PAGE_SIZE ? (align >> PAGE_SHIFT) - 1 : 0;
	struct page *page;

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
	struct page *page = run_pages(run_pages_for((nr + nr / 8) << PAGE_SHIFT), GFP_NONE);

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
	return contig_resize(virt_to_page(p), run_pages_for(size));
}

void run_free(void *p)
{
	struct page *page = virt_to_page(p);

	free_contig_range(page_to_pfn(page), contig_nr_pages(page));
}
