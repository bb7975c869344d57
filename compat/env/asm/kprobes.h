/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_KPROBES_H
#define KMEM_ENV_ASM_KPROBES_H

#include <linux/kprobes.h>

#endif
