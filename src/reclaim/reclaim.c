/* SPDX-License-Identifier: MIT */
/*
 * Asking for pages back: a pass, and direct reclaim.
 *
 * A pass asks, at one priority, first the providers of the zones that the request could use, then all
 * shrinkers: what a cache of objects gives back cannot be said beforehand. Direct reclaim makes
 * passes from priority 12 to 0 until 32 pages are back. What did not reach 32 takes the library's own
 * caches too: empty slabs and resting objects, then the per-CPU page lists.
 *
 * All of it runs as PF_MEMALLOC: what a callback allocates meanwhile comes out of the reserves, and
 * does not reclaim.
 *
 * Locks: none held.
 */
#include "reclaim/reclaim.h"

static struct registry *const registries[] = {&providers, &shrinkers, &oom_notifiers};

static struct hook kswapd_hook, livelock_hook, charge_hook;
unsigned long (*reclaim_drain_hook)(void);

void reclaim_tick(void)
{
	u32 word = 0;

	port_wait(&word, 0, RECLAIM_TICK_NS);
}

/* ---- A reclaim ----------------------------------------------------------------------------------- */

u32 reclaim_begin(u32 pf)
{
	struct port_task *task = port_task();
	u32 fresh = pf & ~task->pf;

	assert_debug(fresh & PF_MEMALLOC);
	task->pf |= pf;
	task->reclaimed = 0;
	return fresh;
}

void reclaim_end(u32 fresh)
{
	port_task()->pf &= ~fresh;
}

void reclaim_pass(struct reclaim *r)
{
	struct port_task *task = port_task();
	unsigned long before = r->freed;
	bool was = lockdep_reclaim_enter((r->gfp & __GFP_FS) != 0);

	providers_scan(r);
	shrinkers_scan(r);
	lockdep_reclaim_leave(was);
	r->freed += task->reclaimed;
	task->reclaimed = 0;
	if (r->freed != before)
		kswapd_progress();
}

unsigned long reclaim_reclaimable(const struct zone *z)
{
	unsigned long pages = providers_count(z);

	/* Nobody but a shrinker can empty a slab. */
	if (registry_any(&shrinkers))
		pages += atom_load(&z->slab_reclaimable);
	return pages;
}

/* What lies on per-CPU lists was free already: were it progress, tasks that drain each other's lists
 * would never give up. */
void reclaim_drain(struct reclaim *r)
{
	unsigned long freed = reclaim_drain_hook ? reclaim_drain_hook() : 0;

	pcp_drain_lists();
	r->freed += freed;
	if (freed)
		kswapd_progress();
}

unsigned long reclaim_direct(gfp_t gfp, unsigned int order, u32 class)
{
	struct reclaim r = {.gfp = gfp, .class = class, .target = SWAP_CLUSTER_MAX};
	u32 fresh;

	assert_debug(class < KMEM_NR_ZONES && order <= MAX_PAGE_ORDER);
	throttle_direct(gfp);
	vm_event(KMEM_EV_allocstall_dma + class);
	trace_direct_begin(order, gfp);
	fresh = reclaim_begin(PF_MEMALLOC);
	for (r.priority = DEF_PRIORITY; r.priority >= 0 && r.freed < r.target; r.priority--)
		reclaim_pass(&r);
	if (r.freed < r.target)
		reclaim_drain(&r);
	reclaim_end(fresh);
	trace_direct_end(r.freed);
	return r.freed;
}

/* ---- Hooks -------------------------------------------------------------------------------------- */

void kmem_set_kswapd_wake(kmem_kswapd_wake_fn fn, void *arg)
{
	hook_set(&kswapd_hook, (hook_fn)fn, arg);
}

void reclaim_wake_kswapd(gfp_t gfp, unsigned int order, u32 class, bool nested)
{
	hook_fn fn;
	void *arg;

	if (kswapd_wake(gfp, order, class) && !nested && hook_get(&kswapd_hook, &fn, &arg))
		((kmem_kswapd_wake_fn)fn)(0, order, (int)class, arg);
}

void kmem_set_livelock_guard(kmem_livelock_fn fn, void *arg)
{
	hook_set(&livelock_hook, (hook_fn)fn, arg);
}

bool livelock_stop(gfp_t gfp, unsigned int order, unsigned long rounds)
{
	hook_fn fn;
	void *arg;

	return hook_get(&livelock_hook, &fn, &arg) &&
	       ((kmem_livelock_fn)fn)(gfp, order, rounds, arg);
}

void kmem_set_charge_hook(kmem_charge_fn fn, void *arg)
{
	hook_set(&charge_hook, (hook_fn)fn, arg);
}

bool charge_on(void)
{
	hook_fn fn;
	void *arg;

	return hook_get(&charge_hook, &fn, &arg);
}

bool charge_try(long bytes)
{
	hook_fn fn;
	void *arg;

	if (likely(!hook_get(&charge_hook, &fn, &arg)))
		return true;
	return ((kmem_charge_fn)fn)(bytes, arg) || bytes < 0;
}

/* ---- The end, fork, check ------------------------------------------------------------------------ */

/* No other task is in the library. */
void reclaim_reset(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(registries); i++)
		registry_reset(registries[i]);
	kswapd_reset();
	decay_reset();
	hook_set(&kswapd_hook, NULL, NULL);
	hook_set(&livelock_hook, NULL, NULL);
	hook_set(&charge_hook, NULL, NULL);
	oom_reset();
}

void reclaim_fork_lock(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(registries); i++)
		registry_fork_lock(registries[i]);
}

void reclaim_fork_unlock(bool child)
{
	for (u32 i = 0; i < ARRAY_SIZE(registries); i++)
		registry_fork_unlock(registries[i], child);
	if (!child)
		return;
	kswapd_reset();
	decay_reset();
	oom_turn_reset();
}

int reclaim_check(void)
{
	int faults = 0;

	for (u32 i = 0; i < ARRAY_SIZE(registries); i++)
		faults += registry_check(registries[i]);
	return faults;
}
