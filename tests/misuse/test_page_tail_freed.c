/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_PAGE_TAIL, "pfn")
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);

	__free_pages(pfn_to_page(page_to_pfn(page) + 1), 0);
	__free_pages(page, 2);
}
