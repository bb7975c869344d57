// SPDX-License-Identifier: MIT
/*
 * The public functions of <kmem/page.h> that ask what a frame is: arithmetic and one look at a
 * descriptor. None takes a lock, and all may be called in any context, the machine off included.
 */
#include "phys/internal.h"
#include <kmem/highmem.h>

void *page_address(const struct page *page)
{
	if (!page || !page_valid(page))
		return NULL;
	if (unlikely(pfn_of_page(page) >= kmem_machine.low_end))
		return kmap_address(pfn_of_page(page));
	return likely(!page_is_lent(page)) ? addr_of_page(page) : lent_address(page);
}

bool PageHighMem(const struct page *page)
{
	return page_valid(page) && pfn_of_page(page) >= kmem_machine.low_end;
}

struct page *virt_to_page(const void *addr)
{
	return page_of_addr(addr);
}

unsigned long page_to_pfn(const struct page *page)
{
	return pfn_of_page(page);
}

bool pfn_valid(unsigned long pfn)
{
	return pfn < kmem_machine.end && page_state(page_of_pfn(pfn)) != PAGE_HOLE;
}

struct page *pfn_to_page(unsigned long pfn)
{
	return pfn < kmem_machine.end ? page_of_pfn(pfn) : NULL;
}

bool virt_addr_valid(const void *addr)
{
	const struct page *page = page_of_addr(addr);

	return page && page_state(page) != PAGE_HOLE;
}

uint64_t virt_to_phys(const void *addr)
{
	return (uintptr_t)addr - (uintptr_t)kmem_machine.lowmem;
}

void *phys_to_virt(uint64_t phys_addr)
{
	if (phys_addr >> PAGE_SHIFT >= kmem_machine.low_end)
		return NULL;
	return kmem_machine.lowmem + (size_t)phys_addr;
}

int page_zonenum(const struct page *page)
{
	const struct zone *z = page_valid(page) ? zone_of_pfn(pfn_of_page(page)) : NULL;

	return z ? (int)z->index : -1;
}

const char *page_zone_name(const struct page *page)
{
	const struct zone *z = page_valid(page) ? zone_of_pfn(pfn_of_page(page)) : NULL;

	return z ? z->name : NULL;
}

struct page *compound_head(struct page *page)
{
	if (page_state(page) != PAGE_TAIL)
		return page;
	if (atom_load(&page->flags) & PAGE_IN_SLAB)
		return page - page->u.slab.tail_nr;
	return page_of_pfn(page->u.tail.head);
}

bool PageTail(struct page *page)
{
	return page_state(page) == PAGE_TAIL;
}

bool PageHead(struct page *page)
{
	u8 state = page_state(page);

	if (state == PAGE_SLAB)
		return page->order > 0;
	return (state == PAGE_ALLOC || state == PAGE_LARGE) &&
	       (atom_load(&page->flags) & PAGE_COMPOUND);
}

bool PageCompound(struct page *page)
{
	return PageTail(page) || PageHead(page);
}

unsigned int compound_order(struct page *page)
{
	return PageHead(page) ? page->order : 0;
}

int page_count(const struct page *page)
{
	u8 state = page_state(page);

	if (state == PAGE_TAIL && atom_load(&page->flags) & PAGE_IN_SLAB)
		page -= page->u.slab.tail_nr;
	else if (state == PAGE_TAIL)
		page = page_of_pfn(page->u.tail.head);
	return atom_load(&page->refcount);
}

void get_page(struct page *page)
{
	s32 before = atom_add(&compound_head(page)->refcount, 1);

	/* Whoever has no reference cannot take another. */
	assert_always(before > 0);
}

void drain_all_pages(void)
{
	pcp_drain_all();
}
