/* SPDX-License-Identifier: MIT */
/* kmem replay: a real kernel's recorded allocations, done again on a machine of any shape. */
#include "replay.h"
#include "cmd.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

struct options {
	const char *mem, *zones, *cmdline, *path;
	uint64_t nr_cpus; /* 0: as in the recording */
	bool pages, slab, pin, reclaim;
};

/* getopt_long has said what is wrong. */
static int bad_option(void)
{
	fputs("Try 'kmem help replay'.\n", stderr);
	return CMD_USAGE;
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{"mem", required_argument, NULL, 'm'},
		{"zones", required_argument, NULL, 'z'},
		{"cmdline", required_argument, NULL, 'c'},
		{"nr-cpus", required_argument, NULL, 'n'},
		{"slab", no_argument, NULL, 's'},
		{"pages", no_argument, NULL, 'p'},
		{"pin", no_argument, NULL, 'P'},
		{"reclaim", no_argument, NULL, 'r'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "m:z:n:", options, NULL)) != -1) {
		if (c == 'm')
			o->mem = optarg;
		else if (c == 'z')
			o->zones = optarg;
		else if (c == 'c')
			o->cmdline = optarg;
		else if (c == 's')
			o->slab = true;
		else if (c == 'p')
			o->pages = true;
		else if (c == 'P')
			o->pin = true;
		else if (c == 'r')
			o->reclaim = true;
		else if (c != 'n')
			return bad_option();
		if (c == 'n' && (!cmd_number(optarg, KMEM_MAX_CPUS, &o->nr_cpus) || !o->nr_cpus))
			return cmd_usage("replay: --nr-cpus %s: a number from 1 to %d", optarg,
					 KMEM_MAX_CPUS);
	}
	if (o->slab && o->pages)
		return cmd_usage("replay: --slab or --pages: the page events of a recording "
				 "contain the slabs' own");
	if (argc - optind != 1)
		return cmd_usage(optind == argc ? "replay: which recording?"
						: "replay: one recording at a time");
	if ((o->mem && strpbrk(o->mem, " \t\n")) || (o->zones && strpbrk(o->zones, " \t\n")))
		return cmd_usage("replay: a size or a zone table has no blanks in it");
	o->path = argv[optind];
	return CMD_FINE;
}

/* slab_nomerge: a row of the table is a cache of the recording, not two of them. kswapd=0: a thread of
 * its own would make each run another one. */
static char *make_cmdline(const struct options *o, const struct trace *t)
{
	unsigned int cpus = o->nr_cpus ? (unsigned int)o->nr_cpus : t->nr_cpus;

	if (cpus > KMEM_MAX_CPUS)
		cpus = KMEM_MAX_CPUS;
	return cmd_text("mem=%s zones=%s nr_cpus=%u slab_nomerge%s%s%s", o->mem ? o->mem : "512M",
			o->zones ? o->zones : "x86_64", cpus, o->reclaim ? " kswapd=0" : "",
			o->cmdline ? " " : "", o->cmdline ? o->cmdline : "");
}

/* Which level, when neither was asked for: the slab level, if the recording has it. */
static bool choose_pages(const struct options *o, const struct trace *t)
{
	for (size_t i = 0; i < t->nr && !o->pages && !o->slab; i++) {
		if (t->ev[i].kind < TRACE_PAGE_ALLOC)
			return false;
	}
	return !o->slab;
}

static int replay_main(int argc, char **argv)
{
	struct options o = {0};
	struct result r = {0};
	struct trace t;
	struct plan p;
	char *cmdline;
	int rc = parse(argc, argv, &o);

	if (rc == CMD_FINE)
		rc = trace_read(&t, o.path);
	if (rc != CMD_FINE)
		return rc;
	plan_make(&p, &t, choose_pages(&o, &t));
	cmdline = make_cmdline(&o, &t);
	if (p.nr == 0)
		rc = cmd_bad("%s: it has no event of the %s level", o.path,
			     p.pages ? "page" : "slab");
	if (rc == CMD_FINE)
		rc = replay_run(&p, &(struct replay_how){cmdline, o.pin, o.reclaim}, &r);
	if (rc == CMD_FINE && replay_report(&p, &r, o.path, cmdline, stdout))
		rc = CMD_FINDINGS;
	result_free(&r);
	plan_free(&p);
	trace_free(&t);
	free(cmdline);
	return rc;
}

const struct verb verb_replay = {
	.name = "replay",
	.brief = "replay the recorded allocations of a real kernel",
	.usage = "usage: kmem replay [options] recording\n"
		 "\n"
		 "recording: a trace.dat of trace-cmd, or the text of trace-cmd report [-l], perf\n"
		 "script, or tracefs's trace; - is text or trace.dat on standard input.\n"
		 "\n"
		 "  --mem SIZE       memory of the machine (512M)\n"
		 "  --zones TABLE    i386, x86_64, flat, or a table (x86_64); see kmem(7)\n"
		 "  --nr-cpus N      CPUs of the machine (as many as were recorded)\n"
		 "  --cmdline TEXT   more words of the machine's command line\n"
		 "  --slab           objects: kmalloc and caches (the default)\n"
		 "  --pages          pages: mm_page_alloc and mm_page_free\n"
		 "  --pin            run each event on the CPU it was recorded on; slow\n"
		 "  --reclaim        a machine that is too small takes back what a kernel would\n"
		 "\n"
		 "Status 1: the machine broke an invariant, reported misuse, kept something, or\n"
		 "needs more for an object than the recorded kernel did.\n",
	.run = replay_main,
};
