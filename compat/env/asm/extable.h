/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_EXTABLE_H
#define KMEM_ENV_ASM_EXTABLE_H

#endif
