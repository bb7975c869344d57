/* SPDX-License-Identifier: MIT */
/*
 * Page-reclaim providers: what stands for the kernel's lists of user pages (semantics 7.3).
 *
 * At priority p each provider is asked for (pages it holds) >> p, in portions of 32, in each zone
 * that the reclaim is for, until the pass has what it wants. One that gives nothing back is left
 * alone until the next priority.
 *
 * Locks: none while a provider is called.
 */
#include "reclaim/reclaim.h"

struct registry providers = {.lock = {.rank = RANK_LEAF}};

static struct kmem_provider *provider_of(struct kmem_registered *e)
{
	return e ? container_of(e, struct kmem_provider, registered) : NULL;
}

static struct kmem_provider *provider_next(struct kmem_provider *p)
{
	return provider_of(registry_next(&providers, p ? &p->registered : NULL));
}

int kmem_provider_register(struct kmem_provider *p)
{
	if (!p || !p->count_pages || !p->reclaim)
		return -KE_INVAL;
	if (!registry_add(&providers, &p->registered, 0))
		return -KE_INVAL;
	kswapd_begin();
	return 0;
}

void kmem_provider_unregister(struct kmem_provider *p)
{
	if (p)
		registry_remove(&providers, &p->registered);
}

unsigned long providers_count(const struct zone *z)
{
	unsigned long pages = 0;

	for (struct kmem_provider *p = NULL; (p = provider_next(p));)
		pages += p->count_pages(p, (int)z->index);
	return pages;
}

/* One provider, one zone, one priority. */
static void provider_scan(struct kmem_provider *p, const struct zone *z, struct reclaim *r)
{
	unsigned long left = p->count_pages(p, (int)z->index) >> r->priority;

	while (left && r->freed < r->target) {
		unsigned long nr = size_min(left, SWAP_CLUSTER_MAX);
		unsigned long got = p->reclaim(p, (int)z->index, nr, r->priority, r->gfp);

		vm_event_add(r->kswapd ? KMEM_EV_pgscan_kswapd : KMEM_EV_pgscan_direct, nr);
		r->scanned += nr;
		if (got == 0)
			break;
		vm_event_add(r->kswapd ? KMEM_EV_pgsteal_kswapd : KMEM_EV_pgsteal_direct, got);
		r->freed += got;
		left -= nr;
	}
}

static void providers_scan_zone(const struct zone *z, struct reclaim *r)
{
	struct kmem_provider *p = NULL;

	while (r->freed < r->target && (p = provider_next(p)))
		provider_scan(p, z, r);
	if (p)
		registry_leave(&providers, &p->registered);
}

void providers_scan(struct reclaim *r)
{
	assert_debug(r->priority >= 0 && r->priority <= DEF_PRIORITY);
	assert_debug(port_task()->pf & PF_MEMALLOC);
	for_each_zone (z)
		if (zone_serves(z, r->class))
			providers_scan_zone(z, r);
}
