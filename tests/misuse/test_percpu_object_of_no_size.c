/* SPDX-License-Identifier: MIT */
#include <kmem/percpu.h>
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_PERCPU_SIZE, "illegal size (0) or align (8) for percpu allocation")
{
	ok(!__alloc_percpu(0, 8), "refused");
}
