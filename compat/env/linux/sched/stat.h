/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_SCHED_STAT_H
#define KMEM_ENV_LINUX_SCHED_STAT_H

#include <linux/sched.h>

#endif
