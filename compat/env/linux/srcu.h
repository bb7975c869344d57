/* SPDX-License-Identifier: MIT */
/* Sleepable RCU: a domain's readers are counted, and synchronize_srcu waits for them alone. */
#ifndef KMEM_ENV_LINUX_SRCU_H
#define KMEM_ENV_LINUX_SRCU_H
#define _LINUX_SRCU_H

#include <linux/types.h>
#include <linux/rcupdate.h>
#include <linux/mutex.h>

struct srcu_struct {
	unsigned int readers[2], index;
	struct mutex mutex;
};
#define __KMEM_SRCU                  \
	{                            \
		{0, 0}, 0,           \
		{                    \
			{            \
				0, 0 \
			}            \
		}                    \
	}
#define DEFINE_SRCU(name)	 struct srcu_struct name = __KMEM_SRCU
#define DEFINE_STATIC_SRCU(name) static struct srcu_struct name = __KMEM_SRCU
#define init_srcu_struct(s)	 (*(s) = (struct srcu_struct)__KMEM_SRCU, 0)
void cleanup_srcu_struct(struct srcu_struct *s);
int srcu_read_lock(struct srcu_struct *s);
void srcu_read_unlock(struct srcu_struct *s, int idx);
void synchronize_srcu(struct srcu_struct *s);
#define synchronize_srcu_expedited(s)	synchronize_srcu(s)
#define srcu_read_lock_held(s)		1
#define srcu_dereference(p, s)		rcu_dereference(p)
#define srcu_dereference_check(p, s, c) rcu_dereference(p)

#endif
