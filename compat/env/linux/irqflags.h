/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_IRQFLAGS_H
#define KMEM_ENV_LINUX_IRQFLAGS_H
#define _LINUX_TRACE_IRQFLAGS_H

#include <linux/types.h>
#include <kmem/context.h>

#define raw_local_irq_disable()	     local_irq_disable()
#define raw_local_irq_enable()	     local_irq_enable()
#define raw_local_irq_save(flags)    local_irq_save(flags)
#define raw_local_irq_restore(flags) local_irq_restore(flags)
#define raw_irqs_disabled()	     irqs_disabled()
#define safe_halt() \
	do {        \
	} while (0)
#define irqs_disabled_flags(flags) ((flags) != 0)
#define raw_irqs_disabled_flags(f) irqs_disabled_flags(f)
#define trace_hardirqs_on() \
	do {                \
	} while (0)
#define trace_hardirqs_off() \
	do {                 \
	} while (0)
#define lockdep_hardirq_enter() \
	do {                    \
	} while (0)
#define lockdep_softirq_enter() \
	do {                    \
	} while (0)

#endif
