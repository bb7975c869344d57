/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_SLAB_FOREIGN, "its page")
{
	void *p = kmalloc(50000, GFP_KERNEL);

	kfree(p);
	kfree(p);
}
