/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=64M", KMEM_MISUSE_SIZE, "maximum")
{
	ok(!kmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL), "refused");
}
