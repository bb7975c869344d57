/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_COMPLETION_H
#define KMEM_ENV_LINUX_COMPLETION_H
#define __LINUX_COMPLETION_H

#include <linux/types.h>
#include <linux/wait.h>

/* done counts completions not yet waited for; UINT_MAX: all waits are over (complete_all). */
struct completion {
	unsigned int done;
};
#define COMPLETION_INITIALIZER(work) \
	{                            \
		0                    \
	}
#define COMPLETION_INITIALIZER_ONSTACK(work) \
	(*({                                 \
		(work).done = 0;             \
		&(work);                     \
	}))
#define COMPLETION_INITIALIZER_ONSTACK_MAP(work, map) COMPLETION_INITIALIZER_ONSTACK(work)
#define DECLARE_COMPLETION(work)		      struct completion work = {0}
#define DECLARE_COMPLETION_ONSTACK(work)	      struct completion work = {0}
#define DECLARE_COMPLETION_ONSTACK_MAP(w, m)	      DECLARE_COMPLETION_ONSTACK(w)
static inline void init_completion(struct completion *x)
{
	x->done = 0;
}
#define init_completion_map(x, m) init_completion(x)
static inline void reinit_completion(struct completion *x)
{
	x->done = 0;
}

void complete(struct completion *x);
void complete_all(struct completion *x);
bool completion_done(struct completion *x);
bool try_wait_for_completion(struct completion *x);
void wait_for_completion(struct completion *x);
unsigned long wait_for_completion_timeout(struct completion *x, unsigned long jiffies);
#define wait_for_completion_io(x)	     wait_for_completion(x)
#define wait_for_completion_io_timeout(x, t) wait_for_completion_timeout(x, t)
static inline int wait_for_completion_interruptible(struct completion *x)
{
	wait_for_completion(x);
	return 0;
}
#define wait_for_completion_killable(x)			wait_for_completion_interruptible(x)
#define wait_for_completion_state(x, st)		wait_for_completion_interruptible(x)
#define wait_for_completion_interruptible_timeout(x, t) ((long)wait_for_completion_timeout(x, t))
#define wait_for_completion_killable_timeout(x, t)	((long)wait_for_completion_timeout(x, t))

#endif
