/* SPDX-License-Identifier: MIT */
/* posix: the inline verbs. A CPU is the host's, a task is a thread, asynchronous entry is a signal. */
#ifndef PORT_INLINE_H
#define PORT_INLINE_H

extern _Thread_local struct port_task port_task_self
	__attribute__((tls_model("initial-exec"), visibility("hidden")));
extern unsigned int port_nr_cpus; /* set by port_start */
unsigned int port_cpu_slow(void); /* without rseq */

/* The C library's rseq area of each thread, as <sys/rseq.h> declares it; zero size: none. That
 * header needs the kernel's, which would reach every file of the core. */
extern const ptrdiff_t __rseq_offset;
extern const unsigned int __rseq_size;
enum { PORT_RSEQ_CPU_ID = 4 }; /* offset of cpu_id in struct rseq, fixed by the kernel's ABI */

static inline struct port_task *port_task(void)
{
	return &port_task_self;
}

static inline void *port_thread_pointer(void)
{
#if defined(__x86_64__)
	void *tp;

	__asm__("movq %%fs:0, %0" : "=r"(tp));
	return tp;
#elif defined(__i386__)
	void *tp;

	__asm__("movl %%gs:0, %0" : "=r"(tp));
	return tp;
#else
	return __builtin_thread_pointer();
#endif
}

/* The kernel keeps the CPU number in the registered rseq area; without one, ask the vdso. */
static inline unsigned int port_cpu(void)
{
	const unsigned int *id =
		(const unsigned int *)(const void *)((char *)port_thread_pointer() + __rseq_offset +
						     PORT_RSEQ_CPU_ID);
	unsigned int cpu = __rseq_size ? __atomic_load_n(id, __ATOMIC_RELAXED) : port_cpu_slow();

	return cpu < port_nr_cpus ? cpu : cpu % port_nr_cpus;
}

static inline void port_point(void)
{
}

/* Signals cannot be masked cheaply: the section is marked, and handlers look (port_in_section). */
static inline unsigned long port_irq_save(void)
{
	unsigned long depth = port_task_self.crit;

	port_task_self.crit = (uint32_t)depth + 1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return depth;
}

static inline void port_irq_restore(unsigned long depth)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	port_task_self.crit = (uint32_t)depth;
}

static inline bool port_in_section(void)
{
	return port_task_self.crit != 0;
}

static inline enum port_context port_context(void)
{
	uint32_t count = port_task_self.preempt;

	return count & 0xf00000u   ? PORT_NMI
	       : count & 0x0f0000u ? PORT_IRQ
	       : count & 0x000100u ? PORT_SOFTIRQ
				   : PORT_TASK;
}

/* A futex lock of three states: 0 free, 1 held, 2 held and waited for. */
void port_spin_lock_slow(port_spin_t *l);
void port_spin_wake(port_spin_t *l);

static inline bool port_spin_trylock(port_spin_t *l)
{
	uint32_t free = 0;

	return __atomic_compare_exchange_n(&l->word, &free, 1u, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static inline void port_spin_lock(port_spin_t *l)
{
	if (!port_spin_trylock(l))
		port_spin_lock_slow(l);
}

static inline void port_spin_unlock(port_spin_t *l)
{
	/* Pairs with the acquire of lock and trylock. */
	if (__atomic_exchange_n(&l->word, 0u, __ATOMIC_RELEASE) == 2u)
		port_spin_wake(l);
}

/*
 * Restartable sequences, where this architecture has them here. ThreadSanitizer cannot see what is
 * ordered by them.
 */
#define PORT_HIDDEN __attribute__((visibility("hidden")))
extern ptrdiff_t port_rseq_offset PORT_HIDDEN;	/* of the rseq area from the thread pointer */
extern unsigned int port_rseq_cpus PORT_HIDDEN; /* 0: none are in use */
#if (defined(__x86_64__) || defined(__aarch64__)) && !defined(__SANITIZE_THREAD__)
#include <kmem/hit.h>
#define PORT_RSEQ 1
/* The port's own areas (areas.c): so large, and one for each number that the host may give a CPU. */
#define PORT_AREA_SHIFT	 KMEM_HIT_AREA_SHIFT
#define PORT_AREA_STRIDE ((size_t)1 << PORT_AREA_SHIFT)
extern unsigned char *port_areas_base PORT_HIDDEN; /* CPU 0's */
int port_areas(unsigned int nr, void **base, unsigned int *shift);
#define PORT_OWNERS KMEM_HIT_OWNERS
#define PORT_STACK_OWN
#if defined(__x86_64__)
#define PORT_COUNT_OWN
#endif
#include "../common/stack_portable.h"
#include "stack_rseq.h"
#if defined(__x86_64__)
void port_count_slow(uint64_t *first, size_t stride, uint64_t n);
#include "count_rseq_x86_64.h"
#endif
#else
#define PORT_RSEQ 0
#include "../common/stack_portable.h"
#endif

#endif
