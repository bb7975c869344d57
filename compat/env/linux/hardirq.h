/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_HARDIRQ_H
#define KMEM_ENV_LINUX_HARDIRQ_H
#define LINUX_HARDIRQ_H

#include <linux/preempt.h>
#include <linux/bottom_half.h>
#include <linux/irqflags.h>

#define irq_enter() kmem_irq_enter()
#define irq_exit()  kmem_irq_exit()
#define nmi_enter() kmem_nmi_enter()
#define nmi_exit()  kmem_nmi_exit()
#define synchronize_irq(irq) \
	do {                 \
	} while (0)
#define synchronize_hardirq(irq) true

#endif
