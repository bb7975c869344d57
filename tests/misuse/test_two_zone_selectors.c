/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=1G zones=i386", KMEM_MISUSE_GFP_BAD_ZONE, "Unexpected gfp")
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_DMA | __GFP_HIGHMEM);

	ok(page && page_to_pfn(page) < 4096, "served from DMA");
	__free_page(page);
}
