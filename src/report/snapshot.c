/* SPDX-License-Identifier: MIT */
/*
 * The statistics, brought up to date.
 *
 * Nearly all of them are kept current by whoever changes the figure: events by everybody, zones by
 * phys under the zone's lock, caches by slab under the node lock. What is left is what no slow step
 * sees: pages that come and go on the per-CPU lists.
 *
 * Reading takes no lock: each number is right for a moment of its own, and all of them agree when
 * the machine is quiet. Cost: zones * CPUs * 4. Any context; nothing is waited for.
 */
#include "report/report.h"

void snapshot_refresh(void)
{
	struct kmem_stat *st = kmem_machine.stat;

	assert_debug(st != NULL);
	assert_debug(st->nr_cpus == kmem_machine.nr_cpus);
	for_each_zone (z)
		for (u32 cpu = 0; cpu < kmem_machine.nr_cpus; cpu++)
			atom_store(&st->cpu[cpu].pcp_count[z->index], (u32)pcp_count(z, cpu));
	atom_store(&st->misuses, (u64)kmem_misuse_count());
}

const struct kmem_stat *kmem_stat_get(void)
{
	if (!kmem_booted())
		return NULL;
	snapshot_refresh();
	return kmem_machine.stat;
}

long kmem_read(const char *name, char *buf, size_t len)
{
	const struct kmem_stat *st = kmem_stat_get();

	return st ? kmem_stat_text(st, name, buf, len) : -KE_NOENT;
}
