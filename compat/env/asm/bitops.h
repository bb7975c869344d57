/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_BITOPS_H
#define KMEM_ENV_ASM_BITOPS_H

#include <asm-generic/bitops.h>

#endif
