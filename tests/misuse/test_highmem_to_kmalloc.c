/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=1G zones=i386", KMEM_MISUSE_GFP_UNEXPECTED, "Unexpected gfp")
{
	kfree(kmalloc(64, GFP_KERNEL | __GFP_HIGHMEM));
}
