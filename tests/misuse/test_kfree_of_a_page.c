/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_SLAB_FOREIGN, "not from kmalloc")
{
	unsigned long addr = __get_free_page(GFP_KERNEL);

	kfree((void *)addr);
	free_page(addr);
}
