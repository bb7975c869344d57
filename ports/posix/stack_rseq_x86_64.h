/* SPDX-License-Identifier: MIT */
/*
 * The per-CPU stack verbs that are fast, as restartable sequences of Linux (rseq(2)) on x86-64.
 *
 * A sequence is a run of instructions on one CPU's data whose last one makes it all happen. The
 * thread says which sequence it is about to run by storing the address of a descriptor into its rseq
 * area. If the kernel preempts it, moves it to another CPU or gives it a signal before the last
 * instruction is over, it goes on at the abort address instead, and nothing has happened:
 *
 *	retry:	rseq_cs = &descriptor
 *	start:	cpu = the CPU I am on, refused if this machine has no such CPU
 *		...loads, and stores that nobody looks at yet...
 *		commit: one store
 *	end:
 *	abort:	goto retry			(four bytes of signature before it)
 *
 * So no two sequences of one CPU are ever in the middle at once, and no locked instruction is needed
 * against them. A signal handler is no special case: it aborts what it interrupts.
 *
 * What comes from another CPU (drain, freeze) takes the sheaf out of the stack by an exchange and
 * then waits for port_fence_cpu(): a sequence that still had the sheaf's address has committed by
 * then, or has been aborted. Those that may meet such an exchange commit by compare-and-exchange.
 *
 * A sequence needs the rseq area that glibc registers for its threads. Without one
 * (port_rseq_cpus is 0), the trylocks of stack_portable.h do the same; both are never mixed.
 */
#ifndef PORT_STACK_RSEQ_X86_64_H
#define PORT_STACK_RSEQ_X86_64_H

/* Offsets, as the assembler writes them. */
#define RSEQ_CPU_ID "4"
#define RSEQ_CS	    "8"
#define SHEAF_N	    "0"
#define SHEAF_CAP   "4"
#define SHEAF_SLOT  "16"

/* The bytes before the signature make it an instruction that traps. */
#define RSEQ_DESCRIPTOR RSEQ_SEQUENCE(".byte 0x0f, 0xb9, 0x3d\n\t.long 0x53053053", "jmp")

#define RSEQ_ENTER                  \
	"3:\n\t"                    \
	"leaq 9b(%%rip), %%rax\n\t" \
	"movq %%rax, %%fs:" RSEQ_CS "(%[rseq])\n"

/* rcx: the sheaf in the stack of the CPU this runs on. */
#define RSEQ_SHEAF                                      \
	"1:\n\t"                                        \
	"movl %%fs:" RSEQ_CPU_ID "(%[rseq]), %%eax\n\t" \
	"cmpl %[cpus], %%eax\n\t"                       \
	"jae %l[refused]\n\t"                           \
	"imulq %[stride], %%rax\n\t"                    \
	"movq (%[first], %%rax), %%rcx\n\t"             \
	"testq %%rcx, %%rcx\n\t"                        \
	"jz %l[refused]\n\t"

#define RSEQ_INPUTS                                               \
	[rseq] "r"(port_rseq_offset), [cpus] "m"(port_rseq_cpus), \
		[stride] "m"(kmem_percpu_stride), [first] "r"(first)

/*
 *	start	rcx = sheaf, none: refused
 *		edx = n - 1, n was 0: refused
 *		p = slot[edx]			(in rax, where a function returns it)
 *	commit	n = edx
 */
static inline __attribute__((always_inline)) void *port_hit_pop(struct port_stack *first)
{
	void *p;

	__asm__ volatile goto(RSEQ_DESCRIPTOR RSEQ_ENTER RSEQ_SHEAF
			      "movl " SHEAF_N "(%%rcx), %%edx\n\t"
			      "subl $1, %%edx\n\t"
			      "jb %l[refused]\n\t"
			      "movq " SHEAF_SLOT "(%%rcx, %%rdx, 8), %[p]\n\t"
			      "movl %%edx, " SHEAF_N "(%%rcx)\n"
			      "2:\n\t"
			      : [p] "=&a"(p)
			      : RSEQ_INPUTS
			      : "rcx", "rdx", "memory", "cc"
			      : refused);
	if (!p)
		__builtin_unreachable(); /* no sheaf holds that */
	return p;
refused:
	return NULL;
}

/*
 *	start	rcx = sheaf, none: refused
 *		eax = n, not below cap: refused
 *		slot[n - 1] == p: refused. For n = 0 this reads `next`, which is never a user's object
 *		slot[n] = p			(behind the count: nobody looks there)
 *	commit	n = eax + 1
 */
static inline __attribute__((always_inline)) bool port_hit_push(struct port_stack *first, void *p)
{
	__asm__ volatile goto(RSEQ_DESCRIPTOR RSEQ_ENTER RSEQ_SHEAF
			      "movl " SHEAF_N "(%%rcx), %%eax\n\t"
			      "cmpl " SHEAF_CAP "(%%rcx), %%eax\n\t"
			      "jae %l[refused]\n\t"
			      "cmpq %[p], " SHEAF_SLOT "-8(%%rcx, %%rax, 8)\n\t"
			      "je %l[refused]\n\t"
			      "movq %[p], " SHEAF_SLOT "(%%rcx, %%rax, 8)\n\t"
			      "incl %%eax\n\t"
			      "movl %%eax, " SHEAF_N "(%%rcx)\n"
			      "2:\n\t"
			      :
			      : RSEQ_INPUTS, [p] "r"(p)
			      : "rax", "rcx", "memory", "cc"
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
 *	commit	the stack's sheaf, if it still is the one seen, by none
 */
static inline enum port_rseq_swapped port_rseq_swap(struct port_stack *s, unsigned int cpu,
						    struct sheaf *seen)
{
	bool done;

	__asm__ volatile goto(RSEQ_DESCRIPTOR RSEQ_ENTER "1:\n\t"
							 "cmpl %%fs:" RSEQ_CPU_ID
							 "(%[rseq]), %[cpu]\n\t"
							 "jne %l[elsewhere]\n\t"
							 "movq %[seen], %%rax\n\t"
							 "lock cmpxchgq %[none], (%[s])\n"
							 "2:\n\t"
							 "setz %[done]\n\t"
			      : [done] "=&q"(done)
			      : [rseq] "r"(port_rseq_offset), [cpu] "r"(cpu), [seen] "r"(seen),
				[s] "r"(s), [none] "r"((struct sheaf *)NULL)
			      : "rax", "memory", "cc"
			      : elsewhere);
	return done ? PORT_RSEQ_DONE : PORT_RSEQ_CHANGED;
elsewhere:
	return PORT_RSEQ_ELSEWHERE;
}

#endif
