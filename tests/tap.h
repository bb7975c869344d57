/* SPDX-License-Identifier: MIT */
/*
 * A test harness in one header, speaking TAP (the Test Anything Protocol, read by prove).
 *
 *	#include "tap.h"
 *	TEST(order_zero_comes_back)
 *	{
 *		if (!have_x())
 *			skip_loudly("no x on this host");
 *		ok(p != NULL, "page %d", i);
 *		is(nr_free(), before, "free pages");
 *	}
 *
 * Each .c is one program; main() is here. Each test runs in a child process of its own, with a
 * deadline, so that a crash or a hang is one failure and nothing leaks into the next test. A test
 * without a single check fails, and so does a program in which no test ran.
 *
 *	prog [-l] [SUBSTRING...]	-l lists; with substrings, only tests whose name has one of them
 *
 * Environment
 *	TAP_SEED	seed of tap_rand(); random if unset; printed with every failure
 *	TAP_NOFORK=1	all tests in this process (debuggers, valgrind); no deadline then
 *	TAP_DEADLINE	CPU seconds a test may take, 60; ten times that on the wall
 *	TAP_SLOW	how many times slower than usual this run may be (emulation, sanitizers); the
 *			deadline is stretched by it, and so should be a test's bound on a time
 *
 * Bare metal. With TAP_BARE defined before the inclusion there is no process, no libc and no
 * constructor: the file supplies tap_write() and tap_vsnprintf(), lists its tests in one
 * TAP_LIST(a, b, ...) at its end, and calls tap_run_all(seed).
 *
 * It depends on nothing of libkmem. A file of helpers linked with a test program defines
 * TAP_NO_MAIN before including this.
 */
#ifndef KMEM_TAP_H
#define KMEM_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TAP_UNUSED __attribute__((unused))

enum { TAP_REASON = 200 };

struct tap_test {
	const char *name;
	void (*fn)(void);
	struct tap_test *next;
};

/* What a test's process tells the parent; in memory that both share. */
struct tap_result {
	unsigned int checks, failures;
	bool skipped;
	char reason[TAP_REASON];
};

struct tap_state {
	struct tap_test *first, *last;
	struct tap_result *result;
	const char *file;
	uint64_t seed, rand;
};
/* One object, however many files of a program include this. */
__attribute__((weak)) struct tap_state tap_state;

#ifdef TAP_BARE
void tap_write(const char *text, size_t len);
int tap_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
#else
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Straight to the descriptor: stdio would allocate, and a crash would lose what it buffers. */
static TAP_UNUSED void tap_write(const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(1, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}
#define tap_vsnprintf vsnprintf
#endif

static TAP_UNUSED void tap_vprint(const char *fmt, va_list ap)
{
	char buf[1024];
	int n = tap_vsnprintf(buf, sizeof(buf), fmt, ap);

	if (n > 0)
		tap_write(buf, (size_t)n < sizeof(buf) ? (size_t)n : sizeof(buf) - 1);
}

static TAP_UNUSED __attribute__((format(printf, 1, 2))) void tap_print(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_vprint(fmt, ap);
	va_end(ap);
}

/* A line for the reader that prove shows with -v only, or after a failure. */
static TAP_UNUSED __attribute__((format(printf, 1, 2))) void diag(const char *fmt, ...)
{
	va_list ap;

	tap_write("# ", 2);
	va_start(ap, fmt);
	tap_vprint(fmt, ap);
	va_end(ap);
	tap_write("\n", 1);
}

/* ---- Random numbers: splitmix64, a sequence of its own for each test --------------------------- */

static TAP_UNUSED uint64_t tap_seed(void)
{
	return tap_state.seed;
}

static TAP_UNUSED uint64_t tap_rand(void)
{
	uint64_t z = tap_state.rand += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* A number below n, which is not zero. */
static TAP_UNUSED uint32_t tap_below(uint32_t n)
{
	return (uint32_t)(((tap_rand() >> 32) * n) >> 32);
}

/* ---- Checks: each returns whether it held ------------------------------------------------------ */

static TAP_UNUSED bool tap_passed(bool good)
{
	__atomic_fetch_add(&tap_state.result->checks, 1u, __ATOMIC_RELAXED);
	if (!good)
		__atomic_fetch_add(&tap_state.result->failures, 1u, __ATOMIC_RELAXED);
	return good;
}

static TAP_UNUSED __attribute__((format(printf, 5, 6))) bool tap_ok(bool good, const char *expr,
								    const char *file, int line,
								    const char *fmt, ...)
{
	va_list ap;

	if (tap_passed(good))
		return true;
	tap_print("# %s:%d: not true: %s:", file, line, expr);
	va_start(ap, fmt);
	tap_vprint(fmt, ap);
	va_end(ap);
	tap_write("\n", 1);
	return false;
}

static TAP_UNUSED __attribute__((format(printf, 7, 8))) bool tap_is(long long got, long long want,
								    const char *a, const char *b,
								    const char *file, int line,
								    const char *fmt, ...)
{
	va_list ap;

	if (tap_passed(got == want))
		return true;
	tap_print("# %s:%d: %s is %lld (0x%llx), not %s = %lld (0x%llx):", file, line, a, got,
		  (unsigned long long)got, b, want, (unsigned long long)want);
	va_start(ap, fmt);
	tap_vprint(fmt, ap);
	va_end(ap);
	tap_write("\n", 1);
	return false;
}

static TAP_UNUSED bool tap_str_same(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static TAP_UNUSED __attribute__((format(printf, 6, 7))) bool tap_is_str(const char *got,
									const char *want,
									const char *a,
									const char *file, int line,
									const char *fmt, ...)
{
	va_list ap;

	if (tap_passed(tap_str_same(got, want)))
		return true;
	tap_print("# %s:%d: %s is \"%s\", not \"%s\":", file, line, a, got ? got : "(null)",
		  want ? want : "(null)");
	va_start(ap, fmt);
	tap_vprint(fmt, ap);
	va_end(ap);
	tap_write("\n", 1);
	return false;
}

/* The message may be left out: ok(p), is(n, 3). */
#define ok(cond, ...) tap_ok(!!(cond), #cond, __FILE__, __LINE__, " " __VA_ARGS__)
/* Integers of any type, and booleans; both values are printed. */
#define is(got, want, ...)                                                           \
	tap_is((long long)(got), (long long)(want), #got, #want, __FILE__, __LINE__, \
	       " " __VA_ARGS__)
#define is_ptr(got, want, ...)                                                                   \
	tap_is((long long)(uintptr_t)(got), (long long)(uintptr_t)(want), #got, #want, __FILE__, \
	       __LINE__, " " __VA_ARGS__)
#define is_str(got, want, ...) tap_is_str((got), (want), #got, __FILE__, __LINE__, " " __VA_ARGS__)

static TAP_UNUSED void tap_skip(const char *reason)
{
	size_t i;

	for (i = 0; i + 1 < TAP_REASON && reason[i]; i++)
		tap_state.result->reason[i] = reason[i];
	tap_state.result->reason[i] = '\0';
	tap_state.result->skipped = true;
}

/* In the body of a test: leaves it, and the reason stands in the TAP line and the summary. */
#define skip_loudly(reason)       \
	do {                      \
		tap_skip(reason); \
		return;           \
	} while (0)

/* ---- Registration ------------------------------------------------------------------------------ */

static TAP_UNUSED void tap_register(struct tap_test *t)
{
	if (tap_state.last)
		tap_state.last->next = t;
	else
		tap_state.first = t;
	tap_state.last = t;
}

#ifdef TAP_BARE
#define TEST(name)                                                                        \
	static void tap_fn_##name(void);                                                  \
	static TAP_UNUSED struct tap_test tap_test_##name = {#name, tap_fn_##name, NULL}; \
	static void tap_fn_##name(void)
/* TAP_LIST(&tap_test_a, &tap_test_b): what constructors do elsewhere. */
#define TAP_LIST(...)                                                                           \
	static struct tap_test *const tap_list[] = {__VA_ARGS__};                               \
	static void tap_register_all(void)                                                      \
	{                                                                                       \
		for (size_t tap_i = 0; tap_i < sizeof(tap_list) / sizeof(tap_list[0]); tap_i++) \
			tap_register(tap_list[tap_i]);                                          \
	}
#else
#define TEST(name)                                                             \
	static void tap_fn_##name(void);                                       \
	static struct tap_test tap_test_##name = {#name, tap_fn_##name, NULL}; \
	static __attribute__((constructor)) void tap_ctor_##name(void)         \
	{                                                                      \
		tap_state.file = __FILE__;                                     \
		tap_register(&tap_test_##name);                                \
	}                                                                      \
	static void tap_fn_##name(void)
#endif

/* ---- Running ----------------------------------------------------------------------------------- */

static TAP_UNUSED void tap_begin(const struct tap_test *t, struct tap_result *r)
{
	uint64_t h = tap_state.seed;

	for (const char *s = t->name; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3ull;
	tap_state.rand = h;
	tap_state.result = r;
	r->checks = 0;
	r->failures = 0;
	r->skipped = false;
}

/* One TAP line. died: what ended the process, or NULL. True if the test failed. */
static TAP_UNUSED bool tap_line(unsigned int nr, const struct tap_test *t,
				const struct tap_result *r, const char *died)
{
	const char *why = died		   ? died
			  : r->failures	   ? "checks failed"
			  : r->skipped	   ? NULL
			  : r->checks == 0 ? "no check was made"
					   : NULL;
	const char *file = tap_state.file ? tap_state.file : "bare";

	for (const char *s = file; *s; s++) {
		if (*s == '/' && s[1])
			file = s + 1;
	}
	if (why)
		tap_print("not ok %u - %s: %s [%s; TAP_SEED=0x%llx]\n", nr, file, t->name, why,
			  (unsigned long long)tap_state.seed);
	else if (r->skipped)
		tap_print("ok %u - %s: %s # SKIP %s\n", nr, file, t->name, r->reason);
	else
		tap_print("ok %u - %s: %s\n", nr, file, t->name);
	return why != NULL;
}

#ifdef TAP_BARE

static void tap_register_all(void);

/* The number of failures; -1 if no test ran. */
static TAP_UNUSED int tap_run_all(uint64_t seed)
{
	static struct tap_result result;
	unsigned int nr = 0;
	int failed = 0;

	tap_state.seed = seed;
	tap_register_all();
	for (struct tap_test *t = tap_state.first; t; t = t->next) {
		tap_begin(t, &result);
		t->fn();
		failed += tap_line(++nr, t, &result, NULL);
	}
	tap_print("1..%u\n", nr);
	return nr ? failed : -1;
}

#else

/* A positive number of the environment. */
static TAP_UNUSED unsigned long tap_env(const char *name, unsigned long otherwise)
{
	const char *s = getenv(name);
	unsigned long n = s ? strtoul(s, NULL, 10) : 0;

	return n ? n : otherwise;
}

static TAP_UNUSED unsigned int tap_slow(void)
{
	return (unsigned int)tap_env("TAP_SLOW", 1);
}

static TAP_UNUSED unsigned long tap_deadline(void)
{
	return tap_env("TAP_DEADLINE", 60) * tap_slow();
}

static TAP_UNUSED double tap_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Waits for the child; after wall seconds it is killed, by its id. True if that was needed. */
static TAP_UNUSED bool tap_wait(pid_t pid, double wall, int *status)
{
	double end = tap_now() + wall;
	int pause_ms = 1;

	while (waitpid(pid, status, WNOHANG) == 0) {
		if (tap_now() > end) {
			kill(-pid, SIGKILL); /* its group: what it started goes with it */
			kill(pid, SIGKILL);
			waitpid(pid, status, 0);
			return true;
		}
		poll(NULL, 0, pause_ms);
		pause_ms = pause_ms < 20 ? pause_ms * 2 : 20;
	}
	return false;
}

static TAP_UNUSED void tap_child(const struct tap_test *t)
{
	struct rlimit cpu;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	cpu.rlim_cur = tap_deadline();
	cpu.rlim_max = tap_deadline() + 2;
	setrlimit(RLIMIT_CPU, &cpu);
	t->fn();
	fflush(NULL);
	exit(tap_state.result->failures ? 1 : 0); /* exit: leak checkers run at it */
}

static TAP_UNUSED const char *tap_end_of(const struct tap_result *r, int status)
{
	static char text[80];
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;

	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text),
			 WTERMSIG(status) == SIGXCPU ? "over its CPU deadline (signal %d)"
						     : "killed by signal %d",
			 WTERMSIG(status));
	else if (code && !(code == 1 && r->failures))
		snprintf(text, sizeof(text), "exit status %d", code);
	else
		return NULL;
	return text;
}

static TAP_UNUSED bool tap_run_one(unsigned int nr, const struct tap_test *t, struct tap_result *r)
{
	const char *nofork = getenv("TAP_NOFORK");
	bool late;
	int status = 0;
	pid_t pid;

	tap_begin(t, r);
	if (nofork && *nofork == '1') {
		t->fn();
		return tap_line(nr, t, r, NULL);
	}
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return tap_line(nr, t, r, "fork failed");
	if (pid == 0)
		tap_child(t);
	late = tap_wait(pid, 10.0 * (double)tap_deadline(), &status);
	return tap_line(nr, t, r, late ? "over its deadline" : tap_end_of(r, status));
}

static TAP_UNUSED bool tap_wanted(const struct tap_test *t, int argc, char **argv)
{
	bool any = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-l") == 0)
			continue;
		any = true;
		if (strstr(t->name, argv[i]))
			return true;
	}
	return !any;
}

/*
 * Runs fn(arg) in a process of its own, which must end by a signal or with a status other than 0,
 * having written a text that contains what (NULL: anything) to its output or error output.
 */
static TAP_UNUSED bool tap_dies(void (*fn)(void *), void *arg, const char *what)
{
	static char text[16384];
	size_t used = 0;
	int fd[2], status = 0;
	ssize_t n;
	pid_t pid;

	fflush(NULL);
	if (pipe(fd) != 0)
		return false;
	pid = fork();
	if (pid == 0) {
		dup2(fd[1], 1);
		dup2(fd[1], 2);
		close(fd[0]);
		close(fd[1]);
		fn(arg);
		_exit(0);
	}
	close(fd[1]);
	while (used + 1 < sizeof(text) &&
	       (n = read(fd[0], text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	close(fd[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status == 0) {
		diag("it did not die");
		return false;
	}
	if (what && !strstr(text, what)) {
		diag("it died saying \"%.400s\", without \"%s\"", text, what);
		return false;
	}
	return true;
}
#define dies_saying(fn, arg, what) ok(tap_dies((fn), (arg), (what)), "%s", (what) ? (what) : "")

static TAP_UNUSED void tap_pick_seed(void)
{
	const char *s = getenv("TAP_SEED");

	if (s && *s)
		tap_state.seed = strtoull(s, NULL, 0);
	else if (getrandom(&tap_state.seed, sizeof(tap_state.seed), 0) < 0)
		tap_state.seed = (uint64_t)getpid();
}

#ifndef TAP_NO_MAIN
int main(int argc, char **argv)
{
	struct tap_result *r = (struct tap_result *)mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE,
							 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool list = argc > 1 && strcmp(argv[1], "-l") == 0;
	unsigned int nr = 0, failed = 0;

	if (r == MAP_FAILED)
		return 2;
	tap_pick_seed();
	for (struct tap_test *t = tap_state.first; t; t = t->next) {
		if (!tap_wanted(t, argc, argv))
			continue;
		nr++;
		if (list)
			tap_print("%s\n", t->name);
		else
			failed += tap_run_one(nr, t, r);
	}
	if (!list)
		tap_print("1..%u\n", nr);
	if (nr == 0)
		diag("no test was chosen");
	return nr == 0 || failed ? 1 : 0;
}
#endif
#endif

#ifdef __cplusplus
}
#endif
#endif
