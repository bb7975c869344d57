/* SPDX-License-Identifier: MIT */
#include <kmem/vmalloc.h>
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_VMALLOC_FREE, "mapped by vmalloc or vmap")
{
	void *p = vmalloc(10000);

	__free_page(vmalloc_to_page(p));
	memset(p, 1, 10000);
	vfree(p);
}
