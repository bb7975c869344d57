/* SPDX-License-Identifier: MIT */
/*
 * What a sweep has found, as text or JSON. Stacks are named by addr2line where there is one, else by
 * module and offset; the frames of the library that lie before the request are left out.
 */
#include "sweep.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SHOWN = 50, NAME_MAX_LEN = 200 };

static const char *const kind_name[NR_FINDINGS] = {"crash", "leak", "hang", "exit", "misuse"};

/* ---- Names of places ---------------------------------------------------------------------------- */

static const struct kmem_sweep_module *module_of(const struct kmem_sweep *s, uint64_t pc)
{
	const struct kmem_sweep_module *best = NULL;

	for (uint32_t i = 0; i < s->nr_modules && i < KMEM_SWEEP_MODULES; i++) {
		if (s->module[i].base <= pc && (!best || s->module[i].base > best->base))
			best = &s->module[i];
	}
	return best;
}

/* Programs that are not position-independent are known by their addresses, others by offsets. */
static uint64_t address_in(const struct kmem_sweep_module *m, uint64_t pc)
{
	unsigned char head[EI_NIDENT + 2] = {0};
	int fd = open(m->path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		ssize_t n = read(fd, head, sizeof(head));

		close(fd);
		if (n == (ssize_t)sizeof(head) && head[EI_NIDENT] == ET_EXEC)
			return pc;
	}
	return pc - m->base;
}

/* "function file:line" of the call before pc; false: nobody knows. Of functions inlined into each other
 * the last one told has the frame. */
static bool ask_addr2line(const struct kmem_sweep_module *m, uint64_t pc, char *out, size_t len)
{
	char *at = cmd_text("0x%llx", (unsigned long long)address_in(m, pc - 1));
	char *path = cmd_text("%s", m->path), function[NAME_MAX_LEN] = "", line[NAME_MAX_LEN] = "";
	int pipe_fd[2];
	pid_t pid = -1;

	fflush(NULL);
	if (pipe(pipe_fd) == 0 && (pid = fork()) == 0) {
		char *argv[] = {"addr2line", "-f", "-i", "-C", "-s", "-e", path, at, NULL};

		dup2(pipe_fd[1], STDOUT_FILENO);
		close(pipe_fd[0]);
		close(pipe_fd[1]);
		close(STDERR_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid > 0) {
		FILE *in;

		close(pipe_fd[1]);
		in = fdopen(pipe_fd[0], "r");
		while (in && fgets(function, sizeof(function), in))
			if (!fgets(line, sizeof(line), in))
				line[0] = '\0';
		if (in)
			fclose(in);
		waitpid(pid, NULL, 0);
	}
	free(at);
	free(path);
	function[strcspn(function, "\n")] = line[strcspn(line, " \n")] = '\0';
	if (!function[0] || function[0] == '?')
		return false;
	snprintf(out, len, "%s%s%s", function, line[0] && line[0] != '?' ? " " : "",
		 line[0] != '?' ? line : "");
	return true;
}

static void place_name(const struct kmem_sweep *s, uint64_t pc, char *out, size_t len)
{
	const struct kmem_sweep_module *m = module_of(s, pc);
	const char *slash = m ? strrchr(m->path, '/') : NULL;

	if (!m)
		snprintf(out, len, "0x%llx", (unsigned long long)pc);
	else if (!ask_addr2line(m, pc, out, len))
		snprintf(out, len, "%s+0x%llx", slash ? slash + 1 : m->path,
			 (unsigned long long)(pc - m->base));
}

/* What lies between the decision and the call that was made. */
static bool is_inner(const char *name)
{
	static const char *const inner[] = {"sweep_",	     "fault_",	     "failslab_",
					    "gfp_",	     "alloc_full",   "cache_alloc_",
					    "objects_alloc", "kmalloc_slow", "kmalloc_site",
					    "large_alloc",   "alloc_slow",   "block_alloc"};

	for (size_t i = 0; i < sizeof(inner) / sizeof(inner[0]); i++) {
		if (!strncmp(name, inner[i], strlen(inner[i])))
			return true;
	}
	return false;
}

/* Calls fn for each frame that is to be shown. */
static void each_frame(const struct kmem_sweep *s, const struct kmem_sweep_run *run,
		       void (*fn)(unsigned int nr, const char *name))
{
	char name[2 * NAME_MAX_LEN];
	unsigned int nr = 0;

	for (uint32_t i = 0; i < run->depth && i < KMEM_SWEEP_FRAMES; i++) {
		place_name(s, run->pc[i], name, sizeof(name));
		if (nr == 0 && is_inner(name))
			continue;
		fn(nr++, name);
	}
}

/* ---- Text ----------------------------------------------------------------------------------------- */

static void text_frame(unsigned int nr, const char *name)
{
	printf("    #%u %s\n", nr, name);
}

static void text_finding(const struct kmem_sweep *s, const struct finding *f)
{
	printf("%s: ", kind_name[f->kind]);
	if (f->kind == FOUND_CRASH)
		printf("signal %d (%s)", f->value, strsignal(f->value));
	else if (f->kind == FOUND_EXIT)
		printf("status %d", f->value);
	else if (f->kind == FOUND_LEAK)
		printf("%s left behind", cmd_commas(f->leaks));
	else if (f->kind == FOUND_HANG)
		printf("killed");
	else
		printf("reported by the library");
	printf(" after request %s failed", cmd_commas(f->request));
	if (f->more)
		printf(", and %s more from this stack", cmd_commas(f->more));
	putchar('\n');
	each_frame(s, f->run, text_frame);
}

static void print_text(const struct sweep *s)
{
	uint64_t all = 0;

	for (uint64_t i = 0; i < s->nr && i < SHOWN; i++)
		text_finding(s->shared, &s->found[i]);
	if (s->nr > SHOWN)
		printf("(%s more stacks)\n", cmd_commas(s->nr - SHOWN));
	for (int k = 0; k < NR_FINDINGS; k++)
		all += s->kinds[k];
	printf("sweep: %s requests, %s failed in turn (%s in copies, %s from the start",
	       cmd_commas(s->shared->requests), cmd_commas(s->tried - s->missed),
	       cmd_commas(s->forked), cmd_commas(s->restarted));
	if (s->missed)
		printf(", %s of those never got there", cmd_commas(s->missed));
	printf(")\nsweep: %s findings", cmd_commas(all));
	for (int k = 0; k < NR_FINDINGS; k++)
		printf("%s%s %s", k ? ", " : ": ", cmd_commas(s->kinds[k]), kind_name[k]);
	printf("%s\n", s->stopped ? " (stopped at the first)" : "");
}

/* ---- JSON ----------------------------------------------------------------------------------------- */

static void json_frame(unsigned int nr, const char *name)
{
	printf("%s\"", nr ? "," : "");
	for (; *name; name++) {
		if (*name == '"' || *name == '\\')
			putchar('\\');
		if ((unsigned char)*name >= ' ')
			putchar(*name);
	}
	putchar('"');
}

static void json_finding(const struct kmem_sweep *s, const struct finding *f)
{
	printf("{\"kind\":\"%s\",\"request\":%llu,\"more\":%llu,\"signal\":%d,\"status\":%d,"
	       "\"leaks\":%llu,\"stack\":[",
	       kind_name[f->kind], (unsigned long long)f->request, (unsigned long long)f->more,
	       f->kind == FOUND_CRASH ? f->value : 0, f->kind == FOUND_EXIT ? f->value : 0,
	       (unsigned long long)f->leaks);
	each_frame(s, f->run, json_frame);
	printf("]}");
}

static void print_json(const struct sweep *s)
{
	printf("{\"requests\":%llu,\"copied\":%llu,\"restarted\":%llu,\"missed\":%llu,"
	       "\"stopped\":%s,\"findings\":[",
	       (unsigned long long)s->shared->requests, (unsigned long long)s->forked,
	       (unsigned long long)s->restarted, (unsigned long long)s->missed,
	       s->stopped ? "true" : "false");
	for (uint64_t i = 0; i < s->nr; i++) {
		printf("%s\n", i ? "," : "");
		json_finding(s->shared, &s->found[i]);
	}
	printf("]}\n");
}

void sweep_print(const struct sweep *s)
{
	if (s->opt.json)
		print_json(s);
	else
		print_text(s);
}
