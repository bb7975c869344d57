/* SPDX-License-Identifier: MIT */
/* The model of the caches, and the functions that instrumented code calls. */
#include <kmem/port.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lines.h"
#include "port_inline.h"

enum { LINE_SHIFT = 6, TABLE_BITS = 20, SITE_BITS = 12 };

struct line {
	uintptr_t nr; /* address >> LINE_SHIFT; 0: none */
	uint32_t holders;
};

static struct line table[1 << TABLE_BITS];
static struct lines_site sites[1 << SITE_BITS];
static uint64_t moves;
static unsigned int lines_used;
static bool counting;

static void full(const char *what)
{
	fprintf(stderr, "bench-lines: more %s than there is room for\n", what);
	exit(1);
}

static struct line *line_of(uintptr_t nr)
{
	size_t i = (size_t)((nr * 0x9e3779b97f4a7c15u) >> (64 - TABLE_BITS));

	while (table[i].nr && table[i].nr != nr)
		i = (i + 1) % (1 << TABLE_BITS);
	if (!table[i].nr) {
		if (++lines_used > (1 << TABLE_BITS) * 3 / 4)
			full("lines");
		table[i].nr = nr;
	}
	return &table[i];
}

static void site_count(const void *pc)
{
	size_t i = (size_t)(((uintptr_t)pc * 0x9e3779b97f4a7c15u) >> (64 - SITE_BITS));

	for (unsigned int tries = 0; tries < 1 << SITE_BITS; tries++) {
		if (!sites[i].pc)
			sites[i].pc = pc;
		if (sites[i].pc == pc) {
			sites[i].moves++;
			return;
		}
		i = (i + 1) % (1 << SITE_BITS);
	}
	full("sites");
}

/* The simulator's own variables that its inline verbs use: no machine has them. */
static bool is_simulators(uintptr_t at)
{
	return at - (uintptr_t)&sim_gap < sizeof(sim_gap) ||
	       at - (uintptr_t)&sim_self < sizeof(sim_self);
}

static void access_line(uintptr_t nr, bool write, const void *pc)
{
	uint32_t me = (uint32_t)1 << port_cpu();
	struct line *l = line_of(nr);
	bool moved = write ? l->holders & ~me : l->holders && !(l->holders & me);

	if (counting && moved) {
		moves++;
		site_count(pc);
	}
	l->holders = write ? me : l->holders | me;
}

static void access_bytes(const volatile void *p, size_t bytes, bool write, const void *pc)
{
	uintptr_t at = (uintptr_t)p, last = at + bytes - 1;

	if (!sim_self || is_simulators(at))
		return;
	for (uintptr_t nr = at >> LINE_SHIFT; nr <= last >> LINE_SHIFT; nr++)
		access_line(nr, write, pc);
}

void lines_touch(void *p, bool write)
{
	access_bytes(p, 1, write, __builtin_return_address(0));
}

void lines_forget(void)
{
	memset(table, 0, sizeof(table));
	lines_used = 0;
}

void lines_start(void)
{
	moves = 0;
	memset(sites, 0, sizeof(sites));
	counting = true;
}

void lines_stop(void)
{
	counting = false;
}

uint64_t lines_moves(void)
{
	return moves;
}

static int by_moves(const void *a, const void *b)
{
	uint64_t x = ((const struct lines_site *)a)->moves,
		 y = ((const struct lines_site *)b)->moves;

	return x < y ? 1 : x > y ? -1 : 0;
}

unsigned int lines_sites(struct lines_site *site, unsigned int max)
{
	unsigned int n = 0;

	qsort(sites, 1 << SITE_BITS, sizeof(*sites), by_moves);
	for (; n < max && sites[n].moves; n++)
		site[n] = sites[n];
	return n;
}

/* ---- What gcc calls ------------------------------------------------------------------------------- */

#define HERE __builtin_return_address(0)

void __tsan_init(void);
void __tsan_init(void)
{
}
void __tsan_func_entry(void *pc);
void __tsan_func_entry(void *pc)
{
	(void)pc;
}
void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
}

#define PLAIN(name, bytes, write)                        \
	void __tsan_##name(void *p);                     \
	void __tsan_##name(void *p)                      \
	{                                                \
		access_bytes(p, (bytes), (write), HERE); \
	}
#define PLAIN_OF(n)                        \
	PLAIN(read##n, n, false)           \
	PLAIN(write##n, n, true)           \
	PLAIN(unaligned_read##n, n, false) \
	PLAIN(unaligned_write##n, n, true)
PLAIN_OF(1)
PLAIN_OF(2)
PLAIN_OF(4)
PLAIN_OF(8)
PLAIN_OF(16)

void __tsan_read_range(void *p, size_t bytes);
void __tsan_read_range(void *p, size_t bytes)
{
	if (bytes)
		access_bytes(p, bytes, false, HERE);
}
void __tsan_write_range(void *p, size_t bytes);
void __tsan_write_range(void *p, size_t bytes)
{
	if (bytes)
		access_bytes(p, bytes, true, HERE);
}

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order)
{
	(void)order;
}

/* A failed exchange wants the line for itself all the same. */
#define CHANGE(bits, name, what)                                                         \
	T##bits __tsan_atomic##bits##_##name(volatile T##bits *p, T##bits v, int order); \
	T##bits __tsan_atomic##bits##_##name(volatile T##bits *p, T##bits v, int order)  \
	{                                                                                \
		T##bits was = *p;                                                        \
                                                                                         \
		(void)order;                                                             \
		access_bytes(p, sizeof(v), true, HERE);                                  \
		*p = (T##bits)(what);                                                    \
		return was;                                                              \
	}
#define ATOMIC(bits)                                                                          \
	typedef uint##bits##_t T##bits;                                                       \
	T##bits __tsan_atomic##bits##_load(const volatile T##bits *p, int order);             \
	T##bits __tsan_atomic##bits##_load(const volatile T##bits *p, int order)              \
	{                                                                                     \
		(void)order;                                                                  \
		access_bytes(p, sizeof(*p), false, HERE);                                     \
		return *p;                                                                    \
	}                                                                                     \
	void __tsan_atomic##bits##_store(volatile T##bits *p, T##bits v, int order);          \
	void __tsan_atomic##bits##_store(volatile T##bits *p, T##bits v, int order)           \
	{                                                                                     \
		(void)order;                                                                  \
		access_bytes(p, sizeof(*p), true, HERE);                                      \
		*p = v;                                                                       \
	}                                                                                     \
	CHANGE(bits, exchange, v)                                                             \
	CHANGE(bits, fetch_add, was + v)                                                      \
	CHANGE(bits, fetch_sub, was - v)                                                      \
	CHANGE(bits, fetch_and, was &v)                                                       \
	CHANGE(bits, fetch_or, was | v)                                                       \
	CHANGE(bits, fetch_xor, was ^ v)                                                      \
	int __tsan_atomic##bits##_compare_exchange_strong(volatile T##bits *p, T##bits *seen, \
							  T##bits v, int yes, int no);        \
	int __tsan_atomic##bits##_compare_exchange_strong(volatile T##bits *p, T##bits *seen, \
							  T##bits v, int yes, int no)         \
	{                                                                                     \
		T##bits was = *p;                                                             \
                                                                                              \
		(void)yes;                                                                    \
		(void)no;                                                                     \
		access_bytes(p, sizeof(v), true, HERE);                                       \
		if (was != *seen) {                                                           \
			*seen = was;                                                          \
			return 0;                                                             \
		}                                                                             \
		*p = v;                                                                       \
		return 1;                                                                     \
	}                                                                                     \
	int __tsan_atomic##bits##_compare_exchange_weak(volatile T##bits *p, T##bits *seen,   \
							T##bits v, int yes, int no);          \
	int __tsan_atomic##bits##_compare_exchange_weak(volatile T##bits *p, T##bits *seen,   \
							T##bits v, int yes, int no)           \
	{                                                                                     \
		return __tsan_atomic##bits##_compare_exchange_strong(p, seen, v, yes, no);    \
	}
ATOMIC(8)
ATOMIC(16)
ATOMIC(32)
ATOMIC(64)
