/* SPDX-License-Identifier: MIT */
/*
 * Boot over a port that is not what it seems: memory with holes, tables refused one after the other.
 * The linker puts the functions here between the core and the port.
 */
#include "report/report.h"
#include "tap.h"
#include "boot/lib/areas.h"

unsigned int __real_port_ranges(struct port_range *r, unsigned int max);
unsigned int __wrap_port_ranges(struct port_range *r, unsigned int max);
void *__real_port_meta(size_t bytes, bool shared);
void *__wrap_port_meta(size_t bytes, bool shared);
int __real_port_start(const struct port_plan *plan);
int __wrap_port_start(const struct port_plan *plan);

static const struct port_range *map; /* NULL: the port's own */
static unsigned int nr_map;
static long refuse_meta = -1; /* the n-th request for tables from now, and all after it */
static int refuse_start;

unsigned int __wrap_port_ranges(struct port_range *r, unsigned int max)
{
	if (!map)
		return __real_port_ranges(r, max);
	for (unsigned int i = 0; i < nr_map && i < max; i++)
		r[i] = map[i];
	return nr_map < max ? nr_map : max;
}

void *__wrap_port_meta(size_t bytes, bool shared)
{
	if (refuse_meta == 0)
		return NULL;
	if (refuse_meta > 0)
		refuse_meta--;
	return __real_port_meta(bytes, shared);
}

int __wrap_port_start(const struct port_plan *plan)
{
	return refuse_start ? refuse_start : __real_port_start(plan);
}

/* Usable frames 0x1-0x9e and 0x100-0x63fff, as a PC's firmware reports its low memory. */
static const struct port_range pc[] = {
	{0x1000, 0x9f000},
	{0x100000, 0x4000000},
};

TEST(S72_spans_of_a_firmware_map)
{
	const struct kmem_stat_zone *z;

	map = pc;
	nr_map = ARRAY_SIZE(pc);
	is(kmem_boot("mem=64M zones=i386 percpu_pages=0"), 0, "%s", kmem_boot_error());
	z = &kmem_stat_get()->zone[KMEM_ZONE_DMA];
	is(z->start_pfn, 1);
	is(z->spanned, 4095);
	is(z->present, 158 + 3840);
	is(z->managed, 158 + 3840, "nothing is reserved below 1 MiB here");
	is(kmem_stat_get()->zone[KMEM_ZONE_NORMAL].spanned, 12288);
	is(kmem_check(), 0);
	is(kmem_shutdown(), 0);
}

/* The 158 pages below 1 MiB reserved, as the kernel does: then DMA manages 3840. */
TEST(S72_reserved_low_pages_are_not_managed)
{
	static const struct port_range above[] = {{0x100000, 0x4000000}};
	const struct kmem_stat_zone *z;

	map = above;
	nr_map = 1;
	is(kmem_boot("mem=64M zones=i386"), 0, "%s", kmem_boot_error());
	z = &kmem_stat_get()->zone[KMEM_ZONE_DMA];
	is(z->managed, 3840);
	is(z->present, 3840);
	is(kmem_check(), 0);
	is(kmem_shutdown(), 0);
}

TEST(S73_a_hole_is_never_handed_out)
{
	unsigned long got = 0, in_hole = 0;
	struct page *p;

	map = pc;
	nr_map = ARRAY_SIZE(pc);
	is(kmem_boot("mem=64M zones=i386 percpu_pages=0"), 0, "%s", kmem_boot_error());
	kmem_task_set_flags(PF_MEMALLOC, 0);
	while ((p = alloc_page(GFP_ATOMIC | __GFP_NOWARN)) != NULL) {
		unsigned long pfn = page_to_pfn(p);

		got++;
		in_hole += pfn == 0 || (pfn >= 0x9f && pfn < 0x100) || pfn >= 0x4000;
	}
	kmem_task_set_flags(0, PF_MEMALLOC);
	is(in_hole, 0);
	ok(got > 15000, "%lu pages", got);
	is(kmem_check(), 0);
}

/* Boots with the n-th and all later tables refused, then without. True if it could not. */
static bool boot_with_tables(const char *line, long n, bool areas)
{
	int rc;

	refuse_meta = n;
	refuse_areas = areas;
	rc = kmem_boot(line);
	refuse_meta = -1;
	refuse_areas = false;
	if (rc == 0) {
		/* The tables came out of the memory instead. */
		is(kmem_check(), 0, "%s after %ld tables", line, n);
		is(kmem_shutdown(), 0);
	} else {
		is(rc, -KE_NOMEM, "%s after %ld tables", line, n);
		ok(kmem_boot_error()[0], "a reason");
	}
	ok(!kmem_booted());
	is(kmem_machine.nr_cpus, 0, "%s after %ld tables", line, n);
	ok(!kmem_machine.stat && !kmem_machine.memmap && !kmem_machine.lowmem);
	is(kmem_boot(line), 0, "%s after %ld tables: %s", line, n, kmem_boot_error());
	is(kmem_shutdown(), 0);
	return rc != 0;
}

TEST(nothing_is_half_started)
{
	int refused = 0;

	for (long n = 0; n < 12; n++) {
		ok(!boot_with_tables("mem=16M zones=i386", n, false), "16 MiB hold their tables");
		refused += boot_with_tables("mem=1M zones=flat nr_cpus=8", n, true);
	}
	ok(refused > 0, "1 MiB does not");
}

TEST(a_port_that_refuses)
{
	refuse_start = -KE_NOMEM;
	is(kmem_boot("mem=16M"), -KE_NOMEM);
	is_str(kmem_boot_error(), "mem=16384K: refused by the host (error 12)");
	ok(!kmem_booted());
	refuse_start = 0;
	is(kmem_boot("mem=16M"), 0, "%s", kmem_boot_error());
	is(kmem_shutdown(), 0);
}

TEST(a_port_without_memory)
{
	map = pc;
	nr_map = 0;
	is(kmem_boot("mem=16M"), -KE_NOMEM);
	ok(kmem_boot_error()[0], "a reason");
	map = NULL;
	is(kmem_boot("mem=16M"), 0, "%s", kmem_boot_error());
	is(kmem_shutdown(), 0);
}
