/* SPDX-License-Identifier: MIT */
/*
 * Counts the instructions of calls, exactly, by stepping a child process through them.
 *
 * A restartable sequence cannot be stepped: the trap aborts it. So the stepper takes the sequence's
 * descriptor away at each stop, before the kernel looks at it, and what follows is ordinary code,
 * every instruction of which is counted. The child has one thread and one CPU, so nobody is there
 * whom the sequence would have to fear. Where the kernel was first all the same, an abort and a
 * second go are counted too: a hit is the least of several calls.
 *
 * A call counts from its first instruction to its return, both included. What it calls is part of it;
 * what the kernel does is not, nor the code by which it lets processes read its clock: that begins again if
 * the clock has ticked meanwhile, which it does for thousands of instructions while each takes microseconds.
 */
#ifndef KMEM_TEST_STEPPER_H
#define KMEM_TEST_STEPPER_H

#include <stdbool.h>
#include <stdint.h>

enum { STEP_FNS = 8 };

struct step_fn {
	const void *fn;
	unsigned long calls, total, min, max;
	unsigned long max_at; /* number of the call that was the longest, among all watched ones */
};

/*
 * Runs load(arg) in a child, and counts the calls of the n functions whose addresses are in fns, where
 * they are not called by one another. The child runs at full speed up to step_here(). False: no child
 * could be stepped, or it did not end well.
 */
bool step_run(void (*load)(void *), void *arg, struct step_fn *fns, unsigned int n);
/* In load: from here on every instruction is looked at. */
void step_here(void);

#endif
