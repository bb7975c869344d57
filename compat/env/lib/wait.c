// SPDX-License-Identifier: MIT
/*
 * Wait queues and completions.
 *
 * A wait queue is a list of entries under a lock; waking calls each entry's function, which by default
 * wakes the entry's task. Exclusive waiters stand at the tail, and a wake-up stops after as many of
 * them as it was asked for. finish_wait() looks under the lock whether the entry is still listed, so
 * an entry on a stack is not touched by a waker after its function has returned.
 *
 * A completion is a count that tasks sleep on while it is zero. complete() ends in a wake on an
 * address that is not read: the waiter may have gone on, and the completion with it.
 */
#include "internal.h"
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <linux/wait_bit.h>

/* ---- Entries ------------------------------------------------------------------------------------ */

int default_wake_function(struct wait_queue_entry *e, unsigned int mode, int flags, void *key)
{
	(void)flags;
	(void)key;
	return wake_up_state(e->private, mode);
}

int autoremove_wake_function(struct wait_queue_entry *e, unsigned int mode, int flags, void *key)
{
	struct task_struct *t = e->private;
	int woken;

	get_task_struct(t); /* once it is off the list its task may return, and end */
	env_list_del(&e->entry);
	woken = default_wake_function(e, mode, flags, key);
	put_task_struct(t);
	return woken;
}

int woken_wake_function(struct wait_queue_entry *e, unsigned int mode, int flags, void *key)
{
	__atomic_fetch_or(&e->flags, WQ_FLAG_WOKEN, __ATOMIC_SEQ_CST);
	return default_wake_function(e, mode, flags, key);
}

long wait_woken(struct wait_queue_entry *e, unsigned int mode, long timeout)
{
	set_current_state(mode);
	if (!(__atomic_load_n(&e->flags, __ATOMIC_SEQ_CST) & WQ_FLAG_WOKEN))
		timeout = schedule_timeout(timeout);
	set_current_state(TASK_RUNNING);
	__atomic_fetch_and(&e->flags, ~(unsigned int)WQ_FLAG_WOKEN, __ATOMIC_SEQ_CST);
	return timeout;
}

void init_wait_entry(struct wait_queue_entry *e, int flags)
{
	e->flags = (unsigned int)flags;
	e->private = current;
	e->func = autoremove_wake_function;
	env_list_init(&e->entry);
}

void __add_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *e)
{
	env_list_add_between(&e->entry, &wq->head, wq->head.next);
}

void __add_wait_queue_entry_tail(struct wait_queue_head *wq, struct wait_queue_entry *e)
{
	env_list_add_tail(&e->entry, &wq->head);
}

void __remove_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *e)
{
	(void)wq;
	env_list_del(&e->entry);
}

void add_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *e)
{
	unsigned long flags;

	e->flags &= ~(unsigned int)WQ_FLAG_EXCLUSIVE;
	spin_lock_irqsave(&wq->lock, flags);
	__add_wait_queue(wq, e);
	spin_unlock_irqrestore(&wq->lock, flags);
}

void add_wait_queue_exclusive(struct wait_queue_head *wq, struct wait_queue_entry *e)
{
	unsigned long flags;

	e->flags |= WQ_FLAG_EXCLUSIVE;
	spin_lock_irqsave(&wq->lock, flags);
	__add_wait_queue_entry_tail(wq, e);
	spin_unlock_irqrestore(&wq->lock, flags);
}

void remove_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *e)
{
	unsigned long flags;

	spin_lock_irqsave(&wq->lock, flags);
	env_list_del(&e->entry);
	spin_unlock_irqrestore(&wq->lock, flags);
}

/* True if the queue was empty. */
static bool prepare(struct wait_queue_head *wq, struct wait_queue_entry *e, int state)
{
	bool first = false;
	unsigned long flags;

	spin_lock_irqsave(&wq->lock, flags);
	if (env_list_empty(&e->entry)) {
		first = env_list_empty(&wq->head);
		if (e->flags & WQ_FLAG_EXCLUSIVE)
			__add_wait_queue_entry_tail(wq, e);
		else
			__add_wait_queue(wq, e);
	}
	set_current_state(state);
	spin_unlock_irqrestore(&wq->lock, flags);
	return first;
}

void prepare_to_wait(struct wait_queue_head *wq, struct wait_queue_entry *e, int state)
{
	e->flags &= ~(unsigned int)WQ_FLAG_EXCLUSIVE;
	prepare(wq, e, state);
}

bool prepare_to_wait_exclusive(struct wait_queue_head *wq, struct wait_queue_entry *e, int state)
{
	e->flags |= WQ_FLAG_EXCLUSIVE;
	return prepare(wq, e, state);
}

long prepare_to_wait_event(struct wait_queue_head *wq, struct wait_queue_entry *e, int state)
{
	prepare(wq, e, state);
	return 0;
}

void finish_wait(struct wait_queue_head *wq, struct wait_queue_entry *e)
{
	unsigned long flags;

	set_current_state(TASK_RUNNING);
	spin_lock_irqsave(&wq->lock, flags);
	env_list_del(&e->entry);
	spin_unlock_irqrestore(&wq->lock, flags);
}

int waitqueue_active(struct wait_queue_head *wq)
{
	return __atomic_load_n(&wq->head.next, __ATOMIC_SEQ_CST) != &wq->head;
}

bool wq_has_sleeper(struct wait_queue_head *wq)
{
	return waitqueue_active(wq);
}

bool wq_has_single_sleeper(struct wait_queue_head *wq)
{
	return waitqueue_active(wq) && wq->head.next == wq->head.prev;
}

/* ---- Waking ------------------------------------------------------------------------------------- */

/* nr 0: all exclusive waiters too. Returns how many functions said that they woke somebody. */
static int wake_locked(struct wait_queue_head *wq, unsigned int mode, int nr, void *key)
{
	struct list_head *at = wq->head.next, *next;
	int woken = 0;

	for (; at != &wq->head; at = next) {
		struct wait_queue_entry *e = env_entry(at, struct wait_queue_entry, entry);
		unsigned int flags = e->flags;
		int ret;

		next = at->next;
		ret = e->func(e, mode, 0, key);
		if (ret < 0)
			break;
		woken += ret > 0;
		if (ret && (flags & WQ_FLAG_EXCLUSIVE) && nr && --nr == 0)
			break;
	}
	return woken;
}

int __wake_up(struct wait_queue_head *wq, unsigned int mode, int nr, void *key)
{
	unsigned long flags;
	int woken;

	spin_lock_irqsave(&wq->lock, flags);
	woken = wake_locked(wq, mode, nr, key);
	spin_unlock_irqrestore(&wq->lock, flags);
	return woken;
}

void __wake_up_locked(struct wait_queue_head *wq, unsigned int mode, int nr)
{
	wake_locked(wq, mode, nr, NULL);
}

void __wake_up_locked_key(struct wait_queue_head *wq, unsigned int mode, void *key)
{
	wake_locked(wq, mode, 1, key);
}

/* ---- Bits and variables ------------------------------------------------------------------------- */

enum { VAR_QUEUES = 64 };

/* All zero until somebody looks: one exchange makes the list, and others wait for that moment. */
struct wait_queue_head *kmem_env_var_queue(const void *var)
{
	static struct wait_queue_head queues[VAR_QUEUES];
	static unsigned int ready;

	if (__atomic_load_n(&ready, __ATOMIC_ACQUIRE) != 2) {
		unsigned int seen = 0;

		if (__atomic_compare_exchange_n(&ready, &seen, 1, false, __ATOMIC_ACQUIRE,
						__ATOMIC_ACQUIRE)) {
			for (int i = 0; i < VAR_QUEUES; i++)
				init_waitqueue_head(&queues[i]);
			__atomic_store_n(&ready, 2, __ATOMIC_RELEASE);
		}
		while (__atomic_load_n(&ready, __ATOMIC_ACQUIRE) != 2)
			kmem_env_relax();
	}
	return &queues[((uintptr_t)var >> 3) % VAR_QUEUES];
}

/* ---- Completions -------------------------------------------------------------------------------- */

void complete(struct completion *x)
{
	unsigned int seen = __atomic_load_n(&x->done, __ATOMIC_RELAXED);

	while (seen != UINT_MAX && !__atomic_compare_exchange_n(&x->done, &seen, seen + 1, false,
								__ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	kmem_env_wake(&x->done, 1);
}

void complete_all(struct completion *x)
{
	__atomic_store_n(&x->done, UINT_MAX, __ATOMIC_RELEASE);
	kmem_env_wake(&x->done, INT_MAX);
}

bool completion_done(struct completion *x)
{
	return __atomic_load_n(&x->done, __ATOMIC_ACQUIRE) != 0;
}

bool try_wait_for_completion(struct completion *x)
{
	unsigned int seen = __atomic_load_n(&x->done, __ATOMIC_ACQUIRE);

	while (seen && seen != UINT_MAX &&
	       !__atomic_compare_exchange_n(&x->done, &seen, seen - 1, false, __ATOMIC_ACQUIRE,
					    __ATOMIC_ACQUIRE))
		;
	return seen != 0;
}

void wait_for_completion(struct completion *x)
{
	might_sleep();
	while (!try_wait_for_completion(x))
		kmem_env_wait(&x->done, 0, UINT64_MAX);
}

unsigned long wait_for_completion_timeout(struct completion *x, unsigned long timeout)
{
	uint64_t now = kmem_env_now_ns();
	uint64_t end = now + (uint64_t)timeout * (uint64_t)TICK_NSEC;

	might_sleep();
	while (!try_wait_for_completion(x)) {
		if (now >= end)
			return 0;
		kmem_env_wait(&x->done, 0, end - now);
		now = kmem_env_now_ns();
	}
	return now < end ? (unsigned long)((end - now) / (uint64_t)TICK_NSEC) + 1 : 1;
}
