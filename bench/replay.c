/* SPDX-License-Identifier: MIT */
/*
 * replay: what a kernel was recorded allocating and freeing, in its order, by one thread. Every block
 * is written to at its beginning, as its owner did. What still lives at the recording's end is freed. The value is
 * for one call.
 */
#include "harness.h"
#include "api.h"
#include "steps.h"

#include <errno.h>

struct replay {
	struct step *step;
	size_t steps, slots;
	void **slot;
};

static void replay_chunk(void *arg)
{
	const struct replay *r = arg;

	for (size_t i = 0; i < r->steps; i++) {
		const struct step *s = &r->step[i];
		void **slot = &r->slot[s->slot];

		if (s->size == 0) {
			api_free(*slot);
			*slot = NULL;
		} else {
			*slot = need(api_alloc(s->size));
			*(volatile char *)*slot = 1;
		}
	}
	for (size_t i = 0; i < r->slots; i++) {
		api_free(r->slot[i]);
		r->slot[i] = NULL;
	}
}

static void replay_read(struct replay *r, const char *path)
{
	FILE *f = fopen(path, "r");
	long bytes;

	if (!f || fseek(f, 0, SEEK_END) != 0 || (bytes = ftell(f)) < 0)
		die("%s: %s", path, strerror(errno));
	rewind(f);
	r->steps = (size_t)bytes / sizeof(*r->step);
	if (r->steps == 0)
		die("%s: no steps", path);
	r->step = own_alloc(r->steps * sizeof(*r->step));
	if (fread(r->step, sizeof(*r->step), r->steps, f) != r->steps)
		die("%s: it became shorter", path);
	fclose(f);
	for (size_t i = 0; i < r->steps; i++) {
		if (r->step[i].slot >= STEP_SLOTS_MAX)
			die("%s: not a file of steps", path);
		if (r->step[i].slot >= r->slots)
			r->slots = r->step[i].slot + 1u;
	}
	r->slot = own_alloc(r->slots * sizeof(*r->slot));
}

WORKLOAD(replay)
{
	struct replay r = {0};

	if (!bench.file)
		die("which recording?");
	replay_read(&r, bench.file);
	measure("recording", r.steps, replay_chunk, &r);
}
