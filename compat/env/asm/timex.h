/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_TIMEX_H
#define KMEM_ENV_ASM_TIMEX_H

#include <linux/ktime.h>

#endif
