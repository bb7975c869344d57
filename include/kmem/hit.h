/* SPDX-License-Identifier: MIT */
/*
 * What the library and a program that has its hits inside of itself (<kmem/inline.h>) know of each other: where a
 * hit finds what it needs, and the sequences themselves. None of the names is an interface. Those of the two
 * variables carry a version: a program that knows another layout than its library does not start.
 */
#ifndef KMEM_HIT_H
#define KMEM_HIT_H

#include <stdbool.h>
#include <stddef.h>
#include <kmem/gfp.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Requests that may hit carry none of these. */
#define KMEM_HIT_SPECIAL                                                                     \
	(~(__GFP_RECLAIM | __GFP_HIGH | __GFP_IO | __GFP_FS | __GFP_NOWARN | __GFP_NORETRY | \
	   __GFP_RETRY_MAYFAIL | __GFP_NOFAIL | __GFP_MEMALLOC | __GFP_NOMEMALLOC |          \
	   __GFP_HARDWALL | __GFP_COMP | __GFP_WRITE))

enum {
	KMEM_HIT_AREA_SHIFT = 18,     /* of a CPU's area, whose neighbour is the next CPU's */
	KMEM_HIT_STARTS = 64,	      /* of a word that nobody's stack has, before CPU 0's */
	KMEM_HIT_OWNERS = 0x3fffffff, /* frames from address 0 on that have a word */
	KMEM_HIT_SMALL_BITS = 44,     /* of what KMEM_HIT_STARTS_AT() makes of an object's start */
};

/* In the C library's rseq area these lie so as well; it is the kernel's ABI. */
struct kmem_hit_seq {
	unsigned int cpu_id_start, cpu_id;
	unsigned long long cs;
};
/*
 * Where a task announces the sequences of its hits: in its rseq area while it is in the middle of nothing; else in a
 * thing like it that says that the thread runs nowhere.
 */
struct kmem_hit_task {
	struct kmem_hit_seq *at, nowhere;
};
#define KMEM_HIT_TLS __attribute__((__tls_model__("initial-exec")))
extern __thread KMEM_HIT_TLS struct kmem_hit_task kmem_hit_task_v1;

/*
 * Does an object start there? One word of a cache says it for all of its regular slabs, which are aligned to their
 * size: how many bits of an address are not the place in one, and a fraction of 2^64 that makes places where none
 * starts large (object_starts() in src/slab/slab.h). KMEM_HIT_NOWHERE: none does, from 256 MiB to 2^48.
 */
#define KMEM_HIT_PLACE(word, address) ((unsigned long long)(address) << ((word)&63) >> ((word)&63))
#define KMEM_HIT_STARTS_AT(word, address) \
	(KMEM_HIT_PLACE(word, address) * (word) >> KMEM_HIT_SMALL_BITS == 0)
#define KMEM_HIT_NOWHERE 0x10000ull
struct port_stack;
/* How a cache begins. */
struct kmem_hit_cache {
	struct port_stack *fast; /* CPU 0's */
	unsigned long long starts;
};
/*
 * Of the machine there is. A frame's owner is CPU 0's stack of its cache, where all objects of the frame may hit;
 * else NULL, as for all addresses that are not the machine's. NULL: no machine, or no such table, and no free hits.
 */
struct kmem_hit_machine {
	struct port_stack **owner;   /* by address / PAGE_SIZE, KMEM_HIT_OWNERS of them */
	struct port_stack **kmalloc; /* by (size - 1) / 8; each NULL without a machine */
};
extern struct kmem_hit_machine kmem_hit_v2;

/*
 * The descriptor, 9, of the sequence 1..2, whose abort address 4 leads elsewhere: before that address
 * stands the signature that glibc has registered, in an instruction that traps. They go with a function of which the
 * linker keeps one of many (the question marks).
 */
#define KMEM_HIT_SEQUENCE(signature, jump)                        \
	".pushsection __rseq_cs, \"aw?\"\n\t"                     \
	".balign 32\n\t"                                          \
	"9:\n\t"                                                  \
	".long 0, 0\n\t"                                          \
	".quad 1f, 2f - 1f, 4f\n\t"                               \
	".popsection\n\t"                                         \
	".pushsection .text.unlikely, \"ax?\"\n\t" signature "\n" \
	"4:\n\t" jump "\n\t"                                      \
	".popsection\n"

#if defined(__x86_64__)
/* Offsets, as the assembler writes them. */
#define KMEM_HIT_CPU_ID "4"
#define KMEM_HIT_CS	"8"
#define KMEM_HIT_MASK	"12"

/* The bytes before the signature make it an instruction that traps. */
#define KMEM_HIT_DESCRIPTOR(aborted) \
	KMEM_HIT_SEQUENCE(".byte 0x0f, 0xb9, 0x3d\n\t.long 0x53053053", aborted)

/* What [rseq] is: an offset from the thread pointer, or an address. */
#define KMEM_HIT_OWN  "%%fs:"
#define KMEM_HIT_TOLD ""

#define KMEM_HIT_ENTER(area)        \
	"3:\n\t"                    \
	"leaq 9b(%%rip), %%rax\n\t" \
	"movq %%rax, " area KMEM_HIT_CS "(%[rseq])\n"

/*
 * rcx: the top of the stack of the CPU this runs on, whose address is in rdx, where CPU 0's was. One register
 * without an offset: what a CPU forwards from the last store to the next load without waiting, it does there. A
 * pair of malloc and free takes 6.4 ns so, and 9.5 by two registers.
 */
#define KMEM_HIT_TOP(area)                                    \
	"movslq " area KMEM_HIT_CPU_ID "(%[rseq]), %%rcx\n\t" \
	"shlq %[shift], %%rcx\n\t"                            \
	"addq %%rcx, %%rdx\n\t"                               \
	"movq (%%rdx), %%rcx\n\t"

#define KMEM_HIT_ONE(area, aborted) \
	KMEM_HIT_DESCRIPTOR(aborted) KMEM_HIT_ENTER(area) "1:\n\t" KMEM_HIT_TOP(area)

/*
 *	start	rcx = top
 *		p = rdx[rcx], NULL: refused	(in rax, where a function returns it)
 *	commit	top = rcx - 1 slot
 *	abort	p = NULL: refused		(a compiler may return p in place of NULL)
 */
#define KMEM_HIT_POP(area, where, first, p, refused)                                              \
	__asm__ __volatile__ goto(                                                                \
		KMEM_HIT_ONE(                                                                     \
			area,                                                                     \
			"xorl %%eax, %%eax\n\tjmp %l[refused]") "movq (%%rdx, %%rcx), %[got]\n\t" \
								"testq %[got], %[got]\n\t"        \
								"jz %l[refused]\n\t"              \
								"subq $8, %%rcx\n\t"              \
								"movq %%rcx, (%%rdx)\n"           \
								"2:\n\t"                          \
		: [got] "=&a"(p), "+d"(first)                                                     \
		: [rseq] "r"(where), [shift] "i"(KMEM_HIT_AREA_SHIFT)                             \
		: "rcx", "memory", "cc"                                                           \
		: refused)

/*
 *	start	rcx = top
 *		rdx[rcx] == p: refused
 *		at rcx + 1 slot a block starts: refused
 *		rdx[rcx + 1 slot] = p		(above the top: nobody looks there)
 *	commit	top = rcx + 1 slot
 */
#define KMEM_HIT_PUSH(area, where, first, p, refused)                                             \
	__asm__ __volatile__ goto(                                                                \
		KMEM_HIT_ONE(area, "jmp %l[refused]") "cmpq %[give], (%%rdx, %%rcx)\n\t"          \
						      "je %l[refused]\n\t"                        \
						      "addq $8, %%rcx\n\t"                        \
						      "leal (%%rdx, %%rcx), %%eax\n\t"            \
						      "testl %%eax, " KMEM_HIT_MASK "(%%rdx)\n\t" \
						      "jz %l[refused]\n\t"                        \
						      "movq %[give], (%%rdx, %%rcx)\n\t"          \
						      "movq %%rcx, (%%rdx)\n"                     \
						      "2:\n\t"                                    \
		: "+d"(first)                                                                     \
		: [rseq] "r"(where), [shift] "i"(KMEM_HIT_AREA_SHIFT), [give] "r"(p)              \
		: "rax", "rcx", "memory", "cc"                                                    \
		: refused)

/* Only ever a copy. */
#define KMEM_HIT_PART extern __inline__ __attribute__((__gnu_inline__, __always_inline__))

/* Those that heed the task's word. */
KMEM_HIT_PART void *kmem_hit_pop(struct port_stack *first)
{
	void *p;

	KMEM_HIT_POP(KMEM_HIT_TOLD, kmem_hit_task_v1.at, first, p, refused);
	if (!p)
		__builtin_unreachable(); /* no sheaf holds that */
	return p;
refused:
	return NULL;
}

KMEM_HIT_PART bool kmem_hit_push(struct port_stack *first, void *p)
{
	KMEM_HIT_PUSH(KMEM_HIT_TOLD, kmem_hit_task_v1.at, first, p, refused);
	return true;
refused:
	return false;
}
#endif

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
