/* SPDX-License-Identifier: MIT */
/* Masks of CPUs; those of the machine are all possible, present and online, from 0 up. */
#ifndef KMEM_ENV_LINUX_CPUMASK_H
#define KMEM_ENV_LINUX_CPUMASK_H
#define __LINUX_CPUMASK_H

#include <linux/types.h>
#include <kmem/percpu.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/bitmap.h>
#include <linux/threads.h>
#include <linux/gfp.h>
#include <linux/numa.h>
#endif

typedef struct cpumask {
	DECLARE_BITMAP(bits, CONFIG_NR_CPUS);
} cpumask_t;
typedef struct cpumask cpumask_var_t[1];
#define nr_cpumask_bits ((unsigned int)CONFIG_NR_CPUS)
#define cpumask_bits(m) ((m)->bits)
unsigned int kmem_env_nr_cpus(void); /* CONFIG_NR_CPUS at most */
const struct cpumask *kmem_env_cpu_mask(void);
#define nr_cpu_ids		  kmem_env_nr_cpus()
#define cpu_possible_mask	  kmem_env_cpu_mask()
#define cpu_online_mask		  kmem_env_cpu_mask()
#define cpu_present_mask	  kmem_env_cpu_mask()
#define cpu_active_mask		  kmem_env_cpu_mask()
#define cpu_all_mask		  kmem_env_cpu_mask()
#define num_online_cpus()	  num_possible_cpus()
#define num_present_cpus()	  num_possible_cpus()
#define num_active_cpus()	  num_possible_cpus()
#define cpu_possible(c)		  ((unsigned int)(c) < nr_cpu_ids)
#define cpu_online(c)		  cpu_possible(c)
#define cpu_present(c)		  cpu_possible(c)
#define cpu_active(c)		  cpu_possible(c)
#define for_each_online_cpu(cpu)  for_each_possible_cpu(cpu)
#define for_each_present_cpu(cpu) for_each_possible_cpu(cpu)
#ifndef KMEM_ENV_HOSTED
#define for_each_cpu(cpu, mask) for_each_set_bit(cpu, cpumask_bits(mask), CONFIG_NR_CPUS)
#define cpumask_of(cpu)		kmem_env_cpu_mask()
#define cpumask_set_cpu(c, m)	set_bit((c), cpumask_bits(m))
#define cpumask_clear_cpu(c, m) clear_bit((c), cpumask_bits(m))
#define __cpumask_set_cpu(c, m) __set_bit((c), cpumask_bits(m))
#define cpumask_test_cpu(c, m)	test_bit((c), cpumask_bits(m))
#define cpumask_clear(m)	bitmap_zero(cpumask_bits(m), CONFIG_NR_CPUS)
#define cpumask_setall(m)	bitmap_fill(cpumask_bits(m), CONFIG_NR_CPUS)
#define cpumask_copy(d, s)	bitmap_copy(cpumask_bits(d), cpumask_bits(s), CONFIG_NR_CPUS)
#define cpumask_and(d, a, b) \
	bitmap_and(cpumask_bits(d), cpumask_bits(a), cpumask_bits(b), CONFIG_NR_CPUS)
#define cpumask_empty(m)	   bitmap_empty(cpumask_bits(m), CONFIG_NR_CPUS)
#define cpumask_weight(m)	   bitmap_weight(cpumask_bits(m), CONFIG_NR_CPUS)
#define cpumask_first(m)	   find_first_bit(cpumask_bits(m), CONFIG_NR_CPUS)
#define cpumask_next(n, m)	   find_next_bit(cpumask_bits(m), CONFIG_NR_CPUS, (n) + 1)
#define cpumask_any(m)		   cpumask_first(m)
#define cpumask_size()		   sizeof(struct cpumask)
#define alloc_cpumask_var(m, gfp)  ((void)(m), true)
#define zalloc_cpumask_var(m, gfp) (cpumask_clear(*(m)), true)
#define free_cpumask_var(m) \
	do {                \
		(void)(m);  \
	} while (0)
#endif

#endif
