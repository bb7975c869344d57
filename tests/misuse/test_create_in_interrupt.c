/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_SLAB_CONTEXT, "invalid context")
{
	kmem_irq_enter();
	ok(!kmem_cache_create("victims", 64, 0, 0, NULL), "refused");
	kmem_irq_exit();
}
