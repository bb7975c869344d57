/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_PAGE_WRONG_ORDER, "order")
{
	struct page *page = alloc_pages(GFP_KERNEL, 3);

	__free_pages(page, 1);
	__free_pages(page, 3);
}
