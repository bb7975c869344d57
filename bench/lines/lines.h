/* SPDX-License-Identifier: MIT */
/*
 * Cache lines that move from CPU to CPU, counted instead of timed.
 *
 *	line		64 bytes of memory
 *	holder		a CPU that has the line as it is now, in a cache of any size
 *	move		an access that must wait for another CPU: a read of what another has written since,
 *			or a write of what others hold. On hardware that is 50 to 150 ns between cores
 *	first touch	by any CPU; it moves nothing
 *
 * The core is compiled so that it calls the functions of runtime.c at each access to memory (gcc's
 * -fsanitize=thread, without its library), and runs in the simulator on as many CPUs as are wanted.
 */
#ifndef LINES_H
#define LINES_H
#include <stdbool.h>
#include <stdint.h>

enum { LINES_CPUS = 32, LINES_SITES = 8 };

struct lines_site {
	const void *pc;
	uint64_t moves;
};

void lines_forget(void); /* who holds what: another machine */
void lines_start(void);	 /* counts from nothing */
void lines_stop(void);
uint64_t lines_moves(void);
/* The places with the most moves, the worst first. Once for each count. */
unsigned int lines_sites(struct lines_site *site, unsigned int max);
/* What a workload does with memory of its own. */
void lines_touch(void *p, bool write);

#endif
