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
/*
 * A CPU neither comes nor goes while the program runs. `up` is called at once for each unless the name
 * says otherwise; `down` for each when the machine stops, so what is kept for CPUs is no leak.
 */
int kmem_env_cpuhp(int (*up)(unsigned int cpu), int (*down)(unsigned int cpu));
#define cpuhp_setup_state(st, name, up, down)	      kmem_env_cpuhp((up), (down))
#define cpuhp_setup_state_nocalls(st, name, up, down) kmem_env_cpuhp(NULL, (down))
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
