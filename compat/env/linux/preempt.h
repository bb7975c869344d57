/* SPDX-License-Identifier: MIT */
/*
 * Contexts are the library's (<kmem/context.h>): they are told and checked, and mask nothing. Code
 * that a preempt-disabled section protects from other tasks of its CPU is not protected here; what
 * takes a lock is. Such a section, and so a spinlock's, is a reader of RCU, as in the kernel.
 */
#ifndef KMEM_ENV_LINUX_PREEMPT_H
#define KMEM_ENV_LINUX_PREEMPT_H
#define __LINUX_PREEMPT_H

#include <linux/types.h>
#include <kmem/context.h>
#ifndef KMEM_ENV_HOSTED
#include <asm/processor.h>
#endif

void kmem_rcu_read_lock(void);
void kmem_rcu_read_unlock(void);

/*
 * Entering orders nothing between readers; ThreadSanitizer, which would take the shared counter for a
 * synchronisation of all spinlocks with each other, is told so. Leaving is what a grace period sees.
 */
#ifdef __SANITIZE_THREAD__
void AnnotateIgnoreSyncBegin(const char *file, int line);
void AnnotateIgnoreSyncEnd(const char *file, int line);
#define __kmem_nosync_begin() AnnotateIgnoreSyncBegin(__FILE__, __LINE__)
#define __kmem_nosync_end()   AnnotateIgnoreSyncEnd(__FILE__, __LINE__)
#else
#define __kmem_nosync_begin() \
	do {                  \
	} while (0)
#define __kmem_nosync_end() \
	do {                \
	} while (0)
#endif

static inline void kmem_env_preempt_disable(void)
{
	kmem_preempt_disable();
	__kmem_nosync_begin();
	kmem_rcu_read_lock();
	__kmem_nosync_end();
}

static inline void kmem_env_preempt_enable(void)
{
	kmem_rcu_read_unlock();
	kmem_preempt_enable();
}
#undef preempt_disable
#undef preempt_enable
#define preempt_disable() kmem_env_preempt_disable()
#define preempt_enable()  kmem_env_preempt_enable()

#define PREEMPT_BITS	       8
#define SOFTIRQ_BITS	       8
#define HARDIRQ_BITS	       4
#define NMI_BITS	       4
#define PREEMPT_SHIFT	       0
#define SOFTIRQ_SHIFT	       8
#define HARDIRQ_SHIFT	       16
#define NMI_SHIFT	       20
#define PREEMPT_MASK	       0x000000ffu
#define SOFTIRQ_MASK	       0x0000ff00u
#define HARDIRQ_MASK	       0x000f0000u
#define NMI_MASK	       0x00f00000u
#define PREEMPT_OFFSET	       0x1u
#define SOFTIRQ_OFFSET	       0x100u
#define HARDIRQ_OFFSET	       0x10000u
#define PREEMPT_DISABLE_OFFSET PREEMPT_OFFSET
#define SOFTIRQ_DISABLE_OFFSET (2 * SOFTIRQ_OFFSET)

#define nmi_count()			    (preempt_count() & NMI_MASK)
#define hardirq_count()			    (preempt_count() & HARDIRQ_MASK)
#define softirq_count()			    (preempt_count() & SOFTIRQ_MASK)
#define in_irq()			    in_hardirq()
#define preemptible()			    (preempt_count() == 0 && !irqs_disabled())
#define preempt_disable_notrace()	    preempt_disable()
#define preempt_enable_notrace()	    preempt_enable()
#define preempt_enable_no_resched()	    preempt_enable()
#define preempt_enable_no_resched_notrace() preempt_enable()
#define sched_preempt_enable_no_resched()   preempt_enable()
#define preempt_check_resched() \
	do {                    \
	} while (0)
#define migrate_disable() \
	do {              \
	} while (0)
#define migrate_enable() \
	do {             \
	} while (0)
#define preempt_disable_nested() \
	do {                     \
	} while (0)
#define preempt_enable_nested() \
	do {                    \
	} while (0)

#endif
