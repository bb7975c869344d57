/* SPDX-License-Identifier: MIT */
/*
 * Tasks move between CPUs at any time, so a local lock is one lock for all copies: that of CPU 0.
 * What it protects is then protected from every task.
 */
#ifndef KMEM_ENV_LINUX_LOCAL_LOCK_H
#define KMEM_ENV_LINUX_LOCAL_LOCK_H
#define _LINUX_LOCAL_LOCK_H

#include <linux/spinlock.h>
#include <linux/percpu-defs.h>

typedef struct {
	raw_spinlock_t raw;
} local_lock_t;
#define INIT_LOCAL_LOCK(name)        \
	{                            \
		{                    \
			{            \
				0, 0 \
			}            \
		}                    \
	}
#define local_lock_init(l)		  raw_spin_lock_init(&(l)->raw)
#define __kmem_local(l)			  (&per_cpu_ptr((l), 0)->raw)
#define local_lock(l)			  raw_spin_lock(__kmem_local(l))
#define local_unlock(l)			  raw_spin_unlock(__kmem_local(l))
#define local_lock_irq(l)		  raw_spin_lock_irq(__kmem_local(l))
#define local_unlock_irq(l)		  raw_spin_unlock_irq(__kmem_local(l))
#define local_lock_irqsave(l, flags)	  raw_spin_lock_irqsave(__kmem_local(l), flags)
#define local_unlock_irqrestore(l, flags) raw_spin_unlock_irqrestore(__kmem_local(l), flags)

#endif
