/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_RWLOCK_H
#define KMEM_ENV_LINUX_RWLOCK_H

#include <linux/spinlock.h>

#endif
