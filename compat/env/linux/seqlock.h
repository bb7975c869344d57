/* SPDX-License-Identifier: MIT */
/*
 * Sequence counters and locks. What a reader loads in its section it may load while it is written,
 * and throws away then: ThreadSanitizer is told not to look there. Readers of a counter spin while a
 * write is under way, so its writers must hold a lock, as in the kernel.
 */
#ifndef KMEM_ENV_LINUX_SEQLOCK_H
#define KMEM_ENV_LINUX_SEQLOCK_H
#define __LINUX_SEQLOCK_H

#include <linux/types.h>
#include <linux/spinlock.h>
#include <linux/mutex.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/compiler.h>
#include <asm/processor.h>
#endif

typedef struct seqcount {
	unsigned int sequence;
} seqcount_t;
typedef struct {
	struct seqcount seqcount;
	spinlock_t lock;
} seqlock_t;
typedef seqcount_t seqcount_spinlock_t, seqcount_raw_spinlock_t, seqcount_mutex_t,
	seqcount_rwlock_t, seqcount_latch_t;

#define SEQCNT_ZERO(name) \
	{                 \
		0         \
	}
#define SEQCNT_SPINLOCK_ZERO(name, l) \
	{                             \
		0                     \
	}
#define SEQCNT_MUTEX_ZERO(name, l) \
	{                          \
		0                  \
	}
#define __SEQLOCK_UNLOCKED(name)                      \
	{                                             \
		.seqcount = {0}, .lock = { {{0, 0}} } \
	}
#define DEFINE_SEQLOCK(name) seqlock_t name = __SEQLOCK_UNLOCKED(name)
#define seqcount_init(s)           \
	do {                       \
		(s)->sequence = 0; \
	} while (0)
#define seqcount_spinlock_init(s, l)	 seqcount_init(s)
#define seqcount_mutex_init(s, l)	 seqcount_init(s)
#define seqcount_rwlock_init(s, l)	 seqcount_init(s)
#define seqcount_raw_spinlock_init(s, l) seqcount_init(s)
#define seqlock_init(l)                                  \
	do {                                             \
		*(l) = (seqlock_t)__SEQLOCK_UNLOCKED(l); \
	} while (0)

#ifdef __SANITIZE_THREAD__
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
#define __kmem_seq_begin() AnnotateIgnoreReadsBegin(__FILE__, __LINE__)
#define __kmem_seq_end()   AnnotateIgnoreReadsEnd(__FILE__, __LINE__)
#else
#define __kmem_seq_begin() \
	do {               \
	} while (0)
#define __kmem_seq_end() \
	do {             \
	} while (0)
#endif

static inline unsigned int kmem_env_seq_begin(const seqcount_t *s)
{
	unsigned int seq;

	while ((seq = __atomic_load_n(&s->sequence, __ATOMIC_ACQUIRE)) & 1)
		kmem_env_relax();
	__kmem_seq_begin();
	return seq;
}
static inline unsigned int kmem_env_seq_raw(const seqcount_t *s)
{
	__kmem_seq_begin();
	return __atomic_load_n(&s->sequence, __ATOMIC_ACQUIRE);
}
static inline int kmem_env_seq_retry(const seqcount_t *s, unsigned int start)
{
	__kmem_seq_end();
#ifndef __SANITIZE_THREAD__
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
#endif
	return __atomic_load_n(&s->sequence, __ATOMIC_ACQUIRE) != start;
}
/* The first store is ordered before the section's, which an exchange is that also acquires. */
static inline void kmem_env_seq_write_begin(seqcount_t *s)
{
	(void)__atomic_fetch_add(&s->sequence, 1, __ATOMIC_SEQ_CST);
#ifndef __SANITIZE_THREAD__
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}
static inline void kmem_env_seq_write_end(seqcount_t *s)
{
	(void)__atomic_fetch_add(&s->sequence, 1, __ATOMIC_RELEASE);
}
#define read_seqcount_begin(s)		    kmem_env_seq_begin((const seqcount_t *)(s))
#define __read_seqcount_begin(s)	    read_seqcount_begin(s)
#define raw_read_seqcount_begin(s)	    read_seqcount_begin(s)
#define raw_seqcount_begin(s)		    (kmem_env_seq_raw((const seqcount_t *)(s)) & ~1u)
#define raw_read_seqcount(s)		    kmem_env_seq_raw((const seqcount_t *)(s))
#define read_seqcount_retry(s, start)	    kmem_env_seq_retry((const seqcount_t *)(s), (start))
#define __read_seqcount_retry(s, start)	    read_seqcount_retry(s, start)
#define raw_write_seqcount_begin(s)	    kmem_env_seq_write_begin((seqcount_t *)(s))
#define raw_write_seqcount_end(s)	    kmem_env_seq_write_end((seqcount_t *)(s))
#define write_seqcount_begin(s)		    (kmem_env_preempt_disable(), raw_write_seqcount_begin(s))
#define write_seqcount_begin_nested(s, sub) write_seqcount_begin(s)
#define write_seqcount_end(s)		    (raw_write_seqcount_end(s), kmem_env_preempt_enable())
#define write_seqcount_invalidate(s)	    ((void)__atomic_fetch_add(&(s)->sequence, 2, __ATOMIC_SEQ_CST))
#define raw_write_seqcount_latch(s)	    ((void)__atomic_fetch_add(&(s)->sequence, 1, __ATOMIC_SEQ_CST))
#define raw_read_seqcount_latch(s)	    __atomic_load_n(&(s)->sequence, __ATOMIC_ACQUIRE)

#define read_seqbegin(l)	read_seqcount_begin(&(l)->seqcount)
#define read_seqretry(l, start) read_seqcount_retry(&(l)->seqcount, (start))
#define write_seqlock(l)	(spin_lock(&(l)->lock), raw_write_seqcount_begin(&(l)->seqcount))
#define write_sequnlock(l)                              \
	do {                                            \
		raw_write_seqcount_end(&(l)->seqcount); \
		spin_unlock(&(l)->lock);                \
	} while (0)
#define write_seqlock_irq(l)                              \
	do {                                              \
		spin_lock_irq(&(l)->lock);                \
		raw_write_seqcount_begin(&(l)->seqcount); \
	} while (0)
#define write_sequnlock_irq(l)                          \
	do {                                            \
		raw_write_seqcount_end(&(l)->seqcount); \
		spin_unlock_irq(&(l)->lock);            \
	} while (0)
#define write_seqlock_bh(l)                               \
	do {                                              \
		spin_lock_bh(&(l)->lock);                 \
		raw_write_seqcount_begin(&(l)->seqcount); \
	} while (0)
#define write_sequnlock_bh(l)                           \
	do {                                            \
		raw_write_seqcount_end(&(l)->seqcount); \
		spin_unlock_bh(&(l)->lock);             \
	} while (0)
#define write_seqlock_irqsave(l, f)                       \
	do {                                              \
		spin_lock_irqsave(&(l)->lock, f);         \
		raw_write_seqcount_begin(&(l)->seqcount); \
	} while (0)
#define write_sequnlock_irqrestore(l, f)                \
	do {                                            \
		raw_write_seqcount_end(&(l)->seqcount); \
		spin_unlock_irqrestore(&(l)->lock, f);  \
	} while (0)
#define read_seqlock_excl(l)   spin_lock(&(l)->lock)
#define read_sequnlock_excl(l) spin_unlock(&(l)->lock)

#endif
