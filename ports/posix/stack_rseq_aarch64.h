/* SPDX-License-Identifier: MIT */
/*
 * The per-CPU stack verbs that are fast, as restartable sequences on aarch64. What a sequence is, and
 * why nothing else is needed, is told in stack_rseq_x86_64.h; here is what differs.
 *
 * The thread pointer is a register, and so is everything else that a sequence works with: its
 * operands are loaded before it starts, and none of them changes while the machine is on. Plain
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
#define SHEAF_CAP   "#4"
#define SHEAF_SLOT  "#16"

#define RSEQ_DESCRIPTOR RSEQ_SEQUENCE(".inst 0xd428bc00", "b")

#define RSEQ_ENTER                 \
	"3:\n\t"                   \
	"adrp x8, 9b\n\t"          \
	"add x8, x8, :lo12:9b\n\t" \
	"str x8, [%[rseq], " RSEQ_CS "]\n"

/* x9: the sheaf in the stack of the CPU this runs on. */
#define RSEQ_SHEAF                               \
	"1:\n\t"                                 \
	"ldr w8, [%[rseq], " RSEQ_CPU_ID "]\n\t" \
	"cmp w8, %w[cpus]\n\t"                   \
	"b.hs %l[refused]\n\t"                   \
	"mul x8, x8, %[stride]\n\t"              \
	"ldr x9, [%[first], x8]\n\t"             \
	"cbz x9, %l[refused]\n\t"

#define RSEQ_AREA ((char *)__builtin_thread_pointer() + port_rseq_offset)
#define RSEQ_INPUTS                                                                          \
	[rseq] "r"(RSEQ_AREA), [cpus] "r"(port_rseq_cpus), [stride] "r"(kmem_percpu_stride), \
		[first] "r"(first)

/*
 *	start	x9 = sheaf, none: refused
 *		w8 = n - 1, n was 0: refused
 *		p = slot[w8]
 *	commit	n = w8
 */
static inline __attribute__((always_inline)) void *port_hit_pop(struct port_stack *first)
{
	void *p;

	__asm__ volatile goto(RSEQ_DESCRIPTOR RSEQ_ENTER RSEQ_SHEAF
			      "ldr w8, [x9]\n\t"
			      "subs w8, w8, #1\n\t"
			      "b.lo %l[refused]\n\t"
			      "add x10, x9, " SHEAF_SLOT "\n\t"
			      "ldr %[p], [x10, x8, lsl #3]\n\t"
			      "str w8, [x9]\n"
			      "2:\n\t"
			      : [p] "=&r"(p)
			      : RSEQ_INPUTS
			      : "x8", "x9", "x10", "memory", "cc"
			      : refused);
	if (!p)
		__builtin_unreachable(); /* no sheaf holds that */
	return p;
refused:
	return NULL;
}

/*
 *	start	x9 = sheaf, none: refused
 *		w8 = n, not below cap: refused
 *		slot[n - 1] == p: refused. For n = 0 this reads `next`, which is never a user's object
 *		slot[n] = p			(behind the count: nobody looks there)
 *	commit	n = w8 + 1
 */
static inline __attribute__((always_inline)) bool port_hit_push(struct port_stack *first, void *p)
{
	__asm__ volatile goto(RSEQ_DESCRIPTOR RSEQ_ENTER RSEQ_SHEAF "ldp w8, w10, [x9]\n\t"
								    "cmp w8, w10\n\t"
								    "b.hs %l[refused]\n\t"
								    "add x10, x9, x8, lsl #3\n\t"
								    "ldr x11, [x10, #8]\n\t"
								    "cmp x11, %[p]\n\t"
								    "b.eq %l[refused]\n\t"
								    "str %[p], [x10, " SHEAF_SLOT
								    "]\n\t"
								    "add w8, w8, #1\n\t"
								    "str w8, [x9]\n"
								    "2:\n\t"
			      :
			      : RSEQ_INPUTS, [p] "r"(p)
			      : "x8", "x9", "x10", "x11", "memory", "cc"
			      : refused);
	return true;
refused:
	return false;
}

/*
 * Takes the sheaf that was seen out of the stack of the CPU this runs on, where everybody else's
 * sequences are aborted by then.
 *
 *	start	the CPU I am on is another one: elsewhere
 *		the stack's sheaf is not the one seen: changed
 *	commit	none in its place, if nobody has touched it since; else again
 */
static inline enum port_rseq_swapped port_rseq_swap(struct port_stack *s, unsigned int cpu,
						    struct sheaf *seen)
{
	__asm__ volatile goto(RSEQ_DESCRIPTOR RSEQ_ENTER "1:\n\t"
							 "ldr w8, [%[rseq], " RSEQ_CPU_ID "]\n\t"
							 "cmp w8, %w[cpu]\n\t"
							 "b.ne %l[elsewhere]\n\t"
							 "ldaxr x9, [%[s]]\n\t"
							 "cmp x9, %[seen]\n\t"
							 "b.ne %l[changed]\n\t"
							 "stlxr w8, xzr, [%[s]]\n"
							 "2:\n\t"
							 "cbnz w8, 3b\n\t"
			      :
			      : [rseq] "r"(RSEQ_AREA), [cpu] "r"(cpu), [seen] "r"(seen), [s] "r"(s)
			      : "x8", "x9", "memory", "cc"
			      : elsewhere, changed);
	return PORT_RSEQ_DONE;
elsewhere:
	return PORT_RSEQ_ELSEWHERE;
changed:
	return PORT_RSEQ_CHANGED;
}

#endif
