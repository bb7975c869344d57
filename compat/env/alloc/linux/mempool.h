/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ALLOC_LINUX_MEMPOOL_H
#define KMEM_ENV_ALLOC_LINUX_MEMPOOL_H
#define _LINUX_MEMPOOL_H

#include <linux/types.h>
#include <linux/wait.h>
#include <kmem/mempool.h>

#endif
