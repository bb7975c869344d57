/* SPDX-License-Identifier: MIT */
/*
 * A machine whose port has no store for tables: everything is carved out of its memory, with holes
 * and a range that reaches from the direct map into HIGHMEM. The phys floor alone.
 */
#include "unit/phys_machine.h"

unsigned int __wrap_port_ranges(struct port_range *r, unsigned int max);
void *__wrap_port_meta(size_t bytes, bool shared);
int __real_port_start(const struct port_plan *plan);
int __wrap_port_start(const struct port_plan *plan);

static const struct port_range map[] = {
	{0x1000, 0x9f000}, {0x100000, 0x3f00000}, {0x3f80000, 0x4000000}};

unsigned int __wrap_port_ranges(struct port_range *r, unsigned int max)
{
	assert_always(max >= ARRAY_SIZE(map));
	memcpy(r, map, sizeof(map));
	return ARRAY_SIZE(map);
}

void *__wrap_port_meta(size_t bytes, bool shared)
{
	(void)bytes;
	(void)shared;
	return NULL;
}

int __wrap_port_start(const struct port_plan *plan)
{
	return __real_port_start(plan);
}

static unsigned long managed_all(void)
{
	unsigned long nr = 0;

	for_each_zone (z)
		nr += z->managed;
	return nr;
}

static unsigned long free_all(void)
{
	unsigned long nr = 0;

	for_each_zone (z)
		nr += zone_free_pages(z);
	return nr;
}

static void start(void)
{
	struct kmem_options opt = pm_options(0);

	opt.percpu_pages = true;
	pm_zone(&opt, KMEM_ZONE_DMA, 0, 4096);
	pm_zone(&opt, KMEM_ZONE_NORMAL, 4096, 12288);
	pm_zone(&opt, KMEM_ZONE_HIGHMEM, 12288, 16384);
	pm_start(&opt);
}

TEST(tables_come_off_the_top_of_the_direct_map)
{
	const struct zone *z;

	start();
	z = kmem_machine.zones;
	is(z[KMEM_ZONE_DMA].start, 1);
	is(z[KMEM_ZONE_DMA].present, 158 + 3840, "S72");
	is(z[KMEM_ZONE_DMA].managed, 158 + 3840, "low frames are spared");
	is(z[KMEM_ZONE_NORMAL].present, 8192);
	ok(z[KMEM_ZONE_NORMAL].managed < 8192);
	is(z[KMEM_ZONE_HIGHMEM].managed, 4096 - 128, "the hole is not");
	is(page_check_free(page_of_pfn(0xa0), 0), PAGE_BAD_FOREIGN, "S73");
	is(page_check_free(page_of_pfn(12287), 0), PAGE_BAD_FOREIGN, "the core's own");
	ok(!pfn_valid(0xa0));
	ok(pfn_valid(0x100));
	pm_stop();
}

TEST(a_late_table_comes_out_of_the_zones)
{
	unsigned long before;
	unsigned char *p;

	start();
	before = managed_all();
	p = boot_alloc(100000, false);
	ok(p != NULL);
	is(p[0] | p[99999], 0);
	is(managed_all(), before - 25);
	is(phys_check(), 0);
	pm_stop();
}

TEST(small_tables_share_a_page)
{
	unsigned long before;
	unsigned char *p[10];

	start();
	before = managed_all();
	for (unsigned int i = 0; i < 10; i++) {
		p[i] = boot_alloc(i % 2 ? 256 : 200, false);
		ok(p[i] != NULL);
		is((uintptr_t)p[i] % 256, 0);
		is(p[i][0] | p[i][199], 0, "nobody else's");
		memset(p[i], 1, 200);
	}
	ok(managed_all() >= before - 1);
	is(phys_check(), 0);
	pm_stop();
}

/* One that this CPU's lists have not, another's may: the task has moved since. */
static struct page *take(struct zone *z)
{
	struct page *page = zone_alloc(z, 0, KMEM_MT_UNMOVABLE, 0);

	if (!page) {
		pcp_drain_all();
		page = zone_alloc(z, 0, KMEM_MT_UNMOVABLE, 0);
	}
	return page;
}

TEST(holes_and_tables_are_never_handed_out)
{
	static struct page *page[16384];
	unsigned long nr = 0;

	start();
	for_each_zone (z)
		while ((page[nr] = take(z)) != NULL)
			nr++;
	is(nr, managed_all());
	for (unsigned long i = 0; i < nr; i++)
		if (page_address(page[i]))
			memset(page_address(page[i]), 0xa5, PAGE_SIZE);
	is(phys_check(), 0);
	while (nr > 0)
		pm_free(page[--nr], 0);
	pcp_drain_all();
	is(free_all(), managed_all());
	pm_stop();
}
