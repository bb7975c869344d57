/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_SMP_H
#define KMEM_ENV_LINUX_SMP_H
#define __LINUX_SMP_H

#include <linux/types.h>
#include <linux/preempt.h>
#include <kmem/percpu.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/errno.h>
#include <linux/cpumask.h>
#include <linux/init.h>
#endif

typedef void (*smp_call_func_t)(void *info);
#define raw_smp_processor_id() smp_processor_id()
#define __smp_processor_id()   smp_processor_id()
#define get_cpu()	       (kmem_env_preempt_disable(), smp_processor_id())
#define put_cpu()	       kmem_env_preempt_enable()
/* On this task: no other CPU can be made to run something. */
#define on_each_cpu(fn, info, wait)		      ((fn)(info))
#define smp_call_function_single(cpu, fn, info, wait) ((fn)(info), 0)
#define smp_call_function(fn, info, wait)	      ((void)(fn))

#endif
