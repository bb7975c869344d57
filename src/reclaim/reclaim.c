/* SPDX-License-Identifier: MIT */
/*
 * Asking for pages back.
 *
 * Providers are kept in a list in order of registration. A walker calls them without a lock, so
 * removal must wait until nobody who may have seen the provider is still walking:
 *
 *	walker		u = users[epoch & 1] + 1, epoch unchanged?, walk, u - 1
 *	remover		unlink, epoch + 1, wait for users[old epoch & 1] to be 0
 *
 * A walker that counted itself in the old epoch is waited for. One that reads the epoch, and counts
 * itself only after it has changed, sees that and begins again, before it has looked at the list.
 * Removers exclude each other, so the two counters are enough.
 *
 * Direct reclaim. From priority 12 to 0 each provider is asked for (pages it holds) >> priority, in
 * portions of 32, in each zone the request could use, until 32 pages are back. What did not reach 32
 * takes the library's own caches too: empty slabs and resting objects, then the per-CPU page lists.
 * It runs as PF_MEMALLOC: what a provider allocates meanwhile comes out of the reserves, and does
 * not reclaim.
 *
 * Lock: RANK_LEAF, for changes of the list. No callback runs under it.
 */
#include "reclaim/reclaim.h"

static struct kmem_provider *providers;
static struct lock providers_lock = {.rank = RANK_LEAF};
static u32 epoch, users[2];
static u32 removing; /* a remover is waiting */

static struct hook kswapd_hook, livelock_hook, charge_hook;
unsigned long (*reclaim_drain_hook)(void);

void reclaim_tick(void)
{
	u32 word = 0;

	port_wait(&word, 0, RECLAIM_TICK_NS);
}

/* ---- The list of providers ---------------------------------------------------------------------- */

static u32 walk_begin(void)
{
	for (;;) {
		u32 mine = atom_load_acq(&epoch);

		atom_add_sc(&users[mine & 1], 1);
		atom_fence(); /* counted before the second look; pairs with the fence of walks_end */
		if (atom_load_acq(&epoch) == mine)
			return mine;
		atom_sub_sc(&users[mine & 1], 1);
	}
}

static void walk_end(u32 mine)
{
	atom_sub_sc(&users[mine & 1], 1);
}

/* All walks begun before are over. The caller is the only remover. */
static void walks_end(void)
{
	u32 old = atom_add_sc(&epoch, 1);

	atom_fence();
	while (atom_load_acq(&users[old & 1]) != 0)
		port_relax();
}

static struct kmem_provider *provider_next(struct kmem_provider *p)
{
	/* Pairs with the release that linked it. */
	return atom_load_acq(p ? &p->next : &providers);
}

/* The link that leads to p, or the last one. Lock held. */
static struct kmem_provider **provider_link(const struct kmem_provider *p)
{
	struct kmem_provider **link = &providers;

	while (*link && *link != p)
		link = &(*link)->next;
	return link;
}

int kmem_provider_register(struct kmem_provider *p)
{
	struct kmem_provider **link;
	irqflags_t flags;
	bool fresh;

	if (!p || !p->count_pages || !p->reclaim)
		return -KE_INVAL;
	flags = lock_take(&providers_lock);
	link = provider_link(p);
	fresh = *link == NULL;
	if (fresh) {
		atom_store(&p->next, NULL);
		atom_store_rel(link, p); /* pairs with provider_next */
	}
	lock_release(&providers_lock, flags);
	return fresh ? 0 : -KE_INVAL;
}

void kmem_provider_unregister(struct kmem_provider *p)
{
	struct kmem_provider **link;
	irqflags_t flags;
	bool found;

	if (!p)
		return;
	while (atom_xchg(&removing, 1u) != 0) /* pairs with the release below */
		port_relax();
	flags = lock_take(&providers_lock);
	link = provider_link(p);
	found = *link == p;
	if (found)
		atom_store_rel(link, p->next); /* p->next stays: a walker may stand on p */
	lock_release(&providers_lock, flags);
	if (found)
		walks_end();
	atom_store_rel(&removing, 0u);
}

/* ---- Reclaim ------------------------------------------------------------------------------------ */

unsigned long reclaim_reclaimable(const struct zone *z)
{
	unsigned long pages = 0;
	u32 walk = walk_begin();

	for (struct kmem_provider *p = NULL; (p = provider_next(p));)
		pages += p->count_pages(p, (int)z->index);
	walk_end(walk);
	return pages;
}

/* One provider, one zone, one priority. A provider that gives nothing back is not asked again. */
static unsigned long provider_scan(struct kmem_provider *p, const struct zone *z, int priority,
				   gfp_t gfp, unsigned long target)
{
	unsigned long left = p->count_pages(p, (int)z->index) >> priority, freed = 0;

	while (left && freed < target) {
		unsigned long nr = size_min(left, SWAP_CLUSTER_MAX);
		unsigned long got = p->reclaim(p, (int)z->index, nr, priority, gfp);

		vm_event_add(KMEM_EV_pgscan_direct, nr);
		if (got == 0)
			break;
		vm_event_add(KMEM_EV_pgsteal_direct, got);
		freed += got;
		left -= nr;
	}
	return freed;
}

static unsigned long providers_scan(int priority, gfp_t gfp, u32 class, unsigned long target)
{
	unsigned long freed = 0;
	u32 walk = walk_begin();

	for_each_zone (z) {
		if (!zone_serves(z, class))
			continue;
		for (struct kmem_provider *p = NULL; freed < target && (p = provider_next(p));)
			freed += provider_scan(p, z, priority, gfp, target - freed);
	}
	walk_end(walk);
	return freed;
}

static unsigned long free_pages_of(u32 class)
{
	unsigned long pages = 0;

	for_each_zone (z)
		if (zone_serves(z, class))
			pages += zone_free_pages(z);
	return pages;
}

/* What the library itself holds without need. Others may free or allocate meanwhile: a guess. */
static unsigned long drain_own(u32 class)
{
	unsigned long before = free_pages_of(class), after, hooked = 0;

	if (reclaim_drain_hook)
		hooked = reclaim_drain_hook();
	pcp_drain_all();
	after = free_pages_of(class);
	return size_max(hooked, after > before ? after - before : 0);
}

unsigned long reclaim_direct(gfp_t gfp, unsigned int order, u32 class)
{
	struct port_task *task = port_task();
	u32 saved = task->pf & PF_MEMALLOC;
	unsigned long freed = 0;

	assert_debug(!saved && class < KMEM_NR_ZONES && order <= MAX_PAGE_ORDER);
	vm_event(KMEM_EV_allocstall_dma + class);
	task->pf |= PF_MEMALLOC;
	for (int priority = DEF_PRIORITY; priority >= 0 && freed < SWAP_CLUSTER_MAX; priority--)
		freed += providers_scan(priority, gfp, class, SWAP_CLUSTER_MAX - freed);
	if (freed < SWAP_CLUSTER_MAX)
		freed += drain_own(class);
	task->pf = (task->pf & ~PF_MEMALLOC) | saved;
	return freed;
}

/* ---- Hooks -------------------------------------------------------------------------------------- */

void kmem_set_kswapd_wake(kmem_kswapd_wake_fn fn, void *arg)
{
	hook_set(&kswapd_hook, (hook_fn)fn, arg);
}

/* Some zone of the class is at its high mark: nothing to be done in the background. */
static bool node_balanced(unsigned int order, u32 class)
{
	for_each_zone (z)
		if (zone_serves(z, class) &&
		    zone_watermark_ok(z, order, atom_load(&z->mark[ALLOC_WMARK_HIGH]), class, 0,
				      zone_free_pages(z)))
			return true;
	return false;
}

void reclaim_wake_kswapd(unsigned int order, u32 class)
{
	hook_fn fn;
	void *arg;

	if (hook_get(&kswapd_hook, &fn, &arg) && !node_balanced(order, class))
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

/* ---- The end, and fork -------------------------------------------------------------------------- */

/* No other task is in the library. */
void reclaim_reset(void)
{
	assert_debug(users[0] == 0 && users[1] == 0);
	providers = NULL;
	hook_set(&kswapd_hook, NULL, NULL);
	hook_set(&livelock_hook, NULL, NULL);
	hook_set(&charge_hook, NULL, NULL);
	oom_reset();
}

void reclaim_fork_lock(void)
{
	lock_fork_take(&providers_lock);
}

void reclaim_fork_unlock(bool child)
{
	/* A fork out of a provider's callback: this task's own walk is still counted. */
	if (child && !(port_task()->pf & PF_MEMALLOC)) {
		users[0] = 0;
		users[1] = 0;
	}
	if (child) {
		removing = 0;
		oom_turn_reset();
	}
	if (child)
		lock_reset(&providers_lock);
	else
		lock_fork_drop(&providers_lock);
}
