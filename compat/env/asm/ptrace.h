/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_PTRACE_H
#define KMEM_ENV_ASM_PTRACE_H

struct pt_regs {
	unsigned long ip, sp;
};
#define instruction_pointer(regs) ((regs)->ip)
#define user_mode(regs)		  0

#endif
