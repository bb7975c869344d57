/* SPDX-License-Identifier: MIT */
/*
 * blockcache: a file much larger than the memory that its cache may have, read and written at random
 * by several threads, every byte checked.
 *
 * Exit status: 0 fine, 1 a wrong byte or a leak, 2 usage, 3 environment (the file, the disk, memory),
 * 130 interrupted, and what was done until then was fine.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "blockcache.h"

enum { FINE = 0, FINDINGS = 1, USAGE = 2, ENVIRONMENT = 3, INTERRUPTED = 130 };
enum { FLUSH_TRIES = 3 };

static const char usage_text[] =
	"usage: blockcache --file FILE [options]\n"
	"  --file FILE     is created, and removed at the end; must not be there\n"
	"  --size SIZE     of the file (256M)\n"
	"  --mem SIZE      of the machine, all the memory the cache can have (16M)\n"
	"  --seconds N     how long (10)\n"
	"  --ops N         reads and writes of each thread, instead of a time\n"
	"  --threads N     how many (4)\n"
	"  --seed N        of the load (1)\n"
	"  --fail KIND,N[,TIMES]\n"
	"                  the N-th transfer fails, and TIMES - 1 after it (1; -1: all); KIND is "
	"eio,\n"
	"                  enospc (of writes), short (half of it is done) or sync (of flushes)\n"
	"  --boot WORDS    more of the machine's command line, as 'failslab=100,50,0,-1'\n";

static struct {
	const char *file, *boot;
	unsigned long long size, mem, seconds, ops, threads, seed;
	struct io_fault fault;
} opt = {.boot = "", .size = 256 << 20, .mem = 16 << 20, .seconds = 10, .threads = 4, .seed = 1};

static const struct {
	const char *name;
	unsigned long long *value, least, most;
} numbers[] = {
	{"--size", &opt.size, PAGE_SIZE, 1ull << 40}, {"--mem", &opt.mem, 1 << 20, 1ull << 40},
	{"--seconds", &opt.seconds, 1, 86400},	      {"--ops", &opt.ops, 1, 1ul << 31},
	{"--threads", &opt.threads, 1, 64},	      {"--seed", &opt.seed, 0, 1ul << 31},
};

static struct io io;
static struct cache cache;
static struct load load;

/* ---- Options ------------------------------------------------------------------------------------- */

static void usage(const char *problem, const char *word)
{
	fprintf(stderr, "blockcache: %s%s\n%s", problem, word, usage_text);
	exit(USAGE);
}

/* A number, with a suffix K, M or G or without. */
static unsigned long long number(const char *text, unsigned long long most)
{
	static const char suffixes[] = "KMG";
	char *end;
	unsigned long long n = strtoull(text, &end, 10);
	const char *suffix = *end ? strchr(suffixes, *end) : NULL;
	unsigned int shift = suffix ? 10 * (unsigned int)(suffix - suffixes + 1) : 0;

	if (*text < '0' || *text > '9' || (suffix ? end[1] : *end) || n > most >> shift)
		usage("not a number, or too large: ", text);
	return n << shift;
}

static void number_option(const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (strcmp(name, numbers[i].name) == 0) {
			*numbers[i].value = number(value, numbers[i].most);
			if (*numbers[i].value < numbers[i].least)
				usage("too small: ", value);
			return;
		}
	}
	usage("not an option: ", name);
}

static struct io_fault fault(const char *text)
{
	static const char *const kinds[] = {"", "eio", "enospc", "short", "sync"};
	struct io_fault f = {.times = 1};
	char kind[8], rest;
	int n = sscanf(text, "%7[a-z],%lu,%ld%c", kind, &f.first, &f.times, &rest);

	for (unsigned int i = 1; n >= 2 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		f.kind = strcmp(kind, kinds[i]) == 0 ? i : f.kind;
	if (n > 3 || f.kind == FAULT_NONE || f.first == 0 || f.times < -1 || f.times == 0)
		usage("--fail: ", text);
	return f;
}

static void option(const char *name, const char *value)
{
	if (strcmp(name, "--file") == 0)
		opt.file = value;
	else if (strcmp(name, "--boot") == 0)
		opt.boot = value;
	else if (strcmp(name, "--fail") == 0)
		opt.fault = fault(value);
	else
		number_option(name, value);
}

static void options(int argc, char **argv)
{
	int i = 1;

	for (; i + 1 < argc; i += 2)
		option(argv[i], argv[i + 1]);
	if (i < argc)
		usage("without a value: ", argv[i]);
	if (!opt.file)
		usage("--file is missing", "");
}

/* ---- Start and stop ------------------------------------------------------------------------------ */

static void interrupted(int signal)
{
	(void)signal;
	load.stop = true;
}

static int cannot(const char *what, int rc)
{
	fprintf(stderr, "blockcache: %s: %s\n", what, strerror(-rc));
	return ENVIRONMENT;
}

/* A quarter of the memory has addresses. The rest is high: seen through kmap alone. */
static int start_machine(void)
{
	char words[512];

	snprintf(words, sizeof(words), "mem=%lluK zones=normal:%lluK,highmem:rest %s",
		 opt.mem >> 10, opt.mem >> 12 & ~3ull, opt.boot);
	if (kmem_boot(words) == 0)
		return FINE;
	fprintf(stderr, "blockcache: the machine: %s\n", kmem_boot_error());
	return ENVIRONMENT;
}

/* ---- Report -------------------------------------------------------------------------------------- */

/* Sum of the lines of vmstat that begin so. */
static unsigned long vmstat(const char *name)
{
	static char text[16384];
	unsigned long sum = 0;

	kmem_read("vmstat", text, sizeof(text));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (strncmp(line, name, strlen(name)) == 0)
			sum += strtoul(strchr(line, ' '), NULL, 10);
	}
	return sum;
}

static double percent(double part, double whole)
{
	return whole > 0 ? 100 * part / whole : 0;
}

static void report(uint64_t ns)
{
	double s = (double)ns / 1e9;

	printf("blockcache: %llu MiB of file, %llu MiB of memory, %llu threads, seed %llu\n",
	       opt.size >> 20, opt.mem >> 20, opt.threads, opt.seed);
	printf("  load      %lu reads and %lu writes of 4 KiB in %.1f s; %lu refused\n",
	       (unsigned long)load.nr_reads, (unsigned long)load.nr_writes, s,
	       (unsigned long)load.nr_refused);
	printf("  cache     %.1f %% hits; %lu blocks at most, %.1f %% of the file\n",
	       percent((double)(cache.nr_gets - cache.nr_fills), (double)cache.nr_gets),
	       (unsigned long)cache.nr_blocks_max,
	       percent((double)cache.nr_blocks_max, (double)load.nr_blocks));
	printf("  reclaim   %lu blocks scanned, %lu given back, %lu of them to kswapd; %lu requests"
	       " reclaimed themselves\n",
	       vmstat("slabs_scanned "), (unsigned long)cache.nr_evicted,
	       (unsigned long)cache.nr_evicted_kswapd, vmstat("allocstall_"));
	printf("  stall     some %.2f %%, full %.2f %% of the time waited for memory\n",
	       percent((double)cache.stall.some_ns, (double)ns),
	       percent((double)cache.stall.full_ns, (double)ns));
	printf("  file      %lu blocks read, %lu written, %lu flushes, %lu errors\n",
	       (unsigned long)io.nr_reads, (unsigned long)io.nr_writes,
	       (unsigned long)load.nr_commits, (unsigned long)io.nr_errors);
	printf("  timer     %lu signals, %lu of them found no memory\n",
	       (unsigned long)cache.nr_ticks, (unsigned long)cache.nr_ticks_missed);
}

/* ---- One run ------------------------------------------------------------------------------------- */

/* The load, its report, and the last flush. */
static int run(bool *flushed)
{
	uint64_t begin = now_ns();
	int rc = writeout_start(&cache);

	if (rc)
		return cannot("timer", rc);
	load.end_ns = opt.ops ? 0 : begin + opt.seconds * 1000000000ull;
	rc = load_run(&load);
	writeout_stop(&cache);
	if (rc)
		return cannot("threads", rc);
	report(now_ns() - begin);
	for (int i = 0; i < FLUSH_TRIES && !*flushed; i++) {
		rc = cache_flush(&cache);
		*flushed = rc == 0;
	}
	if (rc)
		return cannot(opt.file, rc);
	return load.stop ? INTERRUPTED : FINE;
}

static int with_machine(bool *flushed)
{
	unsigned long faults, misuses, leaks;
	int status, rc;

	status = start_machine();
	if (status)
		return status;
	rc = cache_create(&cache, &io, (unsigned int)opt.threads);
	if (rc) {
		status = cannot("cache", rc);
	} else {
		status = run(flushed);
		cache_destroy(&cache);
	}
	faults = (unsigned long)kmem_check();
	misuses = kmem_misuse_count();
	leaks = kmem_shutdown();
	if (!faults && !misuses && !leaks)
		return status;
	fprintf(stderr, "blockcache: %lu faults, %lu misuses, %lu leaks in the machine\n", faults,
		misuses, leaks);
	return FINDINGS;
}

static int with_file(void)
{
	bool flushed = false;
	int status = with_machine(&flushed);

	load_verify(&load, &io, flushed);
	if (load.nr_wrong)
		printf("  WRONG     %lu blocks\n", (unsigned long)load.nr_wrong);
	else
		printf("  every byte verified, as it was read and%s in the file at the end\n",
		       flushed ? "" : ", as far as a flush has promised it,");
	return load.nr_wrong ? FINDINGS : status;
}

int main(int argc, char **argv)
{
	int status, rc;

	options(argc, argv);
	signal(SIGINT, interrupted);
	signal(SIGTERM, interrupted);
	signal(SIGXFSZ, SIG_IGN); /* a limit is an error of write */
	load = (struct load){.cache = &cache,
			     .nr_blocks = opt.size / PAGE_SIZE,
			     .seed = opt.seed,
			     .nr_threads = (unsigned int)opt.threads,
			     .nr_ops = (unsigned long)opt.ops,
			     .commit_every = 1000};
	if (load_create(&load))
		return cannot("versions of the blocks", -ENOMEM);
	io.fault = opt.fault;
	rc = io_create(&io, opt.file, load.nr_blocks);
	if (rc)
		return cannot(opt.file, rc);
	status = with_file();
	io_remove(&io);
	load_destroy(&load);
	return status;
}
