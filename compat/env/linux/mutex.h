/* SPDX-License-Identifier: MIT */
/* Mutexes sleep, so they are for tasks; recursion and a foreign unlock are BUGs. */
#ifndef KMEM_ENV_LINUX_MUTEX_H
#define KMEM_ENV_LINUX_MUTEX_H
#define __LINUX_MUTEX_H

#include <linux/types.h>
#include <kmem/env.h>
#include <linux/lockdep.h>
#include <linux/spinlock_types.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/list.h>
#include <linux/errno.h>
#include <linux/cleanup.h>
#include <linux/atomic.h>
#endif

struct mutex {
	struct kmem_env_lock raw;
};
#define __MUTEX_INITIALIZER(name) \
	{                         \
		{                 \
			0, 0      \
		}                 \
	}
#define DEFINE_MUTEX(name) struct mutex name = __MUTEX_INITIALIZER(name)
#define mutex_init(m)                          \
	do {                                   \
		*(m) = (struct mutex){{0, 0}}; \
	} while (0)
#define __mutex_init(m, name, key) mutex_init(m)
#define mutex_destroy(m)   \
	do {               \
		(void)(m); \
	} while (0)

void mutex_lock(struct mutex *m);
int mutex_trylock(struct mutex *m);
void mutex_unlock(struct mutex *m);
/* 0 iff the count fell to zero, and then the mutex is held: as atomic_dec_and_lock. */
static inline int mutex_lock_interruptible(struct mutex *m)
{
	mutex_lock(m);
	return 0;
}
#define mutex_lock_killable(m)		      mutex_lock_interruptible(m)
#define mutex_lock_io(m)		      mutex_lock(m)
#define mutex_lock_nested(m, sub)	      mutex_lock(m)
#define mutex_lock_nest_lock(m, n)	      mutex_lock(m)
#define mutex_lock_interruptible_nested(m, s) mutex_lock_interruptible(m)
#define mutex_lock_killable_nested(m, s)      mutex_lock_interruptible(m)
#define mutex_is_locked(m)		      kmem_env_locked(&(m)->raw)
#ifndef KMEM_ENV_HOSTED
static inline int atomic_dec_and_mutex_lock(atomic_t *v, struct mutex *m)
{
	if (atomic_add_unless(v, -1, 1))
		return 0;
	mutex_lock(m);
	if (atomic_dec_and_test(v))
		return 1;
	mutex_unlock(m);
	return 0;
}
#endif

#endif
