/* SPDX-License-Identifier: MIT */
/*
 * failslab=: allocations of caches and kmalloc classes made to fail on purpose (semantics 10.9).
 * The decision itself, with interval, probability, space and times, is gfp's; here is only what
 * may fail at all.
 */
#include "slab/slab.h"

static struct fault_attr failslab = {.name = "failslab"};

int failslab_setup(const char *text)
{
	return fault_parse(&failslab, text);
}

bool failslab_armed(void)
{
	return failslab.active || fault_armed();
}

bool failslab_should_fail(slab_flags_t flags, size_t size, gfp_t gfp)
{
	bool all = unlikely(fault_asks_all());

	if (likely(!failslab.active && !all))
		return false;
	if (gfp & __GFP_NOFAIL || port_task()->pf & PF_KMEM_BULK)
		return false;
	if (failslab.cache_filter && !(flags & SLAB_FAILSLAB) && !all)
		return false;
	if (failslab.ignore_wait && gfpflags_allow_blocking(gfp) && !all)
		return false;
	return fault_should_fail(&failslab, (long)size, gfp);
}

/* No request may hit any more, or all again. */
static void hits_refresh(void)
{
	gfp_hits_refresh();
	cache_refresh_all();
}

int kmem_fault_set(const char *name, const char *text)
{
	int err = -KE_INVAL;

	if (!name || !machine_ensure())
		return -KE_INVAL;
	if (str_eq(name, "failslab"))
		err = failslab_setup(text);
	else if (str_eq(name, "fail_page_alloc"))
		err = fault_setup(text);
	if (!err)
		hits_refresh();
	return err;
}

int kmem_fault_nth(int n)
{
	struct port_task *task = port_task();
	int left = task->fail_nth;

	task->fail_nth = n > 0 ? n : 0;
	if (n > 0 && machine_ensure() && fault_arm_nth())
		hits_refresh();
	return left;
}
