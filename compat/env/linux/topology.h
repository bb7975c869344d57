/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_TOPOLOGY_H
#define KMEM_ENV_LINUX_TOPOLOGY_H
#define _LINUX_TOPOLOGY_H

#include <linux/types.h>
#include <linux/numa.h>
#include <linux/smp.h>

#define numa_node_id()		0
#define numa_mem_id()		0
#define cpu_to_node(cpu)	((void)(cpu), 0)
#define cpu_to_mem(cpu)		((void)(cpu), 0)
#define cpumask_of_node(n)	kmem_env_cpu_mask()
#define node_distance(a, b)	10
#define nr_node_ids		1u
#define first_online_node	0
#define node_online(n)		((n) == 0)
#define for_each_online_node(n) for ((n) = 0; (n) < 1; (n)++)
#define for_each_node(n)	for ((n) = 0; (n) < 1; (n)++)

#endif
