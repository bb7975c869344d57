/* SPDX-License-Identifier: MIT */
/*
 * What the allocator calls when memory is short: page-reclaim providers, the kswapd wake hook and
 * the out-of-memory handler. None of them is called with a lock of the allocator held. Registering
 * is for task context, before the machine is started or while it runs; kmem_shutdown forgets all
 * of it. A hook that is replaced may still be under way on another task.
 */
#ifndef KMEM_SHRINKER_H
#define KMEM_SHRINKER_H

#include <stdbool.h>
#include <kmem/gfp.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/*
 * A holder of pages that can give some back. zone is the index of kmem/stat.h (KMEM_ZONE_*).
 * count_pages: how many pages of the zone it holds; no locks, quick.
 * reclaim: free up to nr pages of the zone; returns pages freed, 0 to be left alone until the next
 * priority. Runs in the task of the request, with PF_MEMALLOC set; gfp is the requester's mask
 * after scopes, and tells what it may do (IO, FS). priority falls from 12 to 0: it is asked for
 * (what it holds) >> priority, 32 pages at a time.
 */
struct kmem_provider {
	const char *name;
	unsigned long (*count_pages)(struct kmem_provider *p, int zone);
	unsigned long (*reclaim)(struct kmem_provider *p, int zone, unsigned long nr, int priority,
				 gfp_t gfp);
	struct kmem_provider *next; /* the library's */
};
int kmem_provider_register(struct kmem_provider *p); /* 0, or -EINVAL (callback missing, twice) */
/* Waits until no task is in a provider, so it must not be called from one. Quiet if not
 * registered. */
void kmem_provider_unregister(struct kmem_provider *p);

enum kmem_oom_result {
	KMEM_OOM_NONE,	/* nothing to be done: the request fails, unless __GFP_NOFAIL */
	KMEM_OOM_RETRY, /* try again */
	KMEM_OOM_FREED, /* memory was freed: try again, counters reset */
};
/* One task at a time, in the task of the request; others wait a tick and look again. It may
 * free and allocate; running out of memory itself, it gets NONE and is not called again. */
typedef enum kmem_oom_result (*kmem_oom_fn)(gfp_t gfp, unsigned int order, void *arg);
void kmem_set_oom_handler(kmem_oom_fn fn, void *arg); /* fn NULL: none */

/* Called when the slow path wants background reclaim: on entry and in each round, while no zone
 * of the request is above its high mark. zone: the request's class, KMEM_ZONE_*; node: 0. In
 * the context of the request, which may be an interrupt: wake somebody, and return. fn NULL:
 * none. */
typedef void (*kmem_kswapd_wake_fn)(int node, unsigned int order, int zone, void *arg);
void kmem_set_kswapd_wake(kmem_kswapd_wake_fn fn, void *arg);

/*
 * Called at the start of each round of the slow path's retry loop but the first; rounds: how many
 * are over. Returning true turns an endless loop (NOFAIL, NOFS) into a diagnosed livelock: a
 * report with flags, order, zone state and rounds, and the request fails. fn NULL: none.
 */
typedef bool (*kmem_livelock_fn)(gfp_t gfp, unsigned int order, unsigned long rounds, void *arg);
void kmem_set_livelock_guard(kmem_livelock_fn fn, void *arg);

/* Charges for pages and large kmallocs with __GFP_ACCOUNT, and objects of SLAB_ACCOUNT caches:
 * fn returns false to refuse a charge of bytes, and then the request fails; called negative on
 * free, when its answer is not looked at. Any context, handlers included. fn NULL: none. */
typedef bool (*kmem_charge_fn)(long bytes, void *arg);
void kmem_set_charge_hook(kmem_charge_fn fn, void *arg);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
