/* SPDX-License-Identifier: MIT */
/*
 * What is said of a failed request: one line that names it, the callers, and the state of all zones
 * it could have used, in the kernel's own wording (semantics 10.6), which tools parse.
 *
 * Once in ten seconds, since a machine that is out of memory fails many requests. Counts are read
 * without locks and are those of a moment. Fields of memory this machine does not have, such as
 * shared memory, print 0.
 */
#include "gfp/gfp.h"

static struct ratelimit fail_limit = {.interval_ms = 10000, .burst = 1};

static unsigned long kb(unsigned long pages)
{
	return pages << (PAGE_SHIFT - 10);
}

static unsigned long zone_pcp_pages(const struct zone *z)
{
	unsigned long pages = 0;

	for (u32 cpu = 0; cpu < kmem_machine.nr_cpus; cpu++)
		pages += pcp_count(z, cpu);
	return pages;
}

/* Pages on the zone's LRU lists. */
static unsigned long lru_of(const struct zone *z, enum kmem_lru_stat what)
{
	return (unsigned long)atom_load(&z->stat->lru[what]);
}

static unsigned long lru_sum(u32 max_class, enum kmem_lru_stat what)
{
	unsigned long pages = 0;

	for_each_zone (z)
		if (z->present && z->index <= max_class)
			pages += lru_of(z, what);
	return pages;
}

static bool zone_shown(const struct zone *z, u32 max_class)
{
	return z->present && z->index <= max_class;
}

static void show_totals(u32 max_class)
{
	const struct kmem_stat *st = kmem_machine.stat;
	unsigned long free = 0, pcp = 0;

	for_each_zone (z) {
		if (!zone_shown(z, max_class))
			continue;
		free += zone_free_pages(z);
		pcp += zone_pcp_pages(z);
	}
	report(KMEM_LOG_WARN,
	       "Mem-Info:\n"
	       "active_anon:%lu inactive_anon:%lu isolated_anon:%lu\n"
	       " active_file:%lu inactive_file:%lu isolated_file:%lu\n"
	       " unevictable:0 dirty:%lu writeback:%lu\n"
	       " slab_reclaimable:%lu slab_unreclaimable:%lu\n"
	       " mapped:0 shmem:0 pagetables:0\n"
	       " sec_pagetables:0 bounce:0\n"
	       " kernel_misc_reclaimable:0\n"
	       " free:%lu free_pcp:%lu free_cma:0",
	       lru_sum(max_class, KMEM_LRU_ACTIVE_ANON), lru_sum(max_class, KMEM_LRU_INACTIVE_ANON),
	       lru_sum(max_class, KMEM_LRU_ISOLATED_ANON), lru_sum(max_class, KMEM_LRU_ACTIVE_FILE),
	       lru_sum(max_class, KMEM_LRU_INACTIVE_FILE),
	       lru_sum(max_class, KMEM_LRU_ISOLATED_FILE), lru_sum(max_class, KMEM_LRU_DIRTY),
	       lru_sum(max_class, KMEM_LRU_WRITEBACK),
	       (unsigned long)atom_load(&st->nr_slab_reclaimable),
	       (unsigned long)atom_load(&st->nr_slab_unreclaimable), free, pcp);
}

static void show_node(u32 max_class)
{
	report(KMEM_LOG_WARN,
	       "Node 0 active_anon:%lukB inactive_anon:%lukB active_file:%lukB "
	       "inactive_file:%lukB unevictable:0kB isolated(anon):%lukB isolated(file):%lukB "
	       "mapped:0kB dirty:%lukB writeback:%lukB shmem:0kB kernel_stack:0kB pagetables:0kB "
	       "sec_pagetables:0kB "
	       "all_unreclaimable? no",
	       kb(lru_sum(max_class, KMEM_LRU_ACTIVE_ANON)),
	       kb(lru_sum(max_class, KMEM_LRU_INACTIVE_ANON)),
	       kb(lru_sum(max_class, KMEM_LRU_ACTIVE_FILE)),
	       kb(lru_sum(max_class, KMEM_LRU_INACTIVE_FILE)),
	       kb(lru_sum(max_class, KMEM_LRU_ISOLATED_ANON)),
	       kb(lru_sum(max_class, KMEM_LRU_ISOLATED_FILE)),
	       kb(lru_sum(max_class, KMEM_LRU_DIRTY)), kb(lru_sum(max_class, KMEM_LRU_WRITEBACK)));
}

static void show_zone(const struct zone *z)
{
	char reserve[KMEM_NR_ZONES * 24];
	size_t len = 0;

	report(KMEM_LOG_WARN,
	       "Node 0 %s free:%lukB boost:0kB min:%lukB low:%lukB high:%lukB "
	       "reserved_highatomic:%luKB free_highatomic:%luKB active_anon:%lukB "
	       "inactive_anon:%lukB active_file:%lukB inactive_file:%lukB unevictable:0kB "
	       "writepending:%lukB zspages:0kB "
	       "present:%lukB managed:%lukB mlocked:0kB bounce:0kB free_pcp:%lukB local_pcp:%lukB "
	       "free_cma:0kB",
	       z->name, kb(zone_free_pages(z)), kb(atom_load(&z->mark[ALLOC_WMARK_MIN])),
	       kb(atom_load(&z->mark[ALLOC_WMARK_LOW])), kb(atom_load(&z->mark[ALLOC_WMARK_HIGH])),
	       kb(atom_load(&z->nr_reserved_highatomic)), kb(atom_load(&z->nr_free_highatomic)),
	       kb(lru_of(z, KMEM_LRU_ACTIVE_ANON)), kb(lru_of(z, KMEM_LRU_INACTIVE_ANON)),
	       kb(lru_of(z, KMEM_LRU_ACTIVE_FILE)), kb(lru_of(z, KMEM_LRU_INACTIVE_FILE)),
	       kb(lru_of(z, KMEM_LRU_DIRTY) + lru_of(z, KMEM_LRU_WRITEBACK)), kb(z->present),
	       kb(z->managed), kb(zone_pcp_pages(z)), kb(pcp_count(z, port_cpu())));
	for (u32 i = 0; i < KMEM_NR_ZONES; i++)
		len += (size_t)fmt_snprintf(reserve + len, sizeof(reserve) - len, " %lu",
					    atom_load(&z->reserve[i]));
	assert_debug(len < sizeof(reserve));
	report(KMEM_LOG_WARN, "lowmem_reserve[]:%s", reserve);
}

/* Letters of the mobility types that have a block of the order: "(UM) ", or nothing. */
static void order_types(const struct zone *z, unsigned int order, char *text)
{
	static const char letters[KMEM_NR_MT] = {'U', 'M', 'E', 'H'};
	size_t n = 0;

	text[n++] = '(';
	for (u32 mt = 0; mt < KMEM_NR_MT; mt++)
		if (atom_load(&z->area[order].nr_free[mt]))
			text[n++] = letters[mt];
	text[n++] = ')';
	text[n++] = ' ';
	text[n > 3 ? n : 0] = '\0';
}

static void show_orders(const struct zone *z)
{
	char text[NR_PAGE_ORDERS * 40], types[KMEM_NR_MT + 4];
	unsigned long total = 0;
	size_t len = 0;

	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++) {
		unsigned long nr = 0;

		for (u32 mt = 0; mt < KMEM_NR_MT; mt++)
			nr += atom_load(&z->area[o].nr_free[mt]);
		total += nr << o;
		order_types(z, o, types);
		len += (size_t)fmt_snprintf(text + len, sizeof(text) - len, "%lu*%lukB %s", nr,
					    kb(1UL << o), types);
	}
	assert_debug(len < sizeof(text));
	report(KMEM_LOG_WARN, "Node 0 %s: %s= %lukB", z->name, text, kb(total));
}

static void show_machine(void)
{
	const u32 all = KMEM_NR_ZONES - 1;
	const struct kmem_stat *st = kmem_machine.stat;
	unsigned long file =
		lru_sum(all, KMEM_LRU_ACTIVE_FILE) + lru_sum(all, KMEM_LRU_INACTIVE_FILE);
	unsigned long present = 0, managed = 0, high = 0;

	for_each_zone (z) {
		present += z->present;
		managed += z->managed;
		if (z->index == KMEM_ZONE_HIGHMEM || z->index == KMEM_ZONE_MOVABLE)
			high += z->present;
	}
	report(KMEM_LOG_WARN,
	       "%lu total pagecache pages\n"
	       "0 pages in swap cache\n"
	       "Free swap  = %llukB\n"
	       "Total swap = %llukB\n"
	       "%lu pages RAM\n"
	       "%lu pages HighMem/MovableOnly\n"
	       "%lu pages reserved",
	       file, (unsigned long long)(atom_load(&st->swap_free) << (PAGE_SHIFT - 10)),
	       (unsigned long long)(atom_load(&st->swap_total) << (PAGE_SHIFT - 10)), present, high,
	       present - managed);
}

void gfp_show_mem(u32 max_class)
{
	show_totals(max_class);
	show_node(max_class);
	for_each_zone (z)
		if (zone_shown(z, max_class))
			show_zone(z);
	for_each_zone (z)
		if (zone_shown(z, max_class))
			show_orders(z);
	show_machine();
}

/* A request for DMA memory on a machine without any was answered by the machine's shape. */
static bool failure_is_news(const struct alloc_request *req)
{
	if (req->gfp & __GFP_NOWARN)
		return false;
	return !(req->gfp & __GFP_DMA) || kmem_machine.zones[KMEM_ZONE_DMA].managed;
}

void gfp_report_failure(const struct alloc_request *req)
{
	char names[160];

	if (!failure_is_news(req) || !ratelimit_ok(&fail_limit))
		return;
	kmem_gfp_text(gfp_shown(req->gfp), names, sizeof(names));
	report(KMEM_LOG_WARN,
	       "%s: page allocation failure: order:%u, mode:%#x(%s), "
	       "nodemask=(null),cpuset=/,mems_allowed=0",
	       port_comm(), req->order, (u32)gfp_shown(req->gfp), names);
	report_stack(KMEM_LOG_WARN);
	gfp_show_mem(req->class);
}

void gfp_report_reset(void)
{
	fail_limit.printed = 0;
}
