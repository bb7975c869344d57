/* SPDX-License-Identifier: MIT */
#include <kmem/percpu.h>
#include "misuse.h"

MISUSE("mem=16M", KMEM_MISUSE_PERCPU_FREE, "not from alloc_percpu, or free already")
{
	long __percpu *p = alloc_percpu(long), *other = alloc_percpu(long);

	free_percpu(p + 100);
	free_percpu((char *)other + 4);
	free_percpu(&p);
	free_percpu(p);
	free_percpu(p);
	is(reports_of(KMEM_MISUSE_PERCPU_FREE), 4, "each");
	free_percpu(other);
}
