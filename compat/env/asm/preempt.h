/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_PREEMPT_H
#define KMEM_ENV_ASM_PREEMPT_H

#include <linux/preempt.h>

#endif
