/* SPDX-License-Identifier: MIT */
/*
 * What a task says of itself: scopes, which lie on all its requests until they end, and the contexts
 * it is in (semantics 7.6, 7.7). All in the port's word of the running task, which nobody else reads
 * or writes; a handler that changes it on the same task has restored it when it returns.
 *
 * A scope's save returns the bits that were not set before, and its restore clears exactly those, so
 * scopes nest, and an inner restore never ends an outer scope.
 *
 * The count of contexts has the kernel's layout: 8 bits preempt, 8 softirq, 4 hardirq, 4 NMI.
 */
#include "gfp/gfp.h"

enum {
	PREEMPT_ONE = 1 << 0,
	PREEMPT_MASK = 0xff,
	SOFTIRQ_MASK = 0xff << 8,
	HARDIRQ_ONE = 1 << 16,
	HARDIRQ_MASK = 0xf << 16,
	NMI_ONE = 1 << 20,
	NMI_MASK = 0xf << 20,
};

static unsigned int scope_save(u32 bits)
{
	struct port_task *task = port_task();
	u32 fresh = bits & ~task->pf;

	task->pf |= bits;
	return fresh;
}

static void scope_restore(u32 bits, unsigned int saved)
{
	port_task()->pf &= ~(saved & bits);
}

unsigned int memalloc_noio_save(void)
{
	return scope_save(PF_MEMALLOC_NOIO);
}

void memalloc_noio_restore(unsigned int saved)
{
	scope_restore(PF_MEMALLOC_NOIO, saved);
}

unsigned int memalloc_nofs_save(void)
{
	return scope_save(PF_MEMALLOC_NOFS);
}

void memalloc_nofs_restore(unsigned int saved)
{
	scope_restore(PF_MEMALLOC_NOFS, saved);
}

unsigned int memalloc_noreclaim_save(void)
{
	return scope_save(PF_MEMALLOC);
}

void memalloc_noreclaim_restore(unsigned int saved)
{
	scope_restore(PF_MEMALLOC, saved);
}

unsigned int memalloc_pin_save(void)
{
	return scope_save(PF_MEMALLOC_PIN);
}

void memalloc_pin_restore(unsigned int saved)
{
	scope_restore(PF_MEMALLOC_PIN, saved);
}

unsigned int kmem_task_flags(void)
{
	return port_task()->pf;
}

void kmem_task_set_flags(unsigned int set, unsigned int clear)
{
	struct port_task *task = port_task();

	task->pf = (task->pf & ~clear) | set;
}

/* ---- Contexts ----------------------------------------------------------------------------------- */

static void context_enter(u32 one, u32 mask)
{
	struct port_task *task = port_task();

	assert_always((task->preempt & mask) != mask);
	task->preempt += one;
}

static void context_leave(u32 one, u32 mask)
{
	struct port_task *task = port_task();

	assert_always((task->preempt & mask) != 0);
	task->preempt -= one;
}

void kmem_irq_enter(void)
{
	context_enter(HARDIRQ_ONE, HARDIRQ_MASK);
}

void kmem_irq_exit(void)
{
	context_leave(HARDIRQ_ONE, HARDIRQ_MASK);
}

void kmem_nmi_enter(void)
{
	context_enter(NMI_ONE, NMI_MASK);
}

void kmem_nmi_exit(void)
{
	context_leave(NMI_ONE, NMI_MASK);
}

void kmem_preempt_disable(void)
{
	context_enter(PREEMPT_ONE, PREEMPT_MASK);
}

void kmem_preempt_enable(void)
{
	context_leave(PREEMPT_ONE, PREEMPT_MASK);
}

bool in_interrupt(void)
{
	return (port_task()->preempt & (SOFTIRQ_MASK | HARDIRQ_MASK | NMI_MASK)) != 0;
}

bool in_task(void)
{
	return port_context() == PORT_TASK;
}

bool in_atomic(void)
{
	return port_task()->preempt != 0;
}
