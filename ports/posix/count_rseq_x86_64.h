/* SPDX-License-Identifier: MIT */
/*
 * Counters of each CPU as restartable sequences on x86-64; stack_rseq_x86_64.h explains them. An
 * addition to memory is one instruction, so that it is the whole of the sequence but for which CPU's
 * counter it is: no other CPU adds to it, and the host lets nobody in between.
 *
 *	start	cpu = the CPU I am on; the machine has no such CPU: refused
 *	commit	*(first + cpu stride) += n
 */
#ifndef PORT_COUNT_RSEQ_X86_64_H
#define PORT_COUNT_RSEQ_X86_64_H

#define RSEQ_COUNT                                          \
	KMEM_HIT_DESCRIPTOR("jmp %l[refused]")              \
	KMEM_HIT_ENTER(KMEM_HIT_OWN)                        \
	"1:\n\t"                                            \
	"movl %%fs:" KMEM_HIT_CPU_ID "(%[rseq]), %%eax\n\t" \
	"cmpl %[cpus], %%eax\n\t"                           \
	"jae %l[refused]\n\t"                               \
	"imulq %[stride], %%rax\n\t"

static inline __attribute__((always_inline)) bool port_hit_count(uint64_t *first, size_t stride,
								 uint64_t n)
{
	__asm__ volatile goto(RSEQ_COUNT "addq %[n], (%[first], %%rax)\n"
					 "2:\n\t"
			      :
			      : [rseq] "r"(port_rseq_offset), [cpus] "m"(port_rseq_cpus),
				[stride] "r"(stride), [first] "r"(first), [n] "re"(n)
			      : "rax", "memory", "cc"
			      : refused);
	return true;
refused:
	return false;
}

#endif
