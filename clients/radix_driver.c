// SPDX-License-Identifier: MIT
/*
 * lib/radix-tree.c with preloading: nodes are got with GFP_NOFS or inside memalloc_noio_save(), where
 * reclaim may wait, and used under a spinlock, where nothing may. A shrinker sees which requests reach
 * it: inside the scope of NOIO none may have __GFP_IO or __GFP_FS, whatever mask the code gave.
 */
#include <linux/idr.h>
#include <linux/init.h>
#include <linux/radix-tree.h>
#include <linux/sched/mm.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include "check.h"

static unsigned int items = 20000;
module_param(items, uint, 0444);

static RADIX_TREE(tree, GFP_ATOMIC);
static DEFINE_SPINLOCK(tree_lock);
static DEFINE_SPINLOCK(cached_lock);
static struct held *cached;
static unsigned long nr_cached, calls, bad_io, bad_fs;
static struct task_struct *scoped; /* the task in the scope; kswapd is another */

static unsigned long count_cached(struct shrinker *s, struct shrink_control *sc)
{
	return READ_ONCE(nr_cached);
}

/* In kswapd and in the requests' own tasks at once; the list is under its lock. */
static unsigned long scan_cached(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long freed = 0;

	spin_lock(&cached_lock);
	calls++;
	if (current == READ_ONCE(scoped)) {
		bad_io += (sc->gfp_mask & __GFP_IO) != 0;
		bad_fs += (sc->gfp_mask & __GFP_FS) != 0;
	}
	for (; cached && freed < sc->nr_to_scan; freed++) {
		struct held *p = cached;

		cached = p->next;
		WRITE_ONCE(nr_cached, nr_cached - 1);
		free_page((unsigned long)p);
	}
	spin_unlock(&cached_lock);
	mm_account_reclaimed_pages(freed);
	return freed;
}

static struct shrinker shrinker = {
	.count_objects = count_cached, .scan_objects = scan_cached, .seeks = 2};

static void *item_of(unsigned long i)
{
	return (void *)(i * 4096 + 16); /* no low bits: those are the tree's */
}

static int insert(unsigned long i, gfp_t gfp)
{
	int err = radix_tree_maybe_preload(gfp);

	if (err)
		return err;
	spin_lock(&tree_lock);
	err = radix_tree_insert(&tree, i * 37, item_of(i));
	spin_unlock(&tree_lock);
	radix_tree_preload_end();
	return err;
}

/* Fills the machine with pages that the shrinker may take. */
static void fill(void)
{
	while (hold_page(&cached, GFP_NOWAIT))
		nr_cached++;
}

static void check_all(void)
{
	unsigned long found = 0;
	struct radix_tree_iter iter;
	void __rcu **slot;

	rcu_read_lock();
	radix_tree_for_each_slot(slot, &tree, &iter, 0)
	{
		CHECK(radix_tree_deref_slot(slot) == item_of(iter.index / 37));
		found++;
	}
	rcu_read_unlock();
	CHECK(found == items);
}

static int __init radix_driver_init(void)
{
	unsigned int saved;
	unsigned long i;

	fill();
	CHECK(register_shrinker(&shrinker, "radix") == 0);
	for (i = 0; i < items / 2; i++)
		CHECK(insert(i, GFP_NOFS) == 0);
	WRITE_ONCE(scoped, current);
	saved = memalloc_noio_save();
	for (; i < items; i++)
		CHECK(insert(i, GFP_KERNEL) == 0);
	memalloc_noio_restore(saved);
	WRITE_ONCE(scoped, NULL);
	CHECK(insert(5, GFP_NOFS) == -EEXIST);
	check_all();
	unregister_shrinker(&shrinker);
	pr_info("radix: the shrinker was called %lu times, %lu pages are left to it\n", calls,
		nr_cached);
	CHECK(calls > 0);
	CHECK(bad_io == 0);
	CHECK(bad_fs == 0);
	for (i = 0; i < items; i++)
		CHECK(radix_tree_delete(&tree, i * 37) == item_of(i));
	CHECK(radix_tree_empty(&tree));
	release_pages_held(&cached);
	return checks_result("radix");
}
late_initcall(radix_driver_init);
