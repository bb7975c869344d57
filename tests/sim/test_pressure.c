/* SPDX-License-Identifier: MIT */
/*
 * Random schedules of a load that wants more memory than there is (lib/pressure.c), thousands of seeds
 * on 4 and 16 CPUs. Half of the seeds are always the same; the others follow from the seed of the test
 * run. A finding is printed with the command that repeats it.
 */
#include "lib/load.h"
#include "tap.h"

static void add(struct load_result *sum, const struct load_result *r)
{
	sum->allocs += r->allocs;
	sum->failed += r->failed;
	sum->injections += r->injections;
	sum->refusals += r->refusals;
	sum->asked += r->asked;
	sum->given += r->given;
	sum->scanned += r->scanned;
	sum->ooms += r->ooms;
	sum->storms += r->storms;
	sum->stuck += r->stuck;
	sum->patient += r->patient;
	sum->by_reserve += r->by_reserve;
}

static void report(unsigned int n, const struct load_result *s)
{
	diag("%u seeds: %llu allocations, %llu refused (%llu at the mark of urgent ones), "
	     "%llu handlers",
	     n, (unsigned long long)s->allocs, (unsigned long long)s->failed,
	     (unsigned long long)s->by_reserve, (unsigned long long)s->injections);
	diag("providers asked %llu times, %llu pages; %llu objects scanned; %llu came or went; "
	     "last resort %llu times; "
	     "%llu ended by the guard, %llu waited long",
	     (unsigned long long)s->asked, (unsigned long long)s->given,
	     (unsigned long long)s->scanned, (unsigned long long)s->storms,
	     (unsigned long long)s->ooms, (unsigned long long)s->stuck,
	     (unsigned long long)s->patient);
}

static struct load_result seeds(uint64_t first, unsigned int n, struct load_config c)
{
	struct load_result r, sum = {0};
	char command[256];

	c.pressure = true;
	for (unsigned int i = 0; i < n; i++) {
		c.seed = first + i;
		if (load_run(&c, &r) != 0) {
			load_command(&c, command, sizeof(command));
			diag("%s", r.finding);
			ok(false, "repeat: %s", command);
			return sum;
		}
		add(&sum, &r);
	}
	report(n, &sum);
	return sum;
}

/* A load that is never short of anything shows nothing. */
static void all_of_it(uint64_t first, unsigned int n, struct load_config c)
{
	struct load_result s = seeds(first, n, c);

	ok(s.asked > n && s.given > n, "providers were asked");
	ok(s.scanned > n, "shrinkers were asked");
	ok(s.storms > 0, "they came and went");
	ok(s.ooms > 0, "it came to the last resort");
	ok(s.by_reserve > 0, "urgent requests failed at their mark");
	ok(s.injections > n, "handlers came");
}

static const struct load_config cpus4 = {.cpus = 4, .ops = 120};
static const struct load_config cpus16 = {.cpus = 16, .ops = 30};

TEST(seeds_on_4_cpus)
{
	all_of_it(1, 650, cpus4);
}

TEST(new_seeds_on_4_cpus)
{
	all_of_it(tap_rand() >> 16, 650, cpus4);
}

TEST(seeds_on_16_cpus)
{
	all_of_it(1, 150, cpus16);
}

TEST(new_seeds_on_16_cpus)
{
	all_of_it(tap_rand() >> 16, 150, cpus16);
}

TEST(seeds_with_commits_refused_now_and_then)
{
	struct load_config c = {.cpus = 8, .ops = 60};
	struct load_result s;

	c.refuse = (struct sim_plan){SIM_PERCENT, 30};
	s = seeds(1, 240, c);
	ok(s.refusals > 0 && s.given > 0);
	c.refuse = (struct sim_plan){SIM_FROM, 1};
	s = seeds(1, 40, c);
	ok(s.refusals > 0 && s.given > 0);
}

TEST(S214_the_same_seed_gives_the_same_run)
{
	struct load_config c = cpus4;
	struct load_result one, two;

	c.pressure = true;
	c.log = SIM_LOG_HASH;
	for (c.seed = 1; c.seed <= 40; c.seed++) {
		if (!is(load_run(&c, &one), 0, "%s", one.finding) ||
		    !is(load_run(&c, &two), 0, "%s", two.finding))
			return; /* a machine is left running */
		ok(one.hash == two.hash && one.steps == two.steps, "seed %llu",
		   (unsigned long long)c.seed);
	}
}
