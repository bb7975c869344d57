/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_SCHED_IDLE_H
#define KMEM_ENV_LINUX_SCHED_IDLE_H

#include <linux/sched.h>

#endif
