/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_SCHED_TASK_STACK_H
#define KMEM_ENV_LINUX_SCHED_TASK_STACK_H

#include <linux/sched.h>

#endif
