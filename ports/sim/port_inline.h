/* SPDX-License-Identifier: MIT */
/*
 * sim: the inline verbs. Tasks are coroutines of one host thread, so a store of one is seen by all
 * at once, and nothing happens between two points.
 */
#ifndef PORT_INLINE_H
#define PORT_INLINE_H

/* What the inline verbs need of the running task; the rest is in engine.h. */
struct sim_self {
	struct port_task task;
	unsigned int cpu;
	uint32_t id; /* what it writes into locks it holds: never zero */
	bool irq_pending;
};
extern struct sim_self *sim_self;
extern int32_t sim_gap; /* points until the scheduler wants to be asked again */
void sim_point_slow(void);
void sim_irq_deliver(void);
void sim_spin_wait(port_spin_t *l);
void sim_spin_broken(port_spin_t *l) __attribute__((noreturn));

static inline struct port_task *port_task(void)
{
	return &sim_self->task;
}

static inline unsigned int port_cpu(void)
{
	return sim_self->cpu;
}

static inline void port_point(void)
{
	if (__builtin_expect(--sim_gap < 0, 0))
		sim_point_slow();
}

static inline unsigned long port_irq_save(void)
{
	unsigned long depth = sim_self->task.crit;

	sim_self->task.crit = (uint32_t)depth + 1;
	return depth;
}

/* Where sections mask, what came meanwhile is delivered now. */
static inline void port_irq_restore(unsigned long depth)
{
	sim_self->task.crit = (uint32_t)depth;
	if (__builtin_expect(sim_self->irq_pending, 0))
		sim_irq_deliver();
}

static inline bool port_in_section(void)
{
	return sim_self->task.crit != 0;
}

static inline enum port_context port_context(void)
{
	uint32_t count = sim_self->task.preempt;

	return count & 0xf00000u   ? PORT_NMI
	       : count & 0x0f0000u ? PORT_IRQ
	       : count & 0x000100u ? PORT_SOFTIRQ
				   : PORT_TASK;
}

/* The word of a lock is the id of the task that holds it. */
static inline bool port_spin_trylock(port_spin_t *l)
{
	if (l->word)
		return false;
	l->word = sim_self->id;
	return true;
}

static inline void port_spin_lock(port_spin_t *l)
{
	while (!port_spin_trylock(l))
		sim_spin_wait(l);
}

static inline void port_spin_unlock(port_spin_t *l)
{
	if (__builtin_expect(l->word != sim_self->id, 0))
		sim_spin_broken(l);
	l->word = 0;
}

#include "../common/stack_portable.h"

#endif
