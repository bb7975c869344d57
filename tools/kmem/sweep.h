/* SPDX-License-Identifier: MIT */
/* kmem sweep: what its files share. sweep.c is the verb, sweep_run.c the processes, sweep_report.c
 * what is printed. */
#ifndef KMEM_CMD_SWEEP_H
#define KMEM_CMD_SWEEP_H

#include "cmd.h"
#include <kmem/sweep.h>

enum finding_kind { FOUND_CRASH, FOUND_LEAK, FOUND_HANG, FOUND_EXIT, FOUND_MISUSE, NR_FINDINGS };

struct finding {
	enum finding_kind kind;
	uint64_t request;
	uint64_t more; /* of the same kind with the same stack */
	int value;     /* the signal, or the exit status */
	uint64_t leaks;
	const struct kmem_sweep_run *run;
};

struct sweep_options {
	uint64_t from, every, max, jobs, timeout_s;
	bool restart, malloc, stop, json;
	bool fine[256]; /* exit statuses that are right after a failure */
	char **argv;
};

struct sweep {
	struct sweep_options opt;
	struct kmem_sweep *shared;
	int fd;		  /* of what is shared */
	int trunk_status; /* as from waitpid */
	uint64_t tried, forked, restarted;
	uint64_t missed; /* starts in which the request was never made */
	uint64_t nr, cap, kinds[NR_FINDINGS];
	struct finding *found;
	bool stopped; /* at the first finding */
};

/* Runs all there is to run; CMD_FINE, or a status after a message. */
int sweep_all(struct sweep *s);
/* A run has ended, or was killed because it hung. */
void sweep_judge(struct sweep *s, uint64_t request, int status, bool hung);
void sweep_print(const struct sweep *s);

#endif
