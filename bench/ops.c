/* SPDX-License-Identifier: MIT */
/*
 * bench-ops RECORDING FILE: what a kernel was recorded doing, as the workload replay reads it. The
 * recording is read here, in another process, so that none of the reader's memory is in the way of
 * what is measured. The file is an array of struct step (steps.h) and holds objects, not pages.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "replay.h"
#include "steps.h"

static bool step_of(const struct op *op, struct step *step)
{
	bool alloc = op->kind == OP_KMALLOC || op->kind == OP_CACHE_ALLOC;

	*step = (struct step){.slot = op->slot, .size = alloc ? op->req ? op->req : 1 : 0};
	return op->slot != NO_SLOT;
}

static int write_steps(const struct plan *plan, const char *path)
{
	FILE *out = fopen(path, "w");
	bool failed = !out;

	for (size_t i = 0; !failed && i < plan->nr; i++) {
		struct step step;

		if (step_of(&plan->op[i], &step))
			failed = fwrite(&step, sizeof(step), 1, out) != 1;
	}
	if (out && fclose(out) != 0)
		failed = true;
	return failed ? cmd_env("%s: %s", path, strerror(errno)) : CMD_FINE;
}

int main(int argc, char **argv)
{
	struct trace trace;
	struct plan plan;
	int rc;

	if (argc != 3) {
		fputs("usage: bench-ops RECORDING FILE\n", stderr);
		return CMD_USAGE;
	}
	rc = trace_read(&trace, argv[1]);
	if (rc != CMD_FINE)
		return rc;
	plan_make(&plan, &trace, false);
	rc = write_steps(&plan, argv[2]);
	plan_free(&plan);
	trace_free(&trace);
	return rc;
}
