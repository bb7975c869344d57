// SPDX-License-Identifier: MIT
/*
 * memblock: memory before there are zones.
 *
 * The port names its usable ranges. The core's tables come from the port's own store (port_meta)
 * where it has one, so that the zones keep every frame; otherwise they are carved off the top of
 * the highest range in the direct map, and never come back: those frames are present but not
 * managed. What takes up half a page or less shares one with others, aligned to its size rounded up
 * to a power of two. Top-down spares the low frames that devices with short addresses need.
 *
 *	range  |<------------------------ usable ------------------------>|
 *	left   |<------------- given to zones ------------>|<-- tables -->|
 *
 * Once the zones are live a late boot_alloc takes its frames from them, as a run that is never
 * freed. Single-threaded: boot only, under BOOT.
 */
#include "phys/internal.h"

static struct {
	struct port_range usable[KMEM_MAX_RANGES];
	struct port_range left[KMEM_MAX_RANGES + 1]; /* one is cut where the direct map ends */
	unsigned int nr, nr_left;
	unsigned char *shared; /* a page that the next small tables come from, */
	size_t shared_used;    /* up to here they have */
} memblock;

static void left_add(u64 start, u64 end)
{
	if (start < end)
		memblock.left[memblock.nr_left++] = (struct port_range){start, end};
}

unsigned int memblock_load(void)
{
	u64 limit;

	if (memblock.nr)
		return memblock.nr;
	memblock.nr = port_ranges(memblock.usable, KMEM_MAX_RANGES);
	assert_always(memblock.nr <= KMEM_MAX_RANGES);
	limit = (u64)memblock_low_end() << PAGE_SHIFT;
	for (unsigned int i = 0; i < memblock.nr; i++) {
		const struct port_range *r = &memblock.usable[i];

		left_add(r->start, u64_min(r->end, limit));
		left_add(u64_max(r->start, limit), r->end);
	}
	return memblock.nr;
}

void memblock_reset(void)
{
	__builtin_memset(&memblock, 0, sizeof(memblock));
}

pfn_t memblock_first(void)
{
	return memblock.nr ? (pfn_t)(memblock.usable[0].start >> PAGE_SHIFT) : 0;
}

pfn_t memblock_end(void)
{
	return memblock.nr ? (pfn_t)(memblock.usable[memblock.nr - 1].end >> PAGE_SHIFT) : 0;
}

pfn_t memblock_low_end(void)
{
	const struct kmem_options *opt = &kmem_machine.opt;
	u64 high = opt->zone_start_pfn[KMEM_ZONE_HIGHMEM];
	bool have = opt->zone_configured[KMEM_ZONE_HIGHMEM] &&
		    opt->zone_end_pfn[KMEM_ZONE_HIGHMEM] > high;

	return have ? (pfn_t)u64_min(high, memblock_end()) : memblock_end();
}

bool memblock_next(pfn_t *start, pfn_t *end, bool left)
{
	const struct port_range *range = left ? memblock.left : memblock.usable;
	unsigned int nr = left ? memblock.nr_left : memblock.nr;

	for (unsigned int i = 0; i < nr; i++) {
		pfn_t from = (pfn_t)(range[i].start >> PAGE_SHIFT);
		pfn_t to = (pfn_t)(range[i].end >> PAGE_SHIFT);

		from = size_max(from, *start);
		to = size_min(to, *end);
		if (from < to) {
			*start = from;
			*end = to;
			return true;
		}
	}
	return false;
}

unsigned long memblock_count(pfn_t start, pfn_t end, bool left)
{
	unsigned long nr = 0;

	for (pfn_t from = start, to = end; memblock_next(&from, &to, left); from = to, to = end)
		nr += to - from;
	return nr;
}

/* Zeroed, backed frames of the direct map; NULL if the port refuses them. */
static void *boot_frames(pfn_t pfn, unsigned long nr)
{
	unsigned char *p = (unsigned char *)port_lowmem() + ((size_t)pfn << PAGE_SHIFT);
	int rc = port_commit(pfn, nr);

	if (rc < 0)
		return NULL;
	if (rc == 0)
		__builtin_memset(p, 0, (size_t)nr << PAGE_SHIFT);
	return p;
}

static void *boot_carve(unsigned long nr)
{
	u64 bytes = (u64)nr << PAGE_SHIFT;
	u64 limit;

	memblock_load();
	limit = (u64)memblock_low_end() << PAGE_SHIFT;
	for (unsigned int i = memblock.nr_left; i-- > 0;) {
		struct port_range *r = &memblock.left[i];
		void *p;

		/* What lies in HIGHMEM has no address. */
		if (r->end > limit || r->end - r->start < bytes)
			continue;
		p = boot_frames((pfn_t)((r->end - bytes) >> PAGE_SHIFT), nr);
		if (p)
			r->end -= bytes;
		return p;
	}
	return NULL;
}

/* The zones have the frames already: a run that stops being managed. */
static void *boot_from_zones(unsigned long nr)
{
	for (u32 i = KMEM_NR_ZONES; i-- > 0;) {
		struct zone *z = &kmem_machine.zones[i];
		struct page *head = NULL;

		if (z->managed > nr && z->end <= kmem_machine.low_end)
			head = zone_alloc_contig(z, nr);
		if (!head)
			continue;
		for (unsigned long k = 0; k < nr; k++) {
			head[k].flags = 0;
			page_set_state(&head[k], PAGE_HOLE);
		}
		z->managed -= nr;
		zone_setup_marks();
		return __builtin_memset(addr_of_page(head), 0, (size_t)nr << PAGE_SHIFT);
	}
	return NULL;
}

static void *boot_pages(unsigned long nr, bool shared)
{
	void *p = port_meta((size_t)nr << PAGE_SHIFT, shared);

	if (p)
		return p;
	return phys.live ? boot_from_zones(nr) : boot_carve(nr);
}

/* Part of a page. */
static void *boot_small(size_t bytes)
{
	size_t at = align_up(memblock.shared_used, 1ul << (ilog2_ulong(2 * bytes - 1)));

	if (!memblock.shared || at + bytes > PAGE_SIZE) {
		memblock.shared = boot_pages(1, false);
		at = 0;
	}
	memblock.shared_used = at + bytes;
	return memblock.shared ? memblock.shared + at : NULL;
}

void *boot_alloc(size_t bytes, bool shared)
{
	if (bytes == 0)
		return NULL;
	if (bytes <= PAGE_SIZE / 2 && !shared)
		return boot_small(bytes);
	return boot_pages(align_up(bytes, PAGE_SIZE) >> PAGE_SHIFT, shared);
}
