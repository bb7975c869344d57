/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_SCHED_DEBUG_H
#define KMEM_ENV_LINUX_SCHED_DEBUG_H

#include <linux/sched.h>

#endif
