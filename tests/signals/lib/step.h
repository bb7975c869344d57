/* SPDX-License-Identifier: MIT */
/*
 * A signal at every instruction of a call of the library.
 *
 *	victim	the call that is interrupted; prepared so that it takes a certain path
 *	shape	what the handler does
 *	boundary	a place between two instructions of the victim: (victim, k)
 *	run	one victim, interrupted once, at boundary k, by one shape; to its end, and judged
 *	finding	what was wrong with a run
 *
 * The victim is stepped with the processor's trap flag. At each boundary the state of the whole machine
 * (the library's memory, the victim's stack and registers) is put aside; the shape runs in the very
 * handler of the trap, the victim goes on to its end at full speed, the result is judged; then the
 * state is put back, for the next shape or for the next step. So each run has one interruption, and
 * a victim of n instructions costs n steps and not n * n / 2.
 *
 * Judged after each run: no report, no byte with two owners, all stamps whole, kmem_check(); then
 * everything is freed and drained: kmem_check() again, no object and no page left over.
 *
 * One thread, pinned to one CPU: whoever waits for a lock waits for himself, which is a finding
 * at once. Who loops without end is found by the CPU time that passes without a run.
 */
#ifndef STEP_H
#define STEP_H
#include <stdbool.h>
#include <stdint.h>

enum { STEP_TEXT = 400, STEP_SHAPES_MOST = 32 };

struct step_plan {
	unsigned int shapes; /* of each boundary; 0: all of them */
	uint64_t seed;	     /* which ones */
	unsigned int visits; /* of each address, at most 255; 0: all, which is every boundary */
	const char
		*rips_path; /* every address stepped over, as bytes from the start of the program */
};

struct step_result {
	uint64_t boundaries, runs, steps; /* interrupted, judged, instructions of the victim */
	uint64_t refused; /* requests of shapes that got nothing, where memory was plentiful */
	uint64_t refused_of[STEP_SHAPES_MOST];
	uint64_t rips; /* distinct addresses, of all victims so far in this process */
	bool found;
	char finding[STEP_TEXT];
};

unsigned int step_nr_victims(void);
const char *step_victim_name(unsigned int victim);
/* The group it belongs to: "slab", "pages", ... */
const char *step_victim_group(unsigned int victim);
unsigned int step_nr_shapes(void);
const char *step_shape_name(unsigned int shape);
/* In a process of its own. False: there was a finding. */
bool step_victim(unsigned int victim, const struct step_plan *plan, struct step_result *r);

#endif
