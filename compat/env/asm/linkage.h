/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_LINKAGE_H
#define KMEM_ENV_ASM_LINKAGE_H
#endif
