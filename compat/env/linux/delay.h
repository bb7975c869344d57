/* SPDX-License-Identifier: MIT */
/* Delays sleep in the host; the atomic ones, too, but they are allowed anywhere. */
#ifndef KMEM_ENV_LINUX_DELAY_H
#define KMEM_ENV_LINUX_DELAY_H
#define _LINUX_DELAY_H

#include <linux/types.h>
#include <kmem/env.h>
#include <kmem/context.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/sched.h>
#include <linux/jiffies.h>
#endif

#define ndelay(n) kmem_env_sleep_ns((uint64_t)(n))
#define udelay(u) kmem_env_sleep_ns((uint64_t)(u)*1000u)
#define mdelay(m) kmem_env_sleep_ns((uint64_t)(m)*1000000u)
static inline void msleep(unsigned int ms)
{
	might_sleep();
	kmem_env_sleep_ns((uint64_t)ms * 1000000u);
}
#define msleep_interruptible(ms) (msleep(ms), 0ul)
#define ssleep(s)		 msleep((unsigned int)(s)*1000u)
#define usleep_range(min, max)                            \
	do {                                              \
		might_sleep();                            \
		kmem_env_sleep_ns((uint64_t)(min)*1000u); \
	} while (0)
#define usleep_range_state(min, max, st) usleep_range(min, max)
#define usleep_idle_range(min, max)	 usleep_range(min, max)
#define fsleep(us)			 usleep_range(us, us)

#endif
