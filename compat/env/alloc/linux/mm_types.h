/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ALLOC_LINUX_MM_TYPES_H
#define KMEM_ENV_ALLOC_LINUX_MM_TYPES_H
#define _LINUX_MM_TYPES_H

#include <kmem/page.h>

#endif
