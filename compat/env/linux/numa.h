/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_NUMA_H
#define KMEM_ENV_LINUX_NUMA_H
#define _LINUX_NUMA_H

#define NODES_SHIFT		   0
#define MAX_NUMNODES		   1
#define NUMA_NO_NODE		   (-1)
#define numa_map_to_online_node(n) (n)

#endif
