/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M zones=i386 percpu_pages=0", KMEM_MISUSE_GFP_NOFAIL,
       "__GFP_NOFAIL cannot be promised")
{
	static struct page *pages[5000];
	unsigned int n = 0;

	while ((pages[n] = alloc_page(GFP_ATOMIC | __GFP_NOWARN)) != NULL)
		n++;
	ok(!alloc_page(GFP_NOWAIT | __GFP_NOFAIL), "may fail");
	while (n)
		__free_page(pages[--n]);
}
