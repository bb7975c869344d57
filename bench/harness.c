/* SPDX-License-Identifier: MIT */
/* The harness and main() of the benchmark's programs; harness.h says what for. */
#include "harness.h"

#include <dlfcn.h>
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { CHUNKS_MAX = 65536, TEAM_MAX = 256, SLICES_MAX = 60000, SLICE_NS = 1000000 };

struct bench_options bench = {.ms = 20, .seed = 1};
static struct workload *workloads;
static const char *current = "";

void workload_add(struct workload *w)
{
	struct workload **at = &workloads;

	while (*at && strcmp((*at)->name, w->name) < 0)
		at = &(*at)->next;
	w->next = *at;
	*at = w;
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "%s: ", *current ? current : "bench");
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(3);
}

void *own_alloc(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	memset(p, 0, bytes);
	return p;
}

void own_free(void *p, size_t bytes)
{
	munmap(p, bytes);
}

uint32_t rnd_size(uint64_t *state, uint32_t least, uint32_t most)
{
	uint32_t doublings = 0, low;

	while ((least << doublings) < most)
		doublings++;
	if (doublings == 0)
		return least;
	low = least << rnd_below(state, doublings);
	low += rnd_below(state, low);
	return low < most ? low : most;
}

void rnd_order(uint64_t *state, uint32_t *order, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	for (uint32_t i = n; i > 1; i--) {
		uint32_t j = rnd_below(state, i), t = order[j];

		order[j] = order[i - 1];
		order[i - 1] = t;
	}
}

void case_report(const char *name, const char *unit, double value)
{
	printf("{\"workload\": \"%s\", \"case\": \"%s\", \"unit\": \"%s\", \"value\": %.4f}\n",
	       current, name, unit, value);
}

/* ---- One thread ---------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void measure(const char *name, uint64_t ops, void (*chunk)(void *arg), void *arg)
{
	static uint64_t took[CHUNKS_MAX];
	uint64_t begin = now_ns(), at = begin, budget = bench.ms * 1000000u;
	size_t n = 0;

	do
		chunk(arg);
	while ((at = now_ns()) - begin < budget / 4);
	begin = at;
	do {
		uint64_t before = at;

		chunk(arg);
		at = now_ns();
		took[n++] = at - before;
	} while (n < CHUNKS_MAX && (n < 3 || at - begin < budget));
	qsort(took, n, sizeof(took[0]), compare);
	case_report(name, "ns/op", (double)took[n / 2] / (double)ops);
}

/* ---- Threads ------------------------------------------------------------------------------------- */

static struct {
	struct worker worker[TEAM_MAX];
	pthread_t thread[TEAM_MAX];
	void (*work)(struct worker *w);
	bool stop;
} team;

static void *team_start(void *arg)
{
	team.work(arg);
	return NULL;
}

static uint64_t team_done(unsigned int n)
{
	uint64_t done = 0;

	for (unsigned int i = 0; i < n; i++)
		done += __atomic_load_n(&team.worker[i].done, __ATOMIC_RELAXED);
	return done;
}

static void team_wait(uint64_t ns)
{
	struct timespec t = {.tv_sec = (time_t)(ns / 1000000000u),
			     .tv_nsec = (long)(ns % 1000000000u)};

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}

static int compare_rates(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Operations a nanosecond, which three slices of four did not reach; if that is none, of all time. */
static double team_rate(unsigned int n)
{
	static double rate[SLICES_MAX];
	uint64_t begin = now_ns(), first = team_done(n), at = begin, done = first;
	size_t slices = 0;

	while (slices < SLICES_MAX && (at - begin < 2 * bench.ms * 1000000u || done == first)) {
		uint64_t before = at, had = done;

		team_wait(SLICE_NS);
		at = now_ns();
		done = team_done(n);
		rate[slices++] = (double)(done - had) / (double)(at - before);
	}
	qsort(rate, slices, sizeof(rate[0]), compare_rates);
	return rate[slices / 2] > 0 ? rate[slices / 2]
				    : (double)(done - first) / (double)(at - begin);
}

void measure_team(const char *name, unsigned int n, void (*work)(struct worker *w), void *arg)
{
	double rate;

	if (n > TEAM_MAX)
		die("%u threads are more than %d", n, TEAM_MAX);
	team.work = work;
	__atomic_store_n(&team.stop, false, __ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < n; i++) {
		team.worker[i] = (struct worker){.stop = &team.stop,
						 .nr = i,
						 .of = n,
						 .seed = bench.seed * 1000003u + i + 1,
						 .arg = arg};
		if (pthread_create(&team.thread[i], NULL, team_start, &team.worker[i]) != 0)
			die("pthread_create: no more than %u threads", i);
	}
	team_wait(bench.ms * 1000000u / 2);
	rate = team_rate(n);
	__atomic_store_n(&team.stop, true, __ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < n; i++)
		pthread_join(team.thread[i], NULL);
	if (rate <= 0)
		die("%s: nothing was done in a minute", name);
	case_report(name, "ns/op", 1 / rate);
}

/* ---- The program --------------------------------------------------------------------------------- */

/* Prints the file that malloc comes from: the loader says nothing of a library that it cannot preload
 * but a line of text, and goes on without it. */
static int print_malloc(void)
{
	Dl_info info;
	void *p = dlsym(RTLD_DEFAULT, "malloc");

	if (!p || !dladdr(p, &info) || !info.dli_fname)
		return 3;
	puts(info.dli_fname);
	return 0;
}

static void usage(FILE *out)
{
	fputs("usage: bench-API [--ms N] [--threads N] [--seed N] WORKLOAD [FILE]\n"
	      "       bench-API --list | --malloc\n"
	      "One round of one workload, a line of JSON a case. 'kmem bench' runs and compares "
	      "them.\n",
	      out);
}

static uint64_t number(const char *name, const char *text, uint64_t most)
{
	char *end;
	uint64_t n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-' || n == 0 || n > most) {
		fprintf(stderr, "bench: --%s %s: not a number from 1 to %llu\n", name, text,
			(unsigned long long)most);
		exit(2);
	}
	return n;
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{"ms", required_argument, NULL, 'm'},
		{"threads", required_argument, NULL, 't'},
		{"seed", required_argument, NULL, 's'},
		{"list", no_argument, NULL, 'l'},
		{"malloc", no_argument, NULL, 'M'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'm') {
			bench.ms = number("ms", optarg, 1000000);
		} else if (c == 't') {
			bench.threads = (unsigned int)number("threads", optarg, TEAM_MAX);
		} else if (c == 's') {
			bench.seed = number("seed", optarg, UINT32_MAX);
		} else if (c == 'l') {
			for (struct workload *w = workloads; w; w = w->next)
				puts(w->name);
			exit(0);
		} else if (c == 'M') {
			exit(print_malloc());
		} else {
			usage(c == 'h' ? stdout : stderr);
			exit(c == 'h' ? 0 : 2);
		}
	}
}

int main(int argc, char **argv)
{
	struct workload *w = workloads;

	parse(argc, argv);
	if (bench.threads == 0) {
		long cpus = sysconf(_SC_NPROCESSORS_ONLN);

		bench.threads = cpus < 1 ? 1 : cpus > TEAM_MAX ? TEAM_MAX : (unsigned int)cpus;
	}
	if (optind >= argc || argc - optind > 2) {
		usage(stderr);
		return 2;
	}
	while (w && strcmp(w->name, argv[optind]) != 0)
		w = w->next;
	if (!w) {
		fprintf(stderr, "bench: there is no workload '%s' here\n", argv[optind]);
		return 2;
	}
	bench.file = argv[optind + 1];
	current = w->name;
	w->run();
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 3;
}
