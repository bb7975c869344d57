/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_SPINLOCK_H
#define KMEM_ENV_ASM_SPINLOCK_H

#include <linux/spinlock.h>

#endif
