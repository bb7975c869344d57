// SPDX-License-Identifier: MIT
/*
 * RCU's callbacks, over the library's grace periods. call_rcu() pushes onto one list from any context;
 * a task of the environment's takes the list as a whole, waits for one grace period, and calls what it
 * took, in the order of the pushes and in softirq context. rcu_barrier() waits until as many have been
 * called as had been pushed when it began: the list is first in, first out.
 *
 * kfree_rcu() is a callback with the place of the object in front of it; the form without a head has
 * to wait itself. A domain of SRCU counts its readers in one of two places; a grace period turns new
 * ones to the other, waits for the first to be empty, and does both again, for a reader may have looked
 * at the index before the turn and counted itself after it.
 */
#include "internal.h"
#include <linux/lockdep.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/srcu.h>
#include <kmem/shrinker.h>
#include <kmem/vmalloc.h>

static struct rcu_head *pushed_first;
static unsigned int pushed, called; /* how many, ever; wrap together */
static unsigned int started;

/* ---- Callbacks ---------------------------------------------------------------------------------- */

/* What is pushed is a stack; turned round it is a queue. */
static struct rcu_head *take_all(void)
{
	struct rcu_head *h = __atomic_exchange_n(&pushed_first, NULL, __ATOMIC_ACQUIRE);
	struct rcu_head *queue = NULL;

	while (h) {
		struct rcu_head *next = h->next;

		h->next = queue;
		queue = h;
		h = next;
	}
	return queue;
}

/* An object with a head: the callback is the head's place in it. */
static void invoke(struct rcu_head *h)
{
	uintptr_t offset = (uintptr_t)h->func;

	if (is_kvfree_rcu_offset(offset))
		kvfree((char *)h - offset);
	else
		h->func(h);
}

static void *rcu_body(void *arg)
{
	unsigned int seen;

	(void)arg;
	kmem_env_set_comm(kmem_env_current(), "rcu");
	for (;;) {
		struct rcu_head *h;

		seen = __atomic_load_n(&pushed, __ATOMIC_ACQUIRE);
		h = take_all();
		if (!h) {
			kmem_env_wait(&pushed, seen, UINT64_MAX);
			continue;
		}
		kmem_synchronize_rcu();
		while (h) {
			struct rcu_head *next = h->next;

			kmem_softirq_enter();
			invoke(h);
			kmem_softirq_exit();
			__atomic_fetch_add(&called, 1, __ATOMIC_RELEASE);
			h = next;
		}
		kmem_env_wake(&called, INT_MAX);
	}
	return NULL;
}

/* Whoever is out of memory may sleep, so it is no reader and no callback. */
static int rcu_oom(struct notifier_block *nb, unsigned long action, void *freed)
{
	unsigned int before = __atomic_load_n(&called, __ATOMIC_ACQUIRE);

	(void)nb;
	(void)action;
	rcu_barrier();
	*(unsigned long *)freed += __atomic_load_n(&called, __ATOMIC_ACQUIRE) - before;
	return NOTIFY_OK;
}

static struct notifier_block oom_notifier = {.notifier_call = rcu_oom};

static void rcu_start(void)
{
	if (!__atomic_exchange_n(&started, 1, __ATOMIC_RELAXED)) {
		register_oom_notifier(&oom_notifier);
		env_thread(rcu_body, NULL, "rcu");
	}
}

struct lockdep_map rcu_callback_map;

void call_rcu(struct rcu_head *head, rcu_callback_t func)
{
	struct rcu_head *first = __atomic_load_n(&pushed_first, __ATOMIC_RELAXED);

	head->func = func;
	do {
		head->next = first;
	} while (!__atomic_compare_exchange_n(&pushed_first, &first, head, true, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
	__atomic_fetch_add(&pushed, 1, __ATOMIC_RELEASE);
	rcu_start();
	kmem_env_wake(&pushed, 1);
}

void rcu_barrier(void)
{
	unsigned int want = __atomic_load_n(&pushed, __ATOMIC_ACQUIRE), seen;

	might_sleep();
	while ((int)((seen = __atomic_load_n(&called, __ATOMIC_ACQUIRE)) - want) < 0)
		kmem_env_wait(&called, seen, UINT64_MAX);
}

void synchronize_rcu(void)
{
	might_sleep();
	kmem_synchronize_rcu();
}

void kmem_env_kfree_rcu(struct rcu_head *head, const void *p)
{
	if (!p)
		return;
	if (head) {
		uintptr_t offset = (uintptr_t)head - (uintptr_t)p;

		if (!is_kvfree_rcu_offset(offset))
			panic("kfree_rcu: the head lies %lu bytes into its object\n",
			      (unsigned long)offset);
		call_rcu(head, (rcu_callback_t)offset);
		return;
	}
	synchronize_rcu();
	kvfree(p);
}

/* ---- Polling ------------------------------------------------------------------------------------ */

/* A cookie is how many callbacks were pushed with one of ours among them, whose end is its period's. */
unsigned long get_state_synchronize_rcu(void)
{
	return start_poll_synchronize_rcu();
}

unsigned long start_poll_synchronize_rcu(void)
{
	struct rcu_head *h = kzalloc(sizeof(*h), GFP_ATOMIC);

	/* Its place in itself is 0: it frees itself after the period. */
	if (!h)
		return 1ul << 31; /* never polled true: cond_synchronize_rcu waits */
	call_rcu(h, (rcu_callback_t)0);
	return __atomic_load_n(&pushed, __ATOMIC_ACQUIRE) & 0x7fffffffu;
}

bool poll_state_synchronize_rcu(unsigned long cookie)
{
	unsigned int now = __atomic_load_n(&called, __ATOMIC_ACQUIRE) & 0x7fffffffu;

	return cookie <= 0x7fffffffu && ((now - (unsigned int)cookie) & 0x7fffffffu) < 0x40000000u;
}

void cond_synchronize_rcu(unsigned long cookie)
{
	if (!poll_state_synchronize_rcu(cookie))
		synchronize_rcu();
}

/* ---- SRCU --------------------------------------------------------------------------------------- */

int srcu_read_lock(struct srcu_struct *s)
{
	unsigned int idx = __atomic_load_n(&s->index, __ATOMIC_SEQ_CST) & 1;

	__atomic_fetch_add(&s->readers[idx], 1, __ATOMIC_SEQ_CST);
	return (int)idx;
}

void srcu_read_unlock(struct srcu_struct *s, int idx)
{
	if (__atomic_sub_fetch(&s->readers[idx], 1, __ATOMIC_SEQ_CST) == 0)
		kmem_env_wake(&s->readers[idx], INT_MAX);
}

static void srcu_turn(struct srcu_struct *s)
{
	unsigned int idx = __atomic_fetch_add(&s->index, 1, __ATOMIC_SEQ_CST) & 1, seen;

	while ((seen = __atomic_load_n(&s->readers[idx], __ATOMIC_SEQ_CST)) != 0)
		kmem_env_wait(&s->readers[idx], seen, UINT64_MAX);
}

void synchronize_srcu(struct srcu_struct *s)
{
	might_sleep();
	mutex_lock(&s->mutex);
	srcu_turn(s);
	srcu_turn(s);
	mutex_unlock(&s->mutex);
}

void cleanup_srcu_struct(struct srcu_struct *s)
{
	if (s->readers[0] || s->readers[1])
		kmem_env_fail("srcu: a domain is cleaned up with %u readers inside",
			      s->readers[0] + s->readers[1]);
}
void env_rcu_quiesce(void)
{
	rcu_barrier();
}
