// SPDX-License-Identifier: MIT
/* Timers come in order, after their time, in softirq context; deleting waits. */
#include "env_test.h"
#include <linux/hrtimer.h>
#include <linux/timer.h>

struct counted {
	struct timer_list timer;
	unsigned int nr;
};

static unsigned int fired, order_bad, let_go, early;

static void count_fn(struct timer_list *t)
{
	const struct counted *c = (const struct counted *)(void *)t;

	if (c->nr != now_is(&fired))
		add_one(&order_bad);
	if (time_before(jiffies, t->expires))
		add_one(&early);
	if (!in_softirq())
		add_one(&order_bad);
	add_one(&fired);
}

TEST(timers_come_in_the_order_of_their_times)
{
	enum { N = 20 };
	static struct counted c[N];
	unsigned long now;

	env_begin();
	now = jiffies;
	/* All are set before the first comes. */
	for (unsigned int i = N; i-- > 0;) {
		timer_setup(&c[i].timer, count_fn, 0);
		c[i].nr = i;
		is(mod_timer(&c[i].timer, now + HZ + i), 0);
	}
	until_at_least(&fired, N);
	is(now_is(&order_bad), 0);
	is(now_is(&early), 0);
	env_end();
}

TEST(a_timer_is_moved_and_deleted)
{
	struct counted c = {.nr = 0};

	env_begin();
	timer_setup(&c.timer, count_fn, 0);
	ok(!timer_pending(&c.timer));
	is(mod_timer_pending(&c.timer, jiffies + 1), 0, "is not started by that");
	ok(!timer_pending(&c.timer));
	mod_timer(&c.timer, jiffies + 1000000);
	ok(timer_pending(&c.timer));
	is(timer_reduce(&c.timer, jiffies + 2000000), 1);
	is(del_timer_sync(&c.timer), 1);
	is(del_timer_sync(&c.timer), 0);
	is(now_is(&fired), 0);
	mod_timer(&c.timer, jiffies + 1000000);
	mod_timer(&c.timer, jiffies);
	until_at_least(&fired, 1);
	is(timer_shutdown_sync(&c.timer), 0);
	is(mod_timer(&c.timer, jiffies), 0);
	ok(!timer_pending(&c.timer), "it is shut down");
	env_end();
}

static void slow_fn(struct timer_list *t)
{
	(void)t;
	add_one(&fired);
	until_at_least(&let_go, 1);
	kmem_env_sleep_ns(5000000);
	add_one(&fired);
}

TEST(deleting_waits_for_the_function)
{
	struct timer_list t;

	env_begin();
	timer_setup(&t, slow_fn, 0);
	mod_timer(&t, jiffies);
	until_at_least(&fired, 1);
	is(try_to_del_timer_sync(&t), -1, "it runs");
	add_one(&let_go);
	is(del_timer_sync(&t), 0);
	is(now_is(&fired), 2, "it has ended");
	env_end();
}

static void again_fn(struct timer_list *t)
{
	void *p = kmalloc(64, GFP_ATOMIC);

	ok(p != NULL);
	kfree(p);
	add_one(&fired);
	mod_timer(t, jiffies + 1);
}

TEST(a_timer_that_sets_itself_allocates_atomically)
{
	struct timer_list t;

	env_begin();
	timer_setup(&t, again_fn, 0);
	mod_timer(&t, jiffies);
	until_at_least(&fired, 5);
	del_timer_sync(&t);
	ok(!timer_pending(&t));
	env_end();
}

static enum hrtimer_restart thrice(struct hrtimer *t)
{
	add_one(&fired);
	hrtimer_forward_now(t, 1000000);
	return now_is(&fired) < 3 ? HRTIMER_RESTART : HRTIMER_NORESTART;
}

TEST(a_fine_timer_restarts)
{
	struct hrtimer t;

	env_begin();
	hrtimer_init(&t, 0, HRTIMER_MODE_REL);
	t.function = thrice;
	hrtimer_start(&t, 1000000, HRTIMER_MODE_REL);
	until_at_least(&fired, 3);
	hrtimer_cancel(&t);
	is(now_is(&fired), 3);
	env_end();
}

TEST(jiffies_begin_five_minutes_before_their_wrap)
{
	unsigned long a = jiffies, b;

	ok(a - INITIAL_JIFFIES < 100000ul * HZ);
	kmem_env_sleep_ns(10000000);
	b = jiffies;
	ok(time_after(b, a));
	is(msecs_to_jiffies(1), 1, "rounded up");
	is(jiffies_to_msecs(msecs_to_jiffies(1000)), 1000);
}
