/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ALLOC_LINUX_GFP_TYPES_H
#define KMEM_ENV_ALLOC_LINUX_GFP_TYPES_H

#include <linux/gfp.h>

#endif
