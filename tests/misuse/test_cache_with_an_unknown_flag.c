/* SPDX-License-Identifier: MIT */
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_SLAB_CREATE, "victims")
{
	ok(!kmem_cache_create("victims", 64, 0, 0x2u, NULL), "refused");
}
