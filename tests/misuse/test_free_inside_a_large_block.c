/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_SLAB_INTERIOR, "inside a block of 65536 bytes")
{
	char *p = kmalloc(50000, GFP_KERNEL);
	char *volatile q = p + 4096;

	kfree(q);
	kfree(p);
}
