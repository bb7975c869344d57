/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ALLOC_LINUX_SCHED_MM_H
#define KMEM_ENV_ALLOC_LINUX_SCHED_MM_H
#define _LINUX_SCHED_MM_H

#include <linux/sched.h>
#include <kmem/context.h>

#endif
