/* SPDX-License-Identifier: MIT */
/*
 * Hunts for a planted bug: the search of every scenario, then random seeds; reclaim and pools first;
 * and with the word pressure or swap, the seeds of that load alone. Exit status 1: found, and how; 0: nothing
 * in all of it.
 */
#include <stdio.h>
#include <string.h>
#include "../lib/load.h"
#include "../lib/pools.h"
#include "../lib/reclaim.h"
#include "../lib/scenarios.h"
#include "../lib/swap.h"
#include "../lib/windows.h"

static int seeds(uint64_t first, uint64_t n, struct load_config c)
{
	struct load_result r;
	char command[256];

	for (c.seed = first; c.seed < first + n; c.seed++) {
		if (load_run(&c, &r) == 0)
			continue;
		load_command(&c, command, sizeof(command));
		printf("found by seed %llu: %.100s\nrepeat: %s\n", (unsigned long long)c.seed,
		       r.finding, command);
		return 1;
	}
	return 0;
}

static int search(const struct named_scenario *s, unsigned int preemptions, bool handlers,
		  enum sim_mode mode)
{
	struct sim_search_result r;

	if (!preemptions)
		return 0;
	scenario_search(s, 2, preemptions, handlers, mode, &r);
	if (!*r.finding)
		return 0;
	printf("found by the search of \"%s\" after %llu schedules: %.100s\nschedule %s\n",
	       s->sc.name, (unsigned long long)r.schedules, r.finding, r.schedule);
	return 1;
}

static int searches(void)
{
	for (unsigned int i = 0; i < nr_scenarios; i++) {
		const struct named_scenario *s = &scenarios[i];
		unsigned int bound = s->cpus2 < 2 ? s->cpus2 : 2;

		if (search(s, bound, false, SIM_SIGNAL) ||
		    search(s, s->handler, true, SIM_SIGNAL) ||
		    search(s, s->handler, true, SIM_MASKED))
			return 1;
	}
	return 0;
}

static int reclaims(void)
{
	struct sim_search_result r;

	for (unsigned int i = 0; i < nr_reclaim_scenarios; i++) {
		const struct named_scenario *s = &reclaim_scenarios[i];

		for (unsigned int how = 0; how < 3; how++) {
			if (how ? !s->handler : !s->cpus2)
				continue;
			/* The cheap ones, whose bound is 3, bear one more. */
			reclaim_search(s, 2, s->cpus2 > 2 ? 2 : 1, how != 0,
				       how == 2 ? SIM_MASKED : SIM_SIGNAL, &r);
			if (!*r.finding)
				continue;
			printf("found by the search of \"%s\" after %llu schedules: %.100s\n",
			       s->sc.name, (unsigned long long)r.schedules, r.finding);
			return 1;
		}
	}
	return 0;
}

static int pools(void)
{
	struct mempool_sum sum = {0};
	struct sim_search_result r;

	for (unsigned int i = 0; i < nr_pool_scenarios; i++) {
		const struct named_scenario *s = &pool_scenarios[i];

		for (unsigned int how = 0; how < 3; how++) {
			pool_search(s, how ? 2 : 3, how ? 2 : 1, how != 0,
				    how == 2 ? SIM_MASKED : SIM_SIGNAL, &r);
			if (!*r.finding)
				continue;
			printf("found by the search of \"%s\" after %llu schedules: %.100s\n",
			       s->sc.name, (unsigned long long)r.schedules, r.finding);
			return 1;
		}
	}
	for (uint64_t seed = 1; seed <= 100; seed++) {
		if (mempool_seed(seed, &sum))
			continue;
		printf("found by seed %llu of the mempools: %.100s\n", (unsigned long long)seed,
		       sim_finding());
		return 1;
	}
	return 0;
}

static int windows(void)
{
	struct window_sum sum = {0};
	struct sim_search_result r;

	for (unsigned int i = 0; i < nr_window_scenarios; i++) {
		const struct named_scenario *s = &window_scenarios[i];

		for (unsigned int how = 0; how < 3; how++) {
			if (how == 2 && !s->handler)
				continue;
			window_search(s, how ? 2 : 3, how ? s->cpus2 : s->cpus3, how == 2,
				      SIM_SIGNAL, &r);
			if (!*r.finding)
				continue;
			printf("found by the search of \"%s\" after %llu schedules: %.100s\n",
			       s->sc.name, (unsigned long long)r.schedules, r.finding);
			return 1;
		}
	}
	for (uint64_t seed = 1; seed <= 100; seed++) {
		if (window_seed(seed, &sum))
			continue;
		printf("found by seed %llu of the windows: %.100s\n", (unsigned long long)seed,
		       sim_finding());
		return 1;
	}
	return 0;
}

static int swaps(void)
{
	struct swap_sum sum = {0};
	struct sim_search_result r;

	for (unsigned int i = 0; i < nr_swap_scenarios; i++) {
		const struct named_scenario *s = &swap_scenarios[i];

		swap_search(s, 2, 1, &r);
		if (!*r.finding)
			continue;
		printf("found by the search of \"%s\" after %llu schedules: %.100s\n", s->sc.name,
		       (unsigned long long)r.schedules, r.finding);
		return 1;
	}
	for (uint64_t seed = 1; seed <= 1000; seed++) {
		if (swap_seed(seed, &sum))
			continue;
		printf("found by seed %llu of swap: %.100s\n", (unsigned long long)seed,
		       sim_finding());
		return 1;
	}
	return 0;
}

static const struct load_config plain = {.cpus = 4, .ops = 160};
static const struct load_config short_of_memory = {.cpus = 4, .ops = 160, .pressure = true};
static const struct load_config crowded = {.cpus = 16, .ops = 30, .pressure = true};

int main(int argc, char **argv)
{
	bool pressure = argc > 1 && strcmp(argv[1], "pressure") == 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && strcmp(argv[1], "swap") == 0)
		return swaps();
	if (argc > 1 && strcmp(argv[1], "windows") == 0)
		return windows();
	if (!pressure)
		return reclaims() || pools() || searches() || seeds(1, 1000, plain);
	return seeds(1, 400, short_of_memory) || seeds(1, 100, crowded);
}
