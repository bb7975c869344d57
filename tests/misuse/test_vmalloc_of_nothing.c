/* SPDX-License-Identifier: MIT */
#include <kmem/vmalloc.h>
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_VMALLOC_SIZE, "size 0")
{
	ok(vmalloc(0) == NULL);
}
