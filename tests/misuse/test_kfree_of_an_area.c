/* SPDX-License-Identifier: MIT */
#include <kmem/vmalloc.h>
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_SLAB_FOREIGN, "Not a kmalloc allocation")
{
	void *p = vmalloc(10000);

	kfree(p);
	vfree(p);
}
