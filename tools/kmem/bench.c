/* SPDX-License-Identifier: MIT */
/* kmem bench: the benchmark, whose driver is a program of its own, written in Python. */
#include "cmd.h"

#include <stdlib.h>
#include <string.h>

#include "paths.h"

#define DRIVER	"bench/kmem-bench.py"
#define PRELOAD "libkmem-malloc.so.0"

static const char *const drivers[] = {"@" DRIVER, "@../libexec/kmem/" DRIVER,
				      KMEM_LIBEXECDIR "/kmem/" DRIVER, NULL};
static const char *const libraries[] = {"@" PRELOAD, "@../lib/" PRELOAD, KMEM_LIBDIR "/" PRELOAD,
					NULL};

static int bench_main(int argc, char **argv)
{
	char *driver = cmd_part("bench", drivers, "the driver " DRIVER);
	char *library = driver ? cmd_part("bench", libraries, PRELOAD) : NULL;
	int rc = CMD_ENV;

	if (library) {
		*strrchr(library, '/') = '\0';
		rc = cmd_python("bench", (char *[]){driver, "--lib", library, NULL}, argc, argv);
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
