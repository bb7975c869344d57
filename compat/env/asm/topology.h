/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_TOPOLOGY_H
#define KMEM_ENV_ASM_TOPOLOGY_H

#include <linux/topology.h>

#endif
