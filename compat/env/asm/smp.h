/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_SMP_H
#define KMEM_ENV_ASM_SMP_H

#include <linux/smp.h>

#endif
