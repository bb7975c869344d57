/* SPDX-License-Identifier: MIT */
/*
 * A signal at every instruction boundary of the allocator's paths; lib/step.h says how. Here each
 * boundary gets a few shapes, other ones with each seed; STEP_SHAPES=all gives it every one (make
 * soak), STEP_RIPS=FILE writes down what was stepped over.
 */
#include <stdlib.h>
#include <string.h>
#include "../tap.h"
#include "lib/step.h"

/* visits: long calls repeat themselves, so an address is interrupted that often there; 0: always */
static void group(const char *name, unsigned int shapes_few, unsigned int visits)
{
	const char *shapes = getenv("STEP_SHAPES"), *one = getenv("STEP_VICTIM");
	struct step_plan plan = {
		.shapes = shapes_few,
		.visits = visits || sizeof(void *) > 4 ? visits : 3, /* 32 bits take longer */
		.seed = tap_rand(),
		.rips_path = getenv("STEP_RIPS"),
	};
	struct step_result r, sum = {0};

	if (shapes) {
		plan.shapes = (unsigned int)strtoul(shapes, NULL, 0); /* "all": 0 */
		plan.visits = 0;
	}
	for (unsigned int v = 0; v < step_nr_victims(); v++) {
		bool good;

		if (strcmp(step_victim_group(v), name) != 0)
			continue;
		if (one && !strstr(step_victim_name(v), one))
			continue;
		good = step_victim(v, &plan, &r);
		ok(good, "%s", r.finding);
		diag("%-32s %6llu boundaries %8llu pairs %6llu refused", step_victim_name(v),
		     (unsigned long long)r.boundaries, (unsigned long long)r.runs,
		     (unsigned long long)r.refused);
		sum.boundaries += r.boundaries;
		sum.runs += r.runs;
		sum.refused += r.refused;
		sum.rips = r.rips;
		for (unsigned int i = 0; i < step_nr_shapes(); i++)
			sum.refused_of[i] += r.refused_of[i];
	}
	diag("%s: %llu boundaries, %llu pairs, %llu addresses, %llu requests refused", name,
	     (unsigned long long)sum.boundaries, (unsigned long long)sum.runs,
	     (unsigned long long)sum.rips, (unsigned long long)sum.refused);
	for (unsigned int i = 0; i < step_nr_shapes(); i++)
		if (sum.refused_of[i])
			diag("refused %llu times: %s", (unsigned long long)sum.refused_of[i],
			     step_shape_name(i));
}

TEST(signals_at_every_instruction_of_kmalloc_and_kfree)
{
	group("slab", 1, 0);
}

TEST(signals_at_every_instruction_of_a_cache)
{
	group("cache", 1, 0);
}

TEST(signals_at_every_instruction_of_long_calls)
{
	group("long", 1, 3);
}

TEST(signals_at_every_instruction_of_drain_and_trim)
{
	group("whole", 1, 3);
}

TEST(signals_at_every_instruction_of_the_page_allocator)
{
	group("pages", 1, 0);
}

TEST(signals_at_every_instruction_of_reclaim)
{
	group("tight", 1, 3);
}

TEST(signals_at_every_instruction_of_a_handler_that_interrupted_a_section)
{
	group("nested", 1, 0);
}

TEST(signals_at_every_instruction_of_pools_and_windows)
{
	group("pools", 1, 3);
}

TEST(signals_at_every_instruction_of_malloc)
{
	group("malloc", 1, 0);
}
