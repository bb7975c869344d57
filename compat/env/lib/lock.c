// SPDX-License-Identifier: MIT
/*
 * Locks: two words each, for any number of tasks. A waiter spins a little, then sleeps in the host on
 * the lock's word.
 *
 * kmem_env_lock, under spinlocks, mutexes and raw locks:
 *
 *	FREE --lock--> HELD --someone waits--> WAITED --unlock--> FREE, and one is woken
 *
 * An unlock is one exchange and, where somebody waited, a wake on an address that is not read: the
 * object with the lock may be gone by then. A waiter that is woken takes the lock as WAITED, since it
 * cannot know whether it was the only one.
 *
 * kmem_env_rw, under rwlocks and rw_semaphores: the number of readers, a writer's bit, and a bit that
 * somebody sleeps. Whoever lets the last hold go clears the bit and wakes all of them.
 *
 * The owner is a thread's number. It finds recursion, which would be a hang, and an unlock by a task
 * that does not hold the lock: both are BUGs. Everything is a C11 atomic, which ThreadSanitizer sees.
 */
#include "internal.h"
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/semaphore.h>
#include <linux/spinlock.h>

enum { FREE, HELD, WAITED };
enum { LOCK_SPINS = 100 };
#define RW_WRITER ((unsigned int)1 << 31)
#define RW_WAITED ((unsigned int)1 << 30)
#define RW_COUNT  (RW_WAITED - 1)

static unsigned int me(void)
{
	return (unsigned int)kmem_env_current()->pid;
}

static __attribute__((noreturn)) void lock_bug(const char *what, const char *how)
{
	panic("BUG: %s %s, by task %u (%s)\n", what, how, me(), kmem_env_current()->comm);
}

static void owner_set(unsigned int *owner, unsigned int who)
{
	__atomic_store_n(owner, who, __ATOMIC_RELAXED);
}

static unsigned int owner_of(const unsigned int *owner)
{
	return __atomic_load_n(owner, __ATOMIC_RELAXED);
}

/* ---- One holder --------------------------------------------------------------------------------- */

bool kmem_env_trylock(struct kmem_env_lock *l)
{
	unsigned int seen = FREE;

	if (!__atomic_compare_exchange_n(&l->word, &seen, HELD, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return false;
	owner_set(&l->owner, me());
	return true;
}

void kmem_env_lock(struct kmem_env_lock *l, const char *what)
{
	for (int i = 0; i < LOCK_SPINS; i++) {
		if (kmem_env_trylock(l))
			return;
		if (owner_of(&l->owner) == me())
			lock_bug(what, "recursion");
		kmem_env_relax();
	}
	while (__atomic_exchange_n(&l->word, WAITED, __ATOMIC_ACQUIRE) != FREE)
		kmem_env_wait(&l->word, WAITED, UINT64_MAX);
	owner_set(&l->owner, me());
}

void kmem_env_unlock(struct kmem_env_lock *l, const char *what)
{
	if (owner_of(&l->owner) != me())
		lock_bug(what, "unlocked by a task that does not hold it");
	owner_set(&l->owner, 0);
	if (__atomic_exchange_n(&l->word, FREE, __ATOMIC_RELEASE) == WAITED)
		kmem_env_wake(&l->word, 1);
}

bool kmem_env_locked(const struct kmem_env_lock *l)
{
	return __atomic_load_n(&l->word, __ATOMIC_RELAXED) != FREE;
}

bool kmem_env_locked_by_me(const struct kmem_env_lock *l)
{
	return kmem_env_locked(l) && owner_of(&l->owner) == me();
}

/* ---- Readers and a writer ----------------------------------------------------------------------- */

static bool rw_try(struct kmem_env_rw *l, unsigned int seen, unsigned int want)
{
	return __atomic_compare_exchange_n(&l->word, &seen, want, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

/* The word was seen, and did not let us in: wait until it is another. */
static void rw_sleep(struct kmem_env_rw *l, unsigned int seen)
{
	if (!(seen & RW_WAITED) && !rw_try(l, seen, seen | RW_WAITED))
		return;
	kmem_env_wait(&l->word, seen | RW_WAITED, UINT64_MAX);
}

bool kmem_env_read_trylock(struct kmem_env_rw *l)
{
	unsigned int seen = __atomic_load_n(&l->word, __ATOMIC_RELAXED);

	while (!(seen & RW_WRITER)) {
		if (rw_try(l, seen, seen + 1))
			return true;
		seen = __atomic_load_n(&l->word, __ATOMIC_RELAXED);
	}
	return false;
}

void kmem_env_read_lock(struct kmem_env_rw *l)
{
	while (!kmem_env_read_trylock(l)) {
		unsigned int seen = __atomic_load_n(&l->word, __ATOMIC_RELAXED);

		if (owner_of(&l->owner) == me())
			lock_bug("rwlock", "read by its writer");
		if (seen & RW_WRITER)
			rw_sleep(l, seen);
	}
}

static void rw_release(struct kmem_env_rw *l, unsigned int hold)
{
	unsigned int left = __atomic_sub_fetch(&l->word, hold, __ATOMIC_RELEASE);

	if (left == RW_WAITED && rw_try(l, RW_WAITED, 0))
		kmem_env_wake(&l->word, INT_MAX);
}

void kmem_env_read_unlock(struct kmem_env_rw *l)
{
	if (!(__atomic_load_n(&l->word, __ATOMIC_RELAXED) & RW_COUNT))
		lock_bug("rwlock", "read-unlocked without a reader");
	rw_release(l, 1);
}

bool kmem_env_write_trylock(struct kmem_env_rw *l)
{
	unsigned int seen = __atomic_load_n(&l->word, __ATOMIC_RELAXED);

	if ((seen & ~RW_WAITED) || !rw_try(l, seen, seen | RW_WRITER))
		return false;
	owner_set(&l->owner, me());
	return true;
}

void kmem_env_write_lock(struct kmem_env_rw *l, const char *what)
{
	while (!kmem_env_write_trylock(l)) {
		unsigned int seen = __atomic_load_n(&l->word, __ATOMIC_RELAXED);

		if (owner_of(&l->owner) == me())
			lock_bug(what, "recursion");
		if (seen & ~RW_WAITED)
			rw_sleep(l, seen);
	}
}

void kmem_env_write_unlock(struct kmem_env_rw *l)
{
	if (owner_of(&l->owner) != me())
		lock_bug("rwlock", "unlocked by a task that does not hold it");
	owner_set(&l->owner, 0);
	rw_release(l, RW_WRITER);
}

void kmem_env_downgrade(struct kmem_env_rw *l)
{
	owner_set(&l->owner, 0);
	__atomic_fetch_sub(&l->word, RW_WRITER - 1, __ATOMIC_RELEASE);
	if (__atomic_fetch_and(&l->word, ~RW_WAITED, __ATOMIC_RELAXED) & RW_WAITED)
		kmem_env_wake(&l->word, INT_MAX);
}

bool kmem_env_rw_locked(const struct kmem_env_rw *l)
{
	return (__atomic_load_n(&l->word, __ATOMIC_RELAXED) & ~RW_WAITED) != 0;
}

bool kmem_env_rw_write_locked(const struct kmem_env_rw *l)
{
	return (__atomic_load_n(&l->word, __ATOMIC_RELAXED) & RW_WRITER) != 0;
}

/* ---- The kernel's locks that sleep -------------------------------------------------------------- */

void mutex_lock(struct mutex *m)
{
	might_sleep();
	kmem_env_lock(&m->raw, "mutex");
}

int mutex_trylock(struct mutex *m)
{
	return kmem_env_trylock(&m->raw);
}

void mutex_unlock(struct mutex *m)
{
	kmem_env_unlock(&m->raw, "mutex");
}

void down_read(struct rw_semaphore *s)
{
	might_sleep();
	kmem_env_read_lock(&s->raw);
}

int down_read_trylock(struct rw_semaphore *s)
{
	return kmem_env_read_trylock(&s->raw);
}

void up_read(struct rw_semaphore *s)
{
	kmem_env_read_unlock(&s->raw);
}

void down_write(struct rw_semaphore *s)
{
	might_sleep();
	kmem_env_write_lock(&s->raw, "rw_semaphore");
}

int down_write_trylock(struct rw_semaphore *s)
{
	return kmem_env_write_trylock(&s->raw);
}

void up_write(struct rw_semaphore *s)
{
	kmem_env_write_unlock(&s->raw);
}

void downgrade_write(struct rw_semaphore *s)
{
	kmem_env_downgrade(&s->raw);
}

int down_trylock(struct semaphore *s)
{
	unsigned int seen = __atomic_load_n(&s->count, __ATOMIC_RELAXED);

	while (seen && !__atomic_compare_exchange_n(&s->count, &seen, seen - 1, false,
						    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		;
	return seen ? 0 : 1;
}

void down(struct semaphore *s)
{
	might_sleep();
	while (down_trylock(s))
		kmem_env_wait(&s->count, 0, UINT64_MAX);
}

void up(struct semaphore *s)
{
	__atomic_fetch_add(&s->count, 1, __ATOMIC_RELEASE);
	kmem_env_wake(&s->count, 1);
}

/* ---- Who holds it? For lockdep_assert_held ------------------------------------------------------ */

bool kmem_env_held_raw(const struct raw_spinlock *l)
{
	return kmem_env_locked_by_me(&l->raw);
}

bool kmem_env_held_spin(const struct spinlock *l)
{
	return kmem_env_locked_by_me(&l->rlock.raw);
}

bool kmem_env_held_mutex(const struct mutex *m)
{
	return kmem_env_locked_by_me(&m->raw);
}

bool kmem_env_held_rwsem(const struct rw_semaphore *s)
{
	return kmem_env_rw_locked(&s->raw);
}

bool kmem_env_held_rwlock(const struct rwlock *l)
{
	return kmem_env_rw_locked(&l->raw);
}
