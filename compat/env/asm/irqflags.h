/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_IRQFLAGS_H
#define KMEM_ENV_ASM_IRQFLAGS_H

#include <linux/irqflags.h>

#endif
