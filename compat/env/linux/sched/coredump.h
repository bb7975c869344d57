/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_SCHED_COREDUMP_H
#define KMEM_ENV_LINUX_SCHED_COREDUMP_H

#include <linux/sched.h>

#endif
