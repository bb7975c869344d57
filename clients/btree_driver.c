// SPDX-License-Identifier: MIT
/*
 * lib/btree.c, whose nodes come out of a mempool: with a pool of ours that has a reserve, a tree grows
 * by GFP_NOIO where the machine has no page left, as far as the reserve goes, and says so after.
 */
#include <linux/btree.h>
#include <linux/init.h>
#include <linux/mempool.h>
#include <linux/random.h>
#include <linux/slab.h>
#include "check.h"

enum { RESERVE = 64, NODE = 128 };

static unsigned int keys = 20000;
module_param(keys, uint, 0444);

static u32 key_of(u32 i)
{
	return i * 2654435761u | 1u;
}

static void *val_of(u32 key)
{
	return (void *)(unsigned long)(key | 1u);
}

static void grow_and_shrink(void)
{
	struct btree_head32 tree;
	u32 last, key, seen = 0;
	void *val;

	if (!CHECK(btree_init32(&tree) == 0))
		return;
	for (u32 i = 0; i < keys; i++)
		CHECK(btree_insert32(&tree, key_of(i), val_of(key_of(i)), GFP_KERNEL) == 0);
	for (u32 i = 0; i < keys; i++)
		CHECK(btree_lookup32(&tree, key_of(i)) == val_of(key_of(i)));
	CHECK(btree_lookup32(&tree, 2) == NULL);
	last = U32_MAX;
	btree_for_each_safe32(&tree, key, val)
	{
		CHECK(key <= last && val == val_of(key));
		last = key;
		seen++;
	}
	CHECK(seen == keys);
	for (u32 i = 0; i < keys; i += 2)
		CHECK(btree_remove32(&tree, key_of(i)) == val_of(key_of(i)));
	for (u32 i = 0; i < keys; i++)
		CHECK(!btree_lookup32(&tree, key_of(i)) == !(i & 1));
	for (u32 i = 1; i < keys; i += 2)
		btree_remove32(&tree, key_of(i));
	btree_destroy32(&tree);
}

/* The machine is full: what a GFP_NOWAIT insertion finds is the reserve alone. */
static void use_the_reserve(void)
{
	mempool_t *pool = mempool_create_kmalloc_pool(RESERVE, NODE);
	struct btree_head32 tree;
	struct held *held = NULL;
	u32 done = 0;

	if (!CHECK(pool != NULL))
		return;
	btree_init_mempool32(&tree, pool);
	while (hold_page(&held, GFP_ATOMIC | __GFP_MEMALLOC))
		;
	while (btree_insert32(&tree, key_of(done), val_of(key_of(done)), GFP_NOWAIT) == 0)
		done++;
	pr_info("btree: %u keys out of a reserve of %d nodes\n", done, RESERVE);
	CHECK(done >= RESERVE);
	for (u32 i = 0; i < done; i++)
		CHECK(btree_lookup32(&tree, key_of(i)) == val_of(key_of(i)));
	release_pages_held(&held);
	CHECK(btree_insert32(&tree, key_of(done), val_of(key_of(done)), GFP_NOIO) == 0);
	for (u32 i = 0; i <= done; i++)
		btree_remove32(&tree, key_of(i));
	btree_destroy32(&tree);
}

static int __init btree_driver_init(void)
{
	grow_and_shrink();
	use_the_reserve();
	return checks_result("btree");
}
late_initcall(btree_driver_init);
