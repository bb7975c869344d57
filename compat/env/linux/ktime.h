/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_KTIME_H
#define KMEM_ENV_LINUX_KTIME_H
#define _LINUX_KTIME_H

#include <linux/types.h>
#include <linux/jiffies.h>
#include <kmem/env.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/time.h>
#include <vdso/ktime.h>
#include <asm/bug.h>
#endif

#ifndef NSEC_PER_SEC
#define NSEC_PER_SEC  1000000000L
#define NSEC_PER_MSEC 1000000L
#define NSEC_PER_USEC 1000L
#define USEC_PER_MSEC 1000L
#define USEC_PER_SEC  1000000L
#define MSEC_PER_SEC  1000L
#endif
#ifndef KTIME_MAX
#define KTIME_MAX ((s64) ~((u64)1 << 63))
#endif

static inline ktime_t ktime_get(void)
{
	return (ktime_t)kmem_env_now_ns();
}
static inline ktime_t ktime_get_real(void)
{
	return (ktime_t)kmem_env_real_ns();
}
#define ktime_get_boottime()	     ktime_get()
#define ktime_get_raw()		     ktime_get()
#define ktime_get_coarse()	     ktime_get()
#define ktime_get_ns()		     ((u64)ktime_get())
#define ktime_get_real_ns()	     ((u64)ktime_get_real())
#define ktime_get_boottime_ns()	     ktime_get_ns()
#define ktime_get_raw_ns()	     ktime_get_ns()
#define ktime_get_mono_fast_ns()     ktime_get_ns()
#define ktime_get_coarse_ns()	     ktime_get_ns()
#define ktime_get_seconds()	     ((s64)(kmem_env_now_ns() / 1000000000u))
#define ktime_get_real_seconds()     ((s64)(kmem_env_real_ns() / 1000000000u))
#define ktime_get_boottime_seconds() ktime_get_seconds()
#define local_clock()		     kmem_env_now_ns()
#define sched_clock()		     kmem_env_now_ns()
#define get_cycles()		     ((unsigned long)kmem_env_now_ns())
#define ktime_set(s, n)		     ((ktime_t)(s)*1000000000 + (ktime_t)(n))
#define ktime_sub(a, b)		     ((a) - (b))
#define ktime_add(a, b)		     ((a) + (b))
#define ktime_add_ns(a, n)	     ((a) + (s64)(n))
#define ktime_sub_ns(a, n)	     ((a) - (s64)(n))
#define ktime_add_us(a, u)	     ((a) + (s64)(u)*1000)
#define ktime_add_ms(a, m)	     ((a) + (s64)(m)*1000000)
#define ktime_to_ns(t)		     ((s64)(t))
#define ktime_to_us(t)		     ((s64)(t) / 1000)
#define ktime_to_ms(t)		     ((s64)(t) / 1000000)
#define ktime_us_delta(a, b)	     ktime_to_us((a) - (b))
#define ktime_ms_delta(a, b)	     ktime_to_ms((a) - (b))
#define ns_to_ktime(n)		     ((ktime_t)(n))
#define us_to_ktime(u)		     ((ktime_t)(u)*1000)
#define ms_to_ktime(m)		     ((ktime_t)(m)*1000000)
#define ktime_compare(a, b)	     ((a) < (b) ? -1 : (a) > (b))
#define ktime_after(a, b)	     ((a) > (b))
#define ktime_before(a, b)	     ((a) < (b))

#endif
