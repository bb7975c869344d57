/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU variables: those of DEFINE_PER_CPU lie in a section that the environment copies for each
 * CPU when it starts; the others are alloc_percpu()'s. this_cpu_add() and its like are atomic, since
 * a task may move between finding its copy and changing it.
 */
#ifndef KMEM_ENV_LINUX_PERCPU_DEFS_H
#define KMEM_ENV_LINUX_PERCPU_DEFS_H
#define _LINUX_PERCPU_DEFS_H

#include <linux/types.h>
#include <kmem/env.h>
#include <kmem/percpu.h>
#include <linux/preempt.h>

#undef per_cpu_ptr
#undef this_cpu_ptr
#undef raw_cpu_ptr
#undef get_cpu_ptr
#define per_cpu_ptr(p, cpu) \
	((__typeof__(*(p)) *)kmem_env_per_cpu((const void *)(p), (unsigned int)(cpu)))
#define this_cpu_ptr(p) per_cpu_ptr((p), kmem_env_cpu())
#define raw_cpu_ptr(p)	this_cpu_ptr(p)
#define get_cpu_ptr(p)	(kmem_env_preempt_disable(), this_cpu_ptr(p))

#define DECLARE_PER_CPU(type, name)		   extern __typeof__(type) name
#define DEFINE_PER_CPU(type, name)		   __attribute__((section("kmem_env_percpu"))) __typeof__(type) name
#define DECLARE_PER_CPU_SECTION(type, name, sec)   DECLARE_PER_CPU(type, name)
#define DEFINE_PER_CPU_SECTION(type, name, sec)	   DEFINE_PER_CPU(type, name)
#define DECLARE_PER_CPU_ALIGNED(type, name)	   DECLARE_PER_CPU(type, name)
#define DEFINE_PER_CPU_ALIGNED(type, name)	   DEFINE_PER_CPU(type, name) __attribute__((aligned(64)))
#define DECLARE_PER_CPU_SHARED_ALIGNED(type, name) DECLARE_PER_CPU(type, name)
#define DEFINE_PER_CPU_SHARED_ALIGNED(type, name)  DEFINE_PER_CPU_ALIGNED(type, name)
#define DECLARE_PER_CPU_FIRST(type, name)	   DECLARE_PER_CPU(type, name)
#define DECLARE_PER_CPU_READ_MOSTLY(type, name)	   DECLARE_PER_CPU(type, name)
#define DEFINE_PER_CPU_READ_MOSTLY(type, name)	   DEFINE_PER_CPU(type, name)
#define EXPORT_PER_CPU_SYMBOL(name)
#define EXPORT_PER_CPU_SYMBOL_GPL(name)

#define per_cpu(name, cpu)  (*per_cpu_ptr(&(name), (cpu)))
#define get_cpu_var(name)   (*get_cpu_ptr(&(name)))
#define put_cpu_var(name)   kmem_env_preempt_enable()
#define __get_cpu_var(name) (*this_cpu_ptr(&(name)))
#define __verify_pcpu_ptr(p) \
	do {                 \
		(void)(p);   \
	} while (0)
#define per_cpu_offset(cpu) 0

#define this_cpu_read(v)	  __atomic_load_n(this_cpu_ptr(&(v)), __ATOMIC_RELAXED)
#define this_cpu_write(v, x)	  __atomic_store_n(this_cpu_ptr(&(v)), (x), __ATOMIC_RELAXED)
#define this_cpu_add(v, x)	  ((void)__atomic_fetch_add(this_cpu_ptr(&(v)), (x), __ATOMIC_RELAXED))
#define this_cpu_sub(v, x)	  ((void)__atomic_fetch_sub(this_cpu_ptr(&(v)), (x), __ATOMIC_RELAXED))
#define this_cpu_and(v, x)	  ((void)__atomic_fetch_and(this_cpu_ptr(&(v)), (x), __ATOMIC_RELAXED))
#define this_cpu_or(v, x)	  ((void)__atomic_fetch_or(this_cpu_ptr(&(v)), (x), __ATOMIC_RELAXED))
#define this_cpu_inc(v)		  this_cpu_add(v, 1)
#define this_cpu_dec(v)		  this_cpu_sub(v, 1)
#define this_cpu_add_return(v, x) __atomic_add_fetch(this_cpu_ptr(&(v)), (x), __ATOMIC_RELAXED)
#define this_cpu_inc_return(v)	  this_cpu_add_return(v, 1)
#define this_cpu_dec_return(v)	  __atomic_sub_fetch(this_cpu_ptr(&(v)), 1, __ATOMIC_RELAXED)
#define this_cpu_xchg(v, x)	  __atomic_exchange_n(this_cpu_ptr(&(v)), (x), __ATOMIC_RELAXED)
#define this_cpu_cmpxchg(v, o, n)                                                  \
	({                                                                         \
		__typeof__(v) __kmem_o = (o);                                      \
		__atomic_compare_exchange_n(this_cpu_ptr(&(v)), &__kmem_o, (n), 0, \
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED);   \
		__kmem_o;                                                          \
	})
#define __this_cpu_read(v)	 this_cpu_read(v)
#define __this_cpu_write(v, x)	 this_cpu_write(v, x)
#define __this_cpu_add(v, x)	 this_cpu_add(v, x)
#define __this_cpu_sub(v, x)	 this_cpu_sub(v, x)
#define __this_cpu_inc(v)	 this_cpu_inc(v)
#define __this_cpu_dec(v)	 this_cpu_dec(v)
#define __this_cpu_xchg(v, x)	 this_cpu_xchg(v, x)
#define __this_cpu_inc_return(v) this_cpu_inc_return(v)
#define raw_cpu_read(v)		 this_cpu_read(v)
#define raw_cpu_write(v, x)	 this_cpu_write(v, x)
#define raw_cpu_add(v, x)	 this_cpu_add(v, x)
#define raw_cpu_inc(v)		 this_cpu_inc(v)

#endif
