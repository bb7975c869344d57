/* SPDX-License-Identifier: MIT */
/*
 * What kmem sweep and a program under it tell each other: a file that both have mapped. Its path and
 * what the process is to do are the words of the environment variable KMEM_SWEEP, which the library
 * takes away again:
 *
 *	PATH fork	the trunk: each failable request from `from` on, or every so manyth of them,
 *			copies the process; the copy's request fails, and the trunk's goes on
 *	PATH N		the N-th failable request fails
 *	PATH 0		none does: they are counted
 *
 * A token is one copy that may run; the trunk takes them, the command gives them. All fields move by
 * atomics but those that a process writes before it stores its pid.
 */
#ifndef KMEM_SWEEP_H
#define KMEM_SWEEP_H

#include <stdint.h>

enum {
	KMEM_SWEEP_MAGIC = 0x6b737731,
	KMEM_SWEEP_FRAMES = 24,
	KMEM_SWEEP_MODULES = 64,
	KMEM_SWEEP_PATH = 240
};

/* One request that failed, and what came of it. */
struct kmem_sweep_run {
	uint32_t pid;	  /* of the process it failed in; 0: none */
	uint32_t refused; /* the process could not be copied here: to be started anew */
	uint32_t ended;	  /* machines that were shut down: then leaks are known */
	uint32_t depth;	  /* frames */
	uint64_t leaks, misuses;
	uint64_t pc[KMEM_SWEEP_FRAMES];
};

struct kmem_sweep_module {
	uint64_t base;
	char path[KMEM_SWEEP_PATH];
};

struct kmem_sweep {
	uint32_t magic, tokens;
	uint64_t from, every; /* the first request to fail, and steps from one to the next */
	uint64_t room;	      /* how many runs there is room for */
	uint64_t requests;    /* that the trunk has made */
	uint32_t nr_modules;
	uint32_t refuse; /* a copy has hung: no more copies */
	struct kmem_sweep_run trunk;
	struct kmem_sweep_module module[KMEM_SWEEP_MODULES];
	/* behind it: room runs, of the requests from, from + every, ... */
};

static inline uint64_t kmem_sweep_request(const struct kmem_sweep *s, uint64_t run)
{
	return s->from + run * s->every;
}

static inline struct kmem_sweep_run *kmem_sweep_run(struct kmem_sweep *s, uint64_t request)
{
	return (struct kmem_sweep_run *)(s + 1) + (request - s->from) / s->every;
}

#endif
