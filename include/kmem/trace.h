/* SPDX-License-Identifier: MIT */
/*
 * Events of allocation and of reclaim, in the kernel's own formats. Switched off they cost nothing on the fast path:
 * switching them on takes the sheaves and per-CPU lists out of use, so that every operation walks
 * the slow path, where the events are.
 */
#ifndef KMEM_TRACE_H
#define KMEM_TRACE_H

#include <stddef.h>
#include <stdint.h>
#include <kmem/gfp.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum kmem_trace_kind {
	KMEM_TRACE_KMALLOC,
	KMEM_TRACE_CACHE_ALLOC,
	KMEM_TRACE_KFREE,
	KMEM_TRACE_CACHE_FREE,
	KMEM_TRACE_PAGE_ALLOC,
	KMEM_TRACE_PAGE_FREE,
	/* Reclaim: the kernel's groups vmscan and oom. */
	KMEM_TRACE_WAKEUP_KSWAPD, /* a request has asked for it */
	KMEM_TRACE_KSWAPD_WAKE,	  /* background reclaim begins */
	KMEM_TRACE_KSWAPD_SLEEP,  /* its task found nothing more to do */
	KMEM_TRACE_DIRECT_BEGIN,
	KMEM_TRACE_DIRECT_END,	 /* count: pages that came back */
	KMEM_TRACE_SHRINK_START, /* count: deferred, freeable, delta, to be scanned */
	KMEM_TRACE_SHRINK_END,	 /* count: deferred before, and now, not scanned, freed */
	KMEM_TRACE_RETRY_ZONE,	 /* count: reclaimable, that and free, min mark, rounds in vain */
	KMEM_TRACE_MARK_VICTIM,	 /* count: the number of the task */
	KMEM_NR_TRACE
};

struct kmem_trace_event {
	uint64_t seq; /* per CPU; a gap is what was dropped */
	uint32_t kind, cpu;
	uint64_t call_site; /* SHRINK: scan_objects */
	uint64_t ptr;	    /* object, or page descriptor's frame address; SHRINK: the shrinker */
	uint64_t pfn;
	uint64_t bytes_req, bytes_alloc;
	uint32_t gfp;
	int32_t order; /* SHRINK_START: the priority */
	union {
		int32_t migratetype;
		int32_t zone; /* RETRY_ZONE */
	};
	union {
		int32_t accounted;
		int32_t wmark_ok; /* RETRY_ZONE: were all of it given back, would min be passed? */
	};
	union {
		char name[KMEM_NAME_MAX]; /* cache */
		int64_t count[4];	  /* reclaim: see the kinds */
	};
};

/*
 * Called for each event in the context of the operation, with no lock held; must not allocate from
 * the library. fn NULL: the event goes to the ring of its CPU, 512 events, and is dropped and
 * counted (kmem_trace_dropped) while that is full. Starting starts the machine if it can; without
 * one nothing happens. Start and stop are for task context.
 */
typedef void (*kmem_trace_fn)(const struct kmem_trace_event *ev, void *arg);
void kmem_trace_start(kmem_trace_fn fn, void *arg);
void kmem_trace_stop(void);
/* Takes the oldest event off a CPU's ring. 1, or 0: empty, no such CPU, or a handler found the
 * ring's reader interrupted. Any context. */
int kmem_trace_read(unsigned int cpu, struct kmem_trace_event *ev);
/* One line in the format of tracefs, without the head: "kmalloc: call_site=... ptr=...". As
 * snprintf. Any context. */
size_t kmem_trace_text(const struct kmem_trace_event *ev, char *buf, size_t len);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
