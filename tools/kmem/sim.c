/* SPDX-License-Identifier: MIT */
/* kmem sim: the deterministic simulator, which is a program of its own. */
#include "cmd.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "paths.h"

static const char *const places[] = {"@kmem-sim",
				     "@../sim-" KMEM_ARCH "-debug/kmem-sim",
				     "@../sim-" KMEM_ARCH "/kmem-sim",
				     "@../sim-" KMEM_ARCH "/bin/kmem-sim",
				     "@../../sim-" KMEM_ARCH "/kmem-sim",
				     "@../libexec/kmem/kmem-sim",
				     KMEM_LIBEXECDIR "/kmem/kmem-sim",
				     NULL};

static int sim_main(int argc, char **argv)
{
	char *path = cmd_locate(places);
	int rc;

	(void)argc;
	if (!path) {
		char *tried = cmd_tried(places);

		rc = cmd_env("sim: cannot find the simulator kmem-sim; tried %s", tried);
		free(tried);
		return rc;
	}
	fflush(NULL);
	signal(SIGPIPE, SIG_DFL);
	execv(path, argv);
	rc = cmd_env("sim: %s: %s", path, strerror(errno));
	free(path);
	return rc;
}

const struct verb verb_sim = {
	.name = "sim",
	.brief = "run the deterministic simulator",
	.usage = "usage: kmem sim [arguments of kmem-sim]\n"
		 "\n"
		 "Runs the simulator; 'kmem-sim --help' tells its own options.\n",
	.run = sim_main,
};
