/* SPDX-License-Identifier: MIT */
/*
 * What a task says of itself: scopes, which lie on all its requests until they end (semantics 7.6).
 * All in the port's word of the running task, which nobody else reads or writes; a handler that
 * changes it on the same task has restored it when it returns.
 *
 * A scope's save returns the bits that were not set before, and its restore clears exactly those, so
 * scopes nest, and an inner restore never ends an outer scope.
 */
#include "gfp/gfp.h"

#define PF_SCOPES (PF_MEMALLOC | PF_MEMALLOC_NOFS | PF_MEMALLOC_NOIO | PF_MEMALLOC_PIN)
enum { RETRY_TICKS = 20 }; /* a fiftieth of a second */

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

unsigned int memalloc_flags_save(unsigned int flags)
{
	return scope_save(flags & PF_SCOPES);
}

void memalloc_flags_restore(unsigned int saved)
{
	scope_restore(PF_SCOPES, saved);
}

unsigned int kmem_task_flags(void)
{
	return port_task()->pf;
}

void kmem_task_set_flags(unsigned int set, unsigned int clear)
{
	struct port_task *task = port_task();
	u32 fresh = set & ~task->pf;

	task->pf = (task->pf & ~clear) | set;
	if (fresh & PF_KMEM_OOM_VICTIM)
		trace_mark_victim();
}

void __might_alloc(gfp_t gfp, const char *file, int line)
{
	gfp = gfp_current(gfp);
	if (!(gfp & __GFP_DIRECT_RECLAIM))
		return;
	__might_sleep(file, line);
	if (gfp & __GFP_FS && context_may_sleep())
		lockdep_request(__builtin_return_address(0));
}

void memalloc_retry_wait(gfp_t gfp)
{
	gfp = gfp_current(gfp);
	if (!context_check_sleep(KMEM_MISUSE_CONTEXT, NULL, "memalloc_retry_wait returns at once"))
		return;
	for (u32 i = gfp & __GFP_DIRECT_RECLAIM && !(gfp & __GFP_NORETRY) ? 1 : RETRY_TICKS; i; i--)
		reclaim_tick();
}
