/* SPDX-License-Identifier: MIT */
/*
 * The stack verbs of this port where the host has restartable sequences: the hot ones from the file of
 * the architecture, the others here. port_rseq_cpus says which kind is in use, once for the
 * whole machine: 0, trylocks; else the machine's CPUs, and a thread on a CPU from beyond is refused.
 *
 * A stack is out of use while it holds port_stack_shut: an empty sheaf of no room, from which no
 * pop, push or put gets anything.
 */
#ifndef PORT_STACK_RSEQ_H
#define PORT_STACK_RSEQ_H

/* What the sequences know of port.h's struct sheaf. In struct rseq, which is the kernel's ABI, cpu_id
 * is at 4 and rseq_cs at 8. */
_Static_assert(offsetof(struct sheaf, n) == 0 && offsetof(struct sheaf, cap) == 4 &&
		       offsetof(struct sheaf, next) == 8 && offsetof(struct sheaf, slot) == 16,
	       "the sequences know these offsets");

/*
 * The descriptor, 9, of the sequence 1..2, whose abort address 4 leads back to 3: before that address
 * stands the signature that glibc has registered, in an instruction that traps.
 */
#define RSEQ_SEQUENCE(signature, jump)                           \
	".pushsection __rseq_cs, \"aw\"\n\t"                     \
	".balign 32\n\t"                                         \
	"9:\n\t"                                                 \
	".long 0, 0\n\t"                                         \
	".quad 1f, 2f - 1f, 4f\n\t"                              \
	".popsection\n\t"                                        \
	".pushsection .text.unlikely, \"ax\"\n\t" signature "\n" \
	"4:\n\t" jump " 3f\n\t"                                  \
	".popsection\n"

enum port_rseq_swapped { PORT_RSEQ_CHANGED, PORT_RSEQ_DONE, PORT_RSEQ_ELSEWHERE };

#if defined(__x86_64__)
#include "stack_rseq_x86_64.h"
#else
#include "stack_rseq_aarch64.h"
#endif

extern struct sheaf port_stack_shut;

static inline bool port_hit_never(void)
{
	return port_rseq_cpus == 0;
}

static inline void *port_stack_pop(uint32_t off)
{
	void *p = port_hit_pop(port_stack_at(off, 0));

	return p || port_rseq_cpus ? p : stack_lock_pop(off);
}

static inline bool port_stack_push(uint32_t off, void *p)
{
	return port_hit_push(port_stack_at(off, 0), p) ||
	       (!port_rseq_cpus && stack_lock_push(off, p));
}

/* From any CPU. Sequences that have seen the sheaf are over before its new owner looks at it. */
static inline struct sheaf *stack_rseq_steal(struct port_stack *s, unsigned int cpu)
{
	struct sheaf *seen = __atomic_load_n(&s->sheaf, __ATOMIC_RELAXED);

	do {
		if (!seen || seen == &port_stack_shut)
			return NULL;
	} while (!__atomic_compare_exchange_n(&s->sheaf, &seen, NULL, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED)); /* pairs with put */
	port_fence_cpu(cpu);
	return seen;
}

static inline struct sheaf *port_stack_take(uint32_t off, unsigned int cpu)
{
	struct port_stack *s = port_stack_at(off, cpu);

	if (!port_rseq_cpus)
		return stack_lock_take(off, cpu);
	for (;;) {
		struct sheaf *seen = __atomic_load_n(&s->sheaf, __ATOMIC_ACQUIRE);
		enum port_rseq_swapped rc;

		if (!seen || seen == &port_stack_shut)
			return NULL;
		rc = port_rseq_swap(s, cpu, seen);
		if (rc == PORT_RSEQ_DONE)
			return seen;
		if (rc == PORT_RSEQ_ELSEWHERE)
			return stack_rseq_steal(s, cpu);
	}
}

static inline bool port_stack_put(uint32_t off, unsigned int cpu, struct sheaf *sheaf)
{
	struct sheaf *none = NULL;

	if (!port_rseq_cpus)
		return stack_lock_put(off, cpu, sheaf);
	return __atomic_compare_exchange_n(&port_stack_at(off, cpu)->sheaf, &none, sheaf, false,
					   __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

static inline struct sheaf *port_stack_drain(uint32_t off, unsigned int cpu)
{
	struct port_stack *s = port_stack_at(off, cpu);

	if (!port_rseq_cpus)
		return stack_lock_drain(off, cpu);
	while (__atomic_load_n(&s->sheaf, __ATOMIC_RELAXED) == &port_stack_shut)
		port_relax();
	return stack_rseq_steal(s, cpu);
}

static inline void port_stack_freeze(uint32_t off, unsigned int cpu)
{
	struct port_stack *s = port_stack_at(off, cpu);

	if (!port_rseq_cpus)
		stack_lock_freeze(off, cpu);
	else
		s->held = __atomic_exchange_n(&s->sheaf, &port_stack_shut, __ATOMIC_ACQ_REL);
}

static inline void port_stack_thaw(uint32_t off, unsigned int cpu)
{
	struct port_stack *s = port_stack_at(off, cpu);

	if (!port_rseq_cpus)
		stack_lock_thaw(off, cpu);
	else
		__atomic_store_n(&s->sheaf, s->held, __ATOMIC_RELEASE);
}

#endif
