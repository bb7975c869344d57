/* SPDX-License-Identifier: MIT */
/*
 * What the allocator calls when memory is short: shrinkers, page-reclaim providers, the kswapd wake
 * hook and the out-of-memory handler. None of them is called with a lock of the allocator held.
 * Registering is for task context, before the machine is started or while it runs; kmem_shutdown
 * forgets all of it. A hook that is replaced may still be under way on another task.
 */
#ifndef KMEM_SHRINKER_H
#define KMEM_SHRINKER_H

#include <stdbool.h>
#include <stdint.h>
#include <kmem/config.h>
#include <kmem/gfp.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* The library's place in what is registered: zero before, and not to be touched after. */
struct kmem_registered {
	struct kmem_registered *next;
	int priority;
	uint32_t pins; /* tasks that are in its callbacks */
	bool leaving;
};

/*
 * A shrinker: a cache that can free some of its objects when memory is short. Names and arithmetic
 * are the kernel's.
 *
 * count_objects: how many could be freed; quick, and it must not allocate. 0: none now.
 * SHRINK_EMPTY: none at all.
 * scan_objects: look at up to sc->nr_to_scan of them and free what can go; returns how many were
 * freed. sc->nr_scanned is how many were looked at, preset to nr_to_scan. SHRINK_STOP: nothing can
 * be done in this context (the mask lacks __GFP_FS, say); what was due is put off until the next
 * call.
 *
 * At priority p, 12 to 0, of n objects (n >> p) * 4 / seeks are due, or n / 2 with seeks 0, and what
 * was put off earlier, >> p; never more than 2n. They are scanned in portions of batch objects
 * (0: 128); less than a portion is put off.
 *
 * Both run in the task of the request, or in kswapd, with PF_MEMALLOC set: what they allocate comes
 * out of the reserves, and does not reclaim. They may sleep. A lock they take must not be held by
 * anybody over a request that could call them (<kmem/lockdep.h> finds it). What counts as progress
 * is not objects but the pages that slabs give back meanwhile; pages freed otherwise are told with
 * mm_account_reclaimed_pages().
 */
#define SHRINK_STOP   (~0ul)
#define SHRINK_EMPTY  (~0ul - 1)
#define DEFAULT_SEEKS 2
/* Accepted, without effect: there is one node, and no groups. */
#define SHRINKER_NUMA_AWARE  (1u << 2)
#define SHRINKER_MEMCG_AWARE (1u << 3)
#define SHRINKER_NONSLAB     (1u << 4)

struct shrink_control {
	gfp_t gfp_mask; /* the requester's, after scopes; of kswapd, GFP_KERNEL */
	int nid;	/* 0 */
	unsigned long nr_to_scan, nr_scanned;
};
struct shrinker {
	unsigned long (*count_objects)(struct shrinker *s, struct shrink_control *sc);
	unsigned long (*scan_objects)(struct shrinker *s, struct shrink_control *sc);
	long batch;
	int seeks;
	unsigned int flags;
	void *private_data; /* the user's */
	/* The library's: */
	unsigned long nr_deferred;
	struct kmem_registered registered;
	char name[KMEM_NAME_MAX];
};
/*
 * A zeroed shrinker with seeks 2, or NULL: no memory. Its user fills it in and registers it. It is
 * an object of the machine: one that is not freed before kmem_shutdown is a leak. Task context, may
 * sleep.
 */
struct shrinker *shrinker_alloc(unsigned int flags, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Visible to reclaim from now on; the first makes kswapd (below). Without callbacks, or registered
 * already: misuse, and nothing happens. Task context. */
void shrinker_register(struct shrinker *s);
/* Unregisters it, waits until no task is in it, and frees it. One that was never registered too;
 * NULL is nothing. Not from its own callbacks. */
void shrinker_free(struct shrinker *s);
/* The older calls, for a shrinker in memory of the user's, zero but for what he has filled in. 0, or
 * -EINVAL as above. Unregistering waits as well, and is quiet about one that is not registered. */
int register_shrinker(struct shrinker *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void unregister_shrinker(struct shrinker *s);
/* From a callback: so many pages went back that were no slab's. Any context. */
void mm_account_reclaimed_pages(unsigned long pages);

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
	struct kmem_registered registered; /* the library's */
};
int kmem_provider_register(struct kmem_provider *p); /* 0, or -EINVAL (callback missing, twice) */
/* Waits until no task is in it, so it must not be called from its callbacks. Quiet if not
 * registered. */
void kmem_provider_unregister(struct kmem_provider *p);

/*
 * Out-of-memory notifiers, the kernel's chain: before the handler each is asked, by falling priority,
 * to free what it can; it adds the pages to *(unsigned long *)data. If there are any the request tries
 * again, and the handler is not called. action: 0. A return value with NOTIFY_STOP_MASK ends the chain.
 * Called as the handler is, but for requests without __GFP_FS too. 0, or -EINVAL (no callback, in
 * already). Unregistering waits until no task is in it, and is quiet about one that is not in: 0.
 */
struct notifier_block;
typedef int (*notifier_fn_t)(struct notifier_block *nb, unsigned long action, void *data);
struct notifier_block {
	notifier_fn_t notifier_call;
	int priority;
	struct kmem_registered registered; /* the library's */
};
#define NOTIFY_DONE	 0x0000
#define NOTIFY_OK	 0x0001
#define NOTIFY_STOP_MASK 0x8000
#define NOTIFY_BAD	 (NOTIFY_STOP_MASK | 0x0002)
#define NOTIFY_STOP	 (NOTIFY_STOP_MASK | NOTIFY_OK)
int register_oom_notifier(struct notifier_block *nb);
int unregister_oom_notifier(struct notifier_block *nb);

enum kmem_oom_result {
	KMEM_OOM_NONE,	/* nothing to be done: the request fails, unless __GFP_NOFAIL */
	KMEM_OOM_RETRY, /* try again */
	KMEM_OOM_FREED, /* memory was freed: try again, counters reset */
};
/* One task at a time, in the task of the request; others wait a tick and look again. It may
 * free and allocate; running out of memory itself, it gets NONE and is not called again. */
typedef enum kmem_oom_result (*kmem_oom_fn)(gfp_t gfp, unsigned int order, void *arg);
void kmem_set_oom_handler(kmem_oom_fn fn, void *arg); /* fn NULL: none */

/*
 * kswapd, background reclaim: woken by requests with __GFP_KSWAPD_RECLAIM that find every zone at its
 * low mark, it asks providers and shrinkers until one zone of the request's is at its high mark. It is
 * a task of the library's own (posix: a thread with all signals blocked and a stack of 256 KiB),
 * started when the first shrinker or provider is registered, not before; it sleeps while nothing
 * is wanted, and ends with the machine. A fork's child starts its own, with the first request for
 * pages that may block. While it has freed nothing sixteen times in a row it is not woken, until some
 * reclaim frees something or a zone is at its high mark again.
 *
 * kmem_kswapd_run() does one such balance in the caller's task, for those without threads or with
 * kswapd=0: from an idle loop, or when the wake hook says so. False: nothing was wanted, or it is
 * being done. Task context, may sleep, not from a callback.
 */
bool kmem_kswapd_run(void);
/* Called when background reclaim is due: on entry of the slow path and in each round, while no zone
 * of the request is above its high mark, unless it is hopeless. zone: the request's class,
 * KMEM_ZONE_*; node: 0. In the context of the request, which may be an interrupt: wake somebody,
 * and return. fn NULL: none. */
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
