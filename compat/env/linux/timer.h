/* SPDX-License-Identifier: MIT */
/*
 * Timers: one task of the environment's runs them in softirq context, in the order of their times,
 * some time after these. A timer that is run, modified and deleted by several tasks behaves as the
 * kernel's: del_timer_sync() waits for the function.
 */
#ifndef KMEM_ENV_LINUX_TIMER_H
#define KMEM_ENV_LINUX_TIMER_H
#define _LINUX_TIMER_H

#include <linux/types.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/list.h>
#include <linux/stddef.h>
#include <linux/stringify.h>
#endif

struct timer_list {
	struct list_head entry; /* next NULL: not pending */
	unsigned long expires;
	void (*function)(struct timer_list *t);
	u32 flags;
};
#define TIMER_DEFERRABLE 0x00080000
#define TIMER_PINNED	 0x00100000
#define TIMER_IRQSAFE	 0x00200000

#define __TIMER_INITIALIZER(fn, fl)             \
	{                                       \
		.function = (fn), .flags = (fl) \
	}
#define DEFINE_TIMER(name, fn) struct timer_list name = __TIMER_INITIALIZER(fn, 0)
static inline void timer_setup(struct timer_list *t, void (*fn)(struct timer_list *),
			       unsigned int flags)
{
	*t = (struct timer_list){.function = fn, .flags = flags};
}
#define __init_timer(t, fn, fl)		timer_setup((t), (fn), (fl))
#define timer_setup_on_stack(t, fn, fl) timer_setup((t), (fn), (fl))
#define destroy_timer_on_stack(t) \
	do {                      \
		(void)(t);        \
	} while (0)
#define from_timer(var, t, field)	  container_of(t, typeof(*var), field)
#define timer_container_of(var, t, field) container_of(t, typeof(*var), field)

int timer_pending(const struct timer_list *t);
void add_timer(struct timer_list *t);
int mod_timer(struct timer_list *t, unsigned long expires);
int mod_timer_pending(struct timer_list *t, unsigned long expires);
int timer_reduce(struct timer_list *t, unsigned long expires);
int del_timer(struct timer_list *t);
/* 1: it was pending; -1 (try): its function runs now. */
int try_to_del_timer_sync(struct timer_list *t);
int del_timer_sync(struct timer_list *t);
int timer_shutdown_sync(struct timer_list *t);
#define timer_shutdown(t)    timer_shutdown_sync(t)
#define timer_delete_sync(t) del_timer_sync(t)
#ifndef KMEM_ENV_HOSTED
#define timer_delete(t) del_timer(t)
#endif
#define del_singleshot_timer_sync(t) del_timer_sync(t)
#define add_timer_on(t, cpu)	     add_timer(t)
#define add_timer_global(t)	     add_timer(t)
#define add_timer_local(t)	     add_timer(t)

#endif
