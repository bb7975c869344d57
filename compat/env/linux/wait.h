/* SPDX-License-Identifier: MIT */
/* Wait queues. Nobody sends signals, so interruptible waits end by their condition alone. */
#ifndef KMEM_ENV_LINUX_WAIT_H
#define KMEM_ENV_LINUX_WAIT_H
#define _LINUX_WAIT_H

#include <linux/types.h>
#include <kmem/env.h>
#include <linux/spinlock.h>
#include <linux/sched.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/list.h>
#include <linux/stddef.h>
#include <asm/current.h>
#endif

typedef struct wait_queue_entry wait_queue_entry_t;
typedef int (*wait_queue_func_t)(struct wait_queue_entry *e, unsigned int mode, int flags,
				 void *key);
struct wait_queue_entry {
	unsigned int flags;
	void *private;
	wait_queue_func_t func;
	struct list_head entry;
};
struct wait_queue_head {
	spinlock_t lock;
	struct list_head head;
};
typedef struct wait_queue_head wait_queue_head_t;

#define WQ_FLAG_EXCLUSIVE 0x01
#define WQ_FLAG_WOKEN	  0x02
#define WQ_FLAG_BOOKMARK  0x04
#define WQ_FLAG_CUSTOM	  0x08
#define WQ_FLAG_DONE	  0x10
#define WQ_FLAG_PRIORITY  0x20

#define __WAIT_QUEUE_HEAD_INITIALIZER(name)                                \
	{                                                                  \
		.lock = {{{0, 0}}}, .head = { &(name).head, &(name).head } \
	}
#define DECLARE_WAIT_QUEUE_HEAD(name) \
	struct wait_queue_head name = __WAIT_QUEUE_HEAD_INITIALIZER(name)
#define DECLARE_WAIT_QUEUE_HEAD_ONSTACK(name) DECLARE_WAIT_QUEUE_HEAD(name)
#define __WAITQUEUE_INITIALIZER(name, tsk)                                               \
	{                                                                                \
		.private = (tsk), .func = default_wake_function, .entry = { NULL, NULL } \
	}
#define DECLARE_WAITQUEUE(name, tsk) \
	struct wait_queue_entry name = __WAITQUEUE_INITIALIZER(name, tsk)
#define DEFINE_WAIT_FUNC(name, fn)       \
	struct wait_queue_entry name = { \
		.private = current, .func = (fn), .entry = {&(name).entry, &(name).entry}}
#define DEFINE_WAIT(name) DEFINE_WAIT_FUNC(name, autoremove_wake_function)
static inline void init_waitqueue_head(struct wait_queue_head *wq)
{
	*wq = (struct wait_queue_head){.head = {&wq->head, &wq->head}};
}
#define __init_waitqueue_head(wq, name, key) init_waitqueue_head(wq)
static inline void init_waitqueue_entry(struct wait_queue_entry *e, struct task_struct *p)
{
	e->flags = 0;
	e->private = p;
}

int default_wake_function(struct wait_queue_entry *e, unsigned int mode, int flags, void *key);
int autoremove_wake_function(struct wait_queue_entry *e, unsigned int mode, int flags, void *key);
int woken_wake_function(struct wait_queue_entry *e, unsigned int mode, int flags, void *key);
long wait_woken(struct wait_queue_entry *e, unsigned int mode, long timeout);

static inline void init_waitqueue_func_entry(struct wait_queue_entry *e, wait_queue_func_t fn)
{
	e->flags = 0;
	e->private = NULL;
	e->func = fn;
}
void init_wait_entry(struct wait_queue_entry *e, int flags);
#define init_wait(e)                     \
	do {                             \
		init_wait_entry((e), 0); \
	} while (0)
void add_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *e);
void add_wait_queue_exclusive(struct wait_queue_head *wq, struct wait_queue_entry *e);
void remove_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *e);
void __add_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *e);
void __add_wait_queue_entry_tail(struct wait_queue_head *wq, struct wait_queue_entry *e);
void __remove_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *e);
static inline void __add_wait_queue_exclusive(struct wait_queue_head *wq,
					      struct wait_queue_entry *e)
{
	e->flags |= WQ_FLAG_EXCLUSIVE;
	__add_wait_queue(wq, e);
}
static inline void __add_wait_queue_entry_tail_exclusive(struct wait_queue_head *wq,
							 struct wait_queue_entry *e)
{
	e->flags |= WQ_FLAG_EXCLUSIVE;
	__add_wait_queue_entry_tail(wq, e);
}
void prepare_to_wait(struct wait_queue_head *wq, struct wait_queue_entry *e, int state);
bool prepare_to_wait_exclusive(struct wait_queue_head *wq, struct wait_queue_entry *e, int state);
long prepare_to_wait_event(struct wait_queue_head *wq, struct wait_queue_entry *e, int state);
void finish_wait(struct wait_queue_head *wq, struct wait_queue_entry *e);
int waitqueue_active(struct wait_queue_head *wq);
bool wq_has_sleeper(struct wait_queue_head *wq);
bool wq_has_single_sleeper(struct wait_queue_head *wq);
int __wake_up(struct wait_queue_head *wq, unsigned int mode, int nr_exclusive, void *key);
void __wake_up_locked(struct wait_queue_head *wq, unsigned int mode, int nr);
void __wake_up_locked_key(struct wait_queue_head *wq, unsigned int mode, void *key);

#define wake_up(x)			 __wake_up((x), TASK_NORMAL, 1, NULL)
#define wake_up_nr(x, nr)		 __wake_up((x), TASK_NORMAL, (nr), NULL)
#define wake_up_all(x)			 __wake_up((x), TASK_NORMAL, 0, NULL)
#define wake_up_locked(x)		 __wake_up_locked((x), TASK_NORMAL, 1)
#define wake_up_all_locked(x)		 __wake_up_locked((x), TASK_NORMAL, 0)
#define wake_up_sync(x)			 wake_up(x)
#define wake_up_interruptible(x)	 __wake_up((x), TASK_INTERRUPTIBLE, 1, NULL)
#define wake_up_interruptible_nr(x, nr)	 __wake_up((x), TASK_INTERRUPTIBLE, (nr), NULL)
#define wake_up_interruptible_all(x)	 __wake_up((x), TASK_INTERRUPTIBLE, 0, NULL)
#define wake_up_interruptible_sync(x)	 wake_up_interruptible(x)
#define poll_to_key(m)			 ((void *)(uintptr_t)(__force __u16)(m))
#define key_to_poll(m)			 ((__force __poll_t)(uintptr_t)(void *)(m))
#define wake_up_poll(x, m)		 __wake_up((x), TASK_NORMAL, 1, poll_to_key(m))
#define wake_up_interruptible_poll(x, m) __wake_up((x), TASK_INTERRUPTIBLE, 1, poll_to_key(m))

/* The one loop; cmd sleeps. */
#define ___wait_event(wq, condition, state, exclusive, ret, cmd)                 \
	({                                                                       \
		struct wait_queue_entry __kmem_e;                                \
		long __ret = (ret);                                              \
		init_wait_entry(&__kmem_e, (exclusive) ? WQ_FLAG_EXCLUSIVE : 0); \
		for (;;) {                                                       \
			prepare_to_wait_event(&(wq), &__kmem_e, (state));        \
			if (condition)                                           \
				break;                                           \
			cmd;                                                     \
		}                                                                \
		finish_wait(&(wq), &__kmem_e);                                   \
		__ret;                                                           \
	})
#define ___wait_cond_timeout(condition)      \
	({                                   \
		bool __kmem_c = (condition); \
		if (__kmem_c && !__ret)      \
			__ret = 1;           \
		__kmem_c || !__ret;          \
	})
#define __kmem_wait(wq, condition, state, excl)                                 \
	do {                                                                    \
		might_sleep();                                                  \
		if (condition)                                                  \
			break;                                                  \
		(void)___wait_event(wq, condition, state, excl, 0, schedule()); \
	} while (0)
#define __kmem_wait_timeout(wq, condition, timeout, state, excl)                                \
	({                                                                                      \
		long __ret = (timeout);                                                         \
		might_sleep();                                                                  \
		if (!___wait_cond_timeout(condition))                                           \
			__ret = ___wait_event(wq, ___wait_cond_timeout(condition), state, excl, \
					      __ret, __ret = schedule_timeout(__ret));          \
		__ret;                                                                          \
	})
#define wait_event(wq, c)    __kmem_wait(wq, c, TASK_UNINTERRUPTIBLE, 0)
#define io_wait_event(wq, c) wait_event(wq, c)
#define wait_event_freezable(wq, c) \
	({                          \
		wait_event(wq, c);  \
		0;                  \
	})
#define wait_event_interruptible(wq, c)                    \
	({                                                 \
		__kmem_wait(wq, c, TASK_INTERRUPTIBLE, 0); \
		0;                                         \
	})
#define wait_event_interruptible_exclusive(wq, c)          \
	({                                                 \
		__kmem_wait(wq, c, TASK_INTERRUPTIBLE, 1); \
		0;                                         \
	})
#define wait_event_killable(wq, c)                    \
	({                                            \
		__kmem_wait(wq, c, TASK_KILLABLE, 0); \
		0;                                    \
	})
#define wait_event_killable_exclusive(wq, c)          \
	({                                            \
		__kmem_wait(wq, c, TASK_KILLABLE, 1); \
		0;                                    \
	})
#define wait_event_idle(wq, c)		  wait_event(wq, c)
#define wait_event_idle_exclusive(wq, c)  __kmem_wait(wq, c, TASK_IDLE, 1)
#define wait_event_timeout(wq, c, t)	  __kmem_wait_timeout(wq, c, t, TASK_UNINTERRUPTIBLE, 0)
#define wait_event_idle_timeout(wq, c, t) wait_event_timeout(wq, c, t)
#define wait_event_interruptible_timeout(wq, c, t) \
	__kmem_wait_timeout(wq, c, t, TASK_INTERRUPTIBLE, 0)
#define wait_event_freezable_timeout(wq, c, t) wait_event_interruptible_timeout(wq, c, t)
#define wait_event_killable_timeout(wq, c, t)  __kmem_wait_timeout(wq, c, t, TASK_KILLABLE, 0)
#define wait_event_cmd(wq, c, cmd1, cmd2)                                                       \
	do {                                                                                    \
		if (condition)                                                                  \
			break;                                                                  \
		(void)___wait_event(wq, c, TASK_UNINTERRUPTIBLE, 0, 0, cmd1; schedule(); cmd2); \
	} while (0)
#define wait_event_lock_irq(wq, c, lock)                                                         \
	do {                                                                                     \
		if (c)                                                                           \
			break;                                                                   \
		(void)___wait_event(wq, c, TASK_UNINTERRUPTIBLE, 0, 0, spin_unlock_irq(&(lock)); \
				    schedule(); spin_lock_irq(&(lock)));                         \
	} while (0)
#define wait_event_interruptible_lock_irq(wq, c, lock) \
	({                                             \
		wait_event_lock_irq(wq, c, lock);      \
		0;                                     \
	})

#endif
