/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_PAGE_FOREIGN, "not an address of this machine's memory")
{
	char on_stack[64];
	unsigned long volatile addr = (unsigned long)on_stack & PAGE_MASK;

	free_pages(addr, 0);
}
