/* SPDX-License-Identifier: MIT */
/*
 * Floor 1, sync: locks with ranks, contexts, the check of the user's locks, per-CPU areas, grace
 * periods.
 *
 * The tree of locks. A lock may be taken while holding locks of smaller rank only; debug builds
 * check it. No lock is held while a callback of the user's runs.
 *
 *	BOOT		bring-up and shutdown
 *	  CACHES	the list of caches; create, destroy, shrink
 *	    NODE	one cache's slabs and partial lists
 *	    BARN	one cache's full and empty sheaves
 *	      ZONE	one zone's free lists, or one file cache's table
 *	        LEAF	short tables: per-CPU areas, windows, hooks, RCU queue, rings
 *
 * NODE is never held while pages are asked for or given back, nor together with BARN.
 *
 * Asynchronous entry. A section between irq_save and irq_restore (every lock held is one) cannot be
 * interrupted on ports that can mask. On posix a signal handler may still enter the library in the
 * middle of one; it finds sync_nested() true at the entry, and then uses trylocks alone
 * (docs/life-of-a-kmalloc.md). What it cannot free at once it leaves on a lock-free list.
 */
#pragma once
#include "base/base.h"
#include "sync/atomic.h"

enum lock_rank { RANK_BOOT = 1, RANK_CACHES, RANK_NODE, RANK_BARN, RANK_ZONE, RANK_LEAF };

struct lock {
	port_spin_t spin;
	u32 rank;
};
typedef unsigned long irqflags_t;

void lock_init(struct lock *l, enum lock_rank rank);
/* Takes the lock with asynchronous entry excluded (or the section marked). */
irqflags_t lock_take(struct lock *l);
bool lock_try(struct lock *l, irqflags_t *flags);
/* trylock if try is set, else takes it. The usual form where a caller may be nested. */
bool lock_take_or_try(struct lock *l, bool try, irqflags_t *flags);
void lock_release(struct lock *l, irqflags_t flags);
/* fork: all locks are taken before, in rank order, and made free again in both. */
void lock_reset(struct lock *l);
/* For fork alone: takes the lock outside of the ranks' rule, because it takes many of one rank, and
 * neither masks nor marks a section (the one caller does that, once, around all of them). */
void lock_fork_take(struct lock *l);
void lock_fork_drop(struct lock *l);

/* At an entry of the library: has a handler interrupted a section of this very task? */
static inline bool sync_nested(void)
{
	return port_in_section();
}

/* ---- context.c: what the running task is in the middle of ---------------------------------------- */

/* Where the word's fields begin is in context.c; fast paths look at this one. */
enum { CONTEXT_NMI_MASK = 0xf << 20 };
/* No context: the task holds a lock that lockdep.c follows. Here, so that fast paths need not look
 * at anything else to stay away. */
#define CONTEXT_WATCHED ((u32)1 << 30)
/* Told so, or by the port. In NMI context only the _nolock calls are allowed (S173). */
static inline bool context_in_nmi(void)
{
	return (port_task()->preempt & CONTEXT_NMI_MASK) != 0 || port_context() == PORT_NMI;
}
/* A call that frees, in NMI context: reported, and done nevertheless, lest the thing be lost. */
void context_report_nmi(const void *addr, const char *what);
/* Nothing is entered, no handler has interrupted the library, and the port agrees: one load where the
 * word says it all. */
static inline bool context_may_sleep(void)
{
	return !(port_task()->preempt & ~CONTEXT_WATCHED) && !sync_nested() &&
	       port_context() == PORT_TASK;
}
struct context_site {
	const char *file;
	int line;
	struct ratelimit *limit;
};
/* Reports the call that would sleep; what: what becomes of it, or NULL. False, for the caller's. */
bool context_refuse(const struct context_site *at, enum kmem_misuse code, const void *addr,
		    const char *what);
/*
 * For every call of the library that may sleep, first of all: false, and reported (once a second for
 * each place that asks), where the task may not. The call then refuses, or does without sleeping.
 */
#define context_check_sleep(code, addr, what)                                               \
	(likely(context_may_sleep()) || ({                                                  \
		 static struct ratelimit once_ = {.interval_ms = 1000, .burst = 1};         \
		 context_refuse(&(struct context_site){__FILE__, __LINE__, &once_}, (code), \
				(addr), (what));                                            \
	 }))

/* ---- lockdep.c: the user's locks against reclaim ------------------------------------------------- */

/* Around every pass of reclaim; fs: its request has __GFP_FS. What enter returns is for leave. */
bool lockdep_reclaim_enter(bool fs);
void lockdep_reclaim_leave(bool was);
/* A request that may block and has __GFP_FS, before or after the task's scopes. */
void lockdep_request_slow(const void *site);
static inline void lockdep_request(const void *site)
{
	if (unlikely(port_task()->preempt & CONTEXT_WATCHED))
		lockdep_request_slow(site);
}
void lockdep_reset(void);

/* ---- mutex.c: a lock that is slept for, and held across a sleep; zero is free ---------------------- */

struct mutex {
	u32 word;
};
void mutex_take(struct mutex *m); /* task context; no ranked lock held */
bool mutex_try(struct mutex *m);
void mutex_release(struct mutex *m);

/* ---- hook.c: a user's callback with its argument, read whole or not at all ----------------------- */

typedef void (*hook_fn)(void); /* cast to and from the true type */
struct hook {
	u32 seq;
	hook_fn fn;
	void *arg;
};
/* Task context; NULL removes. A call already under way may still use the old one. */
void hook_set(struct hook *h, hook_fn fn, void *arg);
/* False: none is set, or it is being changed. Any context, never waits. */
bool hook_get(const struct hook *h, hook_fn *fn, void **arg);

/* ---- percpu.c ---------------------------------------------------------------------------------- */

/* The largest area sizes a static bitmap of 2 KiB: room for 16 cache lines a cache. */
enum { PERCPU_UNIT = 64, PERCPU_NONE = 0, PERCPU_MAX_SHIFT = 20 };
/*
 * Reserves bytes (rounded up to PERCPU_UNIT, zeroed) at one offset in every CPU's area. Offset, or
 * PERCPU_NONE if there is no room. Offset 0 is never handed out: its stack is always empty, which
 * is what a cache without sheaves points at.
 */
u32 percpu_alloc(size_t bytes);
void percpu_free(u32 off, size_t bytes);
static inline void *percpu_ptr(u32 off, unsigned int cpu)
{
	return kmem_percpu_base + cpu * kmem_percpu_stride + off;
}
/* CPU 0's: what hits go by. */
static inline void *percpu_first(u32 off)
{
	return kmem_percpu_base + off;
}
/* What is the same for all CPUs, of what is at first in CPU 0's area: that at the offset in nobody's, before it. */
static inline void *percpu_common(const void *first)
{
	return (unsigned char *)(uintptr_t)first - PORT_AREA_STRIDE;
}
/* area: bytes of each CPU's area, a power of two; base: CPU 0's, and nobody's before it. All are zeroed. */
void percpu_init(void *base, unsigned int shift);
void percpu_exit(void);
/* fork (boot floor). */
void percpu_fork_lock(void);
void percpu_fork_unlock(bool child);

/* ---- rcu.c: grace periods. Readers cost one atomic each way; any context. --------------------- */

struct rcu_cookie {
	u64 gp;
};
void rcu_read_enter(void);
void rcu_read_leave(void);
/* A moment; rcu_elapsed(cookie) becomes true once every section begun before it has ended. Never
 * waits; each call of rcu_elapsed moves the grace period on as far as it can. */
struct rcu_cookie rcu_start(void);
bool rcu_elapsed(struct rcu_cookie c);
void rcu_wait(struct rcu_cookie c); /* task context */
/* The running task is the only one: a fork's child, boot and shutdown. */
void rcu_reset(void);
