/* SPDX-License-Identifier: MIT */
/*
 * Switching stacks. On x86-64 what a call must preserve is six registers and the stack pointer: a
 * switch costs about two nanoseconds. Elsewhere the C library's contexts serve, at a system call
 * each; a task's `sp` then points to its context.
 */
#include <stdlib.h>
#include "engine.h"

#if defined(__x86_64__)

void sim_switch_asm(void **from, void *to);
__asm__(".text\n"
	".globl sim_switch_asm\n"
	".hidden sim_switch_asm\n"
	".type sim_switch_asm,@function\n"
	"sim_switch_asm:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	".size sim_switch_asm, . - sim_switch_asm\n");

void sim_stack_init(void **sp, void *base, size_t bytes, void (*entry)(void))
{
	uintptr_t *top = (uintptr_t *)(void *)((char *)base + bytes);

	/* At entry the stack is 8 off a multiple of 16, as after a call; the word is its return. */
	*--top = 0;
	*--top = (uintptr_t)entry;
	for (int i = 0; i < 6; i++)
		*--top = 0;
	*sp = top;
}

void sim_switch(void **from, void *to)
{
	sim_switch_asm(from, to);
}

#else

#include <ucontext.h>

/* The context lies at the stack's bottom; the host's is allocated on its first switch. */
void sim_stack_init(void **sp, void *base, size_t bytes, void (*entry)(void))
{
	ucontext_t *uc = base;
	size_t used = (sizeof(*uc) + 63) & ~(size_t)63;

	getcontext(uc);
	uc->uc_stack.ss_sp = (char *)base + used;
	uc->uc_stack.ss_size = bytes - used;
	uc->uc_link = NULL;
	makecontext(uc, entry, 0);
	*sp = uc;
}

void sim_switch(void **from, void *to)
{
	static ucontext_t *host;

	if (!*from) {
		if (!host)
			host = malloc(sizeof(*host));
		*from = host;
	}
	swapcontext(*from, to);
}

#endif
