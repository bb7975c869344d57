/* SPDX-License-Identifier: MIT */
/*
 * What the workloads of the benchmark share: the clock, the random numbers, the threads, and one line
 * of JSON for each case.
 *
 * A workload is a function that measures one or more cases. It reaches the allocator under test
 * through api.h alone, of which there is one folder each under bench/api; a program is all workloads
 * that an API serves, so every allocator runs the same source. Each process does one round of one
 * workload, and the driver (bench/kmem-bench) lets the allocators take turns.
 *
 *	WORKLOAD(pair)
 *	{
 *		measure("64", 20000, pair_chunk, &size);
 *	}
 *
 * All values are such that less is better.
 */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench_options {
	uint64_t ms;	      /* how long a case is measured */
	unsigned int threads; /* at most so many at once */
	uint64_t seed;
	const char *file; /* the operand of a workload that has one */
};
extern struct bench_options bench;

struct workload {
	const char *name;
	void (*run)(void);
	struct workload *next;
};
void workload_add(struct workload *w);

#define WORKLOAD(word)                                                                             \
	static void run_##word(void);                                                              \
	static struct workload workload_##word = {.name = #word, .run = run_##word, .next = NULL}; \
	static __attribute__((constructor)) void register_##word(void)                             \
	{                                                                                          \
		workload_add(&workload_##word);                                                    \
	}                                                                                          \
	static void run_##word(void)

uint64_t now_ns(void);

/* The compiler must take p for used, and memory for changed. */
static inline void keep(void *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
}

/* What a program does first with a block it was given. */
static inline void touch(void *p)
{
	*(volatile uint64_t *)p = 1;
}

/* Ends the program, for a measurement that cannot be made says nothing. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
static inline void *need(void *p)
{
	if (__builtin_expect(!p, 0))
		die("no memory");
	return p;
}

/* Memory of the workload itself, from the host and not from the allocator under test. */
void *own_alloc(size_t bytes);
void own_free(void *p, size_t bytes);

/* A small fast generator (xorshift64*); never 0 as a state. */
static inline uint64_t rnd(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1dull;
}

/* 0..n-1; n below 2^32. */
static inline uint32_t rnd_below(uint64_t *state, uint32_t n)
{
	return (uint32_t)(((rnd(state) >> 32) * n) >> 32);
}

/* A size in [least, most], small ones as likely as large ones: uniform over the powers of two. */
uint32_t rnd_size(uint64_t *state, uint32_t least, uint32_t most);
/* 0..n-1 in random order. */
void rnd_order(uint64_t *state, uint32_t *order, uint32_t n);

/* Prints the line of a case. */
void case_report(const char *name, const char *unit, double value);

/*
 * Runs the chunk again and again: a quarter of the time to warm up, then at least three times and
 * until the time is over. The value is the median chunk, in nanoseconds an operation, so that what
 * interrupts a few chunks does not count. A chunk is to take a good part of a millisecond, so that what the
 * allocator does seldom does count.
 */
void measure(const char *name, uint64_t ops, void (*chunk)(void *arg), void *arg);

/*
 * n threads at work at once until `stop`; each counts its operations. This takes twice the time of
 * measure(): a quarter of it to warm up, then all is counted every millisecond. The value is nanoseconds
 * of the wall clock for each operation of them all, in the slice of a millisecond that is faster than
 * three of four: other work on the machine takes CPUs away for longer than a slice.
 */
struct worker {
	uint64_t done; /* written by the worker alone */
	const bool *stop;
	unsigned int nr, of;
	uint64_t seed;
	void *arg;
} __attribute__((aligned(128)));
void measure_team(const char *name, unsigned int n, void (*work)(struct worker *w), void *arg);

static inline bool worker_stop(const struct worker *w)
{
	return __atomic_load_n(w->stop, __ATOMIC_ACQUIRE);
}

static inline void worker_did(struct worker *w, uint64_t n)
{
	__atomic_store_n(&w->done, w->done + n, __ATOMIC_RELAXED);
}

#endif
