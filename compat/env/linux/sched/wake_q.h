/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_SCHED_WAKE_Q_H
#define KMEM_ENV_LINUX_SCHED_WAKE_Q_H

#include <linux/sched.h>

#endif
