/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_CACHEFLUSH_H
#define KMEM_ENV_LINUX_CACHEFLUSH_H

#include <asm/cacheflush.h>

#endif
