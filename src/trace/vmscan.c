/* SPDX-License-Identifier: MIT */
/*
 * Events of reclaim, as the kernel's groups vmscan and oom have them (semantics 10.7): filled in here,
 * so that the floors above say what happened and nothing of rings. Each looks at trace_on() first;
 * off, that is a load and a branch of a path that is slow anyway.
 */
#include "trace/trace.h"

static void counts_set(struct kmem_trace_event *ev, const s64 count[TRACE_COUNTS])
{
	_Static_assert(TRACE_COUNTS == ARRAY_SIZE(ev->count), "as many as an event has");
	for (unsigned int i = 0; i < TRACE_COUNTS; i++)
		ev->count[i] = count[i];
}

static void trace_requested(enum kmem_trace_kind kind, unsigned int order, gfp_t gfp)
{
	struct kmem_trace_event ev = {.kind = kind};

	ev.order = (s32)order;
	ev.gfp = (__kmem_force u32)gfp;
	trace_emit(&ev, NULL);
}

void trace_wakeup_kswapd(unsigned int order, gfp_t gfp)
{
	if (trace_on())
		trace_requested(KMEM_TRACE_WAKEUP_KSWAPD, order, gfp);
}

void trace_kswapd_wake(unsigned int order)
{
	if (trace_on())
		trace_requested(KMEM_TRACE_KSWAPD_WAKE, order, __KMEM_GFP(0));
}

void trace_kswapd_sleep(void)
{
	if (trace_on())
		trace_requested(KMEM_TRACE_KSWAPD_SLEEP, 0, __KMEM_GFP(0));
}

void trace_direct_begin(unsigned int order, gfp_t gfp)
{
	if (trace_on())
		trace_requested(KMEM_TRACE_DIRECT_BEGIN, order, gfp);
}

static void trace_number(enum kmem_trace_kind kind, s64 number)
{
	struct kmem_trace_event ev = {.kind = kind};

	ev.count[0] = number;
	trace_emit(&ev, NULL);
}

void trace_direct_end(unsigned long freed)
{
	if (trace_on())
		trace_number(KMEM_TRACE_DIRECT_END, (s64)freed);
}

void trace_mark_victim(void)
{
	if (trace_on())
		trace_number(KMEM_TRACE_MARK_VICTIM, port_pid());
}

void trace_shrink_start(const void *scan, const void *shrinker, gfp_t gfp, int priority,
			const s64 count[TRACE_COUNTS])
{
	struct kmem_trace_event ev = {.kind = KMEM_TRACE_SHRINK_START};

	if (!trace_on())
		return;
	ev.call_site = (uintptr_t)scan;
	ev.ptr = (uintptr_t)shrinker;
	ev.gfp = (__kmem_force u32)gfp;
	ev.order = priority;
	counts_set(&ev, count);
	trace_emit(&ev, NULL);
}

void trace_shrink_end(const void *scan, const void *shrinker, const s64 count[TRACE_COUNTS])
{
	struct kmem_trace_event ev = {.kind = KMEM_TRACE_SHRINK_END};

	if (!trace_on())
		return;
	ev.call_site = (uintptr_t)scan;
	ev.ptr = (uintptr_t)shrinker;
	counts_set(&ev, count);
	trace_emit(&ev, NULL);
}

void trace_retry_zone(unsigned int zone, unsigned int order, bool wmark_ok,
		      const s64 count[TRACE_COUNTS])
{
	struct kmem_trace_event ev = {.kind = KMEM_TRACE_RETRY_ZONE};

	if (!trace_on())
		return;
	assert_debug(zone < KMEM_NR_ZONES);
	ev.zone = (s32)zone;
	ev.order = (s32)order;
	ev.wmark_ok = wmark_ok;
	counts_set(&ev, count);
	trace_emit(&ev, NULL);
}
