/* SPDX-License-Identifier: MIT */
/* The engine's own memory, a mapping apart from what it puts aside: step.c and judge.c. */
#ifndef STEP_WORLD_H
#define STEP_WORLD_H
#include <signal.h>
#include <ucontext.h>
#include "parts.h"
#include "step.h"

enum {
	REGIONS_MOST = 512,
	FRAMES_MOST = 8192,
	STACK_BYTES = 256 << 10,
	VECTOR_MOST = 16 << 10,
	SAVE_BYTES = 48 << 20,
	TABLE_SMALL = 200 << 10,
	WINDOWS_MOST = 4096,
};

enum phase { OUTSIDE, STEPPING, RUNNING };

struct region {
	unsigned char *at, *copy;
	size_t bytes;
};

/* Registers as a signal frame has them. */
struct context {
	gregset_t gregs;
	unsigned char vector[VECTOR_MOST];
};

struct world {
	struct step_result result;
	struct step_plan plan;
	const struct victim *victim;
	enum phase phase;
	bool urgent; /* in a shape, none of whose requests has a blocking word */
	uint64_t k;
	unsigned int shape, first, left; /* shapes still to run here */
	struct context at;
	struct port_task task;
	uintptr_t rip, text, text_end;
	struct region region[REGIONS_MOST], meta[64];
	unsigned int nr_regions, nr_meta;
	unsigned char *save, *save_next; /* room for the frames */
	unsigned long shown[WINDOWS_MOST],
		shown_copy[WINDOWS_MOST]; /* a frame's number and 1, or 0 */
	u32 frame[FRAMES_MOST];
	unsigned int nr_frames;
	unsigned long pages_used; /* by the rehearsal: what an emptied machine holds */
	uint64_t marked_runs;
	unsigned int idle_ticks;
	ucontext_t main, op;
	unsigned char *seen;   /* a byte for each address of the text */
	unsigned char *visits; /* of this victim, up to 255 */
	unsigned char *owned;  /* a bit for 8 bytes of the arena */
	unsigned char op_stack[STACK_BYTES] __attribute__((aligned(64)));
	unsigned char op_stack_copy[STACK_BYTES];
	unsigned char trap_stack[STACK_BYTES] __attribute__((aligned(64)));
};
extern struct world *w;

/* judge.c. Once the victim is through: a finding, if anything is not as it should be. */
void judge(void);
unsigned long pages_in_use(void);

#endif
