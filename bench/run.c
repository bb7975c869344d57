/* SPDX-License-Identifier: MIT */
/*
 * bench-run [--preload LIBRARY] RESULT PROGRAM [ARGUMENT ...]: runs the program and writes what it took
 * into the file RESULT, as one line of JSON: seconds of the wall clock and of the CPU, the peak of the
 * resident set in bytes, and its wait status. Descendants that were waited for are part of it.
 *
 * A program of its own, because the peak that the system tells of a process begins with that of the
 * process it was forked from: the driver is large, this one is small. It takes the program with it if
 * it is killed.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double clock_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int fail(const char *what)
{
	fprintf(stderr, "bench-run: %s: %s\n", what, strerror(errno));
	return 3;
}

static void start(const char *preload, char **argv)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (preload)
		setenv("LD_PRELOAD", preload, 1);
	execvp(argv[0], argv);
	_exit(fail(argv[0]));
}

int main(int argc, char **argv)
{
	const char *preload = NULL;
	struct rusage ru;
	double begin;
	int status;
	FILE *out;
	pid_t pid;

	if (argc > 2 && !strcmp(argv[1], "--preload")) {
		preload = argv[2];
		argv += 2;
		argc -= 2;
	}
	if (argc < 3) {
		fputs("usage: bench-run [--preload LIBRARY] RESULT PROGRAM [ARGUMENT ...]\n",
		      stderr);
		return 2;
	}
	begin = clock_seconds();
	pid = fork();
	if (pid == 0)
		start(preload, argv + 2);
	if (pid < 0)
		return fail("fork");
	while (wait4(pid, &status, 0, &ru) < 0) {
		if (errno != EINTR)
			return fail("wait4");
	}
	begin = clock_seconds() - begin;
	out = fopen(argv[1], "w");
	if (!out)
		return fail(argv[1]);
	fprintf(out, "{\"wall\": %.6f, \"cpu\": %.6f, \"rss\": %llu, \"status\": %d}\n", begin,
		seconds(ru.ru_utime) + seconds(ru.ru_stime),
		(unsigned long long)ru.ru_maxrss * 1024, status);
	return fclose(out) == 0 ? 0 : fail(argv[1]);
}
