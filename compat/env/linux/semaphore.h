/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_SEMAPHORE_H
#define KMEM_ENV_LINUX_SEMAPHORE_H
#define __LINUX_SEMAPHORE_H

#include <linux/types.h>
#include <kmem/env.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/errno.h>
#endif

struct semaphore {
	unsigned int count;
};
#define __SEMAPHORE_INITIALIZER(name, n) \
	{                                \
		(unsigned int)(n)        \
	}
#define DEFINE_SEMAPHORE(...)		   __KMEM_SEM_PICK(__VA_ARGS__, __kmem_sem2, __kmem_sem1)(__VA_ARGS__)
#define __KMEM_SEM_PICK(_1, _2, NAME, ...) NAME
#define __kmem_sem1(name)		   struct semaphore name = {1}
#define __kmem_sem2(name, n)		   struct semaphore name = {(unsigned int)(n)}
static inline void sema_init(struct semaphore *s, int n)
{
	s->count = (unsigned int)n;
}

void down(struct semaphore *s);
int down_trylock(struct semaphore *s); /* 0 if it was taken */
int down_timeout(struct semaphore *s, long jiffies);
void up(struct semaphore *s);
static inline int down_interruptible(struct semaphore *s)
{
	down(s);
	return 0;
}
#define down_killable(s) down_interruptible(s)

#endif
