/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_PROCESSOR_H
#define KMEM_ENV_ASM_PROCESSOR_H

#include <kmem/env.h>

#define cpu_relax()	  kmem_env_relax()
#define cpu_relax_yield() kmem_env_relax()
#define prefetch(p)	  __builtin_prefetch(p)
#define prefetchw(p)	  __builtin_prefetch(p, 1)
#define ARCH_HAS_PREFETCH
#define ARCH_HAS_PREFETCHW

#endif
