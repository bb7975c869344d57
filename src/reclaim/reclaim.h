/* SPDX-License-Identifier: MIT */
/*
 * Floor 4, reclaim: what can be asked to give pages back. Shrinkers and providers, direct reclaim,
 * kswapd, the drains of the floors above and the out-of-memory handler.
 *
 * Glossary
 *	provider	a holder of pages that can give some back when asked (kmem/shrinker.h)
 *	shrinker	a cache that can free objects (kmem/shrinker.h)
 *	priority	12 to 0: who is asked, is asked for (what it has) >> priority
 *	pass		providers, then shrinkers, asked once, at one priority
 *	balance		what kswapd does when woken: passes until a zone is at its high mark
 *	wish		an order and a class that kswapd is to balance for
 *	progress	pages that came back: providers', and of slabs that became empty
 *	registry	a list of users' callbacks, walked without a lock
 *	tick		1 ms, the pause of whoever waits for others to free
 */
#pragma once
#include "phys/phys.h"
#include <kmem/shrinker.h>

enum { SWAP_CLUSTER_MAX = 32, DEF_PRIORITY = 12, MAX_RECLAIM_RETRIES = 16 };
enum { RECLAIM_TICK_NS = 1000000 };

/* ---- registry.c ---------------------------------------------------------------------------------- */

struct registry {
	struct lock lock;
	struct kmem_registered *head;
	u32 left; /* counts the entries that waited to leave and now may */
};
/* False: it is in already. */
bool registry_add(struct registry *r, struct kmem_registered *e, int priority);
/* Waits until nobody stands on it. False: it is not in. Task context. */
bool registry_remove(struct registry *r, struct kmem_registered *e);
/* A walk: NULL for the first. The entry returned is pinned until it is passed as prev, or the walk
 * ends early with registry_leave(). */
struct kmem_registered *registry_next(struct registry *r, struct kmem_registered *prev);
void registry_leave(struct registry *r, struct kmem_registered *e);
static inline bool registry_any(const struct registry *r)
{
	return atom_load(&r->head) != NULL;
}
void registry_reset(struct registry *r);
void registry_fork_lock(struct registry *r);
void registry_fork_unlock(struct registry *r, bool child);
int registry_check(struct registry *r);

/* ---- A reclaim under way ------------------------------------------------------------------------- */

struct reclaim {
	gfp_t gfp; /* what those who are asked may do */
	u32 class; /* zones up to this one */
	int priority;
	unsigned long target; /* of freed, where providers stop */
	unsigned long scanned, freed;
	bool kswapd;
};
/* Every reclaim, direct or of kswapd, runs between these two, as a task with the flags pf. What begin
 * returns is for end. */
u32 reclaim_begin(u32 pf);
void reclaim_end(u32 fresh);
void reclaim_pass(struct reclaim *r);
/* What the library holds itself: empty slabs, resting objects, per-CPU pages. */
void reclaim_drain(struct reclaim *r);

/* provider.c: pages they could give back, and asking for them; counts into r. */
extern struct registry providers;
unsigned long providers_count(const struct zone *z);
void providers_scan(struct reclaim *r);
/* shrinker.c: all of them at r->priority. Progress is counted in the task. */
extern struct registry shrinkers;
void shrinkers_scan(const struct reclaim *r);
/* The running task gave pages back that its reclaim may count. Any context. */
static inline void reclaim_note_pages(unsigned long pages)
{
	port_task()->reclaimed += (u32)pages;
}

/* ---- reclaim.c ----------------------------------------------------------------------------------- */

/*
 * Direct reclaim: passes from priority 12 to 0 over zones up to class, until 32 pages were freed, then
 * the drain hook. Returns pages freed. Sets PF_MEMALLOC around it, restores it after.
 */
unsigned long reclaim_direct(gfp_t gfp, unsigned int order, u32 class);
/* Pages of the zone that could be given back: providers', and while there is a shrinker those of
 * reclaimable slabs. */
unsigned long reclaim_reclaimable(const struct zone *z);
/* Background reclaim is due, unless a zone is at its high mark. Any context; nested: users' code is
 * not to be called. */
void reclaim_wake_kswapd(gfp_t gfp, unsigned int order, u32 class, bool nested);
/* Sleeps a tick. Task context. */
void reclaim_tick(void);
/* kswapd.c. False: there is nothing to be done in the background, or no hope. Any context. */
bool kswapd_wake(gfp_t gfp, unsigned int order, u32 class);
/* Any context: kswapd looks up from its sleep. False: there is none yet. */
bool kswapd_nudge(void);
/* Makes kswapd, unless it is there or there is nothing for it. A request that may block, no lock held. */
void kswapd_begin(void);
/* Some reclaim has freed something. */
void kswapd_progress(void);
/* A task that is about to reclaim waits here while the reserves are half gone and kswapd is at it:
 * with FS until that has filled them up, without for a second at most. Task context. */
void throttle_direct(gfp_t gfp);
/* No pass of kswapd's between these two. Task context, not from a callback. */
void kswapd_hold(void);
void kswapd_let(void);
void kswapd_stop(void); /* shutdown: on return its task is gone */
void kswapd_reset(void);

extern struct registry oom_notifiers;
/* oom.c. Semantics 2.8 after its first checks; one caller at a time, the others sleep a tick and retry. */
enum kmem_oom_result oom_call(gfp_t gfp, unsigned int order);
bool livelock_stop(gfp_t gfp, unsigned int order, unsigned long rounds);
/* Any context. A negative charge is never refused. */
bool charge_try(long bytes);
bool charge_on(void); /* is there anybody to charge? */
/* The slab floor registers what gives empty slabs back: returns pages freed. */
extern unsigned long (*reclaim_drain_hook)(void);
/* A piece of the same for what the caches have not used since it was begun last. False: it was the last
 * piece. Task context, one caller at a time. */
extern bool (*reclaim_idle_hook)(bool begin);
/* decay.c: whole slabs, a run or a large block went back. Any context, no lock held. */
void reclaim_decay(void);
/* kswapd, with nothing else to do: a step if it is time. Nanoseconds to the next; UINT64_MAX: none is due. */
u64 decay_background(void);
void decay_reset(void);
int reclaim_check(void);
void reclaim_reset(void);
void oom_reset(void);
void oom_turn_reset(void);
/* fork (boot floor): nobody changes a registry in between; in the child nobody else is inside a
 * callback or the OOM handler. */
void reclaim_fork_lock(void);
void reclaim_fork_unlock(bool child);
