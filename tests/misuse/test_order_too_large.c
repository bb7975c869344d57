/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=64M", KMEM_MISUSE_GFP_ORDER, "")
{
	ok(!alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER + 1), "refused");
}
