// SPDX-License-Identifier: MIT
/*
 * Tasks and kernel threads. A task is a thread of the host. It sleeps by saying so first:
 *
 *	set_current_state(TASK_INTERRUPTIBLE);	__state = 1
 *	if (!condition)
 *		schedule();			sleeps on __state while it is not TASK_RUNNING
 *
 * and whoever makes the condition true stores TASK_RUNNING and wakes the word, so a wake-up between
 * the two lines is not lost. Everybody who sleeps in here does it that way: wait queues, kthreads,
 * timeouts.
 *
 * A task_struct has one reference for the thread that runs and one for whoever started it. A kthread
 * is created asleep, as in the kernel, and begins at its first wake-up; kthread_stop() waits for its
 * end, and drops the creator's reference.
 */
#include "internal.h"
#include <errno.h>
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KT_STOP = 1, KT_PARK = 2, RESCHED_TURNS = 512 };

struct kmem_env_thread {
	int (*fn)(void *data);
	void *data;
	unsigned int bits, started;
	struct completion exited, parked;
};

static __thread struct task_struct *self;
static pthread_key_t self_key;
static unsigned int last_pid;

/* ---- Who am I? ---------------------------------------------------------------------------------- */

static void task_gone(void *p)
{
	self = NULL;
	put_task_struct(p);
}

static __attribute__((constructor)) void task_start(void)
{
	pthread_key_create(&self_key, task_gone);
}

static struct task_struct *task_new(const char *comm, unsigned int users)
{
	struct task_struct *t = env_zalloc(sizeof(*t));

	t->pid = (int)__atomic_add_fetch(&last_pid, 1, __ATOMIC_RELAXED);
	t->tgid = t->pid;
	t->prio = t->static_prio = t->normal_prio = 120;
	t->usage = users;
	t->group_leader = t->parent = t->real_parent = t;
	snprintf(t->comm, sizeof(t->comm), "%s", comm);
	return t;
}

struct task_struct *kmem_env_current(void)
{
	struct task_struct *t = self;

	if (!t) {
		t = task_new(__atomic_load_n(&last_pid, __ATOMIC_RELAXED) ? "thread" : "main", 1);
		self = t;
		pthread_setspecific(self_key, t);
	}
	t->flags = kmem_task_flags() | (t->thread ? PF_KTHREAD : 0);
	return t;
}

struct task_struct *get_task_struct(struct task_struct *t)
{
	__atomic_fetch_add(&t->usage, 1, __ATOMIC_RELAXED);
	return t;
}

void put_task_struct(struct task_struct *t)
{
	if (__atomic_sub_fetch(&t->usage, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	free(t->thread);
	free(t);
}

void kmem_env_set_comm(struct task_struct *t, const char *name)
{
	snprintf(t->comm, sizeof(t->comm), "%s", name);
}

/* ---- Sleeping ----------------------------------------------------------------------------------- */

static unsigned int state_of(const struct task_struct *t)
{
	return __atomic_load_n(&t->__state, __ATOMIC_SEQ_CST);
}

void schedule(void)
{
	struct task_struct *t = kmem_env_current();
	unsigned int seen = state_of(t);

	if (seen == TASK_RUNNING) {
		sched_yield();
		return;
	}
	might_sleep();
	for (; seen != TASK_RUNNING; seen = state_of(t))
		kmem_env_wait(&t->__state, seen, UINT64_MAX);
}

long schedule_timeout(long timeout)
{
	struct task_struct *t = kmem_env_current();
	uint64_t end, now = kmem_env_now_ns();
	unsigned int seen;

	if (timeout == MAX_SCHEDULE_TIMEOUT) {
		schedule();
		return timeout;
	}
	end = now + (uint64_t)(timeout > 0 ? timeout : 0) * (uint64_t)TICK_NSEC;
	while ((seen = state_of(t)) != TASK_RUNNING && now < end) {
		kmem_env_wait(&t->__state, seen, end - now);
		now = kmem_env_now_ns();
	}
	set_current_state(TASK_RUNNING);
	return now < end ? (long)((end - now + (uint64_t)TICK_NSEC - 1) / (uint64_t)TICK_NSEC) : 0;
}

void io_schedule(void)
{
	schedule();
}

long io_schedule_timeout(long timeout)
{
	return schedule_timeout(timeout);
}

void yield(void)
{
	sched_yield();
}

/*
 * The host shares the CPU without being asked. A loop that waits for another task calls this as well, so
 * it yields now and then; each time would give a busy host's other programs a turn for every element.
 */
int __cond_resched(void)
{
	static __thread unsigned int turns;

	if (++turns % RESCHED_TURNS)
		return 0;
	sched_yield();
	return 1;
}

int wake_up_state(struct task_struct *t, unsigned int state)
{
	unsigned int seen = state_of(t);

	do {
		if (!(seen & state))
			return 0;
	} while (!__atomic_compare_exchange_n(&t->__state, &seen, TASK_RUNNING, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	kmem_env_wake(&t->__state, 1);
	return 1;
}

int wake_up_process(struct task_struct *t)
{
	return wake_up_state(t, TASK_NORMAL | TASK_NEW);
}

/* ---- Kernel threads ----------------------------------------------------------------------------- */

static void kthread_end(struct task_struct *t, int code)
{
	t->exit_code = code;
	t->exit_state = TASK_DEAD;
	complete_all(&t->thread->exited);
	/* self's reference goes with the thread (task_gone). */
}

static void *kthread_body(void *arg)
{
	struct task_struct *t = arg;
	struct kmem_env_thread *k = t->thread;
	int code = -EINTR;

	self = t;
	pthread_setspecific(self_key, t);
	pthread_setname_np(pthread_self(), t->comm);
	schedule(); /* TASK_NEW until the first wake-up */
	__atomic_store_n(&k->started, 1, __ATOMIC_RELEASE);
	if (!kthread_should_stop())
		code = k->fn(k->data);
	kthread_end(t, code);
	return NULL;
}

struct task_struct *kmem_env_kthread(int (*fn)(void *), void *data, const char *fmt, ...)
{
	struct kmem_env_thread *k = env_zalloc(sizeof(*k));
	struct task_struct *t;
	pthread_attr_t attr;
	pthread_t thread;
	char name[64];
	va_list ap;
	int err;

	va_start(ap, fmt);
	kmem_env_vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	t = task_new(name, 2);
	k->fn = fn;
	k->data = data;
	t->thread = k;
	t->__state = TASK_NEW;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = pthread_create(&thread, &attr, kthread_body, t);
	pthread_attr_destroy(&attr);
	if (!err)
		return t;
	put_task_struct(t);
	put_task_struct(t);
	return (struct task_struct *)(intptr_t)-ENOMEM;
}

static unsigned int kt_bits(const struct task_struct *t)
{
	return t->thread ? __atomic_load_n(&t->thread->bits, __ATOMIC_SEQ_CST) : 0;
}

int kthread_stop(struct task_struct *t)
{
	int code;

	__atomic_fetch_or(&t->thread->bits, KT_STOP, __ATOMIC_SEQ_CST);
	kthread_unpark(t);
	wake_up_process(t);
	wait_for_completion(&t->thread->exited);
	code = t->exit_code;
	put_task_struct(t);
	return code;
}

bool kthread_should_stop(void)
{
	return (kt_bits(kmem_env_current()) & KT_STOP) != 0;
}

bool kthread_should_park(void)
{
	return (kt_bits(kmem_env_current()) & KT_PARK) != 0;
}

int kthread_park(struct task_struct *t)
{
	__atomic_fetch_or(&t->thread->bits, KT_PARK, __ATOMIC_SEQ_CST);
	wake_up_process(t);
	wait_for_completion(&t->thread->parked);
	return 0;
}

void kthread_unpark(struct task_struct *t)
{
	__atomic_fetch_and(&t->thread->bits, ~(unsigned int)KT_PARK, __ATOMIC_SEQ_CST);
	wake_up_state(t, TASK_PARKED);
}

void kthread_parkme(void)
{
	struct task_struct *t = kmem_env_current();

	for (;;) {
		set_current_state(TASK_PARKED);
		if (!kthread_should_park())
			break;
		complete(&t->thread->parked);
		schedule();
	}
	set_current_state(TASK_RUNNING);
}

void kthread_complete_and_exit(struct completion *c, long code)
{
	struct task_struct *t = kmem_env_current();

	if (c)
		complete(c);
	kthread_end(t, (int)code);
	pthread_exit(NULL);
}

void *kthread_data(struct task_struct *t)
{
	return t->thread ? t->thread->data : NULL;
}
