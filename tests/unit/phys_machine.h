/* SPDX-License-Identifier: MIT */
/* A machine of the floors up to phys alone, for tests of that floor: no boot, no gfp, no slabs. */
#ifndef TESTS_PHYS_MACHINE_H
#define TESTS_PHYS_MACHINE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "phys/phys.h"
#include "tap.h"

enum { PM_PERCPU_SHIFT = 13 };

/* Options as the command line's defaults give them, with one zone of these frames. */
static TAP_UNUSED struct kmem_options pm_options(pfn_t frames)
{
	struct kmem_options opt = {.nr_cpus = 2, .watermark_scale_factor = 10, .seed = 1};

	opt.mem_bytes = (u64)frames << PAGE_SHIFT;
	opt.lowmem_reserve_ratio[KMEM_ZONE_DMA] = 256;
	opt.lowmem_reserve_ratio[KMEM_ZONE_DMA32] = 256;
	opt.lowmem_reserve_ratio[KMEM_ZONE_NORMAL] = 32;
	opt.zone_configured[KMEM_ZONE_NORMAL] = true;
	opt.zone_end_pfn[KMEM_ZONE_NORMAL] = frames;
	return opt;
}

static TAP_UNUSED void pm_zone(struct kmem_options *opt, u32 zone, pfn_t start, pfn_t end)
{
	opt->zone_configured[zone] = start < end;
	opt->zone_start_pfn[zone] = start;
	opt->zone_end_pfn[zone] = end;
	opt->mem_bytes = (u64)size_max((size_t)(opt->mem_bytes >> PAGE_SHIFT), end) << PAGE_SHIFT;
}

static TAP_UNUSED void pm_start(const struct kmem_options *opt)
{
	bool high = opt->zone_configured[KMEM_ZONE_HIGHMEM];
	struct port_plan plan = {
		.mem_bytes = opt->mem_bytes,
		.lowmem_bytes = high ? opt->zone_start_pfn[KMEM_ZONE_HIGHMEM] << PAGE_SHIFT
				     : opt->mem_bytes,
		.nr_cpus = opt->nr_cpus,
		.seed = opt->seed,
	};
	unsigned int shift = PM_PERCPU_SHIFT;
	void *areas = NULL;

	kmem_machine.opt = *opt;
	if (port_start(&plan) != 0) {
		ok(false, "port_start");
		exit(1);
	}
	kmem_machine.nr_cpus = port_ncpu();
	if (port_areas(port_ncpu(), &areas, &shift) != 0) {
		ok(false, "port_areas");
		exit(1);
	}
	if (!areas)
		areas = (char *)boot_alloc((size_t)(port_ncpu() + 1) << shift, false) +
			((size_t)1 << shift);
	percpu_init(areas, shift);
	if (phys_init() != 0) {
		ok(false, "phys_init: %s", kmem_machine.boot_error);
		exit(1);
	}
}

static TAP_UNUSED void pm_stop(void)
{
	is(phys_check(), 0, "phys_check");
	phys_exit();
	percpu_exit();
	port_stop();
	kmem_machine.nr_cpus = 0;
}

static TAP_UNUSED struct zone *pm_normal(void)
{
	return &kmem_machine.zones[KMEM_ZONE_NORMAL];
}

/* What the gfp floor does before it gives a block back. */
static TAP_UNUSED void pm_free(struct page *page, unsigned int order)
{
	page->refcount = 0;
	zone_free(page, order, false, false);
}

#endif
