/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_NODEMASK_H
#define KMEM_ENV_LINUX_NODEMASK_H
#define __LINUX_NODEMASK_H

#include <linux/topology.h>

typedef struct {
	unsigned long bits[1];
} nodemask_t;

#endif
