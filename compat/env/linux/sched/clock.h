/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_SCHED_CLOCK_H
#define KMEM_ENV_LINUX_SCHED_CLOCK_H

#include <linux/sched.h>

#endif
