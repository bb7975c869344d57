/* SPDX-License-Identifier: MIT */
/*
 * bench-lines: how many cache lines move per allocation and free, on 1 to 16 CPUs. See lines.h.
 *
 *	bench-lines [--cpus=N] [--sites] [WORKLOAD...]
 *
 * --sites: also where, as addresses for addr2line -fie build/lines/bench-lines.
 *
 * The same program gives the same figures. Each workload runs once to warm up and once to be counted.
 * Who gets an object writes its first line, as a user would; what users do to hand objects on is
 * not counted.
 *
 * Exit status: 0 fine, 1 a finding of the simulator, 2 usage.
 */
#include <kmem/kmem.h>
#include <kmem/port.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lines.h"
#include "port_inline.h"
#include "sim.h"

enum {
	OPS = 4000,
	RING = 256,
	SLOTS = 200,
	HAND_ON = 1000, /* replacements until a table goes to the next CPU */
	BATCH = 1000,
	SET = 64,
};

struct cpu {
	void *slot[SLOTS];
	void *batch[BATCH];
	struct page *page[SET];
	void *ring[RING]; /* from an even CPU to the one behind it */
	unsigned int put, got;
};

static struct cpu cpus[LINES_CPUS];
static void *mailbox[SLOTS]; /* a table on its way */
static unsigned int nr_cpus;
static uint64_t allocs; /* each is followed by a free */
static struct kmem_cache *cache;
static port_spin_t list_lock __attribute__((aligned(64)));
static void *list __attribute__((aligned(64)));

static void *got(void *p)
{
	allocs++;
	sim_expect(p);
	lines_touch(p, true);
	return p;
}

static size_t some_size(void)
{
	return 16 + sim_random() % 1008;
}

/* ---- Workloads: n allocations and as many frees, of one CPU ---------------------------------------- */

static void pair(unsigned int cpu, unsigned int n)
{
	(void)cpu;
	while (n--)
		kmem_cache_free(cache, got(kmem_cache_alloc(cache, GFP_KERNEL)));
}

static void batch(unsigned int cpu, unsigned int n)
{
	void **p = cpus[cpu].batch;

	for (; n >= BATCH; n -= BATCH) {
		for (unsigned int i = 0; i < BATCH; i++)
			p[i] = got(kmalloc(64, GFP_KERNEL));
		for (unsigned int i = 0; i < BATCH; i++)
			kfree(p[i]);
	}
}

static void server(unsigned int cpu, unsigned int n)
{
	void **slot = cpus[cpu].slot;

	while (n--) {
		unsigned int i = (unsigned int)(sim_random() % SLOTS);

		kfree(slot[i]);
		slot[i] = got(kmalloc(some_size(), GFP_KERNEL));
		if (n % HAND_ON)
			continue;
		for (i = 0; i < SLOTS; i++) { /* between two points nothing happens */
			void *mine = slot[i];

			slot[i] = mailbox[i];
			mailbox[i] = mine;
		}
	}
}

/* Half of the CPUs allocate, the others free; one alone does both. */
static void handoff(unsigned int cpu, unsigned int n)
{
	struct cpu *c = &cpus[cpu & ~1u];

	for (; n; n--) {
		if (cpu % 2 == 0) {
			void *p = got(kmalloc(some_size(), GFP_KERNEL));

			while (c->put - c->got == RING && nr_cpus > 1)
				port_relax();
			c->ring[c->put++ % RING] = p;
		}
		if (cpu % 2 == 1 || nr_cpus == 1) {
			while (c->put == c->got)
				port_relax();
			kfree(c->ring[c->got++ % RING]);
		}
	}
}

static void pages(unsigned int cpu, unsigned int n)
{
	struct page **p = cpus[cpu].page;

	for (; n >= SET; n -= SET) {
		for (unsigned int i = 0; i < SET; i++) {
			p[i] = alloc_page(GFP_KERNEL);
			got(page_address(p[i]));
		}
		for (unsigned int i = 0; i < SET; i++)
			__free_page(p[i]);
	}
}

/* What to compare with: the textbook's list under one lock. */
static void *list_get(void)
{
	void *p;

	port_spin_lock(&list_lock);
	lines_touch(&list_lock, true);
	lines_touch(&list, true);
	p = list;
	lines_touch(p, false);
	list = *(void **)p;
	port_point();
	port_spin_unlock(&list_lock);
	return got(p);
}

static void list_put(void *p)
{
	port_spin_lock(&list_lock);
	lines_touch(&list_lock, true);
	lines_touch(&list, true);
	lines_touch(p, true);
	*(void **)p = list;
	list = p;
	port_point();
	port_spin_unlock(&list_lock);
}

static void locked(unsigned int cpu, unsigned int n)
{
	(void)cpu;
	while (n--) {
		void *p = list_get();

		port_point();
		list_put(p);
		port_point();
	}
}

static const struct work {
	const char *name, *what;
	void (*run)(unsigned int cpu, unsigned int n);
} works[] = {
	{"pair", "one object of a cache, and back", pair},
	{"batch", "1,000 objects of 64 bytes, and all back", batch},
	{"server", "random objects of a table replaced; tables go from CPU to CPU", server},
	{"handoff", "allocated on one CPU, freed on another", handoff},
	{"pages", "64 pages, and all back", pages},
	{"locked", "for comparison: a list under one lock", locked},
};
enum { WORKS = sizeof(works) / sizeof(works[0]) };

/* ---- A run ------------------------------------------------------------------------------------------ */

static const struct work *work;

/* All CPUs go on at the same pace: after each access to shared memory it is another one's turn. */
static unsigned int turn_of_another(struct sim_sched *s, unsigned int others, bool irq)
{
	(void)s;
	(void)irq;
	return others ? 1 + (unsigned int)(sim_random() % others) : 0;
}

static unsigned int turn_of_any(struct sim_sched *s, unsigned int n)
{
	(void)s;
	return (unsigned int)(sim_random() % n);
}

static uint32_t at_each_point(struct sim_sched *s)
{
	(void)s;
	return 0;
}

static struct sim_sched in_parallel = {turn_of_another, turn_of_any, at_each_point};

static void worker(void *arg)
{
	work->run((unsigned int)(uintptr_t)arg, OPS);
}

static void begin(void *arg)
{
	char cmdline[64];

	(void)arg;
	snprintf(cmdline, sizeof(cmdline), "mem=1G nr_cpus=%u", nr_cpus);
	sim_expect(kmem_boot(cmdline) == 0);
	cache = kmem_cache_create("lines", 64, 0, 0, NULL);
	sim_expect(cache);
	list = NULL;
	for (unsigned int i = 0; i < 2 * LINES_CPUS; i++)
		list_put(kmem_cache_alloc(cache, GFP_KERNEL));
}

static void end(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < SLOTS; i++)
		kfree(mailbox[i]);
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		for (unsigned int i = 0; i < SLOTS; i++)
			kfree(cpus[cpu].slot[i]);
	while (list) {
		void *next = *(void **)list;

		kmem_cache_free(cache, list);
		list = next;
	}
	kmem_cache_destroy(cache);
	sim_expect(kmem_check() == 0 && kmem_misuse_count() == 0 && kmem_shutdown() == 0);
}

static void finding(void)
{
	fprintf(stderr, "bench-lines: %s: %s\n", work->name, sim_finding());
	exit(1);
}

static void run_all_cpus(void)
{
	for (uintptr_t i = 0; i < nr_cpus; i++)
		sim_spawn((unsigned int)i, worker, (void *)i, "worker");
	if (sim_run() != 0)
		finding();
}

/* Of 1,000 allocations and frees. */
static uint64_t count_moves(void)
{
	struct sim_config cfg = {
		.seed = 1, .nr_cpus = nr_cpus, .mode = SIM_SIGNAL, .sched = &in_parallel};

	memset(cpus, 0, sizeof(cpus));
	memset(mailbox, 0, sizeof(mailbox));
	sim_begin(&cfg);
	lines_forget();
	if (sim_call(begin, NULL) != 0)
		finding();
	run_all_cpus();
	allocs = 0;
	lines_start();
	run_all_cpus();
	lines_stop();
	if (sim_call(end, NULL) != 0)
		finding();
	sim_end();
	return lines_moves() * 1000 / allocs;
}

static void print_sites(void)
{
	struct lines_site site[LINES_SITES];
	unsigned int n = lines_sites(site, LINES_SITES);

	for (unsigned int i = 0; i < n; i++)
		printf("\t%8llu %p\n", (unsigned long long)site[i].moves, site[i].pc);
}

static bool wanted(const struct work *w, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (strcmp(*names, w->name) == 0)
			return true;
	return false;
}

static int usage(void)
{
	fprintf(stderr, "usage: bench-lines [--cpus=N] [--sites] [WORKLOAD...]\n");
	for (unsigned int i = 0; i < WORKS; i++)
		fprintf(stderr, "  %-8s %s\n", works[i].name, works[i].what);
	return 2;
}

static bool names_known(char **names)
{
	for (; *names; names++) {
		unsigned int i = 0;

		while (i < WORKS && strcmp(works[i].name, *names) != 0)
			i++;
		if (i == WORKS)
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	unsigned int most = 16;
	bool with_sites = false;

	(void)argc;
	for (argv++; *argv && **argv == '-'; argv++) {
		char end;

		if (strcmp(*argv, "--sites") == 0)
			with_sites = true;
		else if (sscanf(*argv, "--cpus=%u%c", &most, &end) != 1 || most < 1 ||
			 most > LINES_CPUS)
			return usage();
	}
	if (!names_known(argv))
		return usage();
	printf("lines moved by 1,000 allocations and frees\nCPUs    ");
	for (nr_cpus = 1; nr_cpus <= most; nr_cpus *= 2)
		printf(" %7u", nr_cpus);
	printf("\n");
	for (work = works; work < works + WORKS; work++) {
		if (!wanted(work, argv))
			continue;
		printf("%-8s", work->name);
		for (nr_cpus = 1; nr_cpus <= most; nr_cpus *= 2)
			printf(" %7llu", (unsigned long long)count_moves());
		printf("\n");
		if (with_sites)
			print_sites();
	}
	return 0;
}
