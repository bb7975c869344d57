/* SPDX-License-Identifier: MIT */
/* <linux/percpu.h>: alloc_percpu() is libkmem's, the variables are compat/env's. */
#ifndef KMEM_COMPAT_PERCPU_H
#define KMEM_COMPAT_PERCPU_H
#define __LINUX_PERCPU_H

#include <linux/types.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <linux/cpumask.h>
#include <kmem/percpu.h>
#include <linux/percpu-defs.h>

#define PERCPU_MODULE_RESERVE		     0
#define __alloc_reserved_percpu(size, align) __alloc_percpu((size), (align))
#define is_kernel_percpu_address(addr)	     false

/* Of <linux/netdevice.h>: with the counters' sequence counts ready for use. */
#define netdev_alloc_pcpu_stats(type) alloc_percpu_gfp(type, GFP_KERNEL | __GFP_ZERO)

#endif
