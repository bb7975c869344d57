/* SPDX-License-Identifier: MIT */
/*
 * Floor 2, trace: event counters and the event ring.
 *
 * Counters are per CPU and folded when read. The ring is one per CPU, never allocates, never
 * blocks, and counts what it drops.
 */
#pragma once
#include "sync/sync.h"
#include <kmem/trace.h>

/* Per-CPU: exact sums at quiescent points. False: not counted. */
static inline always_inline bool vm_event_hit(struct kmem_stat *st, enum kmem_event ev, u64 n)
{
	return likely(port_hit_count(&st->cpu[0].event[ev], sizeof(st->cpu[0]), n));
}
static inline void vm_event_add(enum kmem_event ev, u64 n)
{
	struct kmem_stat *st = kmem_machine.stat;

	if (likely(st) && unlikely(!vm_event_hit(st, ev, n)))
		port_count_slow(&st->cpu[0].event[ev], sizeof(st->cpu[0]), n);
}
static inline void vm_event(enum kmem_event ev)
{
	vm_event_add(ev, 1);
}

static inline bool trace_on(void)
{
	return unlikely(atom_load(&kmem_machine.tracing));
}
/* Each looks at trace_on() itself. call_site: __builtin_return_address(0) of the public function. */
void trace_kmalloc(const void *site, const void *p, size_t req, size_t alloc, gfp_t gfp);
void trace_cache_alloc(const void *site, const void *p, const char *name, size_t req, size_t alloc,
		       gfp_t gfp, bool accounted);
void trace_kfree(const void *site, const void *p);
void trace_cache_free(const void *site, const void *p, const char *name);
/* page NULL: a request that failed in the slow path; prints a null page and pfn 0. */
void trace_page_alloc(const void *page, pfn_t pfn, unsigned int order, int migratetype, gfp_t gfp);
void trace_page_free(const void *page, pfn_t pfn, unsigned int order);
/* vmscan.c: events of reclaim. What the counts mean is said where the kinds are (kmem/trace.h). */
enum { TRACE_COUNTS = 4 };
void trace_wakeup_kswapd(unsigned int order, gfp_t gfp);
void trace_kswapd_wake(unsigned int order);
void trace_kswapd_sleep(void);
void trace_direct_begin(unsigned int order, gfp_t gfp);
void trace_direct_end(unsigned long freed);
void trace_shrink_start(const void *scan, const void *shrinker, gfp_t gfp, int priority,
			const s64 count[TRACE_COUNTS]);
void trace_shrink_end(const void *scan, const void *shrinker, const s64 count[TRACE_COUNTS]);
void trace_retry_zone(unsigned int zone, unsigned int order, bool wmark_ok,
		      const s64 count[TRACE_COUNTS]);
void trace_mark_victim(void);
/* For the files of this floor: to the hook or into the ring. name: NULL if it has none. */
void trace_emit(struct kmem_trace_event *ev, const char *name);
void trace_reset(void);

/* A power of two. 512 events of 112 bytes: 56 KiB a CPU, and the slabs of a burst of some MiB. */
enum { TRACE_RING_SLOTS = 512 };
/*
 * Boot supplies the rings' memory, which this floor has no way to ask for: trace_ring_bytes(nr_cpus)
 * zeroed bytes aligned to a cache line, of boot_alloc(), lazily backed where that is possible; NULL:
 * there are no rings, and every event that no function takes is counted as dropped.
 */
size_t trace_ring_bytes(unsigned int nr_cpus);
void trace_ring_init(void *mem, unsigned int nr_cpus);
/* fork (boot floor). */
void trace_fork_lock(void);
void trace_fork_unlock(bool child);

/* What trace start and stop must do to the floors above, registered by boot. */
extern void (*trace_switch_hook)(bool on);
