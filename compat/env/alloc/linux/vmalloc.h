/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ALLOC_LINUX_VMALLOC_H
#define KMEM_ENV_ALLOC_LINUX_VMALLOC_H
#define _LINUX_VMALLOC_H

#include <linux/types.h>
#include <kmem/vmalloc.h>

#define __vmalloc_node(size, align, gfp, node, caller) __vmalloc((size), (gfp))

#endif
