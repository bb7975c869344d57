/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ALLOC_LINUX_PERCPU_H
#define KMEM_ENV_ALLOC_LINUX_PERCPU_H
#define __LINUX_PERCPU_H

#include <linux/types.h>
#include <linux/smp.h>
#include <linux/cpumask.h>
#include <linux/percpu-defs.h>

#endif
