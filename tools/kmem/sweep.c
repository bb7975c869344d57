/* SPDX-License-Identifier: MIT */
/*
 * kmem sweep: a program once for each of its allocations, with that one failed.
 *
 * The library in the program does the failing and the copying (kmem/sweep.h); this side starts the
 * program, is the reaper of its copies, gives them time, and says what each has come to:
 *
 *	crash	a signal ended it
 *	hang	it was still there after --timeout, and was killed
 *	exit	a status that is neither the program's own without failures nor in --ok
 *	leak	kmem_shutdown() found more than in the program without failures
 *	misuse	the library reported more misuses than there
 */
#include "sweep.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROOM = 1 << 16, JOBS_MAX = 256, DAY_S = 86400, STACK_SAME = 12 };

/* ---- Findings ------------------------------------------------------------------------------- */

static bool same_stack(const struct kmem_sweep_run *a, const struct kmem_sweep_run *b)
{
	uint32_t n = a->depth < STACK_SAME ? a->depth : STACK_SAME;

	return n == (b->depth < STACK_SAME ? b->depth : STACK_SAME) &&
	       !memcmp(a->pc, b->pc, n * sizeof(a->pc[0]));
}

static void add_finding(struct sweep *s, struct finding f)
{
	s->kinds[f.kind]++;
	s->stopped |= s->opt.stop;
	for (uint64_t i = 0; i < s->nr; i++) {
		if (s->found[i].kind == f.kind && s->found[i].value == f.value &&
		    same_stack(s->found[i].run, f.run)) {
			s->found[i].more++;
			return;
		}
	}
	if (s->nr == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 16;
		s->found = cmd_grow(s->found, (size_t)s->cap, sizeof(*s->found));
	}
	s->found[s->nr++] = f;
}

/* The trunk's own leaks are known when it has ended: until then whatever a run has is noted. */
void sweep_judge(struct sweep *s, uint64_t request, int status, bool hung)
{
	const struct kmem_sweep_run *run = kmem_sweep_run(s->shared, request);
	struct finding f = {.request = request, .run = run, .leaks = run->leaks};

	if (run->depth == 0 && !hung) {
		s->missed++;
		return;
	}
	if (hung) {
		f.kind = FOUND_HANG;
	} else if (WIFSIGNALED(status)) {
		f.kind = FOUND_CRASH;
		f.value = WTERMSIG(status);
	} else if (!s->opt.fine[WEXITSTATUS(status)]) {
		f.kind = FOUND_EXIT;
		f.value = WEXITSTATUS(status);
	} else if (run->leaks) {
		f.kind = FOUND_LEAK;
	} else if (run->misuses) {
		f.kind = FOUND_MISUSE;
	} else {
		return;
	}
	add_finding(s, f);
}

/* Takes out what the program does without a failure as well. */
static void forget_own(struct sweep *s)
{
	const struct kmem_sweep_run *trunk = &s->shared->trunk;
	int own = WIFEXITED(s->trunk_status) ? WEXITSTATUS(s->trunk_status) : -1;
	uint64_t kept = 0;

	for (uint64_t i = 0; i < s->nr; i++) {
		struct finding *f = &s->found[i];
		bool is_own = (f->kind == FOUND_EXIT && f->value == own) ||
			      (f->kind == FOUND_LEAK && f->leaks <= trunk->leaks) ||
			      (f->kind == FOUND_MISUSE && f->run->misuses <= trunk->misuses);

		if (is_own)
			s->kinds[f->kind] -= 1 + f->more;
		else
			s->found[kept++] = *f;
	}
	s->nr = kept;
}

/* ---- The verb ------------------------------------------------------------------------------- */

static int parse_ok(const char *list, bool *fine)
{
	while (*list) {
		char word[8] = "";
		size_t n = strcspn(list, ",");
		uint64_t v;

		if (n < sizeof(word))
			memcpy(word, list, n);
		if (!cmd_number(word, 255, &v))
			return cmd_usage("sweep: --ok takes exit statuses, such as 0,1,12");
		fine[v] = true;
		list += n + (list[n] == ',');
	}
	return CMD_FINE;
}

static int number(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *v)
{
	if (cmd_number(text, max, v) && *v >= min)
		return CMD_FINE;
	return cmd_usage("sweep: --%s takes a number from %llu to %llu", name,
			 (unsigned long long)min, (unsigned long long)max);
}

static int option(int c, struct sweep_options *o)
{
	switch (c) {
	case 'f':
		return number("from", optarg, 1, UINT32_MAX, &o->from);
	case 'e':
		return number("every", optarg, 1, UINT32_MAX, &o->every);
	case 'm':
		return number("max", optarg, 1, ROOM, &o->max);
	case 'j':
		return number("jobs", optarg, 1, JOBS_MAX, &o->jobs);
	case 't':
		return number("timeout", optarg, 1, DAY_S, &o->timeout_s);
	case 'o':
		return parse_ok(optarg, o->fine);
	case 'r':
		o->restart = true;
		return CMD_FINE;
	case 'M':
		o->malloc = true;
		return CMD_FINE;
	case 's':
		o->stop = true;
		return CMD_FINE;
	case 'J':
		o->json = true;
		return CMD_FINE;
	default:
		fputs("Try 'kmem help sweep'.\n", stderr);
		return CMD_USAGE;
	}
}

static int parse(int argc, char **argv, struct sweep_options *o)
{
	static const struct option options[] = {
		{"from", required_argument, NULL, 'f'},
		{"every", required_argument, NULL, 'e'},
		{"max", required_argument, NULL, 'm'},
		{"jobs", required_argument, NULL, 'j'},
		{"timeout", required_argument, NULL, 't'},
		{"ok", required_argument, NULL, 'o'},
		{"restart", no_argument, NULL, 'r'},
		{"malloc", no_argument, NULL, 'M'},
		{"stop-at-first", no_argument, NULL, 's'},
		{"json", no_argument, NULL, 'J'},
		{NULL, 0, NULL, 0},
	};
	int c, rc = CMD_FINE;

	while (rc == CMD_FINE && (c = getopt_long(argc, argv, "+j:", options, NULL)) != -1)
		rc = option(c, o);
	if (rc == CMD_FINE && (optind >= argc || !argv[optind][0]))
		rc = cmd_usage("sweep: which program? (kmem sweep [options] -- program args)");
	o->argv = argv + optind;
	return rc;
}

static int sweep_main(int argc, char **argv)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct sweep s = {
		.opt = {.from = 1, .every = 1, .max = ROOM, .timeout_s = 30},
	};
	int rc;

	s.opt.jobs = cpus > 0 && cpus <= JOBS_MAX ? (uint64_t)cpus : 1;
	s.opt.fine[0] = s.opt.fine[1] = true;
	rc = parse(argc, argv, &s.opt);
	if (rc == CMD_FINE)
		rc = sweep_all(&s);
	if (rc != CMD_FINE)
		return rc;
	forget_own(&s);
	sweep_print(&s);
	return s.nr ? CMD_FINDINGS : CMD_FINE;
}

const struct verb verb_sweep = {
	.name = "sweep",
	.brief = "fail each allocation of a program in turn",
	.usage =
		"usage: kmem sweep [options] [--] program [argument ...]\n"
		"\n"
		"  --malloc         the program's malloc, not its calls of libkmem\n"
		"  --from N         begin with the N-th request (default: 1)\n"
		"  --every N        then each N-th alone (default: 1)\n"
		"  --max N          fail at most N of them (default: 65536)\n"
		"  --jobs N         runs at a time (default: the number of CPUs)\n"
		"  --timeout S      seconds after which a run hangs (default: 30)\n"
		"  --ok LIST        more exit statuses that are right after a failure (0,1)\n"
		"  --restart        start the program anew for each, instead of copying it\n"
		"  --stop-at-first  stop at the first finding\n"
		"  --json           the report as JSON\n"
		"\n"
		"The exit status is 0 when nothing was found, 1 with findings, 2 for wrong usage,\n"
		"3 when the program cannot be swept.\n",
	.run = sweep_main,
};
