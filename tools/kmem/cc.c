/* SPDX-License-Identifier: MIT */
/* kmem cc: kernel sources to a program; the driver is a program of its own, written in Python. */
#include "cmd.h"

#include <stdlib.h>
#include <string.h>

#include "paths.h"

#define DRIVER	"kmem-cc.py"
#define HEADER	"linux/slab.h"
#define ARCHIVE "libkmem-env.a"

/* The command lies in build/VARIANT, or in bin/. */
static const char *const drivers[] = {"@../../tools/kmem/" DRIVER, "@../libexec/kmem/" DRIVER,
				      KMEM_LIBEXECDIR "/kmem/" DRIVER, NULL};
static const char *const headers[] = {"@../../compat/linux/slab.h",
				      "@../include/kmem-compat/" HEADER,
				      KMEM_INCLUDEDIR "/kmem-compat/" HEADER, NULL};
static const char *const archives[] = {"@" ARCHIVE, "@../lib/" ARCHIVE, KMEM_LIBDIR "/" ARCHIVE,
				       NULL};

static int cc_main(int argc, char **argv)
{
	char *driver = cmd_part("cc", drivers, DRIVER);
	char *overlay = driver ? cmd_part("cc", headers, "the overlay's " HEADER) : NULL;
	char *lib = overlay ? cmd_part("cc", archives, ARCHIVE) : NULL;
	int rc = CMD_ENV;

	if (lib) {
		overlay[strlen(overlay) - strlen("/" HEADER)] = '\0';
		*strrchr(lib, '/') = '\0';
		rc = cmd_python("cc", (char *[]){driver, "--lib", lib, "--overlay", overlay, NULL},
				argc, argv);
	}
	free(lib);
	free(overlay);
	free(driver);
	return rc;
}

const struct verb verb_cc = {
	.name = "cc",
	.brief = "build kernel sources into a program",
	.usage = "usage: kmem cc -K TREE -o PROGRAM [options] SOURCE.c ...\n"
		 "\n"
		 "  -K TREE             the kernel tree, for the headers that libkmem has not\n"
		 "  -o PROGRAM          what to make\n"
		 "  --asan              with AddressSanitizer and UBSan\n"
		 "  --tsan              with ThreadSanitizer\n"
		 "  --msan              with MemorySanitizer, by clang\n"
		 "  -m32                for 32-bit x86\n"
		 "  -D -U -I -O -g      as the compiler's\n"
		 "\n"
		 "Compiles the sources, which lie here or in the tree, against libkmem's headers\n"
		 "and the tree's, and links them with the library, the environment, and what they\n"
		 "need of the tree's lib/. Headers and symbols that are missing are listed, with\n"
		 "what to do. CC names the compiler (gcc).\n",
	.run = cc_main,
};
