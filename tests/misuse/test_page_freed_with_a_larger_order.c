/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_PAGE_WRONG_ORDER, "order")
{
	struct page *page = alloc_pages(GFP_KERNEL, 0);

	__free_pages(page, 4);
	__free_pages(page, 0);
}
