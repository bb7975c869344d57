/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=64M", KMEM_MISUSE_GFP_ORDER, "page allocation of order 11")
{
	ok(!alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER + 1), "refused");
}
