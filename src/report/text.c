/* SPDX-License-Identifier: MIT */
/*
 * The kernel's texts: slabinfo, buddyinfo, zoneinfo, vmstat, pagetypeinfo (semantics 10.1-10.5),
 * in the form of Linux 6.18, byte for byte, so that the tools that read /proc read them.
 *
 * Everything comes from a const struct kmem_stat, which may be another process's and so may hold
 * anything: indexes and names are bounded here, and sums cannot trap.
 *
 * The kernel counts many things that a library does not have (shared memory, transparent huge
 * pages). They are listed with 0 in the kernel's order, for tools that look lines up by name
 * or by position.
 *
 * Cost: one pass over the snapshot; slabinfo sorts by repeated search, caches^2 / 2 comparisons.
 * No locks, no allocation; any context.
 */
#include "report/report.h"

/* ---- Writing -------------------------------------------------------------------------------- */

struct text {
	char *buf;
	size_t len, used; /* used: what the whole text takes, beyond len too */
};

static void __attribute__((format(printf, 2, 3))) text_add(struct text *t, const char *fmt, ...)
{
	size_t at = size_min(t->used, t->len);
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = fmt_vsnprintf(t->len ? t->buf + at : NULL, t->len - at, fmt, ap);
	va_end(ap);
	assert_debug(n >= 0);
	t->used += (size_t)n;
}

typedef unsigned long long ull;

/* ---- What a snapshot says ------------------------------------------------------------------- */

/* Where a line of a counter list gets its number from. */
enum source {
	SRC_ZERO, /* the kernel counts it; there is no such thing here */
	SRC_FREE,
	SRC_FREE_BLOCKS,
	SRC_ALLOCS,
	SRC_SLAB_RECLAIMABLE,
	SRC_SLAB_UNRECLAIMABLE,
	SRC_WRITE_PENDING,
	SRC_ANON, /* on any LRU list */
	SRC_FILE,
	SRC_LRU, /* and what follows: enum kmem_lru_stat */
};

struct counter {
	const char *name;
	int source; /* enum source, or one behind it */
};

static const struct counter zone_counters[] = {
	{"nr_free_pages", SRC_FREE},
	{"nr_free_pages_blocks", SRC_FREE_BLOCKS},
	{"nr_zone_inactive_anon", SRC_LRU + KMEM_LRU_INACTIVE_ANON},
	{"nr_zone_active_anon", SRC_LRU + KMEM_LRU_ACTIVE_ANON},
	{"nr_zone_inactive_file", SRC_LRU + KMEM_LRU_INACTIVE_FILE},
	{"nr_zone_active_file", SRC_LRU + KMEM_LRU_ACTIVE_FILE},
	{"nr_zone_unevictable", SRC_ZERO},
	{"nr_zone_write_pending", SRC_WRITE_PENDING},
	{"nr_mlock", SRC_ZERO},
	{"nr_zspages", SRC_ZERO},
	{"nr_free_cma", SRC_ZERO},
};

/* One node: every allocation that succeeds is a local hit. */
static const struct counter numa_counters[] = {
	{"numa_hit", SRC_ALLOCS},      {"numa_miss", SRC_ZERO},	   {"numa_foreign", SRC_ZERO},
	{"numa_interleave", SRC_ZERO}, {"numa_local", SRC_ALLOCS}, {"numa_other", SRC_ZERO},
};

static const struct counter node_counters[] = {
	{"nr_inactive_anon", SRC_LRU + KMEM_LRU_INACTIVE_ANON},
	{"nr_active_anon", SRC_LRU + KMEM_LRU_ACTIVE_ANON},
	{"nr_inactive_file", SRC_LRU + KMEM_LRU_INACTIVE_FILE},
	{"nr_active_file", SRC_LRU + KMEM_LRU_ACTIVE_FILE},
	{"nr_unevictable", SRC_ZERO},
	{"nr_slab_reclaimable", SRC_SLAB_RECLAIMABLE},
	{"nr_slab_unreclaimable", SRC_SLAB_UNRECLAIMABLE},
	{"nr_isolated_anon", SRC_LRU + KMEM_LRU_ISOLATED_ANON},
	{"nr_isolated_file", SRC_LRU + KMEM_LRU_ISOLATED_FILE},
	{"workingset_nodes", SRC_ZERO},
	{"workingset_refault_anon", SRC_ZERO},
	{"workingset_refault_file", SRC_ZERO},
	{"workingset_activate_anon", SRC_ZERO},
	{"workingset_activate_file", SRC_ZERO},
	{"workingset_restore_anon", SRC_ZERO},
	{"workingset_restore_file", SRC_ZERO},
	{"workingset_nodereclaim", SRC_ZERO},
	{"nr_anon_pages", SRC_ANON},
	{"nr_mapped", SRC_ZERO},
	{"nr_file_pages", SRC_FILE},
	{"nr_dirty", SRC_LRU + KMEM_LRU_DIRTY},
	{"nr_writeback", SRC_LRU + KMEM_LRU_WRITEBACK},
	{"nr_shmem", SRC_ZERO},
	{"nr_shmem_hugepages", SRC_ZERO},
	{"nr_shmem_pmdmapped", SRC_ZERO},
	{"nr_file_hugepages", SRC_ZERO},
	{"nr_file_pmdmapped", SRC_ZERO},
	{"nr_anon_transparent_hugepages", SRC_ZERO},
	{"nr_vmscan_write", SRC_ZERO},
	{"nr_vmscan_immediate_reclaim", SRC_ZERO},
	{"nr_dirtied", SRC_ZERO},
	{"nr_written", SRC_ZERO},
	{"nr_throttled_written", SRC_ZERO},
	{"nr_kernel_misc_reclaimable", SRC_ZERO},
	{"nr_foll_pin_acquired", SRC_ZERO},
	{"nr_foll_pin_released", SRC_ZERO},
	{"nr_kernel_stack", SRC_ZERO},
	{"nr_page_table_pages", SRC_ZERO},
	{"nr_sec_page_table_pages", SRC_ZERO},
	{"nr_iommu_pages", SRC_ZERO},
	{"nr_swapcached", SRC_ZERO},
};

static u32 nr_cpus_of(const struct kmem_stat *st)
{
	return st->nr_cpus < KMEM_MAX_CPUS ? st->nr_cpus : KMEM_MAX_CPUS;
}

static u64 free_blocks(const struct kmem_stat_zone *z, unsigned int order)
{
	u64 sum = 0;

	for (unsigned int mt = 0; mt < KMEM_NR_MT; mt++)
		sum += atom_load(&z->nr_free[mt][order]);
	return sum;
}

/* Free pages that lie in whole page blocks. */
static u64 free_in_blocks(const struct kmem_stat_zone *z)
{
	u64 sum = 0;

	for (unsigned int order = pageblock_order; order < NR_PAGE_ORDERS; order++)
		sum += free_blocks(z, order) << order;
	return sum;
}

static u64 lru_value(const struct kmem_stat *st, unsigned int zone, int what)
{
	return atom_load(&st->zone[zone].lru[what]);
}

/* A counter of one zone. Events of allocation are kept for each zone in pages. */
static u64 zone_value(const struct kmem_stat *st, unsigned int zone, int source)
{
	if (source >= SRC_LRU)
		return lru_value(st, zone, source - SRC_LRU);
	switch (source) {
	case SRC_FREE:
		return atom_load(&st->zone[zone].free);
	case SRC_FREE_BLOCKS:
		return free_in_blocks(&st->zone[zone]);
	case SRC_ALLOCS:
		return kmem_stat_events(st, (enum kmem_event)(KMEM_EV_pgalloc_dma + (int)zone));
	case SRC_WRITE_PENDING:
		return lru_value(st, zone, KMEM_LRU_DIRTY) +
		       lru_value(st, zone, KMEM_LRU_WRITEBACK);
	case SRC_ANON:
		return lru_value(st, zone, KMEM_LRU_INACTIVE_ANON) +
		       lru_value(st, zone, KMEM_LRU_ACTIVE_ANON) +
		       lru_value(st, zone, KMEM_LRU_ISOLATED_ANON);
	case SRC_FILE:
		return lru_value(st, zone, KMEM_LRU_INACTIVE_FILE) +
		       lru_value(st, zone, KMEM_LRU_ACTIVE_FILE) +
		       lru_value(st, zone, KMEM_LRU_ISOLATED_FILE);
	default:
		return 0;
	}
}

/* Of all zones together. */
static u64 zones_value(const struct kmem_stat *st, int source)
{
	u64 sum = 0;

	for (unsigned int z = 0; z < KMEM_NR_ZONES; z++)
		sum += zone_value(st, z, source);
	return sum;
}

static u64 node_value(const struct kmem_stat *st, int source)
{
	switch (source) {
	case SRC_SLAB_RECLAIMABLE:
		return atom_load(&st->nr_slab_reclaimable);
	case SRC_SLAB_UNRECLAIMABLE:
		return atom_load(&st->nr_slab_unreclaimable);
	default:
		return zones_value(st, source);
	}
}

/* ---- slabinfo ------------------------------------------------------------------------------- */

/* Each figure is read once: a cache may change, or go, while its row is written. */
static void slabinfo_row(struct text *t, const struct kmem_stat_cache *c)
{
	u64 objs = atom_load(&c->nr_objs), free = u64_min(atom_load(&c->free_objs), objs);
	ull slabs = atom_load(&c->nr_slabs);
	char name[KMEM_NAME_MAX];

	for (u32 i = 0; i < KMEM_NAME_MAX; i++)
		name[i] = atom_load(&c->name[i]);
	text_add(t, "%-17.*s %6llu %6llu %6u %4u %4d", KMEM_NAME_MAX - 1, name, (ull)(objs - free),
		 (ull)objs, atom_load(&c->size), atom_load(&c->objs_per_slab),
		 (int)atom_load(&c->pages_per_slab));
	text_add(t, " : tunables %4u %4u %4u", 0u, 0u, 0u);
	text_add(t, " : slabdata %6llu %6llu %6llu\n", slabs, slabs, 0ull);
}

/* The newest cache older than *seq, which becomes its own; NULL: there is none. */
static const struct kmem_stat_cache *cache_before(const struct kmem_stat *st, u64 *seq)
{
	const struct kmem_stat_cache *best = NULL;
	u64 best_seq = 0;

	for (unsigned int i = 0; i < KMEM_MAX_CACHES; i++) {
		const struct kmem_stat_cache *c = &st->cache[i];
		bool used = atom_load_acq(&c->name[0]); /* pairs with stat_fill in slab/create.c */
		u64 its = atom_load(&c->seq);

		if (used && its < *seq && (!best || its > best_seq)) {
			best = c;
			best_seq = its;
		}
	}
	*seq = best_seq;
	return best;
}

static void text_slabinfo(const struct kmem_stat *st, struct text *t)
{
	const struct kmem_stat_cache *c;
	u64 seq = UINT64_MAX;

	text_add(t, "slabinfo - version: 2.1\n");
	text_add(t, "# name            <active_objs> <num_objs> <objsize> <objperslab> "
		    "<pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata "
		    "<active_slabs> <num_slabs> <sharedavail>\n");
	while ((c = cache_before(st, &seq)))
		slabinfo_row(t, c);
}

/* ---- buddyinfo ------------------------------------------------------------------------------ */

static void text_buddyinfo(const struct kmem_stat *st, struct text *t)
{
	for (unsigned int z = 0; z < KMEM_NR_ZONES; z++) {
		if (!st->zone[z].populated)
			continue;
		text_add(t, "Node %d, zone %8s ", 0, kmem_zone_name(z));
		for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
			text_add(t, "%6llu ", (ull)free_blocks(&st->zone[z], order));
		text_add(t, "\n");
	}
}

/* ---- pagetypeinfo --------------------------------------------------------------------------- */

/* Types the kernel lists after ours; no block is ever isolated here. */
static const char isolate_name[] = "Isolate";

static void pagetype_free(const struct kmem_stat_zone *zone, unsigned int z, unsigned int mt,
			  struct text *t)
{
	text_add(t, "Node %4d, zone %8s, type %12s ", 0, kmem_zone_name(z),
		 mt < KMEM_NR_MT ? kmem_migratetype_name(mt) : isolate_name);
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		u64 n = mt < KMEM_NR_MT ? atom_load(&zone->nr_free[mt][order]) : 0;

		/* The kernel stops counting a list there, and says so. */
		text_add(t, "%s%6llu ", n >= 100000 ? ">" : "", (ull)u64_min(n, 100000));
	}
	text_add(t, "\n");
}

static void pagetype_blocks(const struct kmem_stat *st, struct text *t)
{
	text_add(t, "\n%-23s", "Number of blocks type ");
	for (unsigned int mt = 0; mt < KMEM_NR_MT; mt++)
		text_add(t, "%12s ", kmem_migratetype_name(mt));
	text_add(t, "%12s \n", isolate_name);
	for (unsigned int z = 0; z < KMEM_NR_ZONES; z++) {
		if (!st->zone[z].populated)
			continue;
		text_add(t, "Node %d, zone %8s ", 0, kmem_zone_name(z));
		for (unsigned int mt = 0; mt < KMEM_NR_MT; mt++)
			text_add(t, "%12llu ", (ull)atom_load(&st->zone[z].nr_blocks[mt]));
		text_add(t, "%12llu \n", 0ull);
	}
}

static void text_pagetypeinfo(const struct kmem_stat *st, struct text *t)
{
	text_add(t, "Page block order: %d\n", (int)pageblock_order);
	text_add(t, "Pages per block:  %lu\n\n", pageblock_nr_pages);
	text_add(t, "%-43s ", "Free pages count per migrate type at order");
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		text_add(t, "%6d ", (int)order);
	text_add(t, "\n");
	for (unsigned int z = 0; z < KMEM_NR_ZONES; z++)
		for (unsigned int mt = 0; st->zone[z].populated && mt <= KMEM_NR_MT; mt++)
			pagetype_free(&st->zone[z], z, mt, t);
	pagetype_blocks(st, t);
}

/* ---- zoneinfo ------------------------------------------------------------------------------- */

static void zoneinfo_node(const struct kmem_stat *st, struct text *t)
{
	text_add(t, "\n  per-node stats");
	for (size_t i = 0; i < ARRAY_SIZE(node_counters); i++)
		text_add(t, "\n      %-12s %llu", node_counters[i].name,
			 (ull)node_value(st, node_counters[i].source));
}

static void zoneinfo_pages(const struct kmem_stat *st, const struct kmem_stat_zone *zone,
			   struct text *t)
{
	const char *sep = "";

	text_add(t, "\n  pages free     %llu", (ull)atom_load(&zone->free));
	text_add(t, "\n        boost    %llu", (ull)atom_load(&zone->boost));
	text_add(t, "\n        min      %llu", (ull)atom_load(&zone->min));
	text_add(t, "\n        low      %llu", (ull)atom_load(&zone->low));
	text_add(t, "\n        high     %llu", (ull)atom_load(&zone->high));
	text_add(t, "\n        promo    %llu", (ull)atom_load(&zone->promo));
	text_add(t, "\n        spanned  %llu", (ull)zone->spanned);
	text_add(t, "\n        present  %llu", (ull)zone->present);
	text_add(t, "\n        managed  %llu", (ull)atom_load(&zone->managed));
	text_add(t, "\n        cma      %llu", 0ull);
	text_add(t, "\n        protection: (");
	/* One entry for each zone type this machine has. */
	for (unsigned int z = 0; z < KMEM_NR_ZONES; z++) {
		if (!st->zone[z].configured)
			continue;
		text_add(t, "%s%llu", sep, (ull)atom_load(&zone->protection[z]));
		sep = ", ";
	}
	text_add(t, ")");
}

static void zoneinfo_cpus(const struct kmem_stat *st, unsigned int z, struct text *t)
{
	const struct kmem_stat_zone *zone = &st->zone[z];

	text_add(t, "\n  pagesets");
	for (u32 cpu = 0; cpu < nr_cpus_of(st); cpu++) {
		text_add(t, "\n    cpu: %i", (int)cpu);
		text_add(t, "\n              count:    %i",
			 (int)atom_load(&st->cpu[cpu].pcp_count[z]));
		text_add(t, "\n              high:     %i", (int)atom_load(&zone->pcp_high_min));
		text_add(t, "\n              batch:    %i", (int)atom_load(&zone->pcp_batch));
		text_add(t, "\n              high_min: %i", (int)atom_load(&zone->pcp_high_min));
		text_add(t, "\n              high_max: %i", (int)atom_load(&zone->pcp_high_max));
		text_add(t, "\n  vm stats threshold: %d", (int)atom_load(&zone->stat_threshold));
	}
}

static void zoneinfo_zone(const struct kmem_stat *st, unsigned int z, bool first, struct text *t)
{
	const struct kmem_stat_zone *zone = &st->zone[z];

	text_add(t, "Node %d, zone %8s", 0, kmem_zone_name(z));
	if (first)
		zoneinfo_node(st, t);
	zoneinfo_pages(st, zone, t);
	if (!zone->populated) {
		text_add(t, "\n");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(zone_counters); i++)
		text_add(t, "\n      %-12s %llu", zone_counters[i].name,
			 (ull)zone_value(st, z, zone_counters[i].source));
	for (size_t i = 0; i < ARRAY_SIZE(numa_counters); i++)
		text_add(t, "\n      %-12s %llu", numa_counters[i].name,
			 (ull)zone_value(st, z, numa_counters[i].source));
	zoneinfo_cpus(st, z, t);
	text_add(t, "\n  node_unreclaimable:  %u", 0u);
	text_add(t, "\n  start_pfn:           %llu\n", (ull)zone->start_pfn);
}

static void text_zoneinfo(const struct kmem_stat *st, struct text *t)
{
	bool first = true;

	for (unsigned int z = 0; z < KMEM_NR_ZONES; z++) {
		const struct kmem_stat_zone *zone = &st->zone[z];

		if (!zone->configured)
			continue;
		zoneinfo_zone(st, z, first && zone->populated, t);
		first = first && !zone->populated;
	}
}

/* ---- vmstat --------------------------------------------------------------------------------- */

static void vmstat_zones(const struct kmem_stat *st, const struct counter *c, size_t nr,
			 struct text *t)
{
	for (size_t i = 0; i < nr; i++)
		text_add(t, "%s %llu\n", c[i].name, (ull)zones_value(st, c[i].source));
}

static void text_vmstat(const struct kmem_stat *st, struct text *t)
{
	vmstat_zones(st, zone_counters, ARRAY_SIZE(zone_counters), t);
	vmstat_zones(st, numa_counters, ARRAY_SIZE(numa_counters), t);
	for (size_t i = 0; i < ARRAY_SIZE(node_counters); i++)
		text_add(t, "%s %llu\n", node_counters[i].name,
			 (ull)node_value(st, node_counters[i].source));
	for (unsigned int ev = 0; ev < KMEM_NR_EVENTS; ev++)
		text_add(t, "%s %llu\n", kmem_event_name(ev),
			 (ull)kmem_stat_events(st, (enum kmem_event)ev));
}

/* ---- All ------------------------------------------------------------------------------------ */

struct text_kind {
	const char *name;
	void (*format)(const struct kmem_stat *st, struct text *t);
};

static const struct text_kind text_kinds[] = {
	{"slabinfo", text_slabinfo},	     {"buddyinfo", text_buddyinfo},
	{"zoneinfo", text_zoneinfo},	     {"vmstat", text_vmstat},
	{"pagetypeinfo", text_pagetypeinfo},
};

long kmem_stat_text(const struct kmem_stat *stat, const char *name, char *buf, size_t len)
{
	struct text t = {.buf = buf, .len = len};

	for (size_t i = 0; i < ARRAY_SIZE(text_kinds); i++) {
		if (!str_eq(name, text_kinds[i].name))
			continue;
		text_kinds[i].format(stat, &t);
		return (long)t.used;
	}
	return -KE_NOENT;
}
