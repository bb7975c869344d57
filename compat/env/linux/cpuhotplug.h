/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_CPUHOTPLUG_H
#define KMEM_ENV_LINUX_CPUHOTPLUG_H
#define __CPUHOTPLUG_H

#include <linux/types.h>

enum cpuhp_state {
	CPUHP_OFFLINE,
	CPUHP_RADIX_DEAD,
	CPUHP_PADATA_DEAD,
	CPUHP_RANDOM_PREPARE,
	CPUHP_MM_ZS_PREPARE,
	CPUHP_MM_ZSWP_POOL_PREPARE,
	CPUHP_ZCOMP_PREPARE,
	CPUHP_BP_PREPARE_DYN,
	CPUHP_PERCPU_CNT_DEAD,
	CPUHP_AP_ONLINE_DYN,
	CPUHP_ONLINE,
};
#define cpuhp_setup_state(st, name, up, down)	      0
#define cpuhp_setup_state_nocalls(st, name, up, down) ((void)(up), (void)(down), 0)
#define cpuhp_setup_state_multi(st, name, up, down)   0
#define cpuhp_remove_state(st) \
	do {                   \
	} while (0)
#define cpuhp_remove_state_nocalls(st) \
	do {                           \
	} while (0)
#define cpuhp_state_add_instance_nocalls(st, n)	   0
#define cpuhp_state_remove_instance_nocalls(st, n) 0

#endif
