/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_CACHE_H
#define KMEM_ENV_ASM_CACHE_H

#define L1_CACHE_SHIFT 6
#define L1_CACHE_BYTES (1 << L1_CACHE_SHIFT)
#define __read_mostly

#endif
