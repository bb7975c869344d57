/* SPDX-License-Identifier: MIT */
/*
 * Snapshots of a world: what a search starts every schedule from, thousands of times a second.
 *
 * Saved are the resident pages of the world's regions, the live part of every task's stack, and the
 * program's static variables: those of the library are part of the machine. The simulator's own,
 * which are among them, hold nothing that changes while schedules run (the engine is copied back
 * after a restore, and text lives in the host's malloc).
 *
 * Restoring copies the saved pages back and clears those that have become resident since, but for
 * those of RAM: asking for them costs more than all else.
 *
 * Where a runtime keeps state among the program's variables that must not go back (sanitizers,
 * coverage counters) there are no snapshots, and a search boots anew for every schedule.
 */
#include <stdlib.h>
#include <string.h>
#include "engine.h"

enum { PAGE = 4096 };

extern char __data_start[] __attribute__((weak));
extern char _end[] __attribute__((weak));
void __gcov_dump(void) __attribute__((weak));

struct stack_copy {
	void *at;
	size_t bytes;
	unsigned char *copy;
};

struct snapshot {
	struct sim_region region[SIM_REGIONS];
	unsigned char *resident[SIM_REGIONS]; /* 1: saved, in order */
	unsigned char *pages[SIM_REGIONS];
	struct stack_copy stack[SIM_MAX_TASKS];
	unsigned int nr_stacks;
	unsigned char *statics, *statics_before;
};

static struct snapshot *snap;

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

bool sim_snapshot_possible(void)
{
	const char *fresh = getenv("KMEM_SIM_FRESH");

	return !SANITIZED && !__gcov_dump && __data_start && _end && !(fresh && *fresh == '1');
}

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

static struct snapshot *snapshot(void)
{
	if (!snap)
		snap = must(calloc(1, sizeof(*snap)));
	return snap;
}

static unsigned char *statics_copy(unsigned char *to)
{
	size_t bytes = (size_t)(_end - __data_start);

	return memcpy(must(realloc(to, bytes)), __data_start, bytes);
}

/* What must not go back with the library's is put into place again. */
static void statics_restore(const unsigned char *from)
{
	struct snapshot *keep = snap;
	struct sim_engine *at = sim_engine, engine = *at;

	memcpy(__data_start, from, (size_t)(_end - __data_start));
	snap = keep;
	*at = engine;
}

void sim_statics_keep(void)
{
	struct snapshot *s = snapshot();

	s->statics_before = statics_copy(s->statics_before);
}

void sim_statics_return(void)
{
	statics_restore(snapshot()->statics_before);
}

static void region_take(unsigned int r)
{
	size_t pages = snap->region[r].bytes / PAGE, saved = 0;

	memcpy(snap->resident[r], sim_resident(&snap->region[r]), pages);
	for (size_t i = 0; i < pages; i++)
		saved += snap->resident[r][i] & 1;
	snap->pages[r] = must(realloc(snap->pages[r], (saved + 1) * PAGE));
	saved = 0;
	for (size_t i = 0; i < pages; i++) {
		if (snap->resident[r][i] & 1)
			memcpy(snap->pages[r] + PAGE * saved++, snap->region[r].base + i * PAGE,
			       PAGE);
	}
}

static void stacks_take(void)
{
	for (unsigned int i = 1; i < sim_world->nr_tasks; i++) {
		const struct sim_task *t = &sim_world->task[i];
		struct stack_copy *c = &snap->stack[snap->nr_stacks];
		unsigned char *base = sim_stack_of(i);

		if (t->state == TASK_NONE || t->state == TASK_DONE)
			continue;
		/* All of it: where a context lies at the bottom, sp says nothing. */
		c->at = base;
		c->bytes = SIM_STACK_BYTES;
		c->copy = must(malloc(c->bytes));
		memcpy(c->copy, c->at, c->bytes);
		snap->nr_stacks++;
	}
}

void sim_snapshot_take(void)
{
	snapshot();
	for (unsigned int i = 0; i < snap->nr_stacks; i++)
		free(snap->stack[i].copy);
	snap->nr_stacks = 0;
	sim_regions(snap->region);
	for (unsigned int r = 0; r < SIM_REGIONS; r++) {
		snap->resident[r] =
			must(realloc(snap->resident[r], snap->region[r].bytes / PAGE + 1));
		region_take(r);
	}
	stacks_take();
	snap->statics = statics_copy(snap->statics);
}

/* Frames that were not in use may keep what a schedule left there: port_commit then says so. */
static void region_restore(unsigned int r, const struct sim_region *region)
{
	const unsigned char *now = r == REGION_RAM ? NULL : sim_resident(region);
	size_t saved = 0, known = snap->region[r].bytes / PAGE;

	for (size_t i = 0; i < region->bytes / PAGE; i++) {
		unsigned char *page = region->base + i * PAGE;

		if (i < known && snap->resident[r][i] & 1)
			memcpy(page, snap->pages[r] + PAGE * saved++, PAGE);
		else if (now && now[i] & 1)
			memset(page, 0, PAGE);
	}
}

void sim_snapshot_restore(void)
{
	struct sim_region region[SIM_REGIONS];

	sim_regions(region); /* they may have grown */
	for (unsigned int r = 0; r < SIM_REGIONS; r++)
		region_restore(r, &region[r]);
	for (unsigned int i = 0; i < snap->nr_stacks; i++)
		memcpy(snap->stack[i].at, snap->stack[i].copy, snap->stack[i].bytes);
	statics_restore(snap->statics);
	sim_windows_restore();
}
