/* SPDX-License-Identifier: MIT */
/* Messages, numbers and paths of the command. */
#include "cmd.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void message(const char *fmt, va_list ap)
{
	/* What was printed so far comes first when both streams go to one terminal. */
	fflush(stdout);
	fputs("kmem: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

int cmd_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message(fmt, ap);
	va_end(ap);
	fputs("Try 'kmem help'.\n", stderr);
	return CMD_USAGE;
}

int cmd_bad(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message(fmt, ap);
	va_end(ap);
	return CMD_USAGE;
}

int cmd_env(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message(fmt, ap);
	va_end(ap);
	return CMD_ENV;
}

void cmd_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message(fmt, ap);
	va_end(ap);
}

void *cmd_grow(void *p, size_t n, size_t size)
{
	void *q = NULL;
	size_t bytes;

	if (!__builtin_mul_overflow(n, size, &bytes))
		q = realloc(p, bytes ? bytes : 1);
	if (!q) {
		cmd_env("out of memory");
		_exit(CMD_ENV);
	}
	return q;
}

char *cmd_text(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0) {
		cmd_env("out of memory");
		_exit(CMD_ENV);
	}
	va_end(ap);
	return s;
}

bool cmd_number(const char *s, uint64_t max, uint64_t *value)
{
	uint64_t n = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || n > (max - (uint64_t)(*s - '0')) / 10)
			return false;
		n = n * 10 + (uint64_t)(*s - '0');
	}
	*value = n;
	return true;
}

/* Enough buffers for all the numbers of one printf. */
static char *scratch(void)
{
	static char ring[16][32];
	static unsigned int next;

	return ring[next++ % 16];
}

const char *cmd_commas(uint64_t n)
{
	char digits[24], *out = scratch(), *o = out;
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*o++ = ',';
		*o++ = digits[i];
	}
	*o = '\0';
	return out;
}

const char *cmd_bytes(uint64_t n)
{
	static const char *const unit[] = {"B", "kB", "MB", "GB", "TB"};
	char *out = scratch();
	double v = (double)n;
	size_t u = 0;

	while (v >= 1024 && u < 4) {
		v /= 1024;
		u++;
	}
	snprintf(out, 32, u ? "%.1f %s" : "%.0f %s", v, unit[u]);
	return out;
}

const char *cmd_dir(void)
{
	static char dir[4096];
	char *slash;
	ssize_t n;

	if (dir[0])
		return dir;
	n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	dir[n > 0 ? n : 0] = '\0';
	slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
	else
		strcpy(dir, ".");
	return dir;
}

static char *candidate_path(const char *candidate)
{
	if (candidate[0] == '@')
		return cmd_text("%s/%s", cmd_dir(), candidate + 1);
	return cmd_text("%s", candidate);
}

char *cmd_locate(const char *const *candidates)
{
	for (; *candidates; candidates++) {
		char *path = candidate_path(*candidates);
		struct stat st;

		if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
			char *real = realpath(path, NULL);

			free(path);
			return real;
		}
		free(path);
	}
	return NULL;
}

char *cmd_tried(const char *const *candidates)
{
	char *all = cmd_text("%s", "");

	for (size_t i = 0; candidates[i]; i++) {
		char *path = candidate_path(candidates[i]);
		const char *join = i == 0 ? "" : candidates[i + 1] ? ", " : " and ";
		char *more = cmd_text("%s%s%s", all, join, path);

		free(path);
		free(all);
		all = more;
	}
	return all;
}

char *cmd_part(const char *verb, const char *const *candidates, const char *what)
{
	char *path = cmd_locate(candidates), *tried;

	if (path)
		return path;
	tried = cmd_tried(candidates);
	cmd_env("%s: cannot find %s; tried %s", verb, what, tried);
	free(tried);
	return NULL;
}

int cmd_python(const char *verb, char *const *words, int argc, char **argv)
{
	size_t nr = 0, n = 0;
	char **args;

	while (words[nr])
		nr++;
	args = cmd_grow(NULL, nr + (size_t)argc + 1, sizeof(*args));
	args[n++] = "python3";
	for (size_t i = 0; i < nr; i++)
		args[n++] = words[i];
	for (int i = 1; i < argc; i++)
		args[n++] = argv[i];
	args[n] = NULL;
	fflush(NULL);
	signal(SIGPIPE, SIG_DFL);
	execvp(args[0], args);
	free(args);
	return cmd_env("%s: python3: %s", verb, strerror(errno));
}
