/* SPDX-License-Identifier: MIT */
/* The compiler's byte swaps are the tree's. */
#ifndef KMEM_ENV_ASM_SWAB_H
#define KMEM_ENV_ASM_SWAB_H

#include <asm/types.h>

#endif
