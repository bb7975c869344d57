/* SPDX-License-Identifier: MIT */
/* <linux/mempool.h>: libkmem's pools, which are the kernel's. */
#ifndef KMEM_COMPAT_MEMPOOL_H
#define KMEM_COMPAT_MEMPOOL_H
#define _LINUX_MEMPOOL_H

#include <linux/types.h>
#include <linux/wait.h>
#include <linux/slab.h>
#include <kmem/mempool.h>

#endif
