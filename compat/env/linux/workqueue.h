/* SPDX-License-Identifier: MIT */
/*
 * Workqueues: a pool of threads each, made as work comes. An item is queued once, runs in one thread
 * at a time, and may be queued again while it runs. max_active is kept; WQ_MEM_RECLAIM makes the first
 * thread at once. Flushing and cancelling wait as in the kernel.
 */
#ifndef KMEM_ENV_LINUX_WORKQUEUE_H
#define KMEM_ENV_LINUX_WORKQUEUE_H
#define _LINUX_WORKQUEUE_H

#include <linux/types.h>
#include <linux/timer.h>
#include <linux/wait.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/lockdep.h>
#include <linux/threads.h>
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/rcupdate.h>
#endif

struct workqueue_struct;
struct work_struct;
typedef void (*work_func_t)(struct work_struct *work);
struct work_struct {
	unsigned long data; /* bit 0: pending; others the library's */
	struct list_head entry;
	work_func_t func;
	struct workqueue_struct *wq; /* where it was queued last */
	unsigned long seq;
};
struct delayed_work {
	struct work_struct work;
	struct timer_list timer;
	struct workqueue_struct *wq;
	int cpu;
};
struct rcu_work {
	struct work_struct work;
	struct rcu_head rcu;
	struct workqueue_struct *wq;
};
enum {
	WQ_UNBOUND = 1 << 1,
	WQ_FREEZABLE = 1 << 2,
	WQ_MEM_RECLAIM = 1 << 3,
	WQ_HIGHPRI = 1 << 4,
	WQ_CPU_INTENSIVE = 1 << 5,
	WQ_SYSFS = 1 << 6,
	WQ_POWER_EFFICIENT = 1 << 7,
	__WQ_ORDERED = 1 << 17,
	WQ_MAX_ACTIVE = 512,
	WQ_DFL_ACTIVE = 256,
	WORK_CPU_UNBOUND = CONFIG_NR_CPUS,
};

#define __WORK_INITIALIZER(n, f)                               \
	{                                                      \
		.entry = {&(n).entry, &(n).entry}, .func = (f) \
	}
#define DECLARE_WORK(n, f) struct work_struct n = __WORK_INITIALIZER(n, f)
#define __DELAYED_WORK_INITIALIZER(n, f, fl)                            \
	{                                                               \
		.work = __WORK_INITIALIZER((n).work, (f)),              \
		.timer = __TIMER_INITIALIZER(delayed_work_timer_fn, fl) \
	}
#define DECLARE_DELAYED_WORK(n, f)    struct delayed_work n = __DELAYED_WORK_INITIALIZER(n, f, 0)
#define DECLARE_DEFERRABLE_WORK(n, f) DECLARE_DELAYED_WORK(n, f)
void delayed_work_timer_fn(struct timer_list *t);

static inline void kmem_env_work_init(struct work_struct *w, work_func_t fn)
{
	*w = (struct work_struct){.entry = {&w->entry, &w->entry}, .func = fn};
}
#define INIT_WORK(w, fn)	 kmem_env_work_init((w), (fn))
#define INIT_WORK_ONSTACK(w, fn) INIT_WORK(w, fn)
#define destroy_work_on_stack(w) \
	do {                     \
		(void)(w);       \
	} while (0)
#define PREPARE_WORK(w, fn)       \
	do {                      \
		(w)->func = (fn); \
	} while (0)
#define INIT_DELAYED_WORK(w, fn)                                    \
	do {                                                        \
		INIT_WORK(&(w)->work, (fn));                        \
		timer_setup(&(w)->timer, delayed_work_timer_fn, 0); \
	} while (0)
#define INIT_DEFERRABLE_WORK(w, fn)	 INIT_DELAYED_WORK(w, fn)
#define INIT_DELAYED_WORK_ONSTACK(w, fn) INIT_DELAYED_WORK(w, fn)
#define destroy_delayed_work_on_stack(w) \
	do {                             \
		(void)(w);               \
	} while (0)
#define INIT_RCU_WORK(w, fn)	INIT_WORK(&(w)->work, (fn))
#define to_delayed_work(w)	container_of(w, struct delayed_work, work)
#define to_rcu_work(w)		container_of(w, struct rcu_work, work)
#define work_data_bits(w)	(&(w)->data)
#define work_pending(w)		(__atomic_load_n(&(w)->data, __ATOMIC_ACQUIRE) & 1)
#define delayed_work_pending(w) work_pending(&(w)->work)

struct workqueue_struct *alloc_workqueue(const char *fmt, unsigned int flags, int max_active, ...);
#define alloc_ordered_workqueue(fmt, flags, ...) \
	alloc_workqueue(fmt, WQ_UNBOUND | __WQ_ORDERED | (flags), 1, ##__VA_ARGS__)
#define create_workqueue(name)		    alloc_workqueue("%s", WQ_MEM_RECLAIM, 1, (name))
#define create_freezable_workqueue(name)    create_workqueue(name)
#define create_singlethread_workqueue(name) alloc_ordered_workqueue("%s", WQ_MEM_RECLAIM, (name))
void destroy_workqueue(struct workqueue_struct *wq);
bool queue_work(struct workqueue_struct *wq, struct work_struct *work);
bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *w, unsigned long delay);
bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *w, unsigned long delay);
bool queue_rcu_work(struct workqueue_struct *wq, struct rcu_work *w);
bool flush_work(struct work_struct *work);
bool cancel_work(struct work_struct *work);
bool cancel_work_sync(struct work_struct *work);
bool flush_delayed_work(struct delayed_work *w);
bool cancel_delayed_work(struct delayed_work *w);
bool cancel_delayed_work_sync(struct delayed_work *w);
bool flush_rcu_work(struct rcu_work *w);
void kmem_env_flush_workqueue(struct workqueue_struct *wq);
void drain_workqueue(struct workqueue_struct *wq);
struct work_struct *current_work(void);
bool current_is_workqueue_rescuer(void);
unsigned int work_busy(struct work_struct *work); /* 1: pending, 2: running */
void workqueue_set_max_active(struct workqueue_struct *wq, int max_active);

extern struct workqueue_struct *const system_wq,
	*const system_highpri_wq,
		*const system_long_wq,
			*const system_unbound_wq,
				*const system_freezable_wq,
					*const system_power_efficient_wq,
						*const system_freezable_power_efficient_wq;
#define flush_workqueue(wq)		   kmem_env_flush_workqueue(wq)
#define __flush_workqueue(wq)		   kmem_env_flush_workqueue(wq)
#define flush_scheduled_work()		   kmem_env_flush_workqueue(system_wq)
#define queue_work_on(cpu, wq, w)	   queue_work((wq), (w))
#define queue_work_node(node, wq, w)	   queue_work((wq), (w))
#define queue_delayed_work_on(c, wq, w, d) queue_delayed_work((wq), (w), (d))
#define mod_delayed_work_on(c, wq, w, d)   mod_delayed_work((wq), (w), (d))
#define schedule_work(w)		   queue_work(system_wq, (w))
#define schedule_work_on(cpu, w)	   queue_work(system_wq, (w))
#define schedule_delayed_work(w, d)	   queue_delayed_work(system_wq, (w), (d))
#define schedule_delayed_work_on(c, w, d)  queue_delayed_work(system_wq, (w), (d))

#endif
