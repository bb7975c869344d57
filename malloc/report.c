/* SPDX-License-Identifier: MIT */
/*
 * Options and what they print.
 *
 *	KMEM_MALLOC=stat	a summary at exit: calls, peak, zones, caches
 *	KMEM_MALLOC=leaks	what was never freed, by the stack that asked for it
 *	KMEM_MALLOC=stat,leaks	both
 *	KMEM_MALLOC_OUT=N	to descriptor N; a path: appended to that file; otherwise stderr
 *
 * Read once, when the library is initialised, and not at all by a setuid program.
 *
 * Exit. The report is registered, without an object of its own, before the program starts, so
 * that exit runs it last, behind the destructors of every library. A program that leaves through
 * _exit, quick_exit, a signal or exec has no report. A forked child has its own. The C library's own
 * blocks (buffers of open streams, the loader's tables) live until then and are listed.
 *
 * Output. Descriptor 2 is duplicated at the start, for many programs close it on their way out. A
 * descriptor is written to only while it is still the file it was at the start. Each part is one
 * write, so that processes that share a file do not mix their lines.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "internal.h"
#include <kmem/port.h>
#include "../tools/common/summary.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FD_FIRST = 200, /* out of the way of programs that count on low descriptors */
	TEXT_MAX = 1 << 20,
	SUMMARY_MAX = 1 << 14,
	STACKS_SHOWN = 50,
};

static struct {
	bool stat, leaks;
	int fd; /* -1: the path */
	struct stat id;
	char path[512];
} out = {.fd = -1};

/* ---- Where to ---------------------------------------------------------------------------------- */

static bool same_file(int fd)
{
	struct stat now;

	return fstat(fd, &now) == 0 && now.st_dev == out.id.st_dev && now.st_ino == out.id.st_ino;
}

static void out_use_fd(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, FD_FIRST);

	if (copy < 0) /* the limit on descriptors is lower than that */
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	out.fd = copy >= 0 ? copy : fd;
	if (fstat(out.fd, &out.id) != 0)
		out.fd = -1;
}

/* The path, made absolute: the program may change its directory. */
static void out_use_path(const char *path)
{
	size_t n = 0;

	if (path[0] != '/' && getcwd(out.path, sizeof(out.path) / 2)) {
		n = strlen(out.path);
		out.path[n++] = '/';
	}
	snprintf(out.path + n, sizeof(out.path) - n, "%s", path);
}

static void out_choose(const char *to)
{
	char *end = NULL;
	long fd = to ? strtol(to, &end, 10) : STDERR_FILENO;

	if (!to || (end != to && *end == '\0' && fd >= 0 && fd < 1 << 20))
		out_use_fd((int)fd);
	else
		out_use_path(to);
}

static int out_open(void)
{
	if (out.path[0] != '\0')
		return open(out.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	return out.fd >= 0 && same_file(out.fd) ? out.fd : -1;
}

static void write_all(int fd, const char *text, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, text, n);

		if (done < 0 && errno != EINTR)
			return;
		if (done > 0) {
			text += done;
			n -= (size_t)done;
		}
	}
}

/* ---- Texts ------------------------------------------------------------------------------------- */

struct text {
	char *buf;
	size_t len, used;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->used, t->len - t->used, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->used += (size_t)n < t->len - t->used ? (size_t)n : t->len - t->used - 1;
}

static void put_counts(struct text *t)
{
	struct track_counts c;
	char live[16], peak[16];

	track_read(&c);
	put(t,
	    "malloc   %llu allocations, %llu frees, %llu failed, peak %s, at exit %s in %llu "
	    "blocks\n",
	    (unsigned long long)c.allocs, (unsigned long long)c.frees,
	    (unsigned long long)c.failures, kmem_summary_size(c.peak_bytes, peak),
	    kmem_summary_size(c.live_bytes, live), (unsigned long long)c.live_blocks);
	if (c.missed != 0)
		put(t, "         %llu calls in signal handlers or the unwinder were not followed\n",
		    (unsigned long long)c.missed);
}

static void put_summary(struct text *t)
{
	const struct kmem_stat *st = kmem_stat_get();
	size_t n;

	if (!st) {
		put(t, "machine  not started: nothing was allocated\n");
		return;
	}
	n = kmem_summary(st, t->buf + t->used, t->len - t->used);
	t->used += n < t->len - t->used ? n : t->len - t->used - 1;
}

/* "function+0x1f (object)", or "object+0x1234", which addr2line understands. */
static void put_frame(struct text *t, unsigned int nr, void *pc)
{
	Dl_info info;

	if (!pc || !dladdr(pc, &info) || !info.dli_fname)
		put(t, "    #%u %p\n", nr, pc);
	else if (info.dli_sname)
		put(t, "    #%u %s+0x%zx (%s)\n", nr, info.dli_sname,
		    (size_t)((char *)pc - (char *)info.dli_saddr), info.dli_fname);
	else
		put(t, "    #%u %s+0x%zx\n", nr, info.dli_fname,
		    (size_t)((char *)pc - (char *)info.dli_fbase));
}

static void put_leaks(struct text *t)
{
	size_t n, bytes = 0, blocks = 0;
	const struct track_stack *s = track_finish(&n);

	for (size_t i = 0; i < n; i++) {
		bytes += s[i].bytes;
		blocks += s[i].blocks;
	}
	put(t, "leaks    pid %d: %zu bytes in %zu blocks from %zu places were not freed at exit\n",
	    (int)getpid(), bytes, blocks, n);
	if (n != 0)
		put(t,
		    "         (what the C library and others keep for themselves is among them)\n");
	for (size_t i = 0; i < n && i < STACKS_SHOWN; i++) {
		put(t, "%zu bytes in %zu blocks\n", s[i].bytes, s[i].blocks);
		for (uint32_t k = 0; k < s[i].depth; k++)
			put_frame(t, k, s[i].pc[k]);
	}
	if (n > STACKS_SHOWN)
		put(t, "and %zu places more\n", n - STACKS_SHOWN);
}

static void text_new(struct text *t, size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*t = (struct text){.buf = p == MAP_FAILED ? NULL : p, .len = len};
}

static void at_exit(void *unused)
{
	struct text t;
	int fd = out_open();

	(void)unused;
	text_new(&t, TEXT_MAX);
	if (fd < 0 || !t.buf)
		return;
	if (out.stat) {
		put_counts(&t);
		put_summary(&t);
	}
	if (out.leaks)
		put_leaks(&t);
	write_all(fd, t.buf, t.used);
}

void report_to_stderr(void)
{
	struct text t;

	text_new(&t, SUMMARY_MAX);
	if (!t.buf)
		return;
	put_summary(&t);
	write_all(STDERR_FILENO, t.buf, t.used);
	munmap(t.buf, t.len);
}

/* ---- The start --------------------------------------------------------------------------------- */

int __cxa_atexit(void (*fn)(void *), void *arg, void *dso);

static void complain(const char *word, size_t n)
{
	char line[128];
	int len = snprintf(line, sizeof(line), "kmem: KMEM_MALLOC: unknown word \"%.*s\"\n",
			   (int)(n < 40 ? n : 40), word);

	if (len > 0)
		write_all(STDERR_FILENO, line, (size_t)len);
}

static void options_parse(const char *s)
{
	while (*s != '\0') {
		size_t n = strcspn(s, ", ");

		if (n == 4 && strncmp(s, "stat", n) == 0)
			out.stat = true;
		else if (n == 5 && strncmp(s, "leaks", n) == 0)
			out.leaks = true;
		else if (n != 0)
			complain(s, n);
		s += n + (s[n] != '\0');
	}
}

__attribute__((constructor(101))) static void start(void)
{
	const char *options = secure_getenv("KMEM_MALLOC");

	if (!options)
		return;
	options_parse(options);
	if (!out.stat && !out.leaks)
		return;
	out_choose(secure_getenv("KMEM_MALLOC_OUT"));
	track_start(out.leaks);
	face_watch();
	if (__cxa_atexit(at_exit, NULL, NULL) != 0)
		complain("(no room for the report at exit)", 32);
}
