/* SPDX-License-Identifier: MIT */
/* Time in ticks of HZ = 250 a second, from the host's monotonic clock. Counts from minus 5 minutes, as
 * the kernel's do, so that code is shown the wrap. */
#ifndef KMEM_ENV_LINUX_JIFFIES_H
#define KMEM_ENV_LINUX_JIFFIES_H
#define _LINUX_JIFFIES_H

#include <linux/types.h>
#include <kmem/env.h>

#ifndef HZ
#define HZ CONFIG_HZ
#endif
#ifndef CONFIG_HZ
#define CONFIG_HZ 250
#endif
#define TICK_NSEC	 (1000000000L / HZ)
#define INITIAL_JIFFIES	 ((unsigned long)(unsigned int)(-300 * HZ))
#define MAX_JIFFY_OFFSET ((__LONG_MAX__ >> 1) - 1)
#define jiffies		 kmem_env_jiffies()
#define jiffies_64	 ((u64)kmem_env_jiffies())
#define get_jiffies_64() jiffies_64

#define time_after(a, b)	     ((long)((b) - (a)) < 0)
#define time_before(a, b)	     time_after(b, a)
#define time_after_eq(a, b)	     ((long)((a) - (b)) >= 0)
#define time_before_eq(a, b)	     time_after_eq(b, a)
#define time_in_range(a, b, c)	     (time_after_eq(a, b) && time_before_eq(a, c))
#define time_in_range_open(a, b, c)  (time_after_eq(a, b) && time_before(a, c))
#define time_after64(a, b)	     ((s64)((b) - (a)) < 0)
#define time_before64(a, b)	     time_after64(b, a)
#define time_after_eq64(a, b)	     ((s64)((a) - (b)) >= 0)
#define time_before_eq64(a, b)	     time_after_eq64(b, a)
#define time_is_before_jiffies(a)    time_after(jiffies, a)
#define time_is_after_jiffies(a)     time_before(jiffies, a)
#define time_is_before_eq_jiffies(a) time_after_eq(jiffies, a)
#define time_is_after_eq_jiffies(a)  time_before_eq(jiffies, a)

static inline unsigned int jiffies_to_msecs(unsigned long j)
{
	return (unsigned int)(j * (1000 / HZ));
}
static inline unsigned int jiffies_to_usecs(unsigned long j)
{
	return (unsigned int)(j * (1000000 / HZ));
}
static inline u64 jiffies_to_nsecs(unsigned long j)
{
	return (u64)j * (u64)TICK_NSEC;
}
static inline unsigned long msecs_to_jiffies(unsigned int m)
{
	if ((int)m < 0)
		return MAX_JIFFY_OFFSET;
	return ((unsigned long)m + 1000 / HZ - 1) / (1000 / HZ);
}
static inline unsigned long usecs_to_jiffies(unsigned int u)
{
	return ((unsigned long)u + 1000000 / HZ - 1) / (1000000 / HZ);
}
static inline unsigned long nsecs_to_jiffies(u64 n)
{
	return (unsigned long)(n / (u64)TICK_NSEC);
}
#define secs_to_jiffies(s)		 ((unsigned long)(s)*HZ)
#define jiffies_64_to_clock_t(j)	 (j)
#define jiffies_to_clock_t(j)		 ((long)(j)*100 / HZ)
#define round_jiffies(j)		 (j)
#define round_jiffies_relative(j)	 (j)
#define round_jiffies_up(j)		 (j)
#define round_jiffies_up_relative(j)	 (j)
#define __round_jiffies_relative(j, cpu) (j)

#endif
