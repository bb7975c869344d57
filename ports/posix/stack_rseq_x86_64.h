/* SPDX-License-Identifier: MIT */
/*
 * The per-CPU stack verbs that are fast, as restartable sequences of Linux (rseq(2)) on x86-64. Pop and push of
 * one pointer are in <kmem/hit.h>, since programs have them as well.
 *
 * A sequence is a run of instructions on one CPU's data whose last one makes it all happen. The
 * thread says which sequence it is about to run by storing the address of a descriptor into its rseq
 * area. If the kernel preempts it, moves it to another CPU or gives it a signal before the last
 * instruction is over, it goes on at the abort address instead, and nothing has happened. The first one comes
 * right behind that store, for the kernel forgets the descriptor where it finds the thread outside:
 *
 *	retry:	rseq_cs = &descriptor
 *	start:	stack += how far from CPU 0's area that of the CPU I am on is
 *		...loads, and stores that nobody looks at yet...
 *		commit: one store
 *	end:
 *	abort:	refused, or goto retry		(four bytes of signature before it)
 *
 * So no two sequences of one CPU are ever in the middle at once, and no locked instruction is needed
 * against them. A signal handler is no special case: it aborts what it interrupts. A hit that is aborted,
 * one of a million, is refused: to begin again it would have to keep CPU 0's stack in another register.
 *
 * The one word that a hit changes is the stack's top, the place of the newest pointer's slot: an
 * empty sheaf's is that of `next`, which is NULL then, and a full one's the last of its block. So a
 * pop that reads NULL has nothing to take, a push whose slot would be the first of the next block has
 * no room, and a stack without a sheaf has a top that is both. A free that knows its stack late, since
 * the address tells the cache, and the cache the stack, has but one load left from there to its commit.
 *
 * The place is told from the stack's own address on. So memory that was never written to is a stack that
 * refuses: its top, 0, is the place of the top itself, which reads as NULL, and its mask says that there a
 * block ends. Of such memory are the areas of all CPUs that the machine has not, and nobody's, which are those
 * of a thread without an rseq area, for it says that its CPU is -1 or -2. So no CPU's number is asked whether it
 * is one of the machine's, and the way to a CPU's area is a shift.
 *
 * What comes from another CPU (drain, freeze) puts STACK_SHUT in place of the top and then waits
 * for port_fence_cpu(). A sequence that had read the top before has committed by then, which brought
 * the top back, or has been aborted: so if the stack is still shut, the sheaf is out; else it was all
 * for nothing, and is tried again. A sequence that takes the sheaf out of this CPU's own stack may
 * meet such an exchange, and commits by compare-and-exchange.
 *
 * A sequence needs the rseq area that glibc registers for its threads. Without one
 * (port_rseq_cpus is 0), the trylocks of stack_portable.h do the same; both are never mixed.
 */
#ifndef PORT_STACK_RSEQ_X86_64_H
#define PORT_STACK_RSEQ_X86_64_H

#define RSEQ_MANY                     \
	KMEM_HIT_DESCRIPTOR("jmp 3f") \
	KMEM_HIT_ENTER(KMEM_HIT_OWN)  \
	"1:\n\t"                      \
	"xorl %%eax, %%eax\n\t"       \
	"movq %[first], %%rdx\n\t" KMEM_HIT_TOP(KMEM_HIT_OWN)

#define RSEQ_MANY_COMMIT         \
	"6:\n\t"                 \
	"testq %%rax, %%rax\n\t" \
	"jz 8f\n\t"              \
	"movq %%rcx, (%%rdx)\n"  \
	"2:\n"                   \
	"8:\n\t"

static inline __attribute__((always_inline)) void *port_hit_pop(struct port_stack *first)
{
	void *p;

	KMEM_HIT_POP(KMEM_HIT_OWN, port_rseq_offset, first, p, refused);
	if (!p)
		__builtin_unreachable(); /* no sheaf holds that */
	return p;
refused:
	return NULL;
}

static inline __attribute__((always_inline)) bool port_hit_push(struct port_stack *first, void *p)
{
	KMEM_HIT_PUSH(KMEM_HIT_OWN, port_rseq_offset, first, p, refused);
	return true;
refused:
	return false;
}

#define port_task_pop(first)	 kmem_hit_pop(first)
#define port_task_push(first, p) kmem_hit_push((first), (p))

#define RSEQ_INPUTS [rseq] "r"(port_rseq_offset), [shift] "i"(PORT_AREA_SHIFT), [first] "r"(first)

/*
 * Of many. A compiler may take the outputs of an asm that jumps for set where it has jumped, so these do
 * not: refused is 8, where n is 0.
 *
 *	start	rcx = top, n = 0
 *	more	rdx[rcx], NULL: no more
 *		out[n++] = it, rcx -= 1 slot, until n = nr
 *		n = 0: refused
 *	commit	top = rcx
 */
static inline size_t port_hit_pop_many(struct port_stack *first, void **out, size_t nr)
{
	size_t n;
	void *p;

	__asm__ volatile(RSEQ_MANY "5:\n\t"
				   "movq (%%rdx, %%rcx), %[p]\n\t"
				   "testq %[p], %[p]\n\t"
				   "jz 6f\n\t"
				   "movq %[p], (%[out], %%rax, 8)\n\t"
				   "subq $8, %%rcx\n\t"
				   "incq %%rax\n\t"
				   "cmpq %[nr], %%rax\n\t"
				   "jb 5b\n" RSEQ_MANY_COMMIT
			 : "=&a"(n), [p] "=&r"(p)
			 : RSEQ_INPUTS, [out] "r"(out), [nr] "r"(nr)
			 : "rcx", "rdx", "memory", "cc");
	return n;
}

/*
 *	start	rcx = top, n = 0
 *	more	rdx[rcx] == in[n]: no more
 *		at rcx + 1 slot a block starts: no more
 *		rcx += 1 slot, rdx[rcx] = in[n++], until n = nr
 *		n = 0: refused
 *	commit	top = rcx
 */
static inline size_t port_hit_push_many(struct port_stack *first, void *const *in, size_t nr)
{
	size_t n;
	void *p;
	uint32_t at;

	__asm__ volatile(RSEQ_MANY "5:\n\t"
				   "movq (%[in], %%rax, 8), %[p]\n\t"
				   "cmpq %[p], (%%rdx, %%rcx)\n\t"
				   "je 6f\n\t"
				   "addq $8, %%rcx\n\t"
				   "leal (%%rdx, %%rcx), %k[at]\n\t"
				   "testl %k[at], " KMEM_HIT_MASK "(%%rdx)\n\t"
				   "jz 7f\n\t"
				   "movq %[p], (%%rdx, %%rcx)\n\t"
				   "incq %%rax\n\t"
				   "cmpq %[nr], %%rax\n\t"
				   "jb 5b\n\t"
				   "jmp 6f\n"
				   "7:\n\t"
				   "subq $8, %%rcx\n" RSEQ_MANY_COMMIT
			 : "=&a"(n), [p] "=&r"(p), [at] "=&r"(at)
			 : RSEQ_INPUTS, [in] "r"(in), [nr] "r"(nr)
			 : "rcx", "rdx", "memory", "cc");
	return n;
}

/*
 * Puts none in place of the top that was seen, in the stack of the CPU this runs on, where everybody
 * else's sequences are aborted by then.
 *
 *	start	the CPU I am on is another one: elsewhere
 *	commit	the stack's top, if it still is the one seen, by none
 */
static inline enum port_rseq_swapped port_rseq_swap(struct port_stack *s, unsigned int cpu,
						    size_t seen)
{
	bool done;

	__asm__ volatile goto(KMEM_HIT_DESCRIPTOR("jmp 3f")
				      KMEM_HIT_ENTER(KMEM_HIT_OWN) "1:\n\t"
								   "cmpl %%fs:" KMEM_HIT_CPU_ID
								   "(%[rseq]), %[cpu]\n\t"
								   "jne %l[elsewhere]\n\t"
								   "movq %[seen], %%rax\n\t"
								   "lock cmpxchgq %[none], (%[s])\n"
								   "2:\n\t"
								   "setz %[done]\n\t"
			      : [done] "=&q"(done)
			      : [rseq] "r"(port_rseq_offset), [cpu] "r"(cpu), [seen] "r"(seen),
				[s] "r"(s), [none] "r"(stack_place(s, STACK_NONE))
			      : "rax", "memory", "cc"
			      : elsewhere);
	return done ? PORT_RSEQ_DONE : PORT_RSEQ_CHANGED;
elsewhere:
	return PORT_RSEQ_ELSEWHERE;
}

#endif
