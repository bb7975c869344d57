/* SPDX-License-Identifier: MIT */
/* <linux/mmzone.h>: zones are libkmem's; kernel code has no business in them. */
#ifndef KMEM_COMPAT_MMZONE_H
#define KMEM_COMPAT_MMZONE_H
#define _LINUX_MMZONE_H

#include <linux/gfp.h>
#include <linux/mm_types.h>

struct zone;
struct pglist_data;
#define MAX_NR_ZONES 4

#endif
