/* SPDX-License-Identifier: MIT */
/* The library's allocation calls under the kernel's header names, as far as the clients need them. */
#ifndef KMEM_ENV_ALLOC_LINUX_GFP_H
#define KMEM_ENV_ALLOC_LINUX_GFP_H
#define __LINUX_GFP_H

#include <linux/types.h>
#include <linux/numa.h>
#include <kmem/gfp.h>
#include <kmem/page.h>

#define __GFP_BITS_SHIFT 25
#ifndef MAX_ORDER
#define MAX_ORDER (MAX_PAGE_ORDER + 1)
#endif

#endif
