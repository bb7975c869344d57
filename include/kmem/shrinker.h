/* SPDX-License-Identifier: MIT */
/*
 * What the allocator calls when memory is short: page-reclaim providers, the kswapd wake hook and
 * the out-of-memory handler (semantics 2.8, 7.3, 7.4). None of them is called with a lock of the
 * allocator held. Registering is for task context.
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
 * reclaim: free up to nr pages of the zone; returns pages freed. Runs with PF_MEMALLOC set; gfp is
 * the requester's mask after scopes, and tells what it may do (sleep, IO, FS).
 */
struct kmem_provider {
	const char *name;
	unsigned long (*count_pages)(struct kmem_provider *p, int zone);
	unsigned long (*reclaim)(struct kmem_provider *p, int zone, unsigned long nr, int priority,
				 gfp_t gfp);
	struct kmem_provider *next; /* the library's */
};
int kmem_provider_register(struct kmem_provider *p);   /* 0, or -EINVAL (callback missing, twice) */
void kmem_provider_unregister(struct kmem_provider *p); /* quiet if not registered */

enum kmem_oom_result {
	KMEM_OOM_NONE,  /* nothing to be done: the request fails, unless __GFP_NOFAIL */
	KMEM_OOM_RETRY, /* try again */
	KMEM_OOM_FREED, /* memory was freed: try again, counters reset */
};
typedef enum kmem_oom_result (*kmem_oom_fn)(gfp_t gfp, unsigned int order, void *arg);
void kmem_set_oom_handler(kmem_oom_fn fn, void *arg); /* fn NULL: none */

/* Called when the slow path wants background reclaim. fn NULL: none. */
typedef void (*kmem_kswapd_wake_fn)(int node, unsigned int order, int zone, void *arg);
void kmem_set_kswapd_wake(kmem_kswapd_wake_fn fn, void *arg);

/*
 * Called once a round of the slow path's retry loop. Returning true turns an endless loop
 * (NOFAIL, NOFS) into a diagnosed livelock: a report with flags, order, zone state and rounds, and
 * the request fails.
 */
typedef bool (*kmem_livelock_fn)(gfp_t gfp, unsigned int order, unsigned long rounds, void *arg);
void kmem_set_livelock_guard(kmem_livelock_fn fn, void *arg);

/* __GFP_ACCOUNT: fn returns false to refuse a charge of bytes; called negative on free. */
typedef bool (*kmem_charge_fn)(long bytes, void *arg);
void kmem_set_charge_hook(kmem_charge_fn fn, void *arg);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
