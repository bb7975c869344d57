/* SPDX-License-Identifier: MIT */
#include "misuse.h"

static const char cache_lock;

static unsigned long count(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return 1000;
}

static unsigned long scan(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	kmem_lock_acquired(&cache_lock, "cache lock", NULL);
	kmem_lock_released(&cache_lock);
	return SHRINK_STOP;
}

static struct shrinker shrinker = {.count_objects = count, .scan_objects = scan, .seeks = 2};

MISUSE("mem=4M zones=flat lockdep=1", KMEM_MISUSE_RECLAIM_RECURSION, "cache lock")
{
	struct page *page, *taken = NULL;

	register_shrinker(&shrinker, "cache");
	kmem_lock_acquired(&cache_lock, "cache lock", NULL);
	while ((page = alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN))) {
		*(struct page **)page_address(page) = taken;
		taken = page;
	}
	kmem_lock_released(&cache_lock);
	while ((page = taken)) {
		taken = *(struct page **)page_address(page);
		__free_page(page);
	}
	unregister_shrinker(&shrinker);
}
