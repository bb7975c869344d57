/* SPDX-License-Identifier: MIT */
/*
 * The stack verbs of this port where the host has restartable sequences: the hot ones from the file of
 * the architecture, the others here. port_rseq_cpus says which kind is in use, once for the
 * whole machine: 0, trylocks; else the machine's CPUs, and a thread on a CPU from beyond is refused.
 *
 * A stack without a sheaf has a top of its own, STACK_NONE; one that somebody takes a sheaf from, or
 * has frozen, STACK_SHUT: no pop, push or put gets anything from either. Who puts STACK_SHUT there
 * holds the stack's trylock, so that there is one of them.
 */
#ifndef PORT_STACK_RSEQ_H
#define PORT_STACK_RSEQ_H

/* What the sequences know of port.h's structs. In struct rseq, which is the kernel's ABI, cpu_id
 * is at 4 and rseq_cs at 8. */
_Static_assert(offsetof(struct port_stack, top) == 0 && offsetof(struct port_stack, mask) == 12 &&
		       offsetof(struct sheaf, next) == 8 && offsetof(struct sheaf, slot) == 16,
	       "the sequences know these offsets");

/* Of blocks of zeroes, of the largest size that a sheaf may have: the last slots. */
enum { STACK_BLOCK = 4096 / sizeof(void *) };
extern void *port_stack_nothing[2][STACK_BLOCK] PORT_HIDDEN;
#define STACK_NONE (&port_stack_nothing[0][STACK_BLOCK - 1])
#define STACK_SHUT (&port_stack_nothing[1][STACK_BLOCK - 1])

/* A handler in between leaves both as they should be after it. Before there is a machine as well: so the C
 * library is asked where the area is. */
static inline void port_task_set(uint32_t word)
{
	char *own = (char *)port_thread_pointer() + __rseq_offset;

	port_task_self.preempt = word;
	kmem_hit_task_v1.at = word || !__rseq_size ? &kmem_hit_task_v1.nowhere
						   : (struct kmem_hit_seq *)(void *)own;
}

/* A stack's top that says this slot, and the slot that one says. */
static inline size_t stack_place(const struct port_stack *s, void **slot)
{
	return (uintptr_t)slot - (uintptr_t)s;
}

static inline void **stack_slot(const struct port_stack *s, size_t top)
{
	return (void **)((uintptr_t)s + top);
}

enum port_rseq_swapped { PORT_RSEQ_CHANGED, PORT_RSEQ_DONE, PORT_RSEQ_ELSEWHERE };

#if defined(__x86_64__)
#include "stack_rseq_x86_64.h"
#else
#include "stack_rseq_aarch64.h"
#endif

static inline bool port_hit_never(void)
{
	return port_rseq_cpus == 0;
}

/* These do not give up where a sequence is aborted: those of many are begun again. */
static inline void *port_stack_pop(uint32_t off)
{
	void *p;

	if (!port_rseq_cpus)
		return stack_lock_pop(off);
	return port_hit_pop_many(port_stack_first(off), &p, 1) ? p : NULL;
}

static inline bool port_stack_push(uint32_t off, void *p)
{
	return port_rseq_cpus ? port_hit_push_many(port_stack_first(off), &p, 1) != 0
			      : stack_lock_push(off, p);
}

/* Elsewhere than in the port's own areas the next CPU's is not where the sequences look for it. */
static inline void port_stack_layout(void)
{
	if (kmem_percpu_base != port_areas_base)
		port_rseq_cpus = 0;
}

static inline void port_stack_init(uint32_t off, unsigned int cpu, uint32_t cap)
{
	stack_lock_init(off, cpu, cap);
	if (port_rseq_cpus) {
		struct port_stack *s = port_stack_at(off, cpu);

		s->mask = cap ? (uint32_t)sheaf_block(cap) - 1 : 0;
		__atomic_store_n(&s->top, stack_place(s, STACK_NONE), __ATOMIC_RELEASE);
	}
}

/* The sheaf of a top, or NULL; *n: its pointers. */
static inline struct sheaf *stack_rseq_sheaf(const struct port_stack *s, size_t top, uint32_t *n)
{
	void **slot = stack_slot(s, top);
	struct sheaf *sheaf;

	*n = 0;
	if (slot == STACK_NONE || slot == STACK_SHUT)
		return NULL;
	sheaf = sheaf_in((void *)((uintptr_t)slot & ~(uintptr_t)s->mask), s->cap);
	*n = (uint32_t)(slot + 1 - sheaf->slot);
	return sheaf;
}

/* The same for whoever has just taken it. */
static inline struct sheaf *stack_rseq_taken(const struct port_stack *s, size_t top)
{
	uint32_t n;
	struct sheaf *sheaf = stack_rseq_sheaf(s, top, &n);

	if (sheaf)
		__atomic_store_n(&sheaf->n, n, __ATOMIC_RELAXED);
	return sheaf;
}

/* Under the trylock. What was the top before. */
static inline size_t stack_rseq_shut(struct port_stack *s)
{
	return __atomic_exchange_n(&s->top, stack_place(s, STACK_SHUT),
				   __ATOMIC_ACQ_REL); /* pairs with put */
}

static inline bool stack_rseq_is_shut(const struct port_stack *s)
{
	return __atomic_load_n(&s->top, __ATOMIC_ACQUIRE) == stack_place(s, STACK_SHUT);
}

/* From any CPU, under the trylock. Sequences that have seen the sheaf are over before its new owner
 * looks at it. */
static inline struct sheaf *stack_rseq_steal(struct port_stack *s, unsigned int cpu)
{
	const size_t none = stack_place(s, STACK_NONE);
	size_t top;

	do {
		top = stack_rseq_shut(s);
		if (top != none)
			port_fence_cpu(cpu);
	} while (!stack_rseq_is_shut(s));
	__atomic_store_n(&s->top, none, __ATOMIC_RELEASE);
	return stack_rseq_taken(s, top);
}

static inline struct sheaf *stack_rseq_try_steal(struct port_stack *s, unsigned int cpu)
{
	struct sheaf *sheaf = NULL;

	if (stack_lock_enter(s)) {
		sheaf = stack_rseq_steal(s, cpu);
		stack_lock_leave(s);
	}
	return sheaf;
}

static inline struct sheaf *port_stack_take(uint32_t off, unsigned int cpu)
{
	struct port_stack *s = port_stack_at(off, cpu);

	if (!port_rseq_cpus)
		return stack_lock_take(off, cpu);
	for (;;) {
		size_t seen = __atomic_load_n(&s->top, __ATOMIC_ACQUIRE);
		enum port_rseq_swapped rc;

		if (stack_slot(s, seen) == STACK_NONE || stack_slot(s, seen) == STACK_SHUT)
			return NULL;
		rc = port_rseq_swap(s, cpu, seen);
		if (rc == PORT_RSEQ_DONE)
			return stack_rseq_taken(s, seen);
		if (rc == PORT_RSEQ_ELSEWHERE)
			return stack_rseq_try_steal(s, cpu);
	}
}

static inline bool port_stack_put(uint32_t off, unsigned int cpu, struct sheaf *sheaf)
{
	struct port_stack *s = port_stack_at(off, cpu);
	size_t none = stack_place(s, STACK_NONE);

	if (!port_rseq_cpus)
		return stack_lock_put(off, cpu, sheaf);
	sheaf->next = NULL;
	return __atomic_compare_exchange_n(&s->top, &none,
					   stack_place(s, &sheaf->slot[sheaf->n] - 1), false,
					   __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

static inline struct sheaf *port_stack_drain(uint32_t off, unsigned int cpu)
{
	struct port_stack *s = port_stack_at(off, cpu);
	struct sheaf *sheaf;

	if (!port_rseq_cpus)
		return stack_lock_drain(off, cpu);
	while (!stack_lock_enter(s))
		port_relax();
	sheaf = stack_rseq_steal(s, cpu);
	stack_lock_leave(s);
	return sheaf;
}

static inline const struct sheaf *port_stack_peek(uint32_t off, unsigned int cpu, uint32_t *n)
{
	const struct port_stack *s = port_stack_at(off, cpu);

	if (!port_rseq_cpus)
		return stack_lock_peek(off, cpu, n);
	return stack_rseq_sheaf(s, __atomic_load_n(&s->top, __ATOMIC_ACQUIRE), n);
}

static inline void port_stack_freeze(uint32_t off, unsigned int cpu)
{
	struct port_stack *s = port_stack_at(off, cpu);

	stack_lock_freeze(off, cpu);
	if (port_rseq_cpus)
		s->held = stack_rseq_shut(s);
}

static inline bool port_stack_frozen(uint32_t off, unsigned int cpu)
{
	struct port_stack *s = port_stack_at(off, cpu);

	if (!port_rseq_cpus || stack_rseq_is_shut(s))
		return true;
	s->held = stack_rseq_shut(s);
	return false;
}

static inline void port_stack_thaw(uint32_t off, unsigned int cpu)
{
	struct port_stack *s = port_stack_at(off, cpu);

	if (port_rseq_cpus)
		__atomic_store_n(&s->top, s->held, __ATOMIC_RELEASE);
	stack_lock_thaw(off, cpu);
}

#endif
