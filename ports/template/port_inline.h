/* SPDX-License-Identifier: MIT */
/*
 * template: the inline verbs of a port that has nothing yet. Copy the folder, and make each verb do
 * what its comment says; <kmem/port.h> is the specification. As it stands, everything compiles, the
 * machine is one CPU that nothing interrupts, and port_start refuses.
 */
#ifndef PORT_INLINE_H
#define PORT_INLINE_H

/* Index of the CPU this runs on, below port_ncpu(). One register or one load: every fast path asks. */
static inline unsigned int port_cpu(void)
{
	return 0;
}

/*
 * 64 zeroed bytes of the running task, or of the CPU if there are no tasks yet. An interrupt handler
 * sees those of the task it interrupted.
 */
extern struct port_task port_task_only;
static inline struct port_task *port_task(void)
{
	return &port_task_only;
}

/* Nothing, unless you write a simulator: a place where the scheduler may switch. */
static inline void port_point(void)
{
}

/*
 * Bare metal: save the flags register and turn interrupts off; restore puts it back. Where that is
 * impossible or too dear: count port_task()->crit up and down, as here.
 */
static inline unsigned long port_irq_save(void)
{
	unsigned long depth = port_task()->crit;

	port_task()->crit = (uint32_t)depth + 1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return depth;
}

static inline void port_irq_restore(unsigned long depth)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	port_task()->crit = (uint32_t)depth;
}

/* With interrupts really off in sections: always false. */
static inline bool port_in_section(void)
{
	return port_task()->crit != 0;
}

/* From the preempt count, which kmem_irq_enter() and the like keep; or from the hardware's state. */
static inline enum port_context port_context(void)
{
	uint32_t count = port_task()->preempt;

	return count & 0xf00000u   ? PORT_NMI
	       : count & 0x0f0000u ? PORT_IRQ
	       : count & 0x000100u ? PORT_SOFTIRQ
				   : PORT_TASK;
}

/* One CPU: the lock can only be held by what this interrupted, so waiting would be for ever. With
 * several: a test-and-set or ticket lock, with acquire and release; it may sleep in the host. */
static inline bool port_spin_trylock(port_spin_t *l)
{
	uint32_t free = 0;

	return __atomic_compare_exchange_n(&l->word, &free, 1u, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static inline void port_spin_lock(port_spin_t *l)
{
	while (!port_spin_trylock(l))
		port_relax();
}

static inline void port_spin_unlock(port_spin_t *l)
{
	__atomic_store_n(&l->word, 0u, __ATOMIC_RELEASE); /* pairs with trylock */
}

/* The portable stacks do for a start: one locked instruction a verb. Your own may turn interrupts off
 * (one CPU a stack), or use restartable sequences. */
#include "../common/stack_portable.h"

#endif
