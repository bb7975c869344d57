/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_LOCAL_H
#define KMEM_ENV_ASM_LOCAL_H

#include <asm-generic/local.h>

#endif
