// SPDX-License-Identifier: MIT
/*
 * zone: carving the machine's frames into zones, and each zone's lock.
 *
 * The zone table of the command line says which frame numbers a zone may have; the port says which
 * frames there are. A zone's span is their common stretch from the first usable frame to the last:
 *
 *	table	|<------ DMA ------>|<----------- Normal ----------->|
 *	port	     |#########|    |    |###########|~~~~|
 *	span	     [---------------)[------------------)
 *
 * # is present and managed, ~ present but kept for the core's tables, blank is a hole. Holes and
 * kept frames are PAGE_HOLE for ever.
 *
 * Cost of starting: one descriptor is written per block of the largest order, and one per frame
 * of a hole; memory of the descriptors in between stays untouched, so a machine of any size starts
 * at once where tables are backed lazily. Zeroed descriptors are right as they are: PAGE_NONE.
 *
 * Equation, whenever nothing is under way, and what zone_check() proves:
 *
 *	free + on per-CPU lists + deferred + allocated = managed
 *
 * The lock. zone_lock() and zone_unlock() are the only doors: at each of them blocks that handlers
 * had to leave aside are taken in, and the counts are copied into the statistics.
 */
#include "phys/internal.h"

enum { EAGER_SECTIONS = 1 }; /* each writes a page of descriptors */

struct phys_tables phys;
static struct zone zone_table[KMEM_NR_ZONES];

static const char *const zone_names[KMEM_NR_ZONES] = {"DMA", "DMA32", "Normal", "HighMem",
						      "Movable"};

/* ---- The lock ----------------------------------------------------------------------------------- */

/* Copies what changed under the lock into the statistics. */
void zone_mirror(struct zone *z)
{
	struct kmem_stat_zone *st = z->stat;
	u32 types = phys.typed ? KMEM_NR_MT : 1;

	if (!st || !z->stat_dirty)
		return;
	for (u32 dirty = z->stat_dirty; dirty; dirty &= dirty - 1) {
		unsigned int o = (unsigned int)__builtin_ctz(dirty);

		for (u32 mt = 0; mt < types; mt++)
			atom_store(&st->nr_free[mt][o], (u64)z->area[o].nr_free[mt]);
	}
	z->stat_dirty = 0;
	atom_store(&st->free, (u64)z->free);
	atom_store(&st->nr_free_highatomic, (u64)z->nr_free_highatomic);
	atom_store(&st->reserved_highatomic, (u64)z->nr_reserved_highatomic);
}

bool zone_lock(struct zone *z, bool try, irqflags_t *flags)
{
	if (!lock_take_or_try(&z->lock, try, flags))
		return false;
	if (unlikely(zone_has_deferred(z)))
		deferred_run_locked(z);
	return true;
}

static void zone_settle(struct zone *z)
{
	if (z->stat_dirty)
		page_hits_settle(z);
	zone_mirror(z);
	if (unlikely(z->given_up) && zone_above_high(z))
		atom_store(&z->given_up, 0u);
}

void zone_unlock(struct zone *z, irqflags_t flags)
{
	zone_settle(z);
	lock_release(&z->lock, flags);
	/* A handler that found the lock held has left its block behind just now. */
	while (unlikely(zone_has_deferred(z)) && lock_try(&z->lock, &flags)) {
		deferred_run_locked(z);
		zone_settle(z);
		lock_release(&z->lock, flags);
	}
}

bool zone_give_up(struct zone *z)
{
	irqflags_t flags;
	bool low;

	zone_lock(z, false, &flags);
	low = z->managed && !zone_above_high(z);
	atom_store(&z->given_up, (u32)low);
	zone_unlock(z, flags);
	return low;
}

struct zone *zone_of_pfn(pfn_t pfn)
{
	for_each_zone (z)
		if (pfn >= z->start && pfn < z->end)
			return z;
	return NULL;
}

/* ---- Carving ------------------------------------------------------------------------------------ */

static void zone_shape(struct zone *z, u32 index)
{
	const struct kmem_options *opt = &kmem_machine.opt;
	u64 start = u64_max(opt->zone_start_pfn[index], memblock_first());
	u64 end = u64_min(opt->zone_end_pfn[index], memblock_end());

	lock_init(&z->lock, RANK_ZONE);
	z->index = index;
	z->name = zone_names[index];
	z->configured = opt->zone_configured[index];
	z->dma_too = opt->zone_dma_too[index];
	z->deferred = LINK_NIL;
	z->deferred_runs = LINK_NIL;
	if (z->configured && start < end) {
		z->start = (pfn_t)start;
		z->end = (pfn_t)end;
		z->present = memblock_count(z->start, z->end, false);
	}
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++) {
		for (u32 mt = 0; mt < KMEM_NR_MT; mt++) {
			z->area[o].head[mt] = LINK_NIL;
			z->area[o].tail[mt] = LINK_NIL;
		}
	}
}

static void zone_mirror_shape(struct zone *z)
{
	struct kmem_stat_zone *st = z->stat;

	str_copy(st->name, z->name, sizeof(st->name));
	st->configured = z->configured;
	st->populated = z->present != 0;
	st->start_pfn = z->start;
	st->spanned = z->end - z->start;
	st->present = z->present;
}

static void hole_mark(pfn_t start, pfn_t end)
{
	for (pfn_t pfn = start; pfn < end; pfn++)
		page_of_pfn(pfn)->state = PAGE_HOLE;
}

/* A stretch of usable frames: most of a long one stays fresh (buddy.c). */
static void stretch_free(struct zone *z, pfn_t from, pfn_t to)
{
	pfn_t eager = align_up(from, SECTION_PAGES) + EAGER_SECTIONS * SECTION_PAGES;
	pfn_t last = align_down(to, SECTION_PAGES);

	if (phys.typed || z->fresh != z->fresh_end || eager >= last) {
		buddy_free_frames(z, from, to - from, true);
		return;
	}
	buddy_free_frames(z, from, eager - from, true);
	buddy_fresh_set(z, eager, last);
	buddy_free_frames(z, last, to - last, true);
}

/* The zone's frames to its lists, lowest first; what lies between them becomes holes. */
static void zone_populate(struct zone *z)
{
	pfn_t done = z->start;
	irqflags_t flags;

	mobility_init(z);
	zone_lock(z, false, &flags);
	for (pfn_t from = z->start, to = z->end; memblock_next(&from, &to, true);
	     from = to, to = z->end) {
		hole_mark(done, from);
		stretch_free(z, from, to);
		z->managed += to - from;
		done = to;
	}
	hole_mark(done, z->end);
	z->stat_dirty = (1u << NR_PAGE_ORDERS) - 1;
	zone_unlock(z, flags);
}

/* Frames below the machine's end that no zone wanted. */
static void orphans_mark(void)
{
	pfn_t pfn = 0;

	for_each_zone (z) {
		if (z->start == z->end)
			continue;
		hole_mark(pfn, z->start);
		pfn = size_max(pfn, z->end);
	}
}

/* Zones ascend and do not overlap: what address arithmetic and merging rest on. */
static bool zones_ascend(void)
{
	pfn_t end = 0;

	for (u32 i = 0; i < KMEM_NR_ZONES; i++) {
		const struct zone *z = &zone_table[i];

		if (z->start == z->end)
			continue;
		if (z->start < end)
			return false;
		end = z->end;
	}
	kmem_machine.end = end;
	return true;
}

static void owners_alloc(void)
{
	struct kmem_machine *m = &kmem_machine;

	m->owner_at = PORT_OWNERS != 0 ? port_owners() : NULL;
	m->owner = m->owner_at ? &m->owner_at[(uintptr_t)m->lowmem >> PAGE_SHIFT]
			       : boot_alloc(m->low_end * sizeof(*m->owner), false);
}

static bool tables_alloc(void)
{
	size_t end = kmem_machine.end;
	bool aliases = end > kmem_machine.low_end || port_vmap_moves();

	kmem_machine.memmap = boot_alloc(end * sizeof(struct page), false);
	owners_alloc();
	phys.bitmap = boot_alloc(kmem_machine.low_end * BITMAP_BYTES, false);
	phys.small = port_meta(kmem_machine.low_end * SMALL_BYTES, false); /* or not at all */
	phys.block_type = boot_alloc((end >> pageblock_order) + 1, false);
	phys.committed = boot_alloc((end >> MAX_PAGE_ORDER) + 1, false);
	phys.soiled = boot_alloc(align_up(end / 8 + 1, SECTION_PAGES / 8), false);
	if (aliases)
		phys.alias = boot_alloc(end * sizeof(*phys.alias), false);
	if (!kmem_machine.stat)
		kmem_machine.stat = boot_alloc(sizeof(struct kmem_stat), true);
	return kmem_machine.memmap && phys.block_type && phys.committed && phys.soiled &&
	       kmem_machine.stat &&
	       ((kmem_machine.owner && phys.bitmap) || kmem_machine.low_end == 0) &&
	       (phys.alias || !aliases);
}

static int phys_refuse(int error, const char *why)
{
	struct kmem_machine *m = &kmem_machine;

	phys_exit();
	fmt_snprintf(m->boot_error, sizeof(m->boot_error), "%s", why);
	return error;
}

int phys_init(void)
{
	struct kmem_machine *m = &kmem_machine;

	assert_always(!phys.live);
	if (memblock_load() == 0)
		return phys_refuse(-KE_NOMEM, "the port has no usable memory");
	/* Links are 32 bits, and LINK_NIL is no frame. */
	if (memblock_end() >= LINK_NIL)
		return phys_refuse(-KE_INVAL, "more memory than frame numbers");
	for (u32 i = 0; i < KMEM_NR_ZONES; i++)
		zone_shape(&zone_table[i], i);
	if (!zones_ascend())
		return phys_refuse(-KE_INVAL, "the zone table is not in ascending order");
	if (m->end == 0)
		return phys_refuse(-KE_INVAL, "no usable memory in any zone");
	m->zones = zone_table;
	m->lowmem = port_lowmem();
	m->low_end = size_min(memblock_low_end(), m->end);
	phys.typed = m->opt.mobility || m->opt.highatomic;
	if (!tables_alloc() || (m->end > m->low_end && windows_init()))
		return phys_refuse(-KE_NOMEM, "no memory for the tables of frames, or no windows");
	page_hits.soiled = phys.soiled;
	for_each_zone (z)
		z->stat = &m->stat->zone[z->index];
	for_each_zone (z)
		pcp_init(z);
	orphans_mark();
	for_each_zone (z) {
		zone_mirror_shape(z);
		zone_populate(z);
	}
	m->stat->mobility = m->opt.mobility;
	zone_setup_marks();
	phys.live = true;
	return 0;
}

void phys_exit(void)
{
	struct kmem_machine *m = &kmem_machine;

	zone_hooks_exit();
	page_hits_reset();
	m->low_end = 0;
	m->end = 0;
	m->zones = NULL;
	m->memmap = NULL;
	m->owner = NULL;
	m->owner_at = NULL;
	m->lowmem = NULL;
	m->stat = NULL;
	__builtin_memset(&phys, 0, sizeof(phys));
	__builtin_memset(zone_table, 0, sizeof(zone_table));
	windows_reset();
	lend_reset();
	memblock_reset();
}

/* ---- fork ---------------------------------------------------------------------------------------- */

/* False: a stack has to be asked again, after another fence. */
static bool phys_frozen(void)
{
	bool frozen = true;

	for (unsigned int cpu = 0; cpu < port_ncpu(); cpu++)
		port_fence_cpu(cpu);
	for_each_zone (z)
		for (unsigned int o = 0; o < PCP_SLOTS; o++)
			for (unsigned int cpu = 0; z->pcp_home[o] && cpu < port_ncpu(); cpu++)
				frozen &= port_stack_frozen(z->pcp_home[o], cpu);
	return frozen;
}

/* Within the one section that the boot floor marks around all locks, low zone to high. Who is shut
 * out of a stack takes the slow path and waits at the lock. */
void phys_fork_lock(void)
{
	if (!phys.live)
		return;
	for_each_zone (z)
		lock_fork_take(&z->lock);
	kmap_fork_lock();
	lend_fork_lock();
	for_each_zone (z)
		for (unsigned int o = 0; o < PCP_SLOTS; o++)
			for (unsigned int cpu = 0; z->pcp_home[o] && cpu < port_ncpu(); cpu++)
				port_stack_freeze(z->pcp_home[o], cpu);
	while (!phys_frozen())
		;
}

void phys_fork_unlock(bool child)
{
	if (!phys.live)
		return;
	phys.forked |= child;
	lend_fork_unlock(child);
	kmap_fork_unlock(child);
	for_each_zone (z)
		for (unsigned int o = 0; o < PCP_SLOTS; o++)
			for (unsigned int cpu = 0; z->pcp_home[o] && cpu < port_ncpu(); cpu++)
				port_stack_thaw(z->pcp_home[o], cpu);
	for_each_zone (z) {
		if (child)
			lock_reset(&z->lock);
		else
			lock_fork_drop(&z->lock);
	}
}
