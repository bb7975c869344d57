/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_SPINLOCK_TYPES_H
#define KMEM_ENV_LINUX_SPINLOCK_TYPES_H
#define __LINUX_SPINLOCK_TYPES_H
#define __LINUX_SPINLOCK_TYPES_RAW_H
#define __LINUX_RWLOCK_TYPES_H

#include <linux/types.h>
#include <kmem/env.h>
#include <linux/lockdep.h>

typedef struct raw_spinlock {
	struct kmem_env_lock raw;
} raw_spinlock_t;
typedef struct spinlock {
	struct raw_spinlock rlock;
} spinlock_t;
typedef struct rwlock {
	struct kmem_env_rw raw;
} rwlock_t;

#define __RAW_SPIN_LOCK_UNLOCKED(name) ((struct raw_spinlock){{0, 0}})
#define __SPIN_LOCK_UNLOCKED(name)     ((struct spinlock){{{0, 0}}})
#define __SPIN_LOCK_INITIALIZER(name) \
	{                             \
		{                     \
			{             \
				0, 0  \
			}             \
		}                     \
	}
#define __RW_LOCK_UNLOCKED(name)  ((struct rwlock){{0, 0}})
#define DEFINE_RAW_SPINLOCK(name) raw_spinlock_t name = {{0, 0}}
#define DEFINE_SPINLOCK(name)	  spinlock_t name = {{{0, 0}}}
#define DEFINE_RWLOCK(name)	  rwlock_t name = {{0, 0}}

#endif
