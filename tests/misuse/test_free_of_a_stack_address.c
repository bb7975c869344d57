/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_SLAB_FOREIGN, "outside the machine")
{
	char on_stack[64];
	void *volatile p = on_stack;

	kfree(p);
}
