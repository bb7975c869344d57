/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M slab_debug=FZU", KMEM_MISUSE_SLAB_CORRUPT, "kmalloc Redzone overwritten")
{
	char *volatile p = kmalloc(20, GFP_KERNEL);

	p[20] = 1;
	kfree(p);
}
