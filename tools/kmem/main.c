/* SPDX-License-Identifier: MIT */
/*
 * kmem: the command. Finds the verb, runs it, and makes sure that what was written arrived: a full
 * disk shows only when the last buffer is flushed, and a script must not take half a report for a
 * whole one.
 */
#include "cmd.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include <kmem/config.h>

const struct verb *const cmd_verbs[] = {&verb_run,   &verb_replay, &verb_stat,
					&verb_sweep, &verb_bench,  &verb_cc,
					&verb_sim,   &verb_help,   NULL};

const struct verb *cmd_find(const char *name)
{
	for (size_t i = 0; cmd_verbs[i]; i++) {
		if (!strcmp(cmd_verbs[i]->name, name))
			return cmd_verbs[i];
	}
	return NULL;
}

static void print_overview(FILE *out)
{
	fputs("usage: kmem VERB [options] [operands]\n\nverbs\n", out);
	for (size_t i = 0; cmd_verbs[i]; i++)
		fprintf(out, "  %-8s %s\n", cmd_verbs[i]->name, cmd_verbs[i]->brief);
	fputs("\n'kmem help VERB' tells more; 'kmem --version' prints the version.\n", out);
	fputs("Exit status: 0 fine, 1 findings, 2 usage, 3 environment.\n", out);
}

static int help_main(int argc, char **argv)
{
	const struct verb *verb;

	if (argc > 2)
		return cmd_usage("one verb at a time");
	if (argc == 1) {
		print_overview(stdout);
		return CMD_FINE;
	}
	verb = cmd_find(argv[1]);
	if (!verb)
		return cmd_usage("there is no verb '%s'", argv[1]);
	fputs(verb->usage, stdout);
	return CMD_FINE;
}

const struct verb verb_help = {
	.name = "help",
	.brief = "explain a verb",
	.usage = "usage: kmem help [verb]\n",
	.run = help_main,
};

/* The verb's own status stands, unless its output did not arrive. */
static int close_output(int status)
{
	bool failed = ferror(stdout) != 0;

	errno = 0;
	if (fclose(stdout) != 0)
		failed = true;
	if (!failed)
		return status;
	return cmd_env("standard output: %s", errno ? strerror(errno) : "write error");
}

static int run_verb(int argc, char **argv)
{
	const struct verb *verb = cmd_find(argv[1]);
	char name[32];

	if (!verb) {
		fprintf(stderr, "kmem: there is no verb '%s'\n", argv[1]);
		print_overview(stderr);
		return CMD_USAGE;
	}
	snprintf(name, sizeof(name), "kmem %s", verb->name);
	argv[1] = name;
	if (argc == 3 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h"))) {
		fputs(verb->usage, stdout);
		return CMD_FINE;
	}
	return verb->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	int status = CMD_FINE;

	/* A reader that goes away (kmem stat | head) is an output error like any other. */
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		print_overview(stderr);
		status = CMD_USAGE;
	} else if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("kmem " KMEM_VERSION);
	} else if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_overview(stdout);
	} else {
		status = run_verb(argc, argv);
	}
	return close_output(status);
}
