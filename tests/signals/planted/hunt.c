/* SPDX-License-Identifier: MIT */
/*
 * Hunts for a planted bug by stepping: the victims whose names contain the first argument, all
 * without it; as many shapes at each boundary as the second says, 4 without it. Exit status 1: found,
 * and how; 0: nothing in all of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/step.h"

int main(int argc, char **argv)
{
	struct step_plan plan = {
		.shapes = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 0) : 4,
		.visits = 6,
		.seed = argc > 3 ? strtoull(argv[3], NULL, 0) : 1,
	};
	unsigned long long runs = 0;
	struct step_result r;

	for (unsigned int v = 0; v < step_nr_victims(); v++) {
		bool good;

		if (argc > 1 && !strstr(step_victim_name(v), argv[1]))
			continue;
		good = step_victim(v, &plan, &r);
		runs += r.runs;
		if (!good) {
			printf("found after %llu pairs: %s\n", runs, r.finding);
			return 1;
		}
	}
	printf("nothing in %llu pairs\n", runs);
	return 0;
}
