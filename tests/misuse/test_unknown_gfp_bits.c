/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_GFP_UNKNOWN_BITS, "Unexpected gfp")
{
	struct page *page = alloc_page(GFP_KERNEL | (gfp_t)0x10000000u);

	ok(page != NULL, "served without them");
	__free_page(page);
}
