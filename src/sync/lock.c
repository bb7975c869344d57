/* SPDX-License-Identifier: MIT */
/*
 * Locks with ranks.
 *
 * A lock is the port's spin word and a rank. Debug builds keep, in the running task's `held`, how
 * many locks of each rank it holds: four bits a rank, rank r at bit 4r. Taking a lock while one of
 * the same or a higher rank is held can deadlock with a task that takes them in the other order, so
 * it fails at once and in every run, not once a year in one.
 *
 *	lock_take	waits; rank above everything held
 *	lock_try	never waits, so no order can be wrong; counted all the same, because what is
 *			taken later, waiting, must rank above it
 *
 * An asynchronous handler runs on the counts of the task it interrupted and leaves them as it found
 * them: what it takes it releases before it returns.
 *
 * fork takes every lock of the library, many of one rank, in one fixed order (lock_fork_take). It
 * alone may, because it is the only one that holds two of a rank: no cycle can arise.
 *
 * Cost: release builds add nothing to the port's lock but the irq section.
 */
#include "sync/sync.h"

enum { RANK_BITS = 4, RANK_COUNT_MAX = 15 };

/* How many locks of this rank or above the word says are held, as a number that is zero or not. */
static u32 held_from(u32 held, u32 rank)
{
	return held >> (RANK_BITS * rank);
}

static u32 rank_one(u32 rank)
{
	return (u32)1 << (RANK_BITS * rank);
}

static void rank_check(const struct lock *l)
{
	assert_debug(l->rank >= RANK_BOOT && l->rank <= RANK_LEAF);
	assert_debug(held_from(port_task()->held, l->rank) == 0);
}

static void rank_add(const struct lock *l)
{
	assert_debug((held_from(port_task()->held, l->rank) & RANK_COUNT_MAX) < RANK_COUNT_MAX);
	port_task()->held += rank_one(l->rank);
}

static void rank_del(const struct lock *l)
{
	assert_debug((held_from(port_task()->held, l->rank) & RANK_COUNT_MAX) > 0);
	port_task()->held -= rank_one(l->rank);
}

void lock_init(struct lock *l, enum lock_rank rank)
{
	assert_always(rank >= RANK_BOOT && rank <= RANK_LEAF);
	l->spin.word = 0;
	l->rank = rank;
}

irqflags_t lock_take(struct lock *l)
{
	irqflags_t flags;

	if (KMEM_DEBUG)
		rank_check(l);
	flags = port_irq_save();
	port_point();
	port_spin_lock(&l->spin);
	if (KMEM_DEBUG)
		rank_add(l);
	return flags;
}

bool lock_try(struct lock *l, irqflags_t *flags)
{
	*flags = port_irq_save();
	port_point();
	if (!port_spin_trylock(&l->spin)) {
		port_irq_restore(*flags);
		return false;
	}
	if (KMEM_DEBUG)
		rank_add(l);
	return true;
}

bool lock_take_or_try(struct lock *l, bool try, irqflags_t *flags)
{
	if (try)
		return lock_try(l, flags);
	*flags = lock_take(l);
	return true;
}

void lock_release(struct lock *l, irqflags_t flags)
{
	if (KMEM_DEBUG)
		rank_del(l);
	port_point();
	port_spin_unlock(&l->spin);
	port_irq_restore(flags);
}

void lock_reset(struct lock *l)
{
	atom_store(&l->spin.word, 0);
}

void lock_fork_take(struct lock *l)
{
	assert_debug(l->rank >= RANK_BOOT && l->rank <= RANK_LEAF);
	port_spin_lock(&l->spin);
}

void lock_fork_drop(struct lock *l)
{
	port_spin_unlock(&l->spin);
}
