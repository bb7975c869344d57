// SPDX-License-Identifier: MIT
/*
 * Workqueues. One lock over all of them; a queue is a list of pending items and a list of workers.
 *
 *	idle --queue--> pending --a worker takes it--> running --> idle
 *
 * An item that is queued again while it runs is pending and running at once, and stays pending until
 * that run is over: no item runs twice at a time. A worker takes the first item that does not run
 * elsewhere. When an item is queued, no worker is idle and fewer than max_active exist, another one is
 * made, so that an item may wait for another of its queue, as with the kernel's pools.
 *
 * Flushing a queue notes the number of the last item and waits until neither a pending nor a running
 * one has a number up to that. Everybody who waits sleeps on one count of finished items.
 */
#include "internal.h"
#include <errno.h>
#include <linux/interrupt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/workqueue.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { PENDING = 1, WORKERS_MAX = 64, NAME = 48 };

struct worker {
	struct worker *next;
	struct workqueue_struct *wq;
	struct work_struct *work; /* running, and its number */
	unsigned long seq;
};

struct workqueue_struct {
	struct list_head pending;
	struct worker *workers;
	struct workqueue_struct *next; /* of all */
	unsigned int nr_workers, nr_idle, max_active, wakeups;
	unsigned long last;
	bool draining, dying;
	char name[NAME];
};

static struct kmem_env_lock lock;
static unsigned int finished;
static __thread struct worker *self;

#define SYSTEM_WQ(id)                                                  \
	static struct workqueue_struct id##_queue = {                  \
		.pending = {&id##_queue.pending, &id##_queue.pending}, \
		.max_active = WORKERS_MAX,                             \
		.name = #id};                                          \
	struct workqueue_struct *const id = &id##_queue
SYSTEM_WQ(system_wq);
SYSTEM_WQ(system_highpri_wq);
SYSTEM_WQ(system_long_wq);
SYSTEM_WQ(system_unbound_wq);
SYSTEM_WQ(system_freezable_wq);
SYSTEM_WQ(system_power_efficient_wq);
SYSTEM_WQ(system_freezable_power_efficient_wq);

static struct workqueue_struct *all;

/* ---- Under the lock ----------------------------------------------------------------------------- */

static void work_lock(void)
{
	kmem_preempt_disable();
	kmem_env_lock(&lock, "workqueues");
}

static void work_unlock(void)
{
	kmem_env_unlock(&lock, "workqueues");
	kmem_preempt_enable();
}

static struct worker *runs(const struct workqueue_struct *wq, const struct work_struct *work)
{
	for (struct worker *w = wq ? wq->workers : NULL; w; w = w->next) {
		if (w->work == work)
			return w;
	}
	return NULL;
}

static struct work_struct *next_of(struct workqueue_struct *wq)
{
	for (struct list_head *at = wq->pending.next; at != &wq->pending; at = at->next) {
		struct work_struct *work = env_entry(at, struct work_struct, entry);

		if (!runs(wq, work))
			return work;
	}
	return NULL;
}

static void unlist(struct work_struct *work)
{
	env_list_del(&work->entry);
	__atomic_fetch_and(&work->data, ~(unsigned long)PENDING, __ATOMIC_RELEASE);
}

/* ---- Workers ------------------------------------------------------------------------------------ */

static void worker_run(struct worker *w, struct work_struct *work)
{
	work_func_t fn = work->func;

	w->work = work;
	w->seq = work->seq;
	unlist(work);
	work_unlock();
	fn(work); /* which may free the item */
	if (in_atomic() || irqs_disabled())
		kmem_env_fail("work %p of %s left preempt count %x", (void *)(uintptr_t)fn,
			      w->wq->name, preempt_count());
	work_lock();
	w->work = NULL;
	__atomic_fetch_add(&finished, 1, __ATOMIC_RELEASE);
	kmem_env_wake(&finished, INT_MAX);
}

static void worker_leave(struct worker *w)
{
	struct worker **at = &w->wq->workers;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	w->wq->nr_workers--;
	__atomic_fetch_add(&finished, 1, __ATOMIC_RELEASE);
	work_unlock();
	kmem_env_wake(&finished, INT_MAX);
	free(w);
}

static void *worker_body(void *arg)
{
	struct worker *w = arg;
	struct workqueue_struct *wq = w->wq;

	self = w;
	kmem_env_set_comm(kmem_env_current(), wq->name);
	work_lock();
	while (!wq->dying) {
		struct work_struct *work = next_of(wq);
		unsigned int seen = __atomic_load_n(&wq->wakeups, __ATOMIC_ACQUIRE);

		if (work) {
			worker_run(w, work);
			continue;
		}
		wq->nr_idle++;
		work_unlock();
		kmem_env_wait(&wq->wakeups, seen, UINT64_MAX);
		work_lock();
		wq->nr_idle--;
	}
	worker_leave(w);
	return NULL;
}

static void worker_add(struct workqueue_struct *wq)
{
	struct worker *w = env_zalloc(sizeof(*w));

	w->wq = wq;
	w->next = wq->workers;
	wq->workers = w;
	wq->nr_workers++;
	env_thread(worker_body, w, wq->name);
}

/* ---- Queueing ----------------------------------------------------------------------------------- */

static void register_queue(struct workqueue_struct *wq)
{
	for (struct workqueue_struct *q = all; q; q = q->next) {
		if (q == wq)
			return;
	}
	wq->next = all;
	all = wq;
}

static void quiesce(void);

static void insert(struct workqueue_struct *wq, struct work_struct *work)
{
	if (wq->dying || (wq->draining && !(self && self->wq == wq)))
		kmem_env_warn(__FILE__, __LINE__, __func__, "work is queued on %s, which ends\n",
			      wq->name);
	work->wq = wq;
	work->seq = ++wq->last;
	env_list_add_tail(&work->entry, &wq->pending);
	register_queue(wq);
	env_quiesce_work = quiesce;
	if (wq->nr_workers < wq->max_active && (wq->nr_idle == 0 || wq->nr_workers == 0))
		worker_add(wq);
	__atomic_fetch_add(&wq->wakeups, 1, __ATOMIC_RELEASE);
	kmem_env_wake(&wq->wakeups, 1);
}

static bool grab(struct work_struct *work)
{
	return !(__atomic_fetch_or(&work->data, PENDING, __ATOMIC_ACQ_REL) & PENDING);
}

bool queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	if (!grab(work))
		return false;
	work_lock();
	insert(wq, work);
	work_unlock();
	return true;
}

struct workqueue_struct *alloc_workqueue(const char *fmt, unsigned int flags, int max_active, ...)
{
	struct workqueue_struct *wq = calloc(1, sizeof(*wq));
	unsigned int most = max_active > 0 ? (unsigned int)max_active : WORKERS_MAX;
	va_list ap;

	if (!wq)
		return NULL;
	va_start(ap, max_active);
	kmem_env_vsnprintf(wq->name, sizeof(wq->name), fmt, ap);
	va_end(ap);
	env_list_init(&wq->pending);
	wq->max_active = flags & __WQ_ORDERED ? 1 : most > WORKERS_MAX ? WORKERS_MAX : most;
	work_lock();
	register_queue(wq);
	if (flags & WQ_MEM_RECLAIM)
		worker_add(wq);
	work_unlock();
	return wq;
}

void workqueue_set_max_active(struct workqueue_struct *wq, int max_active)
{
	work_lock();
	wq->max_active = max_active > WORKERS_MAX ? WORKERS_MAX : (unsigned int)max_active;
	work_unlock();
}

/* ---- Waiting ------------------------------------------------------------------------------------ */

/* Lets go of the lock until another item is finished. */
static void wait_finished(void)
{
	unsigned int seen = __atomic_load_n(&finished, __ATOMIC_ACQUIRE);

	work_unlock();
	kmem_env_wait(&finished, seen, UINT64_MAX);
	work_lock();
}

static bool busy_up_to(const struct workqueue_struct *wq, unsigned long seq)
{
	for (const struct worker *w = wq->workers; w; w = w->next) {
		if (w->work && w != self && (long)(w->seq - seq) <= 0)
			return true;
	}
	return wq->pending.next != &wq->pending &&
	       (long)(env_entry(wq->pending.next, struct work_struct, entry)->seq - seq) <= 0;
}

void kmem_env_flush_workqueue(struct workqueue_struct *wq)
{
	unsigned long seq;

	might_sleep();
	work_lock();
	seq = wq->last;
	while (busy_up_to(wq, seq))
		wait_finished();
	work_unlock();
}

void drain_workqueue(struct workqueue_struct *wq)
{
	might_sleep();
	work_lock();
	wq->draining = true;
	while (busy_up_to(wq, wq->last))
		wait_finished();
	wq->draining = false;
	work_unlock();
}

void destroy_workqueue(struct workqueue_struct *wq)
{
	struct workqueue_struct **at = &all;

	drain_workqueue(wq);
	work_lock();
	wq->dying = true;
	__atomic_fetch_add(&wq->wakeups, 1, __ATOMIC_RELEASE);
	kmem_env_wake(&wq->wakeups, INT_MAX);
	while (wq->nr_workers)
		wait_finished();
	while (*at != wq)
		at = &(*at)->next;
	*at = wq->next;
	work_unlock();
	free(wq);
}

bool flush_work(struct work_struct *work)
{
	bool waited = false;

	might_sleep();
	work_lock();
	while (!env_list_empty(&work->entry) ||
	       (runs(work->wq, work) && runs(work->wq, work) != self)) {
		waited = true;
		wait_finished();
	}
	work_unlock();
	return waited;
}

/* True if it was pending on a list. */
static bool take_off(struct work_struct *work)
{
	if (env_list_empty(&work->entry))
		return false;
	unlist(work);
	return true;
}

bool cancel_work(struct work_struct *work)
{
	bool was;

	work_lock();
	was = take_off(work);
	work_unlock();
	return was;
}

bool cancel_work_sync(struct work_struct *work)
{
	bool was;

	might_sleep();
	work_lock();
	was = take_off(work);
	while (runs(work->wq, work) && runs(work->wq, work) != self) {
		wait_finished();
		was |= take_off(work); /* it may have queued itself again */
	}
	work_unlock();
	return was;
}

struct work_struct *current_work(void)
{
	return self ? self->work : NULL;
}

bool current_is_workqueue_rescuer(void)
{
	return false;
}

unsigned int work_busy(struct work_struct *work)
{
	unsigned int busy;

	work_lock();
	busy = (work->data & PENDING ? 1u : 0u) | (runs(work->wq, work) ? 2u : 0u);
	work_unlock();
	return busy;
}

/* ---- Later -------------------------------------------------------------------------------------- */

void delayed_work_timer_fn(struct timer_list *t)
{
	struct delayed_work *w = env_entry(t, struct delayed_work, timer);

	work_lock();
	insert(w->wq, &w->work);
	work_unlock();
}

/* The item is ours: its bit is set. */
static void start_delay(struct workqueue_struct *wq, struct delayed_work *w, unsigned long delay)
{
	w->wq = wq;
	if (delay) {
		mod_timer(&w->timer, jiffies + delay);
		return;
	}
	work_lock();
	insert(wq, &w->work);
	work_unlock();
}

bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *w, unsigned long delay)
{
	if (!grab(&w->work))
		return false;
	start_delay(wq, w, delay);
	return true;
}

/* Takes the pending bit over from the timer or the list: true, or it was idle and is ours now: false. */
static bool steal(struct delayed_work *w)
{
	for (;;) {
		bool listed;

		if (del_timer(&w->timer))
			return true;
		work_lock();
		listed = !env_list_empty(&w->work.entry);
		if (listed)
			env_list_del(&w->work.entry);
		work_unlock();
		if (listed)
			return true;
		if (grab(&w->work))
			return false;
		kmem_env_relax(); /* between its bit and its list */
	}
}

bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *w, unsigned long delay)
{
	bool was = steal(w);

	start_delay(wq, w, delay);
	return was;
}

bool cancel_delayed_work(struct delayed_work *w)
{
	bool was = steal(w);

	__atomic_fetch_and(&w->work.data, ~(unsigned long)PENDING, __ATOMIC_RELEASE);
	return was;
}

bool cancel_delayed_work_sync(struct delayed_work *w)
{
	bool was = steal(w);

	/* Pending by us: nobody can queue it, not even itself, until it has ended. */
	work_lock();
	while (runs(w->work.wq, &w->work) && runs(w->work.wq, &w->work) != self)
		wait_finished();
	work_unlock();
	__atomic_fetch_and(&w->work.data, ~(unsigned long)PENDING, __ATOMIC_RELEASE);
	return was;
}

bool flush_delayed_work(struct delayed_work *w)
{
	if (del_timer_sync(&w->timer) == 1) {
		work_lock();
		insert(w->wq, &w->work);
		work_unlock();
	}
	return flush_work(&w->work);
}

static void rcu_work_fn(struct rcu_head *head)
{
	struct rcu_work *w = env_entry(head, struct rcu_work, rcu);

	work_lock();
	insert(w->wq, &w->work);
	work_unlock();
}

bool queue_rcu_work(struct workqueue_struct *wq, struct rcu_work *w)
{
	if (!grab(&w->work))
		return false;
	w->wq = wq;
	call_rcu(&w->rcu, rcu_work_fn);
	return true;
}

bool flush_rcu_work(struct rcu_work *w)
{
	if (work_pending(&w->work))
		rcu_barrier();
	return flush_work(&w->work);
}

/* At the end of the program: what is queued is run. Timers that are still pending are nobody's. */
static void quiesce(void)
{
	for (struct workqueue_struct *wq = all; wq; wq = wq->next)
		kmem_env_flush_workqueue(wq);
}

/* ---- Tasklets ----------------------------------------------------------------------------------- */

static void tasklet_run(struct work_struct *work)
{
	struct tasklet_struct *t = env_entry(work, struct tasklet_struct, work);

	kmem_softirq_enter();
	if (t->callback)
		t->callback(t);
	else
		t->func(t->data);
	kmem_softirq_exit();
}

void tasklet_init(struct tasklet_struct *t, void (*func)(unsigned long), unsigned long data)
{
	*t = (struct tasklet_struct){.func = func, .data = data};
	INIT_WORK(&t->work, tasklet_run);
}

void tasklet_setup(struct tasklet_struct *t, void (*callback)(struct tasklet_struct *))
{
	*t = (struct tasklet_struct){.callback = callback};
	INIT_WORK(&t->work, tasklet_run);
}

void tasklet_schedule(struct tasklet_struct *t)
{
	queue_work(system_highpri_wq, &t->work);
}

void tasklet_kill(struct tasklet_struct *t)
{
	flush_work(&t->work);
}
