/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_GFP_SLEEP_ATOMIC, "sleeping function called from invalid context")
{
	kmem_irq_enter();
	kfree(kmalloc(64, GFP_KERNEL));
	kmem_irq_exit();
}
