/* SPDX-License-Identifier: MIT */
/*
 * Random schedules of a random load, thousands of seeds on 4 and 16 CPUs with handlers injected. Half
 * of the seeds are always the same; the others follow from the seed of the test run. A finding is
 * printed with the command that repeats it.
 */
#include "lib/load.h"
#include "tap.h"

struct sum {
	uint64_t steps, switches, injections, allocs, failed;
};

static void add(struct sum *s, const struct load_result *r)
{
	s->steps += r->steps;
	s->switches += r->switches;
	s->injections += r->injections;
	s->allocs += r->allocs;
	s->failed += r->failed;
}

static void seeds(uint64_t first, unsigned int n, struct load_config c)
{
	struct load_result r;
	struct sum s = {0};
	char command[256];

	for (unsigned int i = 0; i < n; i++) {
		c.seed = first + i;
		if (load_run(&c, &r) != 0) {
			load_command(&c, command, sizeof(command));
			diag("%s", r.finding);
			ok(false, "repeat: %s", command);
			return;
		}
		add(&s, &r);
	}
	ok(s.allocs > n);
	if (!c.no_irq)
		ok(s.injections > n, "handlers came");
	diag("%u seeds: %llu allocations, %llu refused, %llu steps, %llu switches, %llu handlers",
	     n, (unsigned long long)s.allocs, (unsigned long long)s.failed,
	     (unsigned long long)s.steps, (unsigned long long)s.switches,
	     (unsigned long long)s.injections);
}

static const struct load_config cpus4 = {.cpus = 4, .ops = 160};
static const struct load_config cpus16 = {.cpus = 16, .ops = 60};

TEST(a_thousand_seeds_on_4_cpus)
{
	seeds(1, 1000, cpus4);
}

TEST(a_thousand_new_seeds_on_4_cpus)
{
	seeds(tap_rand() >> 16, 1000, cpus4);
}

TEST(a_thousand_seeds_on_16_cpus)
{
	seeds(1, 1000, cpus16);
}

TEST(a_thousand_new_seeds_on_16_cpus)
{
	seeds(tap_rand() >> 16, 1000, cpus16);
}

TEST(seeds_with_commits_refused_now_and_then)
{
	struct load_config c = cpus4;

	c.refuse = (struct sim_plan){SIM_PERCENT, 30};
	seeds(1, 200, c);
	c.refuse = (struct sim_plan){SIM_FROM, 2};
	seeds(1, 100, c);
}

TEST(one_cpu_without_interference)
{
	struct load_config c = {.cpus = 1, .ops = 2000, .no_irq = true, .no_preempt = true};

	seeds(1, 50, c);
}
