/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M percpu_pages=0", KMEM_MISUSE_PAGE_DOUBLE_FREE, "pfn")
{
	struct page *page = alloc_pages(GFP_KERNEL, 2);

	__free_pages(page, 2);
	__free_pages(page, 2);
}
