/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU areas: one block of memory a CPU, all with the same layout, handed out by offset.
 *
 *	                 base             base + stride
 *	| nobody's       | CPU 0          | CPU 1          | ...
 *	|0|.|##|...      |0|.|##|...      |0|.|##|...		## = one allocation, at one offset
 *
 * The layout is a bitmap of units of 64 bytes, a cache line, searched first fit: allocations are a
 * few hundred for the life of a machine, made when a cache or a zone comes up, so what counts is
 * that they lie together and not how long the search takes.
 *
 *	bits set = 1 + sum of the units of all allocations	(unit 0 is never handed out)
 *
 * Before percpu_init and after percpu_exit the areas are one unit each: a stack verb at offset 0 finds
 * an empty stack even then.
 *
 * Lock: percpu_lock, RANK_LEAF, over the bitmap alone. An allocation is zeroed outside of it: its
 * owner is already known.
 */
#include "sync/sync.h"

enum { WORD_BITS = 32, PERCPU_MAX_UNITS = (1 << PERCPU_MAX_SHIFT) / PERCPU_UNIT };
static unsigned char percpu_none[KMEM_MAX_CPUS + 1][PERCPU_UNIT] __attribute__((aligned(64)));
unsigned char *kmem_percpu_base = percpu_none[1];
size_t kmem_percpu_stride = PERCPU_UNIT;

static struct lock percpu_lock = {.rank = RANK_LEAF};
static u32 percpu_bits[PERCPU_MAX_UNITS / WORD_BITS];
static u32 percpu_units; /* of one area; 0: off */

static bool unit_taken(u32 unit)
{
	return (percpu_bits[unit / WORD_BITS] >> (unit % WORD_BITS)) & 1;
}

static void unit_mark(u32 unit, u32 n, bool taken)
{
	for (; n > 0; n--, unit++) {
		u32 bit = (u32)1 << (unit % WORD_BITS);

		assert_always(unit_taken(unit) != taken);
		if (taken)
			percpu_bits[unit / WORD_BITS] |= bit;
		else
			percpu_bits[unit / WORD_BITS] &= ~bit;
	}
}

/* First unit of the first run of n free ones; 0, which is never free, if there is none. */
static u32 unit_find(u32 n)
{
	u32 run = 0;

	for (u32 unit = 1; unit < percpu_units; unit++) {
		run = unit_taken(unit) ? 0 : run + 1;
		if (run == n)
			return unit - n + 1;
	}
	return 0;
}

u32 percpu_alloc(size_t bytes)
{
	irqflags_t flags;
	u32 unit, n;

	if (bytes == 0 || bytes > (size_t)PERCPU_MAX_UNITS * PERCPU_UNIT)
		return PERCPU_NONE;
	n = (u32)(align_up(bytes, PERCPU_UNIT) / PERCPU_UNIT);
	flags = lock_take(&percpu_lock);
	unit = unit_find(n);
	if (unit)
		unit_mark(unit, n, true);
	lock_release(&percpu_lock, flags);
	if (!unit)
		return PERCPU_NONE;
	__builtin_memset(percpu_first(unit * PERCPU_UNIT) - kmem_percpu_stride, 0,
			 (size_t)n * PERCPU_UNIT);
	for (unsigned int cpu = 0; cpu < kmem_machine.nr_cpus; cpu++)
		__builtin_memset(percpu_ptr(unit * PERCPU_UNIT, cpu), 0, (size_t)n * PERCPU_UNIT);
	return unit * PERCPU_UNIT;
}

void percpu_free(u32 off, size_t bytes)
{
	u32 n = (u32)(align_up(bytes, PERCPU_UNIT) / PERCPU_UNIT);
	irqflags_t flags;

	if (off == PERCPU_NONE)
		return;
	assert_always(off % PERCPU_UNIT == 0);
	assert_always(off / PERCPU_UNIT + n <= percpu_units);
	flags = lock_take(&percpu_lock);
	unit_mark(off / PERCPU_UNIT, n, false);
	lock_release(&percpu_lock, flags);
}

static void percpu_layout(unsigned char *base, size_t stride, unsigned int nr_cpus)
{
	kmem_percpu_base = base;
	kmem_percpu_stride = stride;
	port_stack_layout();
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		port_stack_init(PERCPU_NONE, cpu, 0);
}

void percpu_init(void *base, unsigned int shift)
{
	assert_always(base);
	assert_always((size_t)1 << shift > PERCPU_UNIT && shift <= PERCPU_MAX_SHIFT);
	assert_always(kmem_machine.nr_cpus > 0 && kmem_machine.nr_cpus <= KMEM_MAX_CPUS);
	assert_always(percpu_units == 0);
	__builtin_memset(percpu_bits, 0, sizeof(percpu_bits));
	percpu_bits[0] = 1;
	percpu_units = ((u32)1 << shift) / PERCPU_UNIT;
	percpu_layout(base, (size_t)1 << shift, kmem_machine.nr_cpus);
}

void percpu_exit(void)
{
	percpu_units = 0;
	percpu_layout(percpu_none[1], PERCPU_UNIT, KMEM_MAX_CPUS);
}

void percpu_fork_lock(void)
{
	lock_fork_take(&percpu_lock);
}

void percpu_fork_unlock(bool child)
{
	if (child)
		lock_reset(&percpu_lock);
	else
		lock_fork_drop(&percpu_lock);
}
