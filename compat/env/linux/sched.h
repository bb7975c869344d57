/* SPDX-License-Identifier: MIT */
/*
 * Tasks are threads of the host. `current` belongs to any thread, made when it is first asked for; its
 * flags are what the library knows of the task, read anew each time, so writing them has no effect
 * (memalloc_flags_save() and its like do that).
 */
#ifndef KMEM_ENV_LINUX_SCHED_H
#define KMEM_ENV_LINUX_SCHED_H
#define _LINUX_SCHED_H

#include <linux/types.h>
#include <kmem/env.h>
#include <kmem/context.h>
#ifndef KMEM_ENV_HOSTED
#include <uapi/linux/sched.h>
#include <asm/current.h>
#include <asm/processor.h>
#include <linux/mutex.h>
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/preempt.h>
#include <linux/irqflags.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/thread_info.h>
#include <linux/smp.h>
#include <linux/sched/types.h>
#include <linux/sched/prio.h>
#include <linux/time64.h>
#include <linux/ktime.h>
#include <linux/gfp.h>
#endif

#define TASK_RUNNING	     0x0000
#define TASK_INTERRUPTIBLE   0x0001
#define TASK_UNINTERRUPTIBLE 0x0002
#define TASK_PARKED	     0x0040
#define TASK_DEAD	     0x0080
#define TASK_WAKEKILL	     0x0100
#define TASK_NOLOAD	     0x0400
#define TASK_NEW	     0x0800
#define TASK_FREEZABLE	     0x2000
#define TASK_KILLABLE	     (TASK_WAKEKILL | TASK_UNINTERRUPTIBLE)
#define TASK_IDLE	     (TASK_UNINTERRUPTIBLE | TASK_NOLOAD)
#define TASK_NORMAL	     (TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE)
#define TASK_COMM_LEN	     16
#define MAX_SCHEDULE_TIMEOUT LONG_MAX
#ifndef LONG_MAX
#define LONG_MAX __LONG_MAX__
#endif

#define PF_EXITING	  0x00000004
#define PF_WQ_WORKER	  0x00000020
#define PF_NOFREEZE	  0x00008000
#define PF_FROZEN	  0x00010000
#define PF_KSWAPD	  0x00020000
#define PF_LOCAL_THROTTLE 0x00100000

struct mm_struct;
struct kmem_env_thread;
struct task_struct {
	unsigned int __state; /* asleep while it is not TASK_RUNNING and it is in schedule() */
	unsigned int flags;
	int pid, tgid;
	int exit_code, exit_state, exit_signal;
	int prio, static_prio, normal_prio;
	unsigned int usage;
	char comm[TASK_COMM_LEN];
	struct mm_struct *mm, *active_mm;
	struct task_struct *group_leader, *real_parent, *parent;
	void *journal_info, *plug, *backing_dev_info, *bio_list, *io_context, *reclaim_state;
	void *kunit_test, *stack;
	int pagefault_disabled, fail_nth;
	unsigned char make_it_fail;
	struct kmem_env_thread *thread; /* the environment's */
};
struct task_struct *kmem_env_current(void);
#define current	      kmem_env_current()
#define get_current() kmem_env_current()

void schedule(void);
long schedule_timeout(long timeout);
static inline long schedule_timeout_state(unsigned int state, long timeout)
{
	__atomic_store_n(&kmem_env_current()->__state, state, __ATOMIC_SEQ_CST);
	return schedule_timeout(timeout);
}
#define schedule_timeout_interruptible(t)   schedule_timeout_state(TASK_INTERRUPTIBLE, (t))
#define schedule_timeout_killable(t)	    schedule_timeout_state(TASK_KILLABLE, (t))
#define schedule_timeout_uninterruptible(t) schedule_timeout_state(TASK_UNINTERRUPTIBLE, (t))
#define schedule_timeout_idle(t)	    schedule_timeout_state(TASK_IDLE, (t))
void io_schedule(void);
long io_schedule_timeout(long timeout);
void yield(void) __asm__("kmem_env_yield");
int wake_up_process(struct task_struct *p);
int wake_up_state(struct task_struct *p, unsigned int state);
/* Lets others run; also where a context that may not sleep is found. */
int __cond_resched(void);
#define cond_resched() (__might_sleep(__FILE__, __LINE__), __cond_resched())
#define cond_resched_lock(l)      \
	({                        \
		spin_unlock(l);   \
		__cond_resched(); \
		spin_lock(l);     \
		1;                \
	})
#define set_current_state(s) \
	__atomic_store_n(&kmem_env_current()->__state, (unsigned int)(s), __ATOMIC_SEQ_CST)
#define __set_current_state(s)	 set_current_state(s)
#define set_special_state(s)	 set_current_state(s)
#define get_current_state()	 __atomic_load_n(&kmem_env_current()->__state, __ATOMIC_SEQ_CST)
#define task_is_running(t)	 (__atomic_load_n(&(t)->__state, __ATOMIC_SEQ_CST) == TASK_RUNNING)
#define need_resched()		 0
#define tif_need_resched()	 0
#define spin_needbreak_resched() 0

struct task_struct *get_task_struct(struct task_struct *t);
void put_task_struct(struct task_struct *t);

static inline pid_t task_pid_nr(struct task_struct *t)
{
	return t->pid;
}
#define task_pid_vnr(t) ((t)->pid)
#define task_tgid_nr(t) ((t)->tgid)
#define task_cpu(t)	((void)(t), smp_processor_id())
#define task_nice(t)	((t)->static_prio - 120)
#define set_user_nice(t, n)                        \
	do {                                       \
		(t)->static_prio = 120 + (int)(n); \
	} while (0)
#define set_task_comm(t, name)	 kmem_env_set_comm((t), (name))
#define __set_task_comm(t, n, e) kmem_env_set_comm((t), (n))
#define get_task_comm(buf, t)	 __builtin_memcpy((buf), (t)->comm, TASK_COMM_LEN)
void kmem_env_set_comm(struct task_struct *t, const char *name);
#define is_idle_task(t) false
#define pid_alive(t)	1
#ifndef KMEM_ENV_HOSTED
#define sched_setscheduler(...) 0
#endif
#define sched_set_fifo(t)  \
	do {               \
		(void)(t); \
	} while (0)
#define sched_set_fifo_low(t) \
	do {                  \
		(void)(t);    \
	} while (0)
#define sched_set_normal(t, n) \
	do {                   \
		(void)(t);     \
	} while (0)
#define set_cpus_allowed_ptr(t, m) 0
#define fatal_signal_pending(t)	   0
#define signal_pending(t)	   0
#define signal_pending_state(s, t) 0
#define flush_signals(t) \
	do {             \
	} while (0)
#define allow_signal(s) \
	do {            \
	} while (0)
#define send_sig(s, t, p)     (-EPERM)
#define try_to_freeze()	      false
#define freezing(t)	      false
#define set_freezable()	      true
#define task_stack_page(t)    NULL
#define object_is_on_stack(p) 0
#define current_thread_info() ((void *)0)
#define num_online_nodes()    1

#endif
