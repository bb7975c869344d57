/* SPDX-License-Identifier: MIT */
#include <kmem/vmalloc.h>
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_VMALLOC_FREE, "nonexistent vm area")
{
	void *p = vmalloc(10000);

	vfree(p);
	vfree(p);
}
