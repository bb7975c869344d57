// SPDX-License-Identifier: MIT
/* Grace periods wait for readers, callbacks for grace periods, barriers for callbacks. */
#include "env_test.h"
#include <linux/rcupdate.h>
#include <linux/srcu.h>

struct thing {
	int payload[4];
	struct rcu_head rcu;
};

static unsigned int inside, may_leave, called, out_of_order;

static void count_call(struct rcu_head *head)
{
	(void)head;
	ok(in_softirq(), "a callback is in softirq context");
	add_one(&called);
}

static int reader(void *by_preempt)
{
	if (by_preempt)
		preempt_disable();
	else
		rcu_read_lock();
	add_one(&inside);
	until_at_least(&may_leave, 1);
	if (by_preempt)
		preempt_enable();
	else
		rcu_read_unlock();
	return 0;
}

static void callback_waits_for(void *by_preempt)
{
	static struct rcu_head head;
	struct task_struct *t;

	env_begin();
	t = run(reader, by_preempt, "reader");
	until_at_least(&inside, 1);
	call_rcu(&head, count_call);
	for (int i = 0; i < 20; i++) {
		is(now_is(&called), 0, "while the reader is inside");
		kmem_env_sleep_ns(1000000);
	}
	add_one(&may_leave);
	rcu_barrier();
	is(now_is(&called), 1, "after the reader has left");
	kthread_stop(t);
	env_end();
}

TEST(callback_waits_for_a_reader)
{
	callback_waits_for(NULL);
}

TEST(a_section_with_preemption_off_is_a_reader)
{
	callback_waits_for(&inside);
}

static int synchronizer(void *done)
{
	synchronize_rcu();
	add_one(done);
	return 0;
}

TEST(synchronize_rcu_waits_for_a_reader)
{
	unsigned int done = 0;
	struct task_struct *t;

	env_begin();
	rcu_read_lock();
	t = run(synchronizer, &done, "synchronizer");
	kmem_env_sleep_ns(20000000);
	is(now_is(&done), 0, "while this task is inside");
	rcu_read_unlock();
	kthread_stop(t);
	is(now_is(&done), 1);
	env_end();
}

struct numbered {
	struct rcu_head rcu;
	unsigned int nr;
};

static void in_order(struct rcu_head *head)
{
	const struct numbered *n = (const struct numbered *)(void *)head;

	if (n->nr != now_is(&called))
		add_one(&out_of_order);
	add_one(&called);
}

TEST(barrier_waits_for_all_callbacks_in_their_order)
{
	enum { N = 2000 };
	static struct numbered many[N];

	env_begin();
	for (unsigned int i = 0; i < N; i++) {
		many[i].nr = i;
		call_rcu(&many[i].rcu, in_order);
	}
	rcu_barrier();
	is(now_is(&called), N);
	is(now_is(&out_of_order), 0);
	env_end();
}

TEST(kfree_rcu_frees_both_ways)
{
	env_begin();
	for (int i = 0; i < 200; i++) {
		struct thing *t = kmalloc(sizeof(*t), GFP_KERNEL);

		kfree_rcu(t, rcu);
	}
	kfree_rcu(kmalloc(100, GFP_KERNEL));
	kfree_rcu((struct thing *)NULL, rcu);
	env_end(); /* which finds what was not freed */
}

static int let_go(void *arg)
{
	(void)arg;
	kmem_env_sleep_ns(50000000);
	add_one(&may_leave);
	return 0;
}

/* All memory waits for callbacks, and those for a reader: that is no lack of memory. */
TEST(memory_that_waits_for_callbacks_is_waited_for)
{
	struct page_sized {
		struct rcu_head rcu;
		char rest[4096 - sizeof(struct rcu_head)];
	} * p;
	struct task_struct *in, *out;
	unsigned int nr = 0;

	env_begin();
	in = run(reader, NULL, "reader");
	until_at_least(&inside, 1);
	while ((p = kmalloc(sizeof(*p), GFP_ATOMIC | __GFP_MEMALLOC | __GFP_NOWARN))) {
		kfree_rcu(p, rcu);
		nr++;
	}
	ok(nr > 10000, "%u pages wait", nr);
	out = run(let_go, NULL, "let go");
	p = kmalloc(sizeof(*p), GFP_KERNEL);
	ok(p, "and come when the reader has left");
	kfree(p);
	kthread_stop(in);
	kthread_stop(out);
	env_end();
}

static struct thing *shared;
static unsigned int stop_reading, wrong;

static int follow(void *arg)
{
	(void)arg;
	while (!now_is(&stop_reading)) {
		const struct thing *t;

		rcu_read_lock();
		t = rcu_dereference(shared);
		if (t && (t->payload[0] != t->payload[3]))
			add_one(&wrong);
		rcu_read_unlock();
	}
	return 0;
}

TEST(readers_never_see_a_freed_object)
{
	struct task_struct *t[2];
	struct thing *old;

	env_begin();
	for (int i = 0; i < 2; i++)
		t[i] = run(follow, NULL, "follow");
	for (int i = 0; i < 500; i++) {
		struct thing *n = kzalloc(sizeof(*n), GFP_KERNEL);

		n->payload[0] = n->payload[3] = i;
		old = rcu_replace_pointer(shared, n, true);
		kfree_rcu(old, rcu);
	}
	add_one(&stop_reading);
	for (int i = 0; i < 2; i++)
		kthread_stop(t[i]);
	is(now_is(&wrong), 0);
	kfree(shared);
	env_end();
}

TEST(polled_grace_periods_end)
{
	unsigned long cookie;

	env_begin();
	rcu_read_lock();
	cookie = start_poll_synchronize_rcu();
	ok(!poll_state_synchronize_rcu(cookie), "a reader is inside");
	rcu_read_unlock();
	cond_synchronize_rcu(cookie);
	rcu_barrier();
	ok(poll_state_synchronize_rcu(cookie));
	env_end();
}

DEFINE_STATIC_SRCU(domain);

static int srcu_synchronizer(void *done)
{
	synchronize_srcu(&domain);
	add_one(done);
	return 0;
}

TEST(srcu_waits_for_its_own_readers)
{
	unsigned int done = 0;
	struct task_struct *t;
	int idx;

	env_begin();
	idx = srcu_read_lock(&domain);
	synchronize_rcu(); /* not for those */
	t = run(srcu_synchronizer, &done, "synchronizer");
	kmem_env_sleep_ns(20000000);
	is(now_is(&done), 0);
	srcu_read_unlock(&domain, idx);
	kthread_stop(t);
	is(now_is(&done), 1);
	env_end();
}
