/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_TIMEX_H
#define KMEM_ENV_LINUX_TIMEX_H
#define _LINUX_TIMEX_H

#include <linux/ktime.h>

#endif
