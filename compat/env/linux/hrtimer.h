/* SPDX-License-Identifier: MIT */
/* Timers of nanoseconds, over those of ticks: they come at the next tick. */
#ifndef KMEM_ENV_LINUX_HRTIMER_H
#define KMEM_ENV_LINUX_HRTIMER_H
#define _LINUX_HRTIMER_H

#include <linux/types.h>
#include <linux/ktime.h>
#include <linux/timer.h>

enum hrtimer_restart { HRTIMER_NORESTART, HRTIMER_RESTART };
enum hrtimer_mode {
	HRTIMER_MODE_ABS = 0,
	HRTIMER_MODE_REL = 1,
	HRTIMER_MODE_ABS_PINNED = 2,
	HRTIMER_MODE_REL_PINNED = 3,
	HRTIMER_MODE_ABS_SOFT = 4,
	HRTIMER_MODE_REL_SOFT = 5
};
struct hrtimer {
	struct timer_list timer;
	ktime_t when;
	enum hrtimer_restart (*function)(struct hrtimer *t);
};
void hrtimer_init(struct hrtimer *t, int clock, enum hrtimer_mode mode);
void hrtimer_start(struct hrtimer *t, ktime_t when, enum hrtimer_mode mode);
int hrtimer_cancel(struct hrtimer *t);
int hrtimer_try_to_cancel(struct hrtimer *t);
u64 hrtimer_forward_now(struct hrtimer *t, ktime_t interval);
#define hrtimer_active(t)		   timer_pending(&(t)->timer)
#define hrtimer_start_range_ns(t, w, d, m) hrtimer_start((t), (w), (m))
#define hrtimer_get_expires(t)		   ((t)->when)

#endif
