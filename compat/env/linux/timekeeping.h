/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_TIMEKEEPING_H
#define KMEM_ENV_LINUX_TIMEKEEPING_H
#define _LINUX_TIMEKEEPING_H

#include <linux/ktime.h>

#endif
