/* SPDX-License-Identifier: MIT */
/*
 * fork: the child gets a copy of the memory and one task. What another task was in the middle of
 * would stay half-done in the copy for ever, so before the fork nothing may be in the middle:
 *
 *	prepare		boot lock; caches; every node, every barn; the stacks of all caches shut; every
 *			zone, and the stacks of its page lists shut; file caches; then the leaves:
 *			providers, LRU lists, event rings, the table of the areas, reserves of
 *			pools, vmalloc
 *	fork		nobody else is inside: who needs a lock waits, who finds a stack shut takes
 *			the slow path and waits there
 *	parent, child	all of it undone in the other order
 *
 * A shut stack matters as much as a lock: the kernel copies one page after the other while other
 * CPUs run on, so without it the copy could show an object leaving one sheaf too late and entering
 * another in time, and it would have two owners in the child.
 *
 * What other tasks hold at that moment (objects, a sheaf between two hands) is lost to the child: it
 * has no owner there. It is a bounded leak, never a fault.
 *
 * A fork inside a section (from a signal handler that interrupted the library) takes nothing: the
 * locks are this very task's, and it finishes the section in both processes.
 *
 * Cost: one atomic for each lock and for each stack of each CPU; tens of microseconds with the
 * library's own caches and few CPUs.
 */
#include "boot/boot.h"

struct fork_state {
	irqflags_t irq;
	bool held;    /* prepare took the locks */
	bool machine; /* there are caches and zones to lock */
};

/* Guarded by the boot lock between prepare and done. */
static struct fork_state fork_state;

void boot_fork_prepare(void)
{
	irqflags_t irq;

	if (sync_nested())
		return;
	/* A section: a handler of this task that comes in meanwhile must only try. */
	irq = port_irq_save();
	boot_lock_settled();
	fork_state.irq = irq;
	fork_state.held = true;
	fork_state.machine = kmem_booted();
	if (!fork_state.machine)
		return;
	slab_fork_lock();
	phys_fork_lock();
	reclaim_fork_lock();
	filecache_fork_lock();
	lru_fork_lock();
	swap_fork_lock();
	trace_fork_lock();
	percpu_fork_lock();
	mempool_fork_lock();
	pcpu_fork_lock();
	vmalloc_fork_lock();
}

static void fork_done(bool child)
{
	struct fork_state was = fork_state;

	if (!was.held)
		return;
	fork_state.held = false;
	if (was.machine) {
		vmalloc_fork_unlock(child);
		pcpu_fork_unlock(child);
		mempool_fork_unlock(child);
		percpu_fork_unlock(child);
		trace_fork_unlock(child);
		swap_fork_unlock(child);
		lru_fork_unlock(child);
		filecache_fork_unlock(child);
		reclaim_fork_unlock(child);
		phys_fork_unlock(child);
		slab_fork_unlock(child);
	}
	boot_unlock_settled();
	port_irq_restore(was.irq);
}

void boot_fork_parent(void)
{
	fork_done(false);
}

void boot_fork_child(void)
{
	/* Only this task is left: the read sections of the others are over. */
	rcu_reset();
	fork_done(true);
	if (kmem_booted())
		boot_stat_child();
}
