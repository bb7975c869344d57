/* SPDX-License-Identifier: MIT */
/*
 * kmem stat: the memory of a running process that uses libkmem.
 *
 * The library keeps its statistics in a memfd named kmem-stat. /proc/PID/fd shows it to those whom
 * the kernel lets look into the process, so there is no permission check here. The snapshot is read
 * (not mapped: the process may shrink it), then checked and made safe before anything looks at it.
 */
#include "cmd.h"
#include "stat.h"
#include "../common/summary.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char memfd_link[] = "/memfd:kmem-stat (deleted)";
static const char *const texts[] = {"slabinfo", "buddyinfo",	"zoneinfo",
				    "vmstat",	"pagetypeinfo", NULL};

static bool is_text(const char *name)
{
	for (size_t i = 0; texts[i]; i++) {
		if (!strcmp(texts[i], name))
			return true;
	}
	return false;
}

/* ---- Finding and reading ------------------------------------------------------------------- */

/* Opens the process's memfd. -1: errno says why; 0 there means that it has none. */
static int open_stat(long pid)
{
	char dir[64], link[320], target[64];
	struct dirent *de;
	int fd = -1, why = 0;
	DIR *d;

	snprintf(dir, sizeof(dir), "/proc/%ld/fd", pid);
	d = opendir(dir);
	if (!d)
		return -1;
	while (fd < 0 && (de = readdir(d))) {
		ssize_t n;

		snprintf(link, sizeof(link), "%s/%s", dir, de->d_name);
		n = readlink(link, target, sizeof(target) - 1);
		if (n != (ssize_t)sizeof(memfd_link) - 1 || memcmp(target, memfd_link, (size_t)n))
			continue;
		fd = open(link, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			why = errno;
	}
	closedir(d);
	errno = why;
	return fd;
}

/* The counts index arrays and the names are printed: another process's word is not enough. */
static void make_safe(struct kmem_stat *st)
{
	if (st->nr_cpus > KMEM_MAX_CPUS)
		st->nr_cpus = KMEM_MAX_CPUS;
	if (st->nr_caches > KMEM_MAX_CACHES)
		st->nr_caches = KMEM_MAX_CACHES;
	if (st->max_caches > KMEM_MAX_CACHES)
		st->max_caches = KMEM_MAX_CACHES;
	st->cmdline[sizeof(st->cmdline) - 1] = '\0';
	for (unsigned int i = 0; i < KMEM_NR_ZONES; i++)
		st->zone[i].name[sizeof(st->zone[i].name) - 1] = '\0';
	for (unsigned int i = 0; i < KMEM_MAX_CACHES; i++)
		st->cache[i].name[sizeof(st->cache[i].name) - 1] = '\0';
}

/* NULL, or what is wrong with it. */
static const char *read_stat(int fd, struct kmem_stat *st)
{
	static char why[128];
	size_t done = 0;

	memset(st, 0, sizeof(*st));
	while (done < sizeof(*st)) {
		ssize_t n = pread(fd, (char *)st + done, sizeof(*st) - done, (off_t)done);

		if (n < 0)
			return strerror(errno);
		if (n == 0)
			break;
		done += (size_t)n;
	}
	if (done < 4 * sizeof(uint32_t) || st->magic != KMEM_STAT_MAGIC)
		return "its kmem-stat does not hold statistics (no machine started yet?)";
	if (st->version != KMEM_STAT_VERSION || st->size != sizeof(*st)) {
		snprintf(why, sizeof(why),
			 "its library writes statistics of version %u (%u bytes), this command "
			 "reads version %u (%zu bytes)",
			 st->version, st->size, KMEM_STAT_VERSION, sizeof(*st));
		return why;
	}
	if (done < sizeof(*st))
		return "its statistics are cut off";
	make_safe(st);
	return NULL;
}

static int open_error(long pid)
{
	switch (errno) {
	case 0:
		return cmd_env("stat: process %ld does not use libkmem (it has no kmem-stat)", pid);
	case ENOENT:
		return cmd_env("stat: there is no process %ld", pid);
	case EACCES:
	case EPERM:
		return cmd_env("stat: process %ld belongs to somebody else: %s", pid,
			       strerror(errno));
	default:
		return cmd_env("stat: process %ld: %s", pid, strerror(errno));
	}
}

/* ---- Printing ------------------------------------------------------------------------------ */

static int print_text(const struct kmem_stat *st, const char *name)
{
	long n = kmem_stat_text(st, name, NULL, 0);
	char *buf;

	if (n < 0)
		return cmd_env("stat: %s: this library has no such text", name);
	buf = cmd_grow(NULL, (size_t)n + 1, 1);
	kmem_stat_text(st, name, buf, (size_t)n + 1);
	fputs(buf, stdout);
	free(buf);
	return CMD_FINE;
}

static void print_summary(const struct kmem_stat *st)
{
	size_t n = kmem_summary(st, NULL, 0);
	char *buf = cmd_grow(NULL, n + 1, 1);

	kmem_summary(st, buf, n + 1);
	fputs(buf, stdout);
	free(buf);
}

static int show(long pid, const char *text, bool json)
{
	struct kmem_stat *st;
	int fd = open_stat(pid), rc = CMD_FINE;
	const char *why;

	if (fd < 0)
		return open_error(pid);
	st = cmd_grow(NULL, 1, sizeof(*st));
	why = read_stat(fd, st);
	close(fd);
	if (why)
		rc = cmd_env("stat: process %ld: %s", pid, why);
	else if (json)
		stat_print_json(st, stdout);
	else if (text)
		rc = print_text(st, text);
	else
		print_summary(st);
	free(st);
	return rc;
}

/* ---- The list ------------------------------------------------------------------------------ */

static void command_name(long pid, char *name, size_t size)
{
	char path[64];
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	in = fopen(path, "r");
	if (!in || !fgets(name, (int)size, in))
		snprintf(name, size, "?");
	if (in)
		fclose(in);
	name[strcspn(name, "\n")] = '\0';
	for (char *c = name; *c; c++) {
		if (!isprint((unsigned char)*c))
			*c = '?';
	}
}

static void list_one(long pid, const struct kmem_stat *st)
{
	uint64_t managed = 0, free_pages = 0, page = st->page_size;
	char name[64];

	for (unsigned int i = 0; i < KMEM_NR_ZONES; i++) {
		managed += st->zone[i].managed;
		free_pages += st->zone[i].free;
	}
	command_name(pid, name, sizeof(name));
	printf("%8ld  %-16s %10s %10s  ", pid, name, cmd_bytes(managed * page),
	       cmd_bytes(free_pages * page));
	for (const char *c = st->cmdline; *c; c++)
		putchar(isprint((unsigned char)*c) ? *c : '?');
	putchar('\n');
}

/* All processes that this user may look into; others cannot be told from those without. */
static int list(void)
{
	struct kmem_stat *st = cmd_grow(NULL, 1, sizeof(*st));
	DIR *proc = opendir("/proc");
	struct dirent *de;
	unsigned int n = 0;

	if (!proc) {
		free(st);
		return cmd_env("stat: /proc: %s", strerror(errno));
	}
	while ((de = readdir(proc))) {
		uint64_t pid;
		int fd;

		if (!cmd_number(de->d_name, INT32_MAX, &pid) || pid == 0)
			continue;
		fd = open_stat((long)pid);
		if (fd < 0)
			continue;
		if (!read_stat(fd, st)) {
			if (n++ == 0)
				printf("%8s  %-16s %10s %10s  %s\n", "PID", "COMMAND", "MEMORY",
				       "FREE", "MACHINE");
			list_one((long)pid, st);
		}
		close(fd);
	}
	closedir(proc);
	free(st);
	if (n == 0)
		puts("No process that you may look into uses libkmem.");
	return CMD_FINE;
}

/* ---- The verb ------------------------------------------------------------------------------ */

static int stat_main(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
						{NULL, 0, NULL, 0}};
	bool json = false;
	const char *text;
	uint64_t pid;
	int c;

	while ((c = getopt_long(argc, argv, "j", options, NULL)) != -1) {
		if (c != 'j') {
			fputs("Try 'kmem help stat'.\n", stderr);
			return CMD_USAGE;
		}
		json = true;
	}
	if (optind == argc)
		return json ? cmd_usage("stat: --json of which process?") : list();
	text = optind + 1 < argc ? argv[optind + 1] : NULL;
	if (!cmd_number(argv[optind], INT32_MAX, &pid) || pid == 0)
		return cmd_usage(is_text(argv[optind]) ? "stat: %s of which process?"
						       : "stat: '%s' is not a process number",
				 argv[optind]);
	if (optind + 2 < argc)
		return cmd_usage("stat: one process and one text, not '%s'", argv[optind + 2]);
	if (text && !is_text(text))
		return cmd_usage("stat: there is no text '%s': slabinfo, buddyinfo, zoneinfo, "
				 "vmstat or pagetypeinfo",
				 text);
	if (text && json)
		return cmd_usage("stat: --json holds everything; it takes no text name");
	return show((long)pid, text, json);
}

const struct verb verb_stat = {
	.name = "stat",
	.brief = "show the memory of a running process",
	.usage = "usage: kmem stat                     list the processes that use libkmem\n"
		 "       kmem stat PID                 zones, caches and events, to be read\n"
		 "       kmem stat PID TEXT            slabinfo, buddyinfo, zoneinfo, vmstat or\n"
		 "                                     pagetypeinfo, as the kernel prints them\n"
		 "       kmem stat --json PID          everything, for programs\n",
	.run = stat_main,
};
