/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_SPINLOCK_TYPES_RAW_H
#define KMEM_ENV_LINUX_SPINLOCK_TYPES_RAW_H

#include <linux/spinlock_types.h>

#endif
