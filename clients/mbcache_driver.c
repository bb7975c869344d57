// SPDX-License-Identifier: MIT
/*
 * fs/mbcache.c under memory pressure: a cache of many entries, then pages are taken until the machine
 * is short. Nobody but reclaim calls its shrinker. Entries that are held must stay, those that stay must
 * be right, and pages must come from those that went.
 */
#include <linux/init.h>
#include <linux/mbcache.h>
#include <linux/slab.h>
#include "check.h"

enum { BUCKET_BITS = 12, HELD = 64 };

static unsigned int entries = 40000;
module_param(entries, uint, 0444);

static u64 value_of(u32 key)
{
	return (u64)key * 0x9e3779b97f4a7c15ull;
}

static unsigned int fill(struct mb_cache *cache)
{
	unsigned int made = 0;

	for (u32 key = 0; key < entries; key++)
		made += mb_cache_entry_create(cache, GFP_NOFS, key, value_of(key), key & 1) == 0;
	CHECK(mb_cache_entry_create(cache, GFP_NOFS, 7, value_of(7), true) == -EBUSY);
	return made;
}

/* Looking an entry up marks it as used; that is all right, reclaim looks twice. */
static unsigned int count(struct mb_cache *cache)
{
	unsigned int found = 0;

	for (u32 key = 0; key < entries; key++) {
		struct mb_cache_entry *e = mb_cache_entry_get(cache, key, value_of(key));

		if (!e)
			continue;
		CHECK(e->e_key == key && e->e_value == value_of(key));
		mb_cache_entry_put(cache, e);
		found++;
	}
	return found;
}

/* Until the cache has given something, or there is really nothing left. */
static unsigned int press(struct mb_cache *cache, struct mb_cache_entry **kept, unsigned int before)
{
	struct held *held = NULL;
	unsigned int pages = 0, left;

	while (hold_page(&held, GFP_KERNEL | __GFP_NORETRY))
		pages++;
	for (int i = 0; i < HELD; i++)
		CHECK(kept[i] && kept[i]->e_value == value_of(kept[i]->e_key));
	release_pages_held(&held);
	left = count(cache);
	pr_info("mbcache: %u pages held, %u of %u entries left\n", pages, left, before);
	return left;
}

/* What went can be entered again. kswapd may have begun to scan before the pages came back, and then takes some
 * of the new ones: these are entered once more. */
static bool refill(struct mb_cache *cache)
{
	for (int passes = 0; passes < 10; passes++) {
		for (u32 key = 0; key < entries; key++) {
			int rc = mb_cache_entry_create(cache, GFP_NOFS, key, value_of(key), false);

			if (rc != 0 && rc != -EBUSY)
				return false;
		}
		if (count(cache) == entries)
			return true;
	}
	return false;
}

static int __init mbcache_driver_init(void)
{
	struct mb_cache *cache = mb_cache_create(BUCKET_BITS);
	struct mb_cache_entry *kept[HELD];
	unsigned int made, left;

	if (!cache)
		return -ENOMEM;
	made = fill(cache);
	CHECK(made == entries);
	CHECK(count(cache) == entries);
	for (u32 i = 0; i < HELD; i++)
		kept[i] = mb_cache_entry_get(cache, i * 13, value_of(i * 13));
	left = press(cache, kept, made);
	CHECK(left < made);
	CHECK(left >= HELD);
	for (u32 i = 0; i < HELD; i++) {
		struct mb_cache_entry *e = mb_cache_entry_get(cache, i * 13, value_of(i * 13));

		CHECK(e == kept[i]);
		if (e)
			mb_cache_entry_put(cache, e);
		if (kept[i])
			mb_cache_entry_put(cache, kept[i]);
	}
	CHECK(refill(cache));
	mb_cache_destroy(cache);
	return checks_result("mbcache");
}
late_initcall(mbcache_driver_init);
