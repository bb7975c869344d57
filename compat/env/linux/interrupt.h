/* SPDX-License-Identifier: MIT */
/* There are no interrupts; a tasklet is a piece of work that runs in softirq context. */
#ifndef KMEM_ENV_LINUX_INTERRUPT_H
#define KMEM_ENV_LINUX_INTERRUPT_H
#define _LINUX_INTERRUPT_H

#include <linux/types.h>
#include <linux/preempt.h>
#include <linux/irqflags.h>
#include <linux/bottom_half.h>
#include <linux/workqueue.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/hardirq.h>
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/bitops.h>
#endif

typedef enum irqreturn { IRQ_NONE = 0, IRQ_HANDLED = 1, IRQ_WAKE_THREAD = 2 } irqreturn_t;
typedef irqreturn_t (*irq_handler_t)(int irq, void *data);
#define IRQ_RETVAL(x) ((x) ? IRQ_HANDLED : IRQ_NONE)
#define IRQF_SHARED   0x80
#define IRQF_ONESHOT  0x2000

struct tasklet_struct {
	struct work_struct work;
	void (*func)(unsigned long data);
	void (*callback)(struct tasklet_struct *t);
	unsigned long data;
};
void tasklet_init(struct tasklet_struct *t, void (*func)(unsigned long), unsigned long data);
void tasklet_setup(struct tasklet_struct *t, void (*callback)(struct tasklet_struct *));
void tasklet_schedule(struct tasklet_struct *t);
void tasklet_kill(struct tasklet_struct *t);
#define tasklet_hi_schedule(t)	    tasklet_schedule(t)
#define from_tasklet(var, t, field) container_of(t, typeof(*var), field)
#define disable_irq(irq) \
	do {             \
	} while (0)
#define enable_irq(irq) \
	do {            \
	} while (0)

#endif
