/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ALLOC_LINUX_SHRINKER_H
#define KMEM_ENV_ALLOC_LINUX_SHRINKER_H
#define _LINUX_SHRINKER_H

#include <linux/types.h>
#include <kmem/shrinker.h>

#endif
