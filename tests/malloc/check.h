/* SPDX-License-Identifier: MIT */
/* TAP for the programs of this folder, which must also run over the system's malloc. */
#ifndef TESTS_MALLOC_CHECK_H
#define TESTS_MALLOC_CHECK_H

#include <stdio.h>

static int check_nr, check_failed;

static inline void check_at(int good, const char *what, const char *file, int line)
{
	check_nr++;
	if (!good) {
		check_failed = 1;
		printf("not ok %d - %s (%s:%d)\n", check_nr, what, file, line);
	} else {
		printf("ok %d - %s\n", check_nr, what);
	}
	fflush(stdout);
}
#define check(cond, what) check_at((cond) ? 1 : 0, (what), __FILE__, __LINE__)

static inline int check_done(void)
{
	printf("1..%d\n", check_nr);
	return check_failed;
}

#endif
