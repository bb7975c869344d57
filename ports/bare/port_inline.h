/* SPDX-License-Identifier: MIT */
/*
 * bare: the inline verbs on x86 without an operating system. Asynchronous entry is an interrupt and
 * the interrupt flag shuts it out; a CPU is a CPU, and nothing migrates. One copy of the core serves
 * one CPU or many: what differs is what port_cpu_index and port_task_ptr say, which the kernel that
 * links the archive supplies, together with every verb of port.h that is not inline.
 *
 * The archive is built without the FPU, without thread-local storage and, on x86-64, without the red
 * zone, so it may run in an interrupt handler as it is.
 */
#ifndef PORT_INLINE_H
#define PORT_INLINE_H

/* Supplied by the kernel, besides the verbs of port.h. */
unsigned int port_cpu_index(void);     /* of this CPU, below port_ncpu() */
struct port_task *port_task_ptr(void); /* of the running task; before tasks exist, any one */
enum port_context port_context_now(void);

static inline unsigned int port_cpu(void)
{
	return port_cpu_index();
}

static inline struct port_task *port_task(void)
{
	return port_task_ptr();
}

static inline enum port_context port_context(void)
{
	return port_context_now();
}

static inline void port_point(void)
{
}

/* Saves the flags with the interrupt bit among them; the memory clobber keeps the section inside. */
static inline unsigned long port_irq_save(void)
{
	unsigned long flags;

	__asm__ volatile("pushf\n\tpop %0\n\tcli" : "=r"(flags) : : "memory");
	return flags;
}

static inline void port_irq_restore(unsigned long flags)
{
	__asm__ volatile("push %0\n\tpopf" : : "r"(flags) : "memory", "cc");
}

/* Sections shut interrupts out, so none is ever found open at an entry. */
static inline bool port_in_section(void)
{
	return false;
}

static inline bool port_spin_trylock(port_spin_t *l)
{
	return __atomic_exchange_n(&l->word, 1u, __ATOMIC_ACQUIRE) == 0;
}

/* Held for short sections with interrupts off, by another CPU: spin, reading only. */
static inline void port_spin_lock(port_spin_t *l)
{
	while (!port_spin_trylock(l)) {
		while (__atomic_load_n(&l->word, __ATOMIC_RELAXED))
			__asm__ volatile("pause");
	}
}

static inline void port_spin_unlock(port_spin_t *l)
{
	__atomic_store_n(&l->word, 0u, __ATOMIC_RELEASE); /* pairs with trylock */
}

#include "../common/stack_portable.h"

#endif
