/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_PERCPU_H
#define KMEM_ENV_ASM_PERCPU_H

#include <linux/percpu-defs.h>

#endif
