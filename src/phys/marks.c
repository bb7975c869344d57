// SPDX-License-Identifier: MIT
/*
 * marks: how much of a zone each request may use (semantics 2.3, 3.2-3.5, 4.4).
 *
 *	free pages
 *	  ^   high   kswapd stops here
 *	  |   low    ordinary requests stop here and wake kswapd
 *	  |   min    requests that may reclaim stop here; fractions of it are for those that may not
 *	  0
 *
 * All marks are raised by reserve[class] of the zone: what requests that could also have used a
 * higher zone must leave to those that cannot. Everything is recomputed from the options and the
 * managed counts by zone_setup_marks(), which is idempotent: the computed min_free_kbytes is always
 * that of boot, when the high marks are still 0.
 *
 * zone_watermark_ok() reads without locks and may be a moment behind; what it lets through is
 * decided by the lists.
 */
#include "phys/internal.h"

enum {
	MIN_FREE_KB_LEAST = 128,
	MIN_FREE_KB_MOST = 262144,
	HIGH_MIN_LEAST = 32, /* marks of zones that nothing in the core lives in */
	HIGH_MIN_MOST = 128,
	SCALE_UNIT = 10000,
	STAT_THRESHOLD_MOST = 125,
	PCP_HIGH_SHARE = 8, /* per-CPU lists together: an eighth of the zone at most */
};

/* Memory the core itself can live in. */
static bool zone_is_low(const struct zone *z)
{
	return z->index != KMEM_ZONE_HIGHMEM && z->index != KMEM_ZONE_MOVABLE;
}

static u64 min_free_kbytes(unsigned long low_pages)
{
	u64 kb = kmem_machine.opt.min_free_kbytes;

	if (kb)
		return kb;
	kb = isqrt_u64(16 * ((u64)low_pages << (PAGE_SHIFT - 10)));
	return u64_min(u64_max(kb, MIN_FREE_KB_LEAST), MIN_FREE_KB_MOST);
}

/* pages * scale / 10000 without overflow. */
static u64 scaled(u64 pages)
{
	u64 scale = kmem_machine.opt.watermark_scale_factor;
	u64 units = div_u64(pages, SCALE_UNIT);

	return units * scale + div_u64((pages - units * SCALE_UNIT) * scale, SCALE_UNIT);
}

static void zone_setup_mark(struct zone *z, u64 min_pages, u64 low_pages)
{
	u64 share = low_pages ? div_u64(min_pages * z->managed, low_pages) : 0;
	u64 step = u64_max(share >> 2, scaled(z->managed));
	u64 min = share;

	if (!zone_is_low(z))
		min = u64_min(u64_max(z->managed / 1024, HIGH_MIN_LEAST), HIGH_MIN_MOST);
	for (u32 i = 0; i < ARRAY_SIZE(z->mark); i++)
		atom_store(&z->mark[i], (unsigned long)(min + i * step));
}

static void zone_setup_reserve(struct zone *z)
{
	u32 ratio = kmem_machine.opt.lowmem_reserve_ratio[z->index];
	unsigned long above = 0;

	for (u32 j = 0; j < KMEM_NR_ZONES; j++) {
		unsigned long reserve = 0;

		if (j > z->index) {
			above += kmem_machine.zones[j].managed;
			reserve = ratio && z->managed ? above / ratio : 0;
		}
		atom_store(&z->reserve[j], reserve);
	}
}

u32 pcp_batch_of(unsigned long managed)
{
	unsigned long b = size_min(managed / 1024, (1UL << 20) / PAGE_SIZE) / 4;

	b = size_max(b, 1);
	b = 1UL << ilog2_ulong(b + b / 2);
	return (u32)size_max(b - 1, 1);
}

static void zone_setup_pcp(struct zone *z)
{
	unsigned long cpus = port_ncpu();
	unsigned long least = 4UL * pcp_batch_of(z->managed);

	atom_store(&z->pcp_batch, pcp_batch_of(z->managed));
	z->pcp_high_min = (u32)size_max(least, z->mark[ALLOC_WMARK_LOW] / cpus);
	z->pcp_high_max = (u32)size_max(least, z->managed / PCP_HIGH_SHARE / cpus);
}

static u32 stat_threshold(const struct zone *z)
{
	u32 mem = (u32)fls_ulong(z->managed >> (27 - PAGE_SHIFT)); /* in units of 128 MiB */
	u32 threshold = 2 * (u32)fls_ulong(port_ncpu()) * (1 + mem);

	return (u32)size_min(threshold, STAT_THRESHOLD_MOST);
}

static void zone_mirror_marks(const struct zone *z)
{
	struct kmem_stat_zone *st = z->stat;

	if (!st)
		return;
	atom_store(&st->managed, (u64)z->managed);
	atom_store(&st->min, (u64)z->mark[0]);
	atom_store(&st->low, (u64)z->mark[1]);
	atom_store(&st->high, (u64)z->mark[2]);
	atom_store(&st->promo, (u64)z->mark[3]);
	for (u32 j = 0; j < KMEM_NR_ZONES; j++)
		atom_store(&st->protection[j], (u64)z->reserve[j]);
	atom_store(&st->pcp_batch, z->pcp_batch);
	atom_store(&st->pcp_high_min, z->pcp_high_min);
	atom_store(&st->pcp_high_max, z->pcp_high_max);
	atom_store(&st->stat_threshold, stat_threshold(z));
}

/* What the machine keeps back in all: the reserve of the zone's worst class and its high mark. */
static unsigned long zone_kept(const struct zone *z)
{
	unsigned long most = 0;

	for (u32 j = 0; j < KMEM_NR_ZONES; j++)
		most = size_max(most, z->reserve[j]);
	return size_min(z->managed, most + z->mark[ALLOC_WMARK_HIGH]);
}

void zone_setup_marks(void)
{
	unsigned long low_pages = 0, total = 0, kept = 0;
	struct kmem_stat *st = kmem_machine.stat;
	u64 kb;

	for_each_zone (z) {
		total += z->managed;
		if (zone_is_low(z))
			low_pages += z->managed;
	}
	kb = min_free_kbytes(low_pages);
	for_each_zone (z) {
		zone_setup_mark(z, kb >> (PAGE_SHIFT - 10), low_pages);
		zone_setup_reserve(z);
		zone_setup_pcp(z);
		zone_mirror_marks(z);
		kept += zone_kept(z);
	}
	page_hits_refresh();
	if (!st)
		return;
	atom_store(&st->total_pages, (u64)total);
	atom_store(&st->totalreserve_pages, (u64)kept);
	atom_store(&st->min_free_kbytes, kb);
}

/* Is there a block of at least this order that the request may have? */
static bool zone_has_block(const struct zone *z, unsigned int order, bool reserved_too)
{
	u32 types = phys.typed ? KMEM_NR_MT : 1;

	for (unsigned int o = order; o <= MAX_PAGE_ORDER; o++)
		for (u32 mt = 0; mt < types; mt++)
			if (atom_load(&z->area[o].nr_free[mt]) &&
			    (mt != KMEM_MT_HIGHATOMIC || reserved_too))
				return true;
	return false;
}

bool zone_watermark_ok(const struct zone *z, unsigned int order, unsigned long mark, u32 class,
		       u32 aflags, unsigned long free_pages)
{
	long free = (long)free_pages - ((1L << order) - 1);
	long min = (long)mark;

	assert_debug(order <= MAX_PAGE_ORDER && class < KMEM_NR_ZONES);
	if (!(aflags & ALLOC_RESERVES))
		free -= (long)atom_load(&z->nr_free_highatomic);
	if (aflags & ALLOC_MIN_RESERVE) {
		min -= min / 2;
		if (aflags & ALLOC_NON_BLOCK)
			min -= min / 4;
	}
	if (aflags & ALLOC_OOM)
		min -= min / 2;
	/* The reserve for lower classes is never scaled (S39). */
	if (free <= min + (long)atom_load(&z->reserve[class]))
		return false;
	if (order == 0)
		return true;
	return zone_has_block(z, order, (aflags & (ALLOC_HIGHATOMIC | ALLOC_OOM)) != 0);
}

bool zone_above_high(const struct zone *z)
{
	return zone_watermark_ok(z, 0, atom_load(&z->mark[ALLOC_WMARK_HIGH]), KMEM_ZONE_MOVABLE, 0,
				 zone_free_pages(z));
}
