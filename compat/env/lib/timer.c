// SPDX-License-Identifier: MIT
/*
 * Timers: a list ordered by time under one lock, and one task that sleeps until the first is due. It
 * takes that one off, notes that it runs, calls it without the lock and in softirq context, and wakes
 * those who wait for its end.
 *
 *	idle --mod/add--> pending --due--> running --> idle	(mod while running: pending and running)
 *
 * Setting a timer costs a walk over those that come before it.
 */
#include "internal.h"
#include <linux/hrtimer.h>
#include <linux/sched.h>
#include <linux/timer.h>

static struct kmem_env_lock lock;
static struct list_head pending = {&pending, &pending};
static struct timer_list *running;
static unsigned int changed, finished, started; /* words to sleep on */

/* ---- Under the lock ----------------------------------------------------------------------------- */

static void timers_lock(void)
{
	kmem_preempt_disable();
	kmem_env_lock(&lock, "timers");
}

static void timers_unlock(void)
{
	kmem_env_unlock(&lock, "timers");
	kmem_preempt_enable();
}

static bool detach(struct timer_list *t)
{
	if (!t->entry.next)
		return false;
	env_list_del(&t->entry);
	__atomic_store_n(&t->entry.next, NULL, __ATOMIC_RELAXED);
	return true;
}

static void attach(struct timer_list *t, unsigned long expires)
{
	struct list_head *at = pending.prev;

	t->expires = expires;
	while (at != &pending &&
	       time_after(env_entry(at, struct timer_list, entry)->expires, expires))
		at = at->prev;
	t->entry.prev = at;
	__atomic_store_n(&t->entry.next, at->next, __ATOMIC_RELAXED);
	at->next->prev = &t->entry;
	at->next = &t->entry;
}

/* ---- The task ----------------------------------------------------------------------------------- */

static void run_first(struct timer_list *t)
{
	void (*fn)(struct timer_list *) = t->function;

	detach(t);
	running = t;
	timers_unlock();
	kmem_softirq_enter();
	if (fn)
		fn(t);
	kmem_softirq_exit();
	timers_lock();
	running = NULL;
	__atomic_fetch_add(&finished, 1, __ATOMIC_RELEASE);
	kmem_env_wake(&finished, INT_MAX);
}

/* How long until the first is due; none: for ever. */
static uint64_t until(const struct timer_list *first)
{
	long ticks = first ? (long)(first->expires - jiffies) : 0;

	return first ? (uint64_t)(ticks > 0 ? ticks : 0) * (uint64_t)TICK_NSEC : UINT64_MAX;
}

static void *timer_body(void *arg)
{
	(void)arg;
	kmem_env_set_comm(kmem_env_current(), "timer");
	timers_lock();
	for (;;) {
		struct timer_list *first =
			pending.next == &pending
				? NULL
				: env_entry(pending.next, struct timer_list, entry);
		unsigned int seen = __atomic_load_n(&changed, __ATOMIC_ACQUIRE);
		uint64_t ns = until(first);

		if (first && ns == 0) {
			run_first(first);
			continue;
		}
		timers_unlock();
		kmem_env_wait(&changed, seen, ns);
		timers_lock();
	}
	return NULL;
}

/* With the lock held; the task looks again after it. */
static void kick(void)
{
	__atomic_fetch_add(&changed, 1, __ATOMIC_RELEASE);
	kmem_env_wake(&changed, 1);
	if (!__atomic_exchange_n(&started, 1, __ATOMIC_RELAXED))
		env_thread(timer_body, NULL, "timers");
}

/* ---- The kernel's calls ------------------------------------------------------------------------- */

int timer_pending(const struct timer_list *t)
{
	return __atomic_load_n(&t->entry.next, __ATOMIC_RELAXED) != NULL;
}

static int modify(struct timer_list *t, unsigned long expires, bool only_pending, bool only_sooner)
{
	bool was;

	timers_lock();
	was = t->entry.next != NULL;
	if ((was || !only_pending) && t->function &&
	    !(was && only_sooner && time_after_eq(expires, t->expires))) {
		detach(t);
		attach(t, expires);
		kick();
	}
	timers_unlock();
	return was;
}

int mod_timer(struct timer_list *t, unsigned long expires)
{
	return modify(t, expires, false, false);
}

int mod_timer_pending(struct timer_list *t, unsigned long expires)
{
	return modify(t, expires, true, false);
}

int timer_reduce(struct timer_list *t, unsigned long expires)
{
	return modify(t, expires, false, true);
}

void add_timer(struct timer_list *t)
{
	if (timer_pending(t))
		panic("add_timer: the timer is pending\n");
	modify(t, t->expires, false, false);
}

int del_timer(struct timer_list *t)
{
	bool was;

	timers_lock();
	was = detach(t);
	timers_unlock();
	return was;
}

int try_to_del_timer_sync(struct timer_list *t)
{
	int ret = -1;

	timers_lock();
	if (running != t)
		ret = detach(t);
	timers_unlock();
	return ret;
}

int del_timer_sync(struct timer_list *t)
{
	unsigned int seen;
	int ret;

	for (;;) {
		seen = __atomic_load_n(&finished, __ATOMIC_ACQUIRE);
		ret = try_to_del_timer_sync(t);
		if (ret >= 0)
			return ret;
		kmem_env_wait(&finished, seen, UINT64_MAX);
	}
}

int timer_shutdown_sync(struct timer_list *t)
{
	int ret = del_timer_sync(t);

	timers_lock();
	t->function = NULL;
	ret |= detach(t);
	timers_unlock();
	return ret;
}

/* ---- Finer ones --------------------------------------------------------------------------------- */

static unsigned long tick_of(ktime_t when)
{
	ktime_t left = when - ktime_get();

	return jiffies + (left > 0 ? nsecs_to_jiffies((u64)left + (u64)TICK_NSEC - 1) : 0);
}

static void hrtimer_fire(struct timer_list *t)
{
	struct hrtimer *h = env_entry(t, struct hrtimer, timer);

	if (h->function(h) == HRTIMER_RESTART)
		mod_timer(t, tick_of(h->when));
}

void hrtimer_init(struct hrtimer *t, int clock, enum hrtimer_mode mode)
{
	(void)clock;
	(void)mode;
	*t = (struct hrtimer){.timer = {.function = hrtimer_fire}};
}

void hrtimer_start(struct hrtimer *t, ktime_t when, enum hrtimer_mode mode)
{
	t->when = when + ((mode & HRTIMER_MODE_REL) ? ktime_get() : 0);
	mod_timer(&t->timer, tick_of(t->when));
}

int hrtimer_cancel(struct hrtimer *t)
{
	return del_timer_sync(&t->timer);
}

int hrtimer_try_to_cancel(struct hrtimer *t)
{
	return try_to_del_timer_sync(&t->timer);
}

u64 hrtimer_forward_now(struct hrtimer *t, ktime_t interval)
{
	ktime_t now = ktime_get();
	u64 n = 0;

	while (t->when <= now) {
		t->when += interval;
		n++;
	}
	return n;
}
