/* SPDX-License-Identifier: MIT */
/*
 * Floor 4, reclaim: what can be asked to give pages back. Here: registered providers, the drains
 * of the floors above, the kswapd wake hook and the out-of-memory handler.
 *
 * Glossary
 *	provider	a holder of pages that can give some back when asked (kmem/shrinker.h)
 *	priority	12 to 0: a provider is asked for (its pages >> priority)
 *	tick		1 ms, the pause of whoever waits for others to free
 */
#pragma once
#include "phys/phys.h"
#include <kmem/shrinker.h>

enum { SWAP_CLUSTER_MAX = 32, DEF_PRIORITY = 12, MAX_RECLAIM_RETRIES = 16 };
enum { RECLAIM_TICK_NS = 1000000 };

/*
 * Direct reclaim: providers from priority 12 to 0 over zones up to class, then the drain hook, until
 * 32 pages were freed. Returns pages freed. Sets PF_MEMALLOC around it, restores it after.
 */
unsigned long reclaim_direct(gfp_t gfp, unsigned int order, u32 class);
/* Pages of the zone that providers could give back. */
unsigned long reclaim_reclaimable(const struct zone *z);
void reclaim_wake_kswapd(unsigned int order, u32 class);
/* Sleeps a tick. Task context. */
void reclaim_tick(void);
/* Semantics 2.8 after its first checks; one caller at a time, the others sleep a tick and retry. */
enum kmem_oom_result oom_call(gfp_t gfp, unsigned int order);
bool livelock_stop(gfp_t gfp, unsigned int order, unsigned long rounds);
/* Any context. A negative charge is never refused. */
bool charge_try(long bytes);
bool charge_on(void); /* is there anybody to charge? */
/* The slab floor registers what gives empty slabs back: returns pages freed. */
extern unsigned long (*reclaim_drain_hook)(void);
void reclaim_reset(void);
void oom_reset(void);
void oom_turn_reset(void);
/* Could a request of the class be served from the zone? */
static inline bool zone_serves(const struct zone *z, u32 class)
{
	return z->managed && (z->index <= class || (class < KMEM_ZONE_NORMAL && z->dma_too));
}

/* fork (boot floor): nobody changes the list of providers in between; in the child nobody else is
 * inside a provider or the OOM handler. */
void reclaim_fork_lock(void);
void reclaim_fork_unlock(bool child);
