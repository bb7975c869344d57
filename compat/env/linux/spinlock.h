/* SPDX-License-Identifier: MIT */
/*
 * Spinlocks and rwlocks. A section of one may not sleep, as in the kernel: preemption off is told to
 * the library. Waiters sleep in the host after a while; recursion and a foreign unlock are BUGs.
 */
#ifndef KMEM_ENV_LINUX_SPINLOCK_H
#define KMEM_ENV_LINUX_SPINLOCK_H
#define __LINUX_SPINLOCK_H

#ifndef KMEM_ENV_HOSTED
#include <linux/typecheck.h>
#include <linux/linkage.h>
#include <linux/compiler.h>
#include <linux/stringify.h>
#include <linux/cleanup.h>
#include <linux/bug.h>
#include <asm/barrier.h>
#include <linux/kernel.h>
#endif
#include <linux/preempt.h>
#include <linux/irqflags.h>
#include <linux/bottom_half.h>
#include <linux/spinlock_types.h>

#define __lockfunc
#define raw_spin_lock_init(l)                    \
	do {                                     \
		*(l) = (raw_spinlock_t){{0, 0}}; \
	} while (0)
#define spin_lock_init(l)                      \
	do {                                   \
		*(l) = (spinlock_t){{{0, 0}}}; \
	} while (0)
#define rwlock_init(l)                     \
	do {                               \
		*(l) = (rwlock_t){{0, 0}}; \
	} while (0)

static inline void raw_spin_lock(raw_spinlock_t *l)
{
	kmem_env_preempt_disable();
	kmem_env_lock(&l->raw, "spinlock");
}

static inline void raw_spin_unlock(raw_spinlock_t *l)
{
	kmem_env_unlock(&l->raw, "spinlock");
	kmem_env_preempt_enable();
}

static inline int raw_spin_trylock(raw_spinlock_t *l)
{
	kmem_env_preempt_disable();
	if (kmem_env_trylock(&l->raw))
		return 1;
	kmem_env_preempt_enable();
	return 0;
}

static inline void raw_spin_lock_irq(raw_spinlock_t *l)
{
	local_irq_disable();
	raw_spin_lock(l);
}

static inline void raw_spin_unlock_irq(raw_spinlock_t *l)
{
	raw_spin_unlock(l);
	local_irq_enable();
}

static inline void raw_spin_lock_bh(raw_spinlock_t *l)
{
	local_bh_disable();
	raw_spin_lock(l);
}

static inline void raw_spin_unlock_bh(raw_spinlock_t *l)
{
	raw_spin_unlock(l);
	local_bh_enable();
}

static inline unsigned long kmem_env_spin_lock_irqsave(raw_spinlock_t *l)
{
	unsigned long flags = kmem_local_irq_save();

	raw_spin_lock(l);
	return flags;
}

static inline void raw_spin_unlock_irqrestore(raw_spinlock_t *l, unsigned long flags)
{
	raw_spin_unlock(l);
	local_irq_restore(flags);
}

static inline int raw_spin_trylock_irq(raw_spinlock_t *l)
{
	local_irq_disable();
	if (raw_spin_trylock(l))
		return 1;
	local_irq_enable();
	return 0;
}

static inline int raw_spin_trylock_bh(raw_spinlock_t *l)
{
	local_bh_disable();
	if (raw_spin_trylock(l))
		return 1;
	local_bh_enable();
	return 0;
}

static inline int kmem_env_spin_trylock_irqsave(raw_spinlock_t *l, unsigned long *flags)
{
	*flags = kmem_local_irq_save();
	if (raw_spin_trylock(l))
		return 1;
	local_irq_restore(*flags);
	return 0;
}
#define raw_spin_lock_irqsave(l, flags)		    ((flags) = kmem_env_spin_lock_irqsave(l))
#define raw_spin_trylock_irqsave(l, flags)	    kmem_env_spin_trylock_irqsave((l), &(flags))
#define raw_spin_is_locked(l)			    kmem_env_locked(&(l)->raw)
#define raw_spin_is_contended(l)		    (__atomic_load_n(&(l)->raw.word, __ATOMIC_RELAXED) == 2)
#define raw_spin_lock_nested(l, sub)		    raw_spin_lock(l)
#define raw_spin_lock_irqsave_nested(l, flags, sub) raw_spin_lock_irqsave(l, flags)
#define raw_spin_lock_nest_lock(l, n)		    raw_spin_lock(l)
#define assert_raw_spin_locked(l)		    BUG_ON(!raw_spin_is_locked(l))

static inline raw_spinlock_t *spinlock_check(spinlock_t *l)
{
	return &l->rlock;
}
#define spin_lock(l)				raw_spin_lock(&(l)->rlock)
#define spin_unlock(l)				raw_spin_unlock(&(l)->rlock)
#define spin_trylock(l)				raw_spin_trylock(&(l)->rlock)
#define spin_lock_irq(l)			raw_spin_lock_irq(&(l)->rlock)
#define spin_unlock_irq(l)			raw_spin_unlock_irq(&(l)->rlock)
#define spin_lock_bh(l)				raw_spin_lock_bh(&(l)->rlock)
#define spin_unlock_bh(l)			raw_spin_unlock_bh(&(l)->rlock)
#define spin_lock_irqsave(l, flags)		raw_spin_lock_irqsave(&(l)->rlock, flags)
#define spin_unlock_irqrestore(l, f)		raw_spin_unlock_irqrestore(&(l)->rlock, f)
#define spin_trylock_irq(l)			raw_spin_trylock_irq(&(l)->rlock)
#define spin_trylock_bh(l)			raw_spin_trylock_bh(&(l)->rlock)
#define spin_trylock_irqsave(l, flags)		raw_spin_trylock_irqsave(&(l)->rlock, flags)
#define spin_is_locked(l)			raw_spin_is_locked(&(l)->rlock)
#define spin_is_contended(l)			raw_spin_is_contended(&(l)->rlock)
#define spin_needbreak(l)			spin_is_contended(l)
#define spin_lock_nested(l, sub)		spin_lock(l)
#define spin_lock_bh_nested(l, sub)		spin_lock_bh(l)
#define spin_lock_irq_nested(l, sub)		spin_lock_irq(l)
#define spin_lock_nest_lock(l, n)		spin_lock(l)
#define spin_lock_irqsave_nested(l, flags, sub) spin_lock_irqsave(l, flags)
#define assert_spin_locked(l)			assert_raw_spin_locked(&(l)->rlock)
#define smp_mb__after_spinlock()		__atomic_thread_fence(__ATOMIC_SEQ_CST)

static inline void read_lock(rwlock_t *l)
{
	kmem_env_preempt_disable();
	kmem_env_read_lock(&l->raw);
}

static inline void read_unlock(rwlock_t *l)
{
	kmem_env_read_unlock(&l->raw);
	kmem_env_preempt_enable();
}

static inline void write_lock(rwlock_t *l)
{
	kmem_env_preempt_disable();
	kmem_env_write_lock(&l->raw, "rwlock");
}

static inline void write_unlock(rwlock_t *l)
{
	kmem_env_write_unlock(&l->raw);
	kmem_env_preempt_enable();
}

static inline int read_trylock(rwlock_t *l)
{
	kmem_env_preempt_disable();
	if (kmem_env_read_trylock(&l->raw))
		return 1;
	kmem_env_preempt_enable();
	return 0;
}

static inline int write_trylock(rwlock_t *l)
{
	kmem_env_preempt_disable();
	if (kmem_env_write_trylock(&l->raw))
		return 1;
	kmem_env_preempt_enable();
	return 0;
}
#define read_lock_irq(l)             \
	do {                         \
		local_irq_disable(); \
		read_lock(l);        \
	} while (0)
#define read_unlock_irq(l)          \
	do {                        \
		read_unlock(l);     \
		local_irq_enable(); \
	} while (0)
#define write_lock_irq(l)            \
	do {                         \
		local_irq_disable(); \
		write_lock(l);       \
	} while (0)
#define write_unlock_irq(l)         \
	do {                        \
		write_unlock(l);    \
		local_irq_enable(); \
	} while (0)
#define read_lock_bh(l)             \
	do {                        \
		local_bh_disable(); \
		read_lock(l);       \
	} while (0)
#define read_unlock_bh(l)          \
	do {                       \
		read_unlock(l);    \
		local_bh_enable(); \
	} while (0)
#define write_lock_bh(l)            \
	do {                        \
		local_bh_disable(); \
		write_lock(l);      \
	} while (0)
#define write_unlock_bh(l)         \
	do {                       \
		write_unlock(l);   \
		local_bh_enable(); \
	} while (0)
#define read_lock_irqsave(l, f)    \
	do {                       \
		local_irq_save(f); \
		read_lock(l);      \
	} while (0)
#define write_lock_irqsave(l, f)   \
	do {                       \
		local_irq_save(f); \
		write_lock(l);     \
	} while (0)
#define read_unlock_irqrestore(l, f)  \
	do {                          \
		read_unlock(l);       \
		local_irq_restore(f); \
	} while (0)
#define write_unlock_irqrestore(l, f) \
	do {                          \
		write_unlock(l);      \
		local_irq_restore(f); \
	} while (0)

/* The lock is held on return only if the count fell to zero. */
#ifndef KMEM_ENV_HOSTED
#include <linux/atomic.h>
static inline int kmem_env_dec_and_lock(atomic_t *v, spinlock_t *l)
{
	if (atomic_add_unless(v, -1, 1))
		return 0;
	spin_lock(l);
	if (atomic_dec_and_test(v))
		return 1;
	spin_unlock(l);
	return 0;
}
#define atomic_dec_and_lock(v, l) kmem_env_dec_and_lock(v, l)
static inline int kmem_env_dec_and_lock_irqsave(atomic_t *v, spinlock_t *l, unsigned long *flags)
{
	if (atomic_add_unless(v, -1, 1))
		return 0;
	spin_lock_irqsave(l, *flags);
	if (atomic_dec_and_test(v))
		return 1;
	spin_unlock_irqrestore(l, *flags);
	return 0;
}
#define atomic_dec_and_lock_irqsave(v, l, flags) kmem_env_dec_and_lock_irqsave(v, l, &(flags))

int __alloc_bucket_spinlocks(spinlock_t **locks, unsigned int *lock_mask, size_t max_size,
			     unsigned int cpu_mult, gfp_t gfp, const char *name,
			     struct lock_class_key *key);
#define alloc_bucket_spinlocks(locks, lock_mask, max_size, cpu_mult, gfp) \
	__alloc_bucket_spinlocks(locks, lock_mask, max_size, cpu_mult, gfp, #locks, NULL)
void free_bucket_spinlocks(spinlock_t *locks);
#endif

#endif
