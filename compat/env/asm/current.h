/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_CURRENT_H
#define KMEM_ENV_ASM_CURRENT_H

#include <linux/sched.h>

#endif
