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

bool failslab_should_fail(slab_flags_t flags, size_t size, gfp_t gfp)
{
	if (likely(!failslab.active && port_task()->fail_nth <= 0))
		return false;
	if (gfp & __GFP_NOFAIL)
		return false;
	if (failslab.cache_filter && !(flags & SLAB_FAILSLAB) && port_task()->fail_nth <= 0)
		return false;
	if (failslab.ignore_wait && gfpflags_allow_blocking(gfp) && port_task()->fail_nth <= 0)
		return false;
	return fault_should_fail(&failslab, (long)size, gfp);
}
