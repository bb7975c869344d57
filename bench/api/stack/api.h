/* SPDX-License-Identifier: MIT */
/*
 * The port's bare per-CPU stack, without an allocator around it: pop and push of one pointer. Nothing
 * that is built on it can be faster. Not an API for programs, so this one sees the library's inside.
 */
#ifndef BENCH_API_H
#define BENCH_API_H

#include <sched.h>
#include "sync/sync.h"
#include <kmem/kmem.h>

enum { STACK_CAP = 30 };

static struct port_stack *stack_first;

static inline void api_open(size_t size)
{
	u32 stack_off;

	if (stack_first)
		return;
	if (kmem_boot(NULL) != 0)
		abort();
	stack_off = percpu_alloc(sizeof(struct port_stack));
	for (unsigned int cpu = 0; cpu < port_ncpu(); cpu++) {
		size_t bytes = sheaf_block(STACK_CAP);
		void *block = aligned_alloc(bytes, bytes);
		struct sheaf *s;

		if (!block)
			abort();
		s = sheaf_in(block, STACK_CAP);
		*s = (struct sheaf){.cap = STACK_CAP};
		port_stack_init(stack_off, cpu, STACK_CAP);
		while (s->n < STACK_CAP / 2)
			s->slot[s->n++] = calloc(1, size);
		if (!port_stack_put(stack_off, cpu, s))
			abort();
	}
	stack_first = port_stack_first(stack_off);
}

static inline void api_close(void)
{
}

static inline void *api_alloc(size_t size)
{
	void *p;

	(void)size;
	do
		p = port_hit_pop(stack_first);
	while (__builtin_expect(!p, 0));
	return p;
}

static inline void api_free(void *p)
{
	while (__builtin_expect(!port_hit_push(stack_first, p), 0))
		;
}

#endif
