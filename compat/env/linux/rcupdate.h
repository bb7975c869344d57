/* SPDX-License-Identifier: MIT */
/*
 * RCU with real grace periods: those of the library (kmem_rcu_read_lock), so objects of
 * SLAB_TYPESAFE_BY_RCU caches and callbacks wait for the same readers. Callbacks run in a task of
 * their own, in softirq context. Sections with preemption off are readers, spinlocks' included; those
 * with interrupts or softirqs off are not by themselves.
 */
#ifndef KMEM_ENV_LINUX_RCUPDATE_H
#define KMEM_ENV_LINUX_RCUPDATE_H
#define __LINUX_RCUPDATE_H

#include <linux/types.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/compiler.h>
#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/cleanup.h>
#include <asm/processor.h>
#include <linux/cpumask.h>
#endif
#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/bottom_half.h>
#include <linux/lockdep.h>
#include <kmem/kmem.h>

#define ULONG_CMP_GE(a, b) (~0ul / 2 >= (unsigned long)((a) - (b)))
#define ULONG_CMP_LT(a, b) (~0ul / 2 < (unsigned long)((a) - (b)))

#define rcu_read_lock()	  kmem_rcu_read_lock()
#define rcu_read_unlock() kmem_rcu_read_unlock()
#define rcu_read_lock_bh()            \
	do {                          \
		local_bh_disable();   \
		kmem_rcu_read_lock(); \
	} while (0)
#define rcu_read_unlock_bh()            \
	do {                            \
		kmem_rcu_read_unlock(); \
		local_bh_enable();      \
	} while (0)
#define rcu_read_lock_sched()		preempt_disable()
#define rcu_read_unlock_sched()		preempt_enable()
#define rcu_read_lock_sched_notrace()	rcu_read_lock_sched()
#define rcu_read_unlock_sched_notrace() rcu_read_unlock_sched()

void call_rcu(struct rcu_head *head, rcu_callback_t func);
#define call_rcu_hurry(head, func) call_rcu(head, func)
void synchronize_rcu(void);
#define synchronize_rcu_expedited() synchronize_rcu()
#define synchronize_rcu_mult(...)   synchronize_rcu()
#define synchronize_net()	    synchronize_rcu()
void rcu_barrier(void);
/* Frees p after a grace period; head may be NULL, and then the call may sleep. */
void kmem_env_kfree_rcu(struct rcu_head *head, const void *p);
unsigned long get_state_synchronize_rcu(void);
unsigned long start_poll_synchronize_rcu(void);
bool poll_state_synchronize_rcu(unsigned long cookie);
void cond_synchronize_rcu(unsigned long cookie);

#define __KMEM_KFREE_RCU_PICK(_1, _2, NAME, ...) NAME
#define kfree_rcu(...) \
	__KMEM_KFREE_RCU_PICK(__VA_ARGS__, __kmem_kfree_rcu2, __kmem_kfree_rcu1)(__VA_ARGS__)
#define kvfree_rcu(...)		 kfree_rcu(__VA_ARGS__)
#define kfree_rcu_mightsleep(p)	 __kmem_kfree_rcu1(p)
#define kvfree_rcu_mightsleep(p) __kmem_kfree_rcu1(p)
#define __kmem_kfree_rcu2(ptr, field)                                   \
	do {                                                            \
		__typeof__(ptr) __kmem_p = (ptr);                       \
		if (__kmem_p)                                           \
			kmem_env_kfree_rcu(&__kmem_p->field, __kmem_p); \
	} while (0)
#define __kmem_kfree_rcu1(ptr) kmem_env_kfree_rcu(NULL, (ptr))

#define rcu_read_lock_held()	    1
#define rcu_read_lock_bh_held()	    1
#define rcu_read_lock_sched_held()  1
#define rcu_read_lock_any_held()    1
#define debug_lockdep_rcu_enabled() 0
#define rcu_lockdep_assert(c, s) \
	do {                     \
	} while (0)
#define RCU_LOCKDEP_WARN(c, s) \
	do {                   \
	} while (0)
#define rcu_sleep_check() \
	do {              \
	} while (0)
#define rcu_is_watching()   true
#define rcu_preempt_depth() 0
#define rcu_head_init(h)          \
	do {                      \
		(h)->func = NULL; \
	} while (0)
#define init_rcu_head(h) \
	do {             \
	} while (0)
#define destroy_rcu_head(h) \
	do {                \
	} while (0)
#define init_rcu_head_on_stack(h) \
	do {                      \
	} while (0)
#define destroy_rcu_head_on_stack(h) \
	do {                         \
	} while (0)
#define rcu_quiescent_state() \
	do {                  \
	} while (0)
#define cond_resched_tasks_rcu_qs() cond_resched()
#define rcu_softirq_qs() \
	do {             \
	} while (0)
#define rcu_note_context_switch(p) \
	do {                       \
	} while (0)
#define rcu_all_qs() \
	do {         \
	} while (0)
#define rcu_expedite_gp() \
	do {              \
	} while (0)
#define rcu_unexpedite_gp() \
	do {                \
	} while (0)
#define rcu_head_after_call_rcu(h, f) ((h)->func == (f))
#define cond_resched_rcu()         \
	do {                       \
		rcu_read_unlock(); \
		__cond_resched();  \
		rcu_read_lock();   \
	} while (0)
int __cond_resched(void);
#define is_kvfree_rcu_offset(o) ((unsigned long)(o) < 4096)
#define __rcu_head_valid	1

/* A pointer to follow is acquired, one to publish is released. */
#define __kmem_rcu_load(p)                                                              \
	({                                                                              \
		__typeof__(*(p)) *__kmem_q;                                             \
		__kmem_q = (__typeof__(*(p)) *)__atomic_load_n(&(p), __ATOMIC_ACQUIRE); \
		__kmem_q;                                                               \
	})
#define rcu_dereference(p)		  __kmem_rcu_load(p)
#define rcu_dereference_raw(p)		  __kmem_rcu_load(p)
#define rcu_dereference_raw_check(p)	  __kmem_rcu_load(p)
#define rcu_dereference_bh(p)		  __kmem_rcu_load(p)
#define rcu_dereference_sched(p)	  __kmem_rcu_load(p)
#define rcu_dereference_check(p, c)	  ((void)(c), __kmem_rcu_load(p))
#define rcu_dereference_bh_check(p, c)	  ((void)(c), __kmem_rcu_load(p))
#define rcu_dereference_sched_check(p, c) ((void)(c), __kmem_rcu_load(p))
/* Relaxed: nobody changes the pointer, but it may be a word whose lowest bit is a lock that others try. */
#define rcu_dereference_protected(p, c) \
	((void)(c), (__typeof__(*(p)) *)__atomic_load_n(&(p), __ATOMIC_RELAXED))
#define rcu_access_pointer(p)	 __kmem_rcu_load(p)
#define rcu_pointer_handoff(p)	 (p)
#define unrcu_pointer(p)	 (p)
#define rcu_assign_pointer(p, v) __atomic_store_n(&(p), (__typeof__(p))(v), __ATOMIC_RELEASE)
#define rcu_replace_pointer(p, v, c)                                            \
	({                                                                      \
		__typeof__(p) __kmem_old = rcu_dereference_protected((p), (c)); \
		rcu_assign_pointer((p), (v));                                   \
		__kmem_old;                                                     \
	})
#define RCU_INITIALIZER(v)	      (v)
#define RCU_INIT_POINTER(p, v)	      __atomic_store_n(&(p), (__typeof__(p))(v), __ATOMIC_RELAXED)
#define RCU_POINTER_INITIALIZER(p, v) .p = (v)
#define smp_mb__after_unlock_lock()   __atomic_thread_fence(__ATOMIC_SEQ_CST)

#endif
