/* SPDX-License-Identifier: MIT */
/*
 * Hunts for a planted bug: the searches and the seeds of one part, named by the word given. Exit
 * status 1: found, and how; 0: nothing in all of it; 2: no such part.
 */
#include <stdio.h>
#include <string.h>
#include "../lib/filecache.h"
#include "../lib/load.h"
#include "../lib/pools.h"
#include "../lib/reclaim.h"
#include "../lib/scenarios.h"
#include "../lib/swap.h"
#include "../lib/windows.h"

/* What a search found, if anything. */
static int found(const struct named_scenario *s, const struct sim_search_result *r)
{
	if (!*r->finding)
		return 0;
	printf("found by the search of \"%s\" after %llu schedules: %.100s\nschedule %s\n",
	       s->sc.name, (unsigned long long)r->schedules, r->finding, r->schedule);
	return 1;
}

static int found_by_seed(uint64_t seed, const char *finding)
{
	printf("found by seed %llu: %.100s\n", (unsigned long long)seed, finding);
	return 1;
}

static int load(uint64_t n, struct load_config c)
{
	struct load_result r;

	for (c.seed = 1; c.seed <= n; c.seed++) {
		if (load_run(&c, &r))
			return found_by_seed(c.seed, r.finding);
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
	return found(s, &r);
}

static int allocators(void)
{
	for (unsigned int i = 0; i < nr_scenarios; i++) {
		const struct named_scenario *s = &scenarios[i];
		unsigned int bound = s->cpus2 < 2 ? s->cpus2 : 2;

		if (search(s, bound, false, SIM_SIGNAL) ||
		    search(s, s->handler, true, SIM_SIGNAL) ||
		    search(s, s->handler, true, SIM_MASKED))
			return 1;
	}
	return load(1000, (struct load_config){.cpus = 4, .ops = 160});
}

static int pressure(void)
{
	return load(400, (struct load_config){.cpus = 4, .ops = 160, .pressure = true}) ||
	       load(100, (struct load_config){.cpus = 16, .ops = 30, .pressure = true});
}

static int reclaims(void)
{
	struct sim_search_result r;

	for (unsigned int i = 0; i < 3 * nr_reclaim_scenarios; i++) {
		const struct named_scenario *s = &reclaim_scenarios[i / 3];
		unsigned int how = i % 3;

		if (how ? !s->handler : !s->cpus2)
			continue;
		/* The cheap ones, whose bound is 3, bear one more. */
		reclaim_search(s, 2, s->cpus2 > 2 ? 2 : 1, how != 0,
			       how == 2 ? SIM_MASKED : SIM_SIGNAL, &r);
		if (found(s, &r))
			return 1;
	}
	return 0;
}

static int pools(void)
{
	struct mempool_sum sum = {0};
	struct sim_search_result r;

	for (unsigned int i = 0; i < 3 * nr_pool_scenarios; i++) {
		const struct named_scenario *s = &pool_scenarios[i / 3];
		unsigned int how = i % 3;

		pool_search(s, how ? 2 : 3, how ? 2 : 1, how != 0,
			    how == 2 ? SIM_MASKED : SIM_SIGNAL, &r);
		if (found(s, &r))
			return 1;
	}
	for (uint64_t seed = 1; seed <= 100; seed++) {
		if (!mempool_seed(seed, &sum))
			return found_by_seed(seed, sim_finding());
	}
	return 0;
}

static int windows(void)
{
	struct window_sum sum = {0};
	struct sim_search_result r;

	for (unsigned int i = 0; i < 3 * nr_window_scenarios; i++) {
		const struct named_scenario *s = &window_scenarios[i / 3];
		unsigned int how = i % 3;

		if (how == 2 && !s->handler)
			continue;
		window_search(s, how ? 2 : 3, how ? s->cpus2 : s->cpus3, how == 2, SIM_SIGNAL, &r);
		if (found(s, &r))
			return 1;
	}
	for (uint64_t seed = 1; seed <= 100; seed++) {
		if (!window_seed(seed, &sum))
			return found_by_seed(seed, sim_finding());
	}
	return 0;
}

static int swaps(void)
{
	struct swap_sum sum = {0};
	struct sim_search_result r;

	for (unsigned int i = 0; i < nr_swap_scenarios; i++) {
		stored_search(&swap_scenarios[i], 2, 1, &r);
		if (found(&swap_scenarios[i], &r))
			return 1;
	}
	for (uint64_t seed = 1; seed <= 1000; seed++) {
		if (!swap_seed(seed, &sum))
			return found_by_seed(seed, sim_finding());
	}
	return 0;
}

static int filecaches(void)
{
	struct filecache_sum sum = {0};
	struct sim_search_result r;

	for (unsigned int i = 0; i < 2 * nr_filecache_scenarios; i++) {
		const struct named_scenario *s = &filecache_scenarios[i / 2];

		stored_search(s, 2 + i % 2, i % 2 ? s->cpus3 : s->cpus2, &r);
		if (found(s, &r))
			return 1;
	}
	for (uint64_t seed = 1; seed <= 300; seed++) {
		if (!filecache_seed(seed, &sum))
			return found_by_seed(seed, sim_finding());
	}
	return 0;
}

static const struct {
	const char *name;
	int (*hunt)(void);
} parts[] = {
	{"allocators", allocators}, {"pressure", pressure}, {"reclaim", reclaims},
	{"pools", pools},	    {"windows", windows},   {"swap", swaps},
	{"filecache", filecaches},
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (unsigned int i = 0; argc == 2 && i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strcmp(argv[1], parts[i].name) == 0)
			return parts[i].hunt();
	}
	fprintf(stderr, "usage: hunt allocators|pressure|reclaim|pools|windows|swap|filecache\n");
	return 2;
}
