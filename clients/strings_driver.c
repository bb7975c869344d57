// SPDX-License-Identifier: MIT
/*
 * net/ceph/string_table.c, which allocates with GFP_NOFS: several tasks take and drop names of one table
 * while memory is short, and a shrinker stands where a file system's would. It may be called for these
 * requests only without __GFP_FS, and must then do nothing; a lock that is held over them shows that it
 * would be a deadlock otherwise. Names are freed by RCU, and followed by readers without a lock.
 */
#include <linux/ceph/string_table.h>
#include <linux/init.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/semaphore.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "check.h"

enum { TASKS = 4, NAMES = 64, CACHED = 2000 };

static unsigned int rounds = 2000;
module_param(rounds, uint, 0444);

static DEFINE_MUTEX(fs_lock); /* what a file system holds over a request, and its shrinker takes */
/* A kthread that is stopped before it has begun never does, in the kernel too. */
static DEFINE_SEMAPHORE(begun, 0);
static struct ceph_string *published;
static struct held *cached;
static unsigned long nr_cached, calls_with_fs, calls_without_fs;

static unsigned long count_cached(struct shrinker *s, struct shrink_control *sc)
{
	return READ_ONCE(nr_cached);
}

static unsigned long scan_cached(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long freed = 0;

	if (!(sc->gfp_mask & __GFP_FS)) {
		__atomic_fetch_add(&calls_without_fs, 1, __ATOMIC_RELAXED);
		return SHRINK_STOP;
	}
	__atomic_fetch_add(&calls_with_fs, 1, __ATOMIC_RELAXED);
	mutex_lock(&fs_lock);
	while (cached && freed < sc->nr_to_scan) {
		struct held *p = cached;

		cached = p->next;
		WRITE_ONCE(nr_cached, nr_cached - 1);
		free_page((unsigned long)p);
		freed++;
	}
	mutex_unlock(&fs_lock);
	mm_account_reclaimed_pages(freed);
	return freed;
}

static struct shrinker shrinker = {
	.count_objects = count_cached, .scan_objects = scan_cached, .seeks = 2};

static void use_name(unsigned int nr, bool locked)
{
	char name[600];
	struct ceph_string *s, *same;
	int len = scnprintf(name, sizeof(name), "name-%u", nr);

	/* Long ones, so that there is something to allocate. */
	memset(name + len, 'x', 500);
	len += 500;
	if (locked)
		mutex_lock(&fs_lock);
	s = ceph_find_or_create_string(name, len);
	if (locked)
		mutex_unlock(&fs_lock);
	if (!s)
		return;
	CHECK(ceph_compare_string(s, name, len) == 0);
	same = ceph_find_or_create_string(name, len);
	CHECK(!same || same == s);
	ceph_put_string(same);
	/* Published for readers; the one before is dropped. */
	s = xchg(&published, s);
	ceph_put_string(s);
}

static int task(void *arg)
{
	up(&begun);
	for (unsigned int i = 0; i < rounds; i++) {
		struct ceph_string *s;

		use_name(get_random_u32_below(NAMES), i % 4 == 0);
		s = ceph_try_get_string(published);
		if (s) {
			CHECK(s->len > 500 && s->str[s->len] == 0 && !strncmp(s->str, "name-", 5));
			ceph_put_string(s);
		}
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static int squeeze(void *arg)
{
	struct held *held = NULL;

	while (!kthread_should_stop()) {
		/* To the brim, so that whoever asks next has to reclaim; then some of it back. */
		for (int i = 0; i < 4096 && hold_page(&held, GFP_NOFS | __GFP_NORETRY); i++)
			;
		schedule_timeout_interruptible(1);
		release_pages_held(&held);
	}
	release_pages_held(&held);
	return 0;
}

static int __init strings_driver_init(void)
{
	struct task_struct *t[TASKS], *squeezer;

	for (int i = 0; i < CACHED && hold_page(&cached, GFP_KERNEL | __GFP_NORETRY); i++)
		nr_cached++;
	CHECK(register_shrinker(&shrinker, "strings") == 0);
	squeezer = kthread_run(squeeze, NULL, "squeeze");
	for (int i = 0; i < TASKS; i++)
		t[i] = kthread_run(task, NULL, "strings/%d", i);
	for (int i = 0; i < TASKS; i++)
		down(&begun);
	for (int i = 0; i < TASKS; i++)
		kthread_stop(t[i]);
	kthread_stop(squeezer);
	ceph_put_string(xchg(&published, NULL));
	rcu_barrier();
	CHECK(ceph_strings_empty());
	unregister_shrinker(&shrinker);
	pr_info("strings: shrinker called %lu times with __GFP_FS, %lu without; %lu of %d pages "
		"left\n",
		calls_with_fs, calls_without_fs, nr_cached, CACHED);
	CHECK(calls_without_fs > 0);
	release_pages_held(&cached);
	return checks_result("strings");
}
late_initcall(strings_driver_init);
