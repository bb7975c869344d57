/* SPDX-License-Identifier: MIT */
#include <kmem/highmem.h>
#include "misuse.h"

MISUSE("mem=64M zones=normal:16M,highmem:rest", KMEM_MISUSE_CONTEXT, "sleeping function")
{
	struct page *a = alloc_page(GFP_HIGHUSER);

	kmem_preempt_disable();
	ok(kmap(a) != NULL, "there is a slot, so it is served");
	kmem_preempt_enable();
	kunmap(a);
	__free_page(a);
}
