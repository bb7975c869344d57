/* SPDX-License-Identifier: MIT */
/*
 * What context the running task is in, and whether it may sleep there (semantics 7.7).
 *
 * One word of the task says it all, so that a fast path asks with one load. Its low 24 bits are the
 * kernel's preempt count:
 *
 *	 31    30        29..24      23..20  19..16    15..8     7..0
 *	| irq | watched | non_block |  NMI | hardirq | softirq | preempt |	zero: an ordinary task
 *	  off
 *
 * Watched is no context, but lockdep.c's: the task holds a lock that is followed.
 *
 * A softirq handler counts one in its field; softirqs held off count two, so that the lowest bit
 * tells a handler from a section. Nobody but the task and the handlers that interrupt it reads or
 * writes the word, and a handler leaves it as it found it: plain loads and stores will do.
 *
 * The report has two places: the stack of who would sleep, and that of who made the task atomic, which
 * is remembered when the word leaves zero (task->atomic_stack). It is the outermost call that is
 * remembered, since inside of it nobody may sleep whatever else was entered. Its callers are walked
 * with atomic_stack=1 only, which checking builds have from the start: else it is one address.
 *
 * A handler that has interrupted the library itself (sync_nested()) may not sleep either, told or
 * not: it counts as interrupts off.
 *
 * Cost: a load and a branch for who may sleep; with atomic_stack=1 a walk of the stack for who makes
 * the task atomic, a microsecond or a few.
 */
#include "sync/sync.h"

enum {
	PREEMPT_ONE = 1 << 0,
	PREEMPT_MASK = 0xff,
	SOFTIRQ_ONE = 1 << 8, /* a handler */
	SOFTIRQ_OFF = 2 << 8, /* a section */
	SOFTIRQ_MASK = 0xff << 8,
	HARDIRQ_ONE = 1 << 16,
	HARDIRQ_MASK = 0xf << 16,
	NMI_ONE = 1 << 20,
	NMI_MASK = CONTEXT_NMI_MASK,
	COUNT_MASK = 0xffffff,
	NON_BLOCK_ONE = 1 << 24,
	NON_BLOCK_SHIFT = 24,
	NON_BLOCK_MASK = 0x3f << 24,
};
#define IRQS_OFF ((u32)1 << 31)

_Static_assert(offsetof(struct port_task, atomic_stack) + sizeof(uintptr_t) <= 64,
	       "but for the stack, a task's word is one cache line");

/* ---- In and out ----------------------------------------------------------------------------------- */

/* The callers of the site, from the site on: what is nearer is the library's own. */
static noinline void stack_note(struct port_task *task, const void *site)
{
	void *pc[PORT_ATOMIC_STACK + 4];
	unsigned int n = port_backtrace(pc, ARRAY_SIZE(pc)), first = 0, i;

	assert_debug(n <= ARRAY_SIZE(pc));
	while (first < n && pc[first] != site)
		first++;
	for (i = 1; first + i < n && i < PORT_ATOMIC_STACK; i++)
		task->atomic_stack[i] = (uintptr_t)pc[first + i];
	if (i < PORT_ATOMIC_STACK)
		task->atomic_stack[i] = 0;
}

static bool stack_wanted(void)
{
	return atom_load_acq(&kmem_machine.state) == MACHINE_ON && kmem_machine.opt.atomic_stack;
}

/* The word first: a handler in between sees it, and leaves the stack alone. */
static void word_set(struct port_task *task, u32 value, const void *site)
{
	u32 was = task->preempt & ~CONTEXT_WATCHED;

	port_task_set(value);
	if (was)
		return;
	task->atomic_stack[0] = (uintptr_t)site;
	task->atomic_stack[1] = 0;
	if (unlikely(stack_wanted()))
		stack_note(task, site);
}

static void context_enter(u32 one, u32 mask, const void *site)
{
	struct port_task *task = port_task();

	assert_always((task->preempt & mask) + one <= mask);
	word_set(task, task->preempt + one, site);
}

static void context_leave(u32 one, u32 mask)
{
	struct port_task *task = port_task();

	assert_always((task->preempt & mask) >= one);
	port_task_set(task->preempt - one);
}

void kmem_irq_enter(void)
{
	context_enter(HARDIRQ_ONE, HARDIRQ_MASK, __builtin_return_address(0));
}

void kmem_irq_exit(void)
{
	context_leave(HARDIRQ_ONE, HARDIRQ_MASK);
}

void kmem_nmi_enter(void)
{
	context_enter(NMI_ONE, NMI_MASK, __builtin_return_address(0));
}

void kmem_nmi_exit(void)
{
	context_leave(NMI_ONE, NMI_MASK);
}

void kmem_softirq_enter(void)
{
	context_enter(SOFTIRQ_ONE, SOFTIRQ_ONE, __builtin_return_address(0));
}

void kmem_softirq_exit(void)
{
	context_leave(SOFTIRQ_ONE, SOFTIRQ_ONE);
}

void local_bh_disable(void)
{
	context_enter(SOFTIRQ_OFF, SOFTIRQ_MASK, __builtin_return_address(0));
}

void local_bh_enable(void)
{
	context_leave(SOFTIRQ_OFF, SOFTIRQ_MASK);
}

void kmem_preempt_disable(void)
{
	context_enter(PREEMPT_ONE, PREEMPT_MASK, __builtin_return_address(0));
}

void kmem_preempt_enable(void)
{
	context_leave(PREEMPT_ONE, PREEMPT_MASK);
}

void non_block_start(void)
{
	context_enter(NON_BLOCK_ONE, NON_BLOCK_MASK, __builtin_return_address(0));
}

void non_block_end(void)
{
	context_leave(NON_BLOCK_ONE, NON_BLOCK_MASK);
}

unsigned long kmem_local_irq_save(void)
{
	struct port_task *task = port_task();
	unsigned long was = task->preempt & IRQS_OFF;

	word_set(task, task->preempt | IRQS_OFF, __builtin_return_address(0));
	return was;
}

void kmem_local_irq_restore(unsigned long flags)
{
	struct port_task *task = port_task();

	assert_always((flags & ~(unsigned long)IRQS_OFF) == 0);
	word_set(task, (task->preempt & ~IRQS_OFF) | (u32)flags, __builtin_return_address(0));
}

void kmem_local_irq_enable(void)
{
	kmem_local_irq_restore(0);
}

/* ---- Asking --------------------------------------------------------------------------------------- */

static bool context_has(u32 bits)
{
	return (port_task()->preempt & bits) != 0;
}

bool in_nmi(void)
{
	return context_has(NMI_MASK);
}

bool in_hardirq(void)
{
	return context_has(HARDIRQ_MASK);
}

bool in_serving_softirq(void)
{
	return context_has(SOFTIRQ_ONE);
}

bool in_softirq(void)
{
	return context_has(SOFTIRQ_MASK);
}

bool in_interrupt(void)
{
	return context_has(SOFTIRQ_MASK | HARDIRQ_MASK | NMI_MASK);
}

bool in_task(void)
{
	return port_context() == PORT_TASK;
}

bool in_atomic(void)
{
	return context_has(COUNT_MASK);
}

bool irqs_disabled(void)
{
	return context_has(IRQS_OFF) || sync_nested();
}

unsigned int preempt_count(void)
{
	return port_task()->preempt & COUNT_MASK;
}

/* ---- Reports -------------------------------------------------------------------------------------- */

bool context_refuse(const struct context_site *at, enum kmem_misuse code, const void *addr,
		    const char *what)
{
	const struct port_task *task = port_task();

	/* Bring-up has no tasks to be fair to yet. */
	if (atom_load(&kmem_machine.state) == MACHINE_BOOTING || !ratelimit_ok(at->limit))
		return false;
	report_misuse(code, addr,
		      "BUG: sleeping function called from invalid context at %.200s:%d\n"
		      "in_atomic(): %d, irqs_disabled(): %d, non_block: %u, pid: %d, name: %s\n"
		      "preempt_count: %x, expected: 0%s%s",
		      at->file, at->line, in_atomic(), irqs_disabled(),
		      (task->preempt & NON_BLOCK_MASK) >> NON_BLOCK_SHIFT, port_pid(), port_comm(),
		      preempt_count(), what ? "\n" : "", what ? what : "");
	if (task->preempt & ~CONTEXT_WATCHED)
		report_site(KMEM_LOG_WARN, "Preemption disabled at:", task->atomic_stack,
			    PORT_ATOMIC_STACK);
	return false;
}

void context_report_nmi(const void *addr, const char *what)
{
	report_misuse(KMEM_MISUSE_GFP_NMI, addr, "%s from NMI context", what);
}

void __might_sleep(const char *file, int line)
{
	static struct ratelimit limit = {.interval_ms = 1000, .burst = 1};
	struct context_site at = {file, line, &limit};

	if (unlikely(!context_may_sleep()))
		context_refuse(&at, KMEM_MISUSE_CONTEXT, __builtin_return_address(0), NULL);
}

void __cant_sleep(const char *file, int line)
{
	static struct ratelimit limit = {.interval_ms = 1000, .burst = 1};

	if (unlikely(context_may_sleep()) && ratelimit_ok(&limit))
		report_misuse(KMEM_MISUSE_CONTEXT, __builtin_return_address(0),
			      "BUG: assuming atomic context at %.200s:%d\n"
			      "in_atomic(): 0, irqs_disabled(): 0, pid: %d, name: %s",
			      file, line, port_pid(), port_comm());
}
