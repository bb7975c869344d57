/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_SCHED_TASK_H
#define KMEM_ENV_LINUX_SCHED_TASK_H

#include <linux/sched.h>

#endif
