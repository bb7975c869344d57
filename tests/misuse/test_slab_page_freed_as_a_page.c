/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_PAGE_SLAB, "slab")
{
	void *p = kmalloc(64, GFP_KERNEL);

	__free_pages(virt_to_page(p), 0);
	kfree(p);
}
