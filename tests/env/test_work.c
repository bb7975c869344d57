// SPDX-License-Identifier: MIT
/* Workqueues: what is queued runs once, never twice at a time; flushing and cancelling wait. */
#include "env_test.h"
#include <linux/interrupt.h>
#include <linux/workqueue.h>

struct item {
	struct work_struct work;
	unsigned int nr, runs;
};

static unsigned int runs, at_once, most_at_once, let_go, started, last_nr, out_of_order;

static void enter(void)
{
	unsigned int now = __atomic_add_fetch(&at_once, 1, __ATOMIC_ACQ_REL);
	unsigned int most = now_is(&most_at_once);

	while (now > most && !__atomic_compare_exchange_n(&most_at_once, &most, now, false,
							  __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		;
}

static void leave(void)
{
	__atomic_fetch_sub(&at_once, 1, __ATOMIC_ACQ_REL);
	add_one(&runs);
}

static void busy_fn(struct work_struct *w)
{
	(void)w;
	enter();
	kmem_env_sleep_ns(100000);
	leave();
}

TEST(flush_waits_for_what_was_queued)
{
	struct workqueue_struct *wq;
	struct item items[20];

	env_begin();
	wq = alloc_workqueue("many", 0, 4);
	for (int i = 0; i < 20; i++) {
		INIT_WORK(&items[i].work, busy_fn);
		ok(queue_work(wq, &items[i].work));
	}
	flush_workqueue(wq);
	is(now_is(&runs), 20);
	ok(now_is(&most_at_once) <= 4, "max_active");
	destroy_workqueue(wq);
	env_end();
}

static void ordered_fn(struct work_struct *w)
{
	const struct item *i = (const struct item *)(void *)w;

	enter();
	if (i->nr != last_nr + 1)
		add_one(&out_of_order);
	last_nr = i->nr;
	leave();
}

TEST(an_ordered_queue_runs_one_after_the_other)
{
	static struct item items[200];
	struct workqueue_struct *wq;

	env_begin();
	wq = alloc_ordered_workqueue("ordered", WQ_MEM_RECLAIM);
	for (unsigned int i = 0; i < 200; i++) {
		INIT_WORK(&items[i].work, ordered_fn);
		items[i].nr = i + 1;
		queue_work(wq, &items[i].work);
	}
	drain_workqueue(wq);
	is(now_is(&runs), 200);
	is(now_is(&out_of_order), 0);
	is(now_is(&most_at_once), 1);
	destroy_workqueue(wq);
	env_end();
}

static void gate_fn(struct work_struct *w)
{
	(void)w;
	enter();
	add_one(&started);
	until_at_least(&let_go, 1);
	leave();
}

TEST(an_item_is_queued_once_and_never_runs_twice_at_a_time)
{
	struct workqueue_struct *wq;
	struct work_struct w;

	env_begin();
	wq = alloc_workqueue("gate", 0, 4);
	INIT_WORK(&w, gate_fn);
	ok(queue_work(wq, &w));
	until_at_least(&started, 1);
	ok(queue_work(wq, &w), "while it runs it may be queued again");
	ok(!queue_work(wq, &w), "but once");
	is(work_busy(&w), 3);
	kmem_env_sleep_ns(5000000);
	is(now_is(&started), 1, "the second waits for the first");
	add_one(&let_go);
	flush_work(&w);
	is(now_is(&runs), 2);
	is(now_is(&most_at_once), 1);
	ok(!flush_work(&w), "nothing to wait for");
	destroy_workqueue(wq);
	env_end();
}

/* Whether the worker or the one that flushes is first is not ours to say: until it was the latter. */
TEST(flush_tells_whether_it_waited)
{
	struct work_struct w;
	unsigned int rounds = 0;
	bool waited = false;

	env_begin();
	INIT_WORK(&w, busy_fn);
	ok(!flush_work(&w), "it was never queued");
	while (!waited && rounds < 10000) {
		ok(schedule_work(&w));
		waited = flush_work(&w);
		is(now_is(&runs), ++rounds);
		ok(!flush_work(&w), "nothing to wait for");
	}
	ok(waited);
	env_end();
}

static struct workqueue_struct *nested_wq;
static struct work_struct inner;

static void outer_fn(struct work_struct *w)
{
	(void)w;
	queue_work(nested_wq, &inner);
	flush_work(&inner);
	add_one(&runs);
}

TEST(an_item_may_wait_for_another_of_its_queue)
{
	struct work_struct outer;

	env_begin();
	nested_wq = alloc_workqueue("nested", 0, 0);
	INIT_WORK(&outer, outer_fn);
	INIT_WORK(&inner, busy_fn);
	queue_work(nested_wq, &outer);
	flush_work(&outer);
	is(now_is(&runs), 2);
	destroy_workqueue(nested_wq);
	env_end();
}

TEST(cancelling_takes_it_off_or_waits)
{
	struct work_struct first, second;
	struct workqueue_struct *wq;

	env_begin();
	wq = alloc_ordered_workqueue("cancel", 0);
	INIT_WORK(&first, gate_fn);
	INIT_WORK(&second, busy_fn);
	queue_work(wq, &first);
	until_at_least(&started, 1);
	queue_work(wq, &second);
	ok(cancel_work_sync(&second), "it was pending");
	ok(!work_pending(&second));
	add_one(&let_go);
	ok(!cancel_work_sync(&first), "it ran");
	is(now_is(&at_once), 0, "and is over");
	is(now_is(&runs), 1, "the cancelled one has not run");
	destroy_workqueue(wq);
	env_end();
}

static unsigned long ran_at;

static void note_fn(struct work_struct *w)
{
	(void)w;
	__atomic_store_n(&ran_at, jiffies, __ATOMIC_RELAXED);
	add_one(&runs);
}

TEST(delayed_work_comes_after_its_delay)
{
	unsigned long begin;
	struct delayed_work d;

	env_begin();
	INIT_DELAYED_WORK(&d, note_fn);
	begin = jiffies;
	ok(schedule_delayed_work(&d, HZ));
	ok(!schedule_delayed_work(&d, 1), "it is pending");
	until_at_least(&runs, 1);
	ok(time_after_eq(__atomic_load_n(&ran_at, __ATOMIC_RELAXED), begin + HZ));
	ok(!cancel_delayed_work_sync(&d));
	env_end();
}

TEST(delayed_work_is_moved_cancelled_and_flushed)
{
	struct delayed_work d;

	env_begin();
	INIT_DELAYED_WORK(&d, note_fn);
	schedule_delayed_work(&d, 1000000);
	ok(delayed_work_pending(&d));
	ok(cancel_delayed_work_sync(&d));
	ok(!delayed_work_pending(&d));
	is(now_is(&runs), 0);
	ok(!mod_delayed_work(system_wq, &d, 1000000), "it was idle");
	ok(mod_delayed_work(system_wq, &d, 0), "it was pending");
	flush_delayed_work(&d);
	is(now_is(&runs), 1);
	schedule_delayed_work(&d, 1000000);
	flush_delayed_work(&d); /* false if the worker was done with it before it was waited for */
	is(now_is(&runs), 2, "flushing runs it at once");
	env_end();
}

static struct delayed_work again;

static void requeue_fn(struct work_struct *w)
{
	(void)w;
	add_one(&runs);
	schedule_delayed_work(&again, 0);
}

TEST(work_that_queues_itself_can_be_stopped)
{
	unsigned int seen;

	env_begin();
	INIT_DELAYED_WORK(&again, requeue_fn);
	schedule_delayed_work(&again, 0);
	until_at_least(&runs, 3);
	cancel_delayed_work_sync(&again);
	seen = now_is(&runs);
	kmem_env_sleep_ns(5000000);
	is(now_is(&runs), seen);
	ok(!delayed_work_pending(&again));
	env_end();
}

static void tasklet_fn(unsigned long data)
{
	ok(in_softirq());
	__atomic_fetch_add(&runs, (unsigned int)data, __ATOMIC_ACQ_REL);
}

TEST(a_tasklet_runs_in_softirq_context)
{
	struct tasklet_struct t;

	env_begin();
	tasklet_init(&t, tasklet_fn, 7);
	tasklet_schedule(&t);
	tasklet_kill(&t);
	is(now_is(&runs), 7);
	env_end();
}

static void leaves_a_lock(struct work_struct *w)
{
	(void)w;
	preempt_disable();
}

TEST(work_that_leaves_preemption_off_is_a_failure)
{
	struct work_struct w;

	env_begin();
	INIT_WORK(&w, leaves_a_lock);
	schedule_work(&w);
	flush_work(&w);
	is(kmem_env_failures(), 1);
}
