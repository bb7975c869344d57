/* SPDX-License-Identifier: MIT */
/* The second free follows the first: seen without any checking option. */
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_SLAB_DOUBLE_FREE, "kmalloc-128")
{
	void *p = kmalloc(100, GFP_KERNEL);

	kfree(p);
	kfree(p);
}
