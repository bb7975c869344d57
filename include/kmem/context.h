/* SPDX-License-Identifier: MIT */
/*
 * Contexts and scopes: what the running task may do where it is, and what it has forbidden itself
 * (semantics 7.6, 7.7). A kernel knows by itself that it is in an interrupt; here the program says
 * so, and the library holds it to that:
 *
 *	kmem_irq_enter();			in a signal handler
 *	p = kmalloc(64, GFP_KERNEL);		reported, with both places; served without sleeping
 *	kmem_irq_exit();
 *
 * All of it is the task's own state: any context, no locks, nothing waits, no errors. None of the
 * calls masks anything: on posix signals come all the same, and a kernel masks its interrupts itself
 * and says so here. What is entered must be left, in the reverse order; a mismatch traps, and so
 * does nesting deeper than said below.
 */
#ifndef KMEM_CONTEXT_H
#define KMEM_CONTEXT_H

#include <stdbool.h>
#include <kmem/gfp.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* ---- Contexts ------------------------------------------------------------------------------------- */

/* Interrupt and NMI handlers; 15 deep each. A softirq handler does not nest. */
void kmem_irq_enter(void);
void kmem_irq_exit(void);
void kmem_nmi_enter(void);
void kmem_nmi_exit(void);
void kmem_softirq_enter(void);
void kmem_softirq_exit(void);

/* Sections that may not sleep. Preemption off (a spinlock held): 255 deep. Softirqs held off: 127. */
void kmem_preempt_disable(void);
void kmem_preempt_enable(void);
void local_bh_disable(void);
void local_bh_enable(void);

/* Interrupts off. Save returns what was before, for restore; on and off do not nest. */
unsigned long kmem_local_irq_save(void);
void kmem_local_irq_restore(unsigned long flags);
void kmem_local_irq_enable(void);

/* A section that could sleep and must not; 63 deep. For might_sleep() as good as preemption off,
 * but in_atomic() is false. */
void non_block_start(void);
void non_block_end(void);

bool in_nmi(void);
bool in_hardirq(void);
bool in_serving_softirq(void); /* in a handler; not where softirqs are merely held off */
bool in_softirq(void);	       /* either of these */
bool in_interrupt(void);       /* NMI, hardirq or in_softirq() */
bool in_task(void);	       /* neither NMI, hardirq nor in_serving_softirq() */
bool in_atomic(void);	       /* any of them, or preemption off; not: interrupts off */
bool irqs_disabled(void);      /* told so, or a handler that has interrupted the library itself */
unsigned int preempt_count(void); /* 8 bits preemption, 8 softirq, 4 hardirq, 4 NMI */

/*
 * A call that may sleep: where the task may not, that is reported, at most once a second
 * (KMEM_MISUSE_CONTEXT), with its stack and that of who made the task atomic (the nearest address alone,
 * unless the machine has atomic_stack=1, as in debug builds). Goes on all the same.
 */
void __might_sleep(const char *file, int line);
/* The same if the word may block, as the task's scopes leave it; what a function does that will
 * allocate with it on some of its paths. Also what kmalloc(gfp) does for the check of locks. */
void __might_alloc(gfp_t gfp, const char *file, int line);
/* The opposite: reported where the task may sleep. */
void __cant_sleep(const char *file, int line);

#define might_sleep() __might_sleep(__FILE__, __LINE__)
#define might_sleep_if(cond)           \
	do {                           \
		if (cond)              \
			might_sleep(); \
	} while (0)
#define might_alloc(gfp) __might_alloc(gfp, __FILE__, __LINE__)
#define cant_sleep()	 __cant_sleep(__FILE__, __LINE__)

/* The kernel's names. */
#define preempt_disable()	 kmem_preempt_disable()
#define preempt_enable()	 kmem_preempt_enable()
#define local_irq_save(flags)	 ((flags) = kmem_local_irq_save())
#define local_irq_restore(flags) kmem_local_irq_restore(flags)
#define local_irq_disable()	 ((void)kmem_local_irq_save())
#define local_irq_enable()	 kmem_local_irq_enable()

/* ---- Scopes --------------------------------------------------------------------------------------- */

/*
 * A restriction on all requests of the task until it ends. save returns the bits that were not set
 * before, restore clears exactly those, in reverse order of the saves: so scopes nest.
 */
#define PF_MEMALLOC	   0x00000800u
#define PF_MEMALLOC_NOFS   0x00040000u
#define PF_MEMALLOC_NOIO   0x00080000u
#define PF_MEMALLOC_PIN	   0x10000000u
#define PF_KTHREAD	   0x00200000u
#define PF_KMEM_RT	   0x01000000u /* libkmem: a real-time task */
#define PF_KMEM_OOM_VICTIM 0x02000000u /* libkmem: chosen by the OOM handler */
unsigned int memalloc_noio_save(void);
void memalloc_noio_restore(unsigned int saved);
unsigned int memalloc_nofs_save(void);
void memalloc_nofs_restore(unsigned int saved);
unsigned int memalloc_noreclaim_save(void);
void memalloc_noreclaim_restore(unsigned int saved);
unsigned int memalloc_pin_save(void);
void memalloc_pin_restore(unsigned int saved);
/* Any of the bits above at once. */
unsigned int memalloc_flags_save(unsigned int flags);
void memalloc_flags_restore(unsigned int saved);
unsigned int kmem_task_flags(void);
void kmem_task_set_flags(unsigned int set, unsigned int clear);

/* Between a failed request and the next try: a tick (1 ms) if the word blocks and is not NORETRY,
 * else 20 ms. Task context, sleeps; elsewhere it is reported, and returns at once. */
void memalloc_retry_wait(gfp_t gfp);

/* Cuts every request down to the mask; 0 allows everything. Returns the old one. For bring-up. */
gfp_t kmem_set_allowed_mask(gfp_t mask);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
