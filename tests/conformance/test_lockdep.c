/* SPDX-License-Identifier: MIT */
/* Locks that are taken in reclaim and held over a request: semantics 7.8, S172. */
#include <pthread.h>
#include <kmem/mempool.h>
#include <kmem/percpu.h>
#include "pressure.h"

static const char inode_class, page_class, many[256];
#define RECURSION KMEM_MISUSE_RECLAIM_RECURSION

/* ---- A shrinker that takes a lock ------------------------------------------------------------- */

static struct shrinker *shrinker;
static bool only_tries, in_handler;
static unsigned int scans;
static gfp_t scan_gfp;

static unsigned long cache_count(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return 1000;
}

static noinline unsigned long cache_scan(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	scans++;
	scan_gfp = sc->gfp_mask;
	if (in_handler)
		kmem_irq_enter();
	if (only_tries)
		kmem_lock_tried(&inode_class, "inode lock", NULL);
	else
		kmem_lock_acquired(&inode_class, "inode lock", NULL);
	kmem_lock_released(&inode_class);
	if (in_handler)
		kmem_irq_exit();
	__asm__ volatile("");
	return SHRINK_STOP;
}

static void start(const char *cmdline)
{
	machine_start(cmdline);
	shrinker = shrinker_alloc(0, "inodes");
	ok(shrinker != NULL, "a shrinker");
	shrinker->count_objects = cache_count;
	shrinker->scan_objects = cache_scan;
	shrinker_register(shrinker);
}

static void stop(void)
{
	shrinker_free(shrinker);
	machine_stop();
}

/* Requests until one reclaims in vain. */
static void reclaim_with(gfp_t gfp)
{
	scans = 0;
	exhaust(gfp);
	give_back_all();
	ok(scans > 0, "the shrinker ran");
}

/* ---- A task that holds the lock over a request ---------------------------------------------------- */

static noinline void request_with(gfp_t gfp)
{
	kmem_lock_acquired(&inode_class, "inode lock", NULL);
	kfree(kmalloc(100, gfp));
	kmem_lock_released(&inode_class);
	__asm__ volatile("");
}

/* The address on the line behind the title lies in the function. */
static bool site_is_in(const char *title, void (*fn)(void))
{
	const char *at = strstr(support_log, title);
	unsigned long addr = 0;

	if (!at || sscanf(at + strlen(title), "\n [<%lx>]", &addr) != 1)
		return false;
	return addr > (uintptr_t)fn && addr < (uintptr_t)fn + 400;
}

static void is_reported_once(void)
{
	is(reports_of(RECURSION), 1, "one report");
	is(log_count("WARNING: possible reclaim recursion detected\nlock class \"inode lock\" is "
		     "taken in reclaim, and held over a request that may reclaim\n"),
	   1, "its text");
	ok(site_is_in("taken in reclaim at:", (void (*)(void))cache_scan), "one site");
	ok(site_is_in("held over a request at:", (void (*)(void))request_with), "the other");
}

TEST(S172_taken_in_reclaim_then_held_over_a_request)
{
	start(M64 " lockdep=1");
	reclaim_with(GFP_KERNEL);
	is(reports_of(RECURSION), 0, "half of it");
	request_with(GFP_KERNEL);
	is_reported_once();
	request_with(GFP_KERNEL);
	reclaim_with(GFP_KERNEL);
	is(reports_of(RECURSION), 1, "once a class");
	stop();
}

TEST(S172_held_over_a_request_then_taken_in_reclaim)
{
	start(M64 " lockdep=1");
	request_with(GFP_KERNEL);
	is(reports_of(RECURSION), 0, "half of it");
	reclaim_with(GFP_KERNEL);
	is_reported_once();
	stop();
}

TEST(S172_what_cannot_come_back_is_not_reported)
{
	unsigned int saved;
	mempool_t *pool;

	start(M64 " lockdep=1");
	pool = mempool_create_kmalloc_pool(1, 100);
	reclaim_with(GFP_KERNEL);
	request_with(GFP_NOFS);
	request_with(GFP_NOIO);
	request_with(GFP_ATOMIC);
	request_with(GFP_NOWAIT);
	saved = memalloc_nofs_save();
	request_with(GFP_KERNEL);
	kmem_lock_acquired(&inode_class, "inode lock", NULL);
	mempool_free(mempool_alloc(pool, GFP_KERNEL), pool);
	free_percpu(__alloc_percpu(8, 8));
	kmem_lock_released(&inode_class);
	memalloc_nofs_restore(saved);
	saved = memalloc_noio_save();
	request_with(GFP_KERNEL);
	memalloc_noio_restore(saved);
	saved = memalloc_noreclaim_save();
	request_with(GFP_KERNEL);
	memalloc_noreclaim_restore(saved);
	kfree(kmalloc(100, GFP_KERNEL));
	is(reports_of(RECURSION), 0, "none of these");
	request_with(GFP_KERNEL);
	is(reports_of(RECURSION), 1, "this one");
	mempool_destroy(pool);
	stop();
}

TEST(S172_reclaim_without_fs_takes_what_it_likes)
{
	unsigned int saved;

	start(M64 " lockdep=1");
	request_with(GFP_KERNEL);
	reclaim_with(GFP_NOFS);
	saved = memalloc_nofs_save();
	reclaim_with(GFP_KERNEL);
	memalloc_nofs_restore(saved);
	ok(!(scan_gfp & __GFP_FS), "the shrinker is told");
	is(reports_of(RECURSION), 0, "and trusted");
	stop();
}

TEST(S172_a_shrinker_that_tries_does_not_wait)
{
	only_tries = true;
	start(M64 " lockdep=1");
	request_with(GFP_KERNEL);
	reclaim_with(GFP_KERNEL);
	is(reports_of(RECURSION), 0, "tried");
	stop();
}

TEST(S172_a_handler_is_not_the_shrinker_it_interrupts)
{
	in_handler = true;
	start(M64 " lockdep=1");
	request_with(GFP_KERNEL);
	reclaim_with(GFP_KERNEL);
	is(reports_of(RECURSION), 0, "a handler's lock");
	stop();
}

static void *other_task(void *arg)
{
	(void)arg;
	request_with(GFP_KERNEL);
	return NULL;
}

TEST(S172_the_halves_may_be_of_different_tasks)
{
	pthread_t thread;

	start(M64 " lockdep=1");
	kmem_lock_acquired(&page_class, "page lock", NULL);
	pthread_create(&thread, NULL, other_task, NULL);
	pthread_join(thread, NULL);
	kmem_lock_released(&page_class);
	reclaim_with(GFP_KERNEL);
	is_reported_once();
	stop();
}

TEST(S172_all_kinds_of_requests)
{
	struct kmem_cache *c;
	struct page *page;

	start(M64 " lockdep=1");
	c = kmem_cache_create("things", 64, 0, 0, NULL);
	for (int kind = 0; kind < 4; kind++) {
		const char *class = &many[kind];

		kmem_lock_acquired(class, "a lock", NULL);
		if (kind == 0)
			kmem_cache_free(c, kmem_cache_alloc(c, GFP_KERNEL));
		if (kind == 1 && (page = alloc_pages(GFP_KERNEL, 0)))
			__free_pages(page, 0);
		if (kind == 2)
			kfree(kmalloc(100000, GFP_KERNEL));
		if (kind == 3)
			might_alloc(GFP_KERNEL);
		kmem_lock_released(class);
	}
	is(reports_of(RECURSION), 0, "half of it");
	for (int kind = 0; kind < 4; kind++) {
		bool was = lockdep_reclaim_enter(true);

		kmem_lock_acquired(&many[kind], "a lock", NULL);
		kmem_lock_released(&many[kind]);
		lockdep_reclaim_leave(was);
		is(reports_of(RECURSION), (unsigned int)kind + 1, "kind %d", kind);
	}
	kmem_cache_destroy(c);
	stop();
}

/* Most requests are served by a sheaf, and would never be seen to reclaim. */
TEST(S172_a_hit_counts)
{
	start(M64 " lockdep=1");
	for (int i = 0; i < 100; i++)
		kfree(kmalloc(100, GFP_KERNEL));
	request_with(GFP_KERNEL);
	reclaim_with(GFP_KERNEL);
	is(reports_of(RECURSION), 1);
	stop();
}

/* ---- What is held ------------------------------------------------------------------------------- */

static void reclaim_takes(const void *class, const char *name)
{
	bool was = lockdep_reclaim_enter(true);

	kmem_lock_acquired(class, name, NULL);
	kmem_lock_released(class);
	lockdep_reclaim_leave(was);
}

TEST(locks_are_released_in_any_order)
{
	start(M64 " lockdep=1");
	reclaim_takes(&inode_class, "inode lock");
	reclaim_takes(&page_class, "page lock");
	kmem_lock_acquired(&inode_class, "inode lock", NULL);
	kmem_lock_acquired(&page_class, "page lock", NULL);
	kmem_lock_released(&inode_class);
	kmem_lock_released(&inode_class);
	kmem_lock_released(&many[9]);
	kfree(kmalloc(100, GFP_KERNEL));
	is(reports_of(RECURSION), 1, "one is held");
	is(log_count("lock class \"page lock\" is taken"), 1, "this one");
	kmem_lock_released(&page_class);
	kfree(kmalloc(100, GFP_KERNEL));
	is(reports_of(RECURSION), 1, "none");
	ok(!port_task()->preempt && !port_task()->lock_class[0], "the task is as it was");
	stop();
}

/* Two locks of one class, as of two inodes: the class is held until both are back. */
TEST(a_class_is_held_as_often_as_it_was_taken)
{
	start(M64 " lockdep=1");
	reclaim_takes(&inode_class, "inode lock");
	kmem_lock_acquired(&inode_class, "inode lock", NULL);
	kmem_lock_acquired(&inode_class, "inode lock", NULL);
	kmem_lock_released(&inode_class);
	kfree(kmalloc(100, GFP_KERNEL));
	is(reports_of(RECURSION), 1, "still held");
	kmem_lock_released(&inode_class);
	ok(!port_task()->preempt);
	stop();
}

TEST(too_many_classes_are_said_once)
{
	start(M64 " lockdep=1");
	for (int i = 0; i < 128; i++)
		reclaim_takes(&many[i], "one of many");
	is(log_count("too many classes"), 0, "128 fit");
	reclaim_takes(&many[128], "straw");
	reclaim_takes(&many[129], "another");
	is(log_count("kmem: lock check: too many classes: \"straw\" and later ones are not "
		     "followed"),
	   1, "said");
	is(log_count("too many classes"), 1, "once");
	kmem_lock_acquired(&many[127], "one of many", NULL);
	kfree(kmalloc(100, GFP_KERNEL));
	kmem_lock_released(&many[127]);
	is(reports_of(RECURSION), 1, "the others are followed");
	stop();
}

TEST(too_many_locks_of_a_task_are_said_once)
{
	start(M64 " lockdep=1");
	reclaim_takes(&many[0], "0");
	reclaim_takes(&many[6], "6");
	reclaim_takes(&many[7], "7");
	for (int i = 0; i < 9; i++)
		kmem_lock_acquired(&many[i], "deep", NULL);
	is(log_count("a task holds too many locks: \"deep\" and later ones are not followed"), 1,
	   "said once");
	kfree(kmalloc(100, GFP_KERNEL));
	is(reports_of(RECURSION), 2, "the first and the seventh");
	for (int i = 8; i >= 0; i--)
		kmem_lock_released(&many[i]);
	ok(!port_task()->preempt, "all back");
	stop();
}

TEST(a_new_machine_knows_nothing)
{
	start(M64 " lockdep=1");
	reclaim_takes(&inode_class, "inode lock");
	stop();
	start(M64 " lockdep=1");
	request_with(GFP_KERNEL);
	is(reports_of(RECURSION), 0, "the half was of another machine");
	reclaim_takes(&inode_class, "inode lock");
	is(reports_of(RECURSION), 1);
	stop();
	start(M64 " lockdep=0");
	request_with(GFP_KERNEL);
	reclaim_takes(&inode_class, "inode lock");
	kmem_lock_acquired(&inode_class, "inode lock", NULL);
	ok(!port_task()->preempt, "off: nothing is followed");
	kmem_lock_released(&inode_class);
	is(reports_of(RECURSION), 0);
	stop();
}

/* Reclaim may end up in it; what it does to the task's state must come out even. */
TEST(holding_a_lock_is_no_context)
{
	start(M64 " lockdep=1");
	kmem_lock_acquired(&page_class, "page lock", NULL);
	might_sleep();
	ok(in_task() && !in_atomic() && !irqs_disabled());
	is(preempt_count(), 0);
	kmem_preempt_disable();
	kmem_lock_released(&page_class);
	kmem_preempt_enable();
	is(reports_of(KMEM_MISUSE_CONTEXT), 0, "it may sleep");
	stop();
}
