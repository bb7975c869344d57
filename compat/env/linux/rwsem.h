/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_RWSEM_H
#define KMEM_ENV_LINUX_RWSEM_H
#define _LINUX_RWSEM_H

#include <linux/types.h>
#include <kmem/env.h>
#include <linux/lockdep.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/atomic.h>
#include <linux/err.h>
#endif

struct rw_semaphore {
	struct kmem_env_rw raw;
};
#define __RWSEM_INITIALIZER(name) \
	{                         \
		{                 \
			0, 0      \
		}                 \
	}
#define DECLARE_RWSEM(name) struct rw_semaphore name = __RWSEM_INITIALIZER(name)
#define init_rwsem(s)                                 \
	do {                                          \
		*(s) = (struct rw_semaphore){{0, 0}}; \
	} while (0)

void down_read(struct rw_semaphore *s);
int down_read_trylock(struct rw_semaphore *s);
void up_read(struct rw_semaphore *s);
void down_write(struct rw_semaphore *s);
int down_write_trylock(struct rw_semaphore *s);
void up_write(struct rw_semaphore *s);
void downgrade_write(struct rw_semaphore *s);
static inline int down_write_killable(struct rw_semaphore *s)
{
	down_write(s);
	return 0;
}
static inline int down_read_killable(struct rw_semaphore *s)
{
	down_read(s);
	return 0;
}
#define down_read_interruptible(s)	 down_read_killable(s)
#define down_read_nested(s, sub)	 down_read(s)
#define down_read_killable_nested(s, u)	 down_read_killable(s)
#define down_write_nested(s, sub)	 down_write(s)
#define down_write_nest_lock(s, l)	 down_write(s)
#define down_write_killable_nested(s, u) down_write_killable(s)
#define down_read_non_owner(s)		 down_read(s)
#define up_read_non_owner(s)		 up_read(s)
#define rwsem_is_locked(s)		 kmem_env_rw_locked(&(s)->raw)
#define rwsem_is_contended(s)		 0

#endif
