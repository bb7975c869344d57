/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_CPU_H
#define KMEM_ENV_LINUX_CPU_H
#define _LINUX_CPU_H_

#include <linux/types.h>
#include <linux/cpumask.h>
#include <linux/smp.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/cpuhotplug.h>
#endif

/* CPUs neither come nor go. */
#define cpus_read_lock() \
	do {             \
	} while (0)
#define cpus_read_unlock() \
	do {               \
	} while (0)
#define cpus_write_lock() \
	do {              \
	} while (0)
#define cpus_write_unlock() \
	do {                \
	} while (0)
#define get_online_cpus() \
	do {              \
	} while (0)
#define put_online_cpus() \
	do {              \
	} while (0)
#define lockdep_assert_cpus_held() \
	do {                       \
	} while (0)

#endif
