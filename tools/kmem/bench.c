/* SPDX-License-Identifier: MIT */
/* kmem bench: the benchmark, whose driver is a program of its own, written in Python. */
#include "cmd.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "paths.h"

#define DRIVER	"bench/kmem-bench.py"
#define PRELOAD "libkmem-malloc.so.0"

static const char *const drivers[] = {"@" DRIVER, "@../libexec/kmem/" DRIVER,
				      KMEM_LIBEXECDIR "/kmem/" DRIVER, NULL};
static const char *const libraries[] = {"@" PRELOAD, "@../lib/" PRELOAD, KMEM_LIBDIR "/" PRELOAD,
					NULL};

/* The path of a part, or NULL after a message. */
static char *find_part(const char *const *places, const char *what)
{
	char *path = cmd_locate(places), *tried;

	if (path)
		return path;
	tried = cmd_tried(places);
	cmd_env("bench: cannot find %s; tried %s", what, tried);
	free(tried);
	return NULL;
}

static int exec_driver(char *driver, char *folder, int argc, char **argv)
{
	char **args = cmd_grow(NULL, (size_t)argc + 5, sizeof(*args));
	int n = 0;

	args[n++] = "python3";
	args[n++] = driver;
	args[n++] = "--lib";
	args[n++] = folder;
	for (int i = 1; i < argc; i++)
		args[n++] = argv[i];
	args[n] = NULL;
	fflush(NULL);
	signal(SIGPIPE, SIG_DFL);
	execvp(args[0], args);
	free(args);
	return cmd_env("bench: %s: %s", "python3", strerror(errno));
}

static int bench_main(int argc, char **argv)
{
	char *driver = find_part(drivers, "the driver " DRIVER);
	char *library = driver ? find_part(libraries, PRELOAD) : NULL;
	int rc = CMD_ENV;

	if (library) {
		*strrchr(library, '/') = '\0';
		rc = exec_driver(driver, library, argc, argv);
	}
	free(library);
	free(driver);
	return rc;
}

const struct verb verb_bench = {
	.name = "bench",
	.brief = "measure against the mallocs people use",
	.usage = "usage: kmem bench [options] [workload ...]\n"
		 "\n"
		 "  --quick             under two minutes: 5 rounds of 6 ms a case\n"
		 "  --rounds N          rounds (default: 11)\n"
		 "  --ms N              milliseconds that a case is measured (default: 40)\n"
		 "  --threads N         threads at most (default: as many as there are CPUs)\n"
		 "  --peers NAMES       compare with these only, of "
		 "glibc,jemalloc,mimalloc,tcmalloc\n"
		 "  --peer NAME=LIBRARY compare with the malloc of this library as well\n"
		 "  --trace FILE        the recording for the workload replay\n"
		 "  --out FOLDER        write report.html and results.json there\n"
		 "  --list              the workloads\n"
		 "\n"
		 "Runs the workloads, or all of them, in turns with every malloc that is "
		 "installed,\n"
		 "and prints the medians, their spread, the ratios and the goals.\n",
	.run = bench_main,
};
