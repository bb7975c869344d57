/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_RWLOCK_TYPES_H
#define KMEM_ENV_LINUX_RWLOCK_TYPES_H

#include <linux/spinlock_types.h>

#endif
