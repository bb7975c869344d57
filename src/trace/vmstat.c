/* SPDX-License-Identifier: MIT */
/* Event counters folded into totals, and the names of what is counted. */
#include "trace/trace.h"

uint64_t kmem_stat_events(const struct kmem_stat *stat, enum kmem_event event)
{
	u64 sum = 0;

	assert_debug(event < KMEM_NR_EVENTS);
	for (unsigned int cpu = 0; stat && cpu <= KMEM_MAX_CPUS && cpu <= stat->nr_cpus; cpu++)
		sum += atom_load(&stat->cpu[cpu].event[event]);
	return sum;
}

const char *kmem_event_name(unsigned int event)
{
	static const char *const name[] = {
#define X(name) #name,
		KMEM_EVENTS(X)
#undef X
	};

	_Static_assert(ARRAY_SIZE(name) == KMEM_NR_EVENTS, "every event has a name");
	return event < KMEM_NR_EVENTS ? name[event] : NULL;
}

const char *kmem_zone_name(unsigned int zone)
{
	static const char *const name[] = {
		[KMEM_ZONE_DMA] = "DMA",	 [KMEM_ZONE_DMA32] = "DMA32",
		[KMEM_ZONE_NORMAL] = "Normal",	 [KMEM_ZONE_HIGHMEM] = "HighMem",
		[KMEM_ZONE_MOVABLE] = "Movable",
	};

	_Static_assert(ARRAY_SIZE(name) == KMEM_NR_ZONES, "every zone has a name");
	return zone < KMEM_NR_ZONES ? name[zone] : NULL;
}

const char *kmem_migratetype_name(unsigned int mt)
{
	static const char *const name[] = {
		[KMEM_MT_UNMOVABLE] = "Unmovable",
		[KMEM_MT_MOVABLE] = "Movable",
		[KMEM_MT_RECLAIMABLE] = "Reclaimable",
		[KMEM_MT_HIGHATOMIC] = "HighAtomic",
	};

	_Static_assert(ARRAY_SIZE(name) == KMEM_NR_MT, "every mobility type has a name");
	return mt < KMEM_NR_MT ? name[mt] : NULL;
}
