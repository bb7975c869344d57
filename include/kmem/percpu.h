/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU memory: one copy of an object for each CPU of the machine.
 *
 *	struct counts __percpu *c = alloc_percpu(struct counts);
 *	__atomic_fetch_add(&this_cpu_ptr(c)->hits, 1, __ATOMIC_RELAXED);
 *	for_each_possible_cpu(cpu)
 *		sum += per_cpu_ptr(c, cpu)->hits;
 *	free_percpu(c);
 *
 * What alloc_percpu returns is no address: following it traps, but for 32-bit kernels that map their
 * low memory. &c->hits is the same member of all copies, and may be given to the calls below.
 *
 * Where tasks move between CPUs (on posix always: preemption off is told to the library, not to the
 * host) the CPU is a hint, and two tasks may be at one copy at a time: a copy is then a place with
 * little contention, not one of one's own.
 */
#ifndef KMEM_PERCPU_H
#define KMEM_PERCPU_H

#include <stddef.h>
#include <kmem/context.h>
#include <kmem/gfp.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#ifdef __CHECKER__
#define __percpu __attribute__((noderef, address_space(3)))
#else
#define __percpu
#endif

enum { PCPU_MIN_UNIT_SIZE = 32 << 10 }; /* the largest object, and what a CPU's memory grows by */

/*
 * size bytes, 1 to PCPU_MIN_UNIT_SIZE, rounded up to 4, for each CPU, zeroed; align: a power of two up
 * to PAGE_SIZE, at least 4. NULL: another size or alignment (reported unless __GFP_NOWARN), or no
 * memory (ten of these are reported until the machine stops, unless __GFP_NOWARN). May sleep iff the
 * mask has __GFP_DIRECT_RECLAIM, as GFP_KERNEL has; other masks are served from memory that is there
 * already, in any context.
 */
void __percpu *__alloc_percpu_gfp(size_t size, size_t align, gfp_t gfp);
void __percpu *__alloc_percpu(size_t size, size_t align);
#define alloc_percpu_gfp(type, gfp) \
	((type __percpu *)__alloc_percpu_gfp(sizeof(type), __alignof__(type), (gfp)))
#define alloc_percpu(type) ((type __percpu *)__alloc_percpu(sizeof(type), __alignof__(type)))
/* NULL is a no-op; what is not from alloc_percpu is reported, and nothing has changed. Any context. */
void free_percpu(void __percpu *p);

/* A CPU's copy; NULL if there is no such CPU or memory. Any context; so are those below. */
void *kmem_per_cpu_ptr(const void __percpu *p, unsigned int cpu);
unsigned int smp_processor_id(void);
unsigned int num_possible_cpus(void); /* 0: no machine is running */
#define per_cpu_ptr(p, cpu)                                                            \
	((__typeof__(*(p)) __kmem_force *)kmem_per_cpu_ptr((const void __percpu *)(p), \
							   (unsigned int)(cpu)))
#define this_cpu_ptr(p) per_cpu_ptr(p, smp_processor_id())
#define raw_cpu_ptr(p)	this_cpu_ptr(p)
/* In between preemption is off (kmem_preempt_disable). */
#define get_cpu_ptr(p) (kmem_preempt_disable(), this_cpu_ptr(p))
#define put_cpu_ptr(p) ((void)(p), kmem_preempt_enable())
#define for_each_possible_cpu(cpu) \
	for ((cpu) = 0; (unsigned int)(cpu) < num_possible_cpus(); (cpu)++)

/* Proves the invariants of per-CPU memory; 0, or the number of faults, each reported. kmem_check()
 * does it too. Task context, and nobody else may use the machine meanwhile. */
int kmem_percpu_check(void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
