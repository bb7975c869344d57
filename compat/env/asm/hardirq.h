/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_HARDIRQ_H
#define KMEM_ENV_ASM_HARDIRQ_H

#include <linux/hardirq.h>

#endif
