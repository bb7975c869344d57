/* SPDX-License-Identifier: MIT */
#include <kmem/vmalloc.h>
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_VMALLOC_FREE, "Trying to vfree()")
{
	void *p = kmalloc(100, GFP_KERNEL);

	vfree(p);
	kfree(p);
}
