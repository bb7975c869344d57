/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ALLOC_LINUX_HIGHMEM_H
#define KMEM_ENV_ALLOC_LINUX_HIGHMEM_H
#define _LINUX_HIGHMEM_H

#include <linux/mm.h>
#include <kmem/highmem.h>

#endif
