/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_SLAB_INTERIOR, "kmalloc-128")
{
	char *p = kmalloc(100, GFP_KERNEL);
	char *volatile q = p + 16;

	kfree(q);
	kfree(p);
}
