/* SPDX-License-Identifier: MIT */
/*
 * kmem-sim: runs the random load in the simulator, for one seed or for many. `kmem sim` runs this
 * program. Exit status: 0 fine, 1 a finding, 2 usage.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "load.h"

static const char usage[] =
	"usage: kmem sim [OPTION...]\n"
	"\n"
	"Runs a random load on a simulated machine: the same options give the same run.\n"
	"\n"
	"  --seed=N           what everything follows from (1)\n"
	"  --seeds=N          so many runs, with the seeds from --seed on (1)\n"
	"  --cpus=N           virtual CPUs, 1 to 32 (4)\n"
	"  --ops=N            operations of each (200)\n"
	"  --preempt=N        mean number of accesses to shared memory between two\n"
	"                     preemptions; 0: none (chosen by the seed)\n"
	"  --irq=N            the same for injected interrupts\n"
	"  --mode=masked|signal  interrupts as on bare metal, or signals as in a process\n"
	"  --commit-fail=PLAN nth:N, every:N, from:N or percent:N of the commits refused\n"
	"  --pressure         on a machine that is too small for it\n"
	"  --trace            writes the log of the run, the same for the same options\n"
	"  --verbose          shows the library's messages\n";

struct options {
	struct load_config load;
	uint64_t seeds;
	bool trace, help;
};

static bool number(const char *text, uint64_t min, uint64_t max, uint64_t *n)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*n = strtoull(text, &end, 0);
	return !*end && *n >= min && *n <= max;
}

static bool small_number(const char *text, uint64_t min, uint64_t max, uint32_t *n)
{
	uint64_t big = 0;
	bool good = number(text, min, max, &big);

	*n = (uint32_t)big;
	return good;
}

static bool mode(const char *text, struct load_config *c)
{
	c->mode_given = true;
	c->mode = strcmp(text, "masked") == 0 ? SIM_MASKED : SIM_SIGNAL;
	return c->mode == SIM_MASKED || strcmp(text, "signal") == 0;
}

static const char *value_of(const char *arg, const char *name)
{
	size_t len = strlen(name);

	return strncmp(arg, name, len) == 0 && arg[len] == '=' ? arg + len + 1 : NULL;
}

static bool option_schedule(const char *arg, struct load_config *c)
{
	const char *v;
	bool good = false;

	if ((v = value_of(arg, "--preempt"))) {
		good = small_number(v, 0, 1000000, &c->preempt);
		c->no_preempt = c->preempt == 0;
	} else if ((v = value_of(arg, "--irq"))) {
		good = small_number(v, 0, 1000000, &c->irq);
		c->no_irq = c->irq == 0;
	} else if ((v = value_of(arg, "--mode"))) {
		good = mode(v, c);
	} else if ((v = value_of(arg, "--commit-fail"))) {
		good = sim_plan_parse(v, &c->refuse);
	}
	return good;
}

static bool option(const char *arg, struct options *o)
{
	const char *v;

	if ((v = value_of(arg, "--seed")))
		return number(v, 0, UINT64_MAX, &o->load.seed);
	if ((v = value_of(arg, "--seeds")))
		return number(v, 1, UINT64_MAX, &o->seeds);
	if ((v = value_of(arg, "--cpus")))
		return small_number(v, 1, SIM_MAX_CPUS, &o->load.cpus);
	if ((v = value_of(arg, "--ops")))
		return small_number(v, 1, 100000000, &o->load.ops);
	if (strcmp(arg, "--pressure") == 0)
		o->load.pressure = true;
	else if (strcmp(arg, "--trace") == 0)
		o->trace = true;
	else if (strcmp(arg, "--verbose") == 0)
		o->load.verbose = true;
	else if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)
		o->help = true;
	else
		return option_schedule(arg, &o->load);
	return true;
}

static int one(const struct options *o)
{
	struct load_result r;
	char command[256];
	size_t len;
	int rc = load_run(&o->load, &r);
	const char *text = sim_log_text(&len);

	load_command(&o->load, command, sizeof(command));
	if (o->trace)
		fwrite(text, 1, len, stdout);
	if (rc) {
		printf("seed %llu: %s\nrepeat: %s\n", (unsigned long long)o->load.seed, r.finding,
		       command);
		return 1;
	}
	if (!o->trace)
		printf("seed %llu: fine: %llu allocations, %llu refused, %llu steps, %llu "
		       "switches, "
		       "%llu interrupts\n",
		       (unsigned long long)o->load.seed, (unsigned long long)r.allocs,
		       (unsigned long long)r.failed, (unsigned long long)r.steps,
		       (unsigned long long)r.switches, (unsigned long long)r.injections);
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = {.load = {.seed = 1}, .seeds = 1};
	int rc = 0;

	for (int i = 1; i < argc; i++) {
		if (option(argv[i], &o))
			continue;
		fprintf(stderr, "kmem sim: what is \"%s\"?\n%s", argv[i], usage);
		return 2;
	}
	if (o.help) {
		fputs(usage, stdout);
		return 0;
	}
	o.load.log = o.trace ? SIM_LOG_TEXT : SIM_LOG_OFF;
	for (uint64_t n = 0; n < o.seeds && !rc; n++, o.load.seed++)
		rc = one(&o);
	return rc;
}
