/* SPDX-License-Identifier: MIT */
/*
 * The per-CPU stack verbs that are fast, as restartable sequences on aarch64. What a sequence is, and
 * why nothing else is needed, is told in stack_rseq_x86_64.h; here is what differs.
 *
 * The thread pointer is a register, and so is everything else that a sequence works with: its
 * operands are loaded before it starts, and none of them changes while it runs. Plain
 * stores do: the owner of a CPU's stack is always that CPU, which sees its own stores in order,
 * whatever thread runs on it; another CPU looks at a sheaf only after it has fenced this one.
 *
 * The exchange is an exclusive load and store. An exception between the two clears the reservation,
 * and aborts the sequence as well.
 */
#ifndef PORT_STACK_RSEQ_AARCH64_H
#define PORT_STACK_RSEQ_AARCH64_H

/* Offsets, as the assembler writes them. */
#define RSEQ_CPU_ID "#4"
#define RSEQ_CS	    "#8"
#define STACK_MASK  "#12"

#define RSEQ_DESCRIPTOR(aborted) KMEM_HIT_SEQUENCE(".inst 0xd428bc00", aborted)

#define RSEQ_ENTER                 \
	"3:\n\t"                   \
	"adrp x8, 9b\n\t"          \
	"add x8, x8, :lo12:9b\n\t" \
	"str x8, [%[rseq], " RSEQ_CS "]\n"

/* x9: the slot of the newest pointer of the stack of the CPU this runs on, which is at x8. */
#define RSEQ_TOP                                   \
	"ldrsw x8, [%[rseq], " RSEQ_CPU_ID "]\n\t" \
	"add x8, %[first], x8, lsl %[shift]\n\t"   \
	"ldr x9, [x8]\n\t"                         \
	"add x9, x9, x8\n\t"

#define RSEQ_ONE(aborted) RSEQ_DESCRIPTOR(aborted "b %l[refused]") RSEQ_ENTER "1:\n\t" RSEQ_TOP
#define RSEQ_MANY	  RSEQ_DESCRIPTOR("b 3f") RSEQ_ENTER "1:\n\tmov %[n], #0\n\t" RSEQ_TOP

#define RSEQ_MANY_COMMIT     \
	"6:\n\t"             \
	"cbz %[n], 8f\n\t"   \
	"sub x9, x9, x8\n\t" \
	"str x9, [x8]\n"     \
	"2:\n"               \
	"8:\n\t"

static inline struct kmem_hit_seq *port_seq_own(void)
{
	return (struct kmem_hit_seq *)(void *)((char *)port_thread_pointer() + port_rseq_offset);
}

#define RSEQ_INPUTS(area) [rseq] "r"(area), [shift] "i"(PORT_AREA_SHIFT), [first] "r"(first)

/*
 *	start	x9 = top's slot
 *		p = *x9, NULL: refused
 *	commit	top = x9 - 1 slot
 *	abort	p = NULL: refused
 */
static inline __attribute__((always_inline)) void *rseq_pop(struct port_stack *first,
							    struct kmem_hit_seq *area)
{
	void *p;

	__asm__ volatile goto(RSEQ_ONE("mov %[p], #0\n\t") "ldr %[p], [x9], #-8\n\t"
							   "cbz %[p], %l[refused]\n\t"
							   "sub x9, x9, x8\n\t"
							   "str x9, [x8]\n"
							   "2:\n\t"
			      : [p] "=&r"(p)
			      : RSEQ_INPUTS(area)
			      : "x8", "x9", "memory", "cc"
			      : refused);
	if (!p)
		__builtin_unreachable(); /* no sheaf holds that */
	return p;
refused:
	return NULL;
}

/*
 *	start	x9 = top's slot
 *		*x9 == p: refused
 *		x9 + 1 slot is where a block starts: refused
 *		x9[1 slot] = p			(above the top: nobody looks there)
 *	commit	top = x9 + 1 slot
 */
static inline __attribute__((always_inline)) bool rseq_push(struct port_stack *first, void *p,
							    struct kmem_hit_seq *area)
{
	__asm__ volatile goto(RSEQ_ONE("") "ldr x10, [x9], #8\n\t"
					   "cmp x10, %[p]\n\t"
					   "b.eq %l[refused]\n\t"
					   "ldr w10, [x8, " STACK_MASK "]\n\t"
					   "tst w9, w10\n\t"
					   "b.eq %l[refused]\n\t"
					   "str %[p], [x9]\n\t"
					   "sub x9, x9, x8\n\t"
					   "str x9, [x8]\n"
					   "2:\n\t"
			      :
			      : RSEQ_INPUTS(area), [p] "r"(p)
			      : "x8", "x9", "x10", "memory", "cc"
			      : refused);
	return true;
refused:
	return false;
}

#define port_hit_pop(first)	 rseq_pop((first), port_seq_own())
#define port_hit_push(first, p)	 rseq_push((first), (p), port_seq_own())
#define port_task_pop(first)	 rseq_pop((first), kmem_hit_task_v1.at)
#define port_task_push(first, p) rseq_push((first), (p), kmem_hit_task_v1.at)

/*
 *	start	x9 = top's slot, n = 0
 *	more	*x9, NULL: no more
 *		out[n++] = it, x9 -= 1 slot, until n = nr
 *		n = 0: refused
 *	commit	top = x9
 */
static inline size_t port_hit_pop_many(struct port_stack *first, void **out, size_t nr)
{
	size_t n;

	__asm__ volatile(RSEQ_MANY "5:\n\t"
				   "ldr x10, [x9]\n\t"
				   "cbz x10, 6f\n\t"
				   "str x10, [%[out], %[n], lsl #3]\n\t"
				   "sub x9, x9, #8\n\t"
				   "add %[n], %[n], #1\n\t"
				   "cmp %[n], %[nr]\n\t"
				   "b.lo 5b\n" RSEQ_MANY_COMMIT
			 : [n] "=&r"(n)
			 : RSEQ_INPUTS(port_seq_own()), [out] "r"(out), [nr] "r"(nr)
			 : "x8", "x9", "x10", "memory", "cc");
	return n;
}

/*
 *	start	x9 = top's slot, n = 0
 *	more	*x9 == in[n]: no more
 *		x9 + 1 slot is where a block starts: no more
 *		x9 += 1 slot, *x9 = in[n++], until n = nr
 *		n = 0: refused
 *	commit	top = x9
 */
static inline size_t port_hit_push_many(struct port_stack *first, void *const *in, size_t nr)
{
	size_t n;

	__asm__ volatile(RSEQ_MANY "ldr w12, [x8, " STACK_MASK "]\n"
				   "5:\n\t"
				   "ldr x10, [%[in], %[n], lsl #3]\n\t"
				   "ldr x11, [x9]\n\t"
				   "cmp x11, x10\n\t"
				   "b.eq 6f\n\t"
				   "add x11, x9, #8\n\t"
				   "tst w11, w12\n\t"
				   "b.eq 6f\n\t"
				   "mov x9, x11\n\t"
				   "str x10, [x9]\n\t"
				   "add %[n], %[n], #1\n\t"
				   "cmp %[n], %[nr]\n\t"
				   "b.lo 5b\n" RSEQ_MANY_COMMIT
			 : [n] "=&r"(n)
			 : RSEQ_INPUTS(port_seq_own()), [in] "r"(in), [nr] "r"(nr)
			 : "x8", "x9", "x10", "x11", "x12", "memory", "cc");
	return n;
}

/*
 * Puts none in place of the top that was seen, in the stack of the CPU this runs on, where everybody
 * else's sequences are aborted by then.
 *
 *	start	the CPU I am on is another one: elsewhere
 *		the stack's top is not the one seen: changed
 *	commit	none in its place, if nobody has touched it since; else again
 */
static inline enum port_rseq_swapped port_rseq_swap(struct port_stack *s, unsigned int cpu,
						    size_t seen)
{
	__asm__ volatile goto(RSEQ_DESCRIPTOR("b 3f") RSEQ_ENTER "1:\n\t"
								 "ldr w8, [%[rseq], " RSEQ_CPU_ID
								 "]\n\t"
								 "cmp w8, %w[cpu]\n\t"
								 "b.ne %l[elsewhere]\n\t"
								 "ldaxr x9, [%[s]]\n\t"
								 "cmp x9, %[seen]\n\t"
								 "b.ne %l[changed]\n\t"
								 "stlxr w8, %[none], [%[s]]\n"
								 "2:\n\t"
								 "cbnz w8, 3b\n\t"
			      :
			      : [rseq] "r"(port_seq_own()), [cpu] "r"(cpu), [seen] "r"(seen),
				[s] "r"(s), [none] "r"(stack_place(s, STACK_NONE))
			      : "x8", "x9", "memory", "cc"
			      : elsewhere, changed);
	return PORT_RSEQ_DONE;
elsewhere:
	return PORT_RSEQ_ELSEWHERE;
changed:
	return PORT_RSEQ_CHANGED;
}

#endif
