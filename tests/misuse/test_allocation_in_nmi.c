/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_GFP_NMI, "NMI")
{
	kmem_nmi_enter();
	ok(!kmalloc(64, GFP_ATOMIC), "refused");
	kmem_nmi_exit();
}
