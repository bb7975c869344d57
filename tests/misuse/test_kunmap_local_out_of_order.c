/* SPDX-License-Identifier: MIT */
#include <kmem/highmem.h>
#include "misuse.h"

MISUSE("mem=64M zones=normal:16M,highmem:rest", KMEM_MISUSE_KMAP_ORDER, "kunmap_local")
{
	struct page *a = alloc_page(GFP_HIGHUSER), *b = alloc_page(GFP_HIGHUSER);
	void *p = kmap_local_page(a), *q = kmap_local_page(b);

	kunmap_local(p);
	kunmap_local(q);
	__free_page(a);
	__free_page(b);
}
