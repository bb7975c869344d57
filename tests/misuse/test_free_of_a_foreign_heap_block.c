/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_SLAB_FOREIGN, "outside the machine")
{
	void *p = malloc(64);
	void *volatile q = p;

	kfree(q);
	free(p);
}
