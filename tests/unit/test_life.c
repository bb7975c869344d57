/* SPDX-License-Identifier: MIT */
/* The life of a machine: boot, lazy boot, leaks, shutdown, again; and fork in the middle of it. */
#include <dirent.h>
#include <pthread.h>
#include "boot/boot.h"
#include "tap.h"

static char log_text[65536];
static size_t log_used;

static void log_keep(int level, const char *s, size_t n, void *arg)
{
	(void)level;
	(void)arg;
	if (log_used + n < sizeof(log_text)) {
		memcpy(log_text + log_used, s, n);
		log_used += n;
		log_text[log_used] = '\0';
	}
}

static unsigned int count_in_log(const char *what)
{
	unsigned int n = 0;

	for (const char *s = log_text; (s = strstr(s, what)) != NULL; s++)
		n++;
	return n;
}

static unsigned int nr_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static unsigned int nr_maps(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned int n = 0;
	int c;

	while (f && (c = getc(f)) != EOF)
		n += c == '\n';
	if (f)
		fclose(f);
	return n;
}

/* One machine's life, with something in it. */
static void one_life(const char *line)
{
	void *p, *q;

	if (kmem_boot(line) != 0) {
		ok(false, "%s: %s", line, kmem_boot_error());
		return;
	}
	p = kmalloc(100, GFP_KERNEL);
	q = kmalloc(100000, GFP_KERNEL);
	if (!p || !q)
		ok(false, "no memory");
	kfree(p);
	kfree(q);
	if (kmem_shutdown() != 0)
		ok(false, "leaks");
}

TEST(many_machines_leave_nothing)
{
	unsigned int fds, maps;

	one_life("mem=64M");
	nr_fds();
	maps = nr_maps();
	fds = nr_fds();
	maps = nr_maps();
	for (unsigned int i = 0; i < (tap_slow() > 1 ? 200 : 1000); i++)
		one_life(i % 2 ? "mem=64M zones=i386" : "mem=64M percpu_pages=0");
	is(nr_fds(), fds);
	ok(nr_maps() <= maps + 2, "%u mappings, and %u before", nr_maps(), maps);
}

TEST(a_large_machine_starts_and_stops_at_once)
{
	struct timespec a, b;
	double ms;

	if (sizeof(void *) < 8)
		skip_loudly("24 GiB need 64-bit addresses");
	one_life("mem=24G");
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < 10; i++)
		one_life("mem=24G");
	clock_gettime(CLOCK_MONOTONIC, &b);
	ms = ((double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6) / 10;
	diag("24 GiB: %.2f ms a life", ms);
	ok(ms < 250 * tap_slow(), "%.2f ms", ms);
}

TEST(leaks_are_counted_and_named)
{
	struct kmem_cache *c;

	kmem_set_log(log_keep, NULL);
	is(kmem_boot("mem=64M zones=i386"), 0, "%s", kmem_boot_error());
	c = kmem_cache_create("leaky", 200, 0, SLAB_NO_MERGE, NULL);
	ok(kmem_cache_alloc(c, GFP_KERNEL) != NULL);
	ok(kmem_cache_alloc(c, GFP_KERNEL) != NULL);
	ok(kmalloc(50, GFP_KERNEL) != NULL);
	ok(kmalloc(100000, GFP_KERNEL) != NULL);
	ok(alloc_pages(GFP_KERNEL, 3) != NULL);
	ok(alloc_page(GFP_KERNEL | GFP_DMA) != NULL);
	log_used = 0;
	is(kmem_shutdown(), 2 + 1 + 1 + 2, "objects and blocks of pages");
	ok(strstr(log_text, "cache leaky: 2 objects"), "%s", log_text);
	ok(strstr(log_text, "cache kmalloc-64: 1 objects"), "%s", log_text);
	ok(strstr(log_text, "order 3, zone Normal"), "%s", log_text);
	ok(strstr(log_text, "order 0, zone DMA"), "%s", log_text);
	is(count_in_log("kmem: leak: pages at pfn"), 3);
}

TEST(many_leaks_are_summed_up)
{
	kmem_set_log(log_keep, NULL);
	is(kmem_boot("mem=64M"), 0, "%s", kmem_boot_error());
	for (int i = 0; i < 100; i++)
		ok(alloc_page(GFP_KERNEL) != NULL);
	log_used = 0;
	is(kmem_shutdown(), 100);
	is(count_in_log("kmem: leak: pages at pfn"), 16);
	ok(strstr(log_text, "84 more blocks"), "%s", log_text);
}

TEST(objects_resting_in_sheaves_are_no_leaks)
{
	struct kmem_cache *c;
	void *objs[300];

	is(kmem_boot("mem=64M"), 0, "%s", kmem_boot_error());
	c = kmem_cache_create("resting", 64, 0, SLAB_NO_MERGE, NULL);
	for (size_t i = 0; i < 300; i++)
		objs[i] = kmem_cache_alloc(c, GFP_KERNEL);
	for (size_t i = 0; i < 300; i++)
		kmem_cache_free(c, objs[i]);
	is(kmem_shutdown(), 0, "a cache that was not destroyed has no object");
}

TEST(first_use_boots_from_the_environment)
{
	void *p;

	setenv("KMEM_CMDLINE", "mem=32M zones=i386", 1);
	ok(!kmem_booted());
	p = kmalloc(10, GFP_KERNEL);
	ok(p && kmem_booted());
	is(kmem_stat_get()->total_pages, 8192);
	is_str(kmem_stat_get()->cmdline, "mem=32M zones=i386");
	is(kmem_boot("mem=64M"), -KE_BUSY);
	kfree(p);
	is(kmem_shutdown(), 0);
	is_ptr(kmalloc(10, GFP_KERNEL), NULL, "what was stopped stays so");
	is_ptr(alloc_page(GFP_KERNEL), NULL);
	kfree(NULL);
}

TEST(kmem_boot_of_null_reads_the_environment)
{
	setenv("KMEM_CMDLINE", "mem=32M", 1);
	is(kmem_boot(NULL), 0);
	is(kmem_stat_get()->total_pages, 8192);
	is(kmem_shutdown(), 0);
	setenv("KMEM_CMDLINE", "mem=", 1);
	is(kmem_boot(NULL), -KE_INVAL);
	is_str(kmem_boot_error(), "mem=: not a size");
	unsetenv("KMEM_CMDLINE");
	is(kmem_boot(NULL), 0, "%s", kmem_boot_error());
	ok(kmem_stat_get()->total_pages > 1000);
	is(kmem_shutdown(), 0);
}

TEST(a_bad_environment_is_reported_once)
{
	kmem_set_log(log_keep, NULL);
	setenv("KMEM_CMDLINE", "mem=12Q", 1);
	is_ptr(kmalloc(10, GFP_KERNEL), NULL);
	is_ptr(kmalloc(10, GFP_KERNEL), NULL);
	is_ptr(alloc_page(GFP_KERNEL), NULL);
	is(count_in_log("mem=12Q: not a size"), 1, "%s", log_text);
	is(kmem_boot("mem=16M"), 0, "by name it still works");
	is(kmem_shutdown(), 0);
}

static pthread_barrier_t start_line;

static void *first_user(void *arg)
{
	void *p;

	(void)arg;
	pthread_barrier_wait(&start_line);
	p = kmalloc(64, GFP_KERNEL);
	ok(p != NULL);
	kfree(p);
	return NULL;
}

TEST(many_first_users_boot_one_machine)
{
	pthread_t t[8];

	setenv("KMEM_CMDLINE", "mem=32M", 1);
	pthread_barrier_init(&start_line, NULL, 8);
	for (int i = 0; i < 8; i++)
		pthread_create(&t[i], NULL, first_user, NULL);
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], NULL);
	is(kmem_stat_get()->boots, 1);
	is(kmem_check(), 0);
	is(kmem_shutdown(), 0);
}

TEST(a_machine_that_is_off_answers)
{
	is(kmem_check(), 0);
	kmem_drain();
	is_ptr(kmem_stat_get(), NULL);
	is(kmem_read("vmstat", NULL, 0), -KE_NOENT);
	is(kmem_shutdown(), 0);
}

/* ---- fork ----------------------------------------------------------------------------------- */

static u32 stop_churn;
static unsigned long churned;
static struct kmem_cache *churn_cache;

/* Objects and pages in flight on all CPUs, and between them; every lock held much of the time. */
static void *churn(void *arg)
{
	enum { HELD = 64 };
	uint32_t r = (uint32_t)(uintptr_t)arg + 1;
	void *held[HELD] = {0};
	struct page *block;

	while (!__atomic_load_n(&stop_churn, __ATOMIC_RELAXED)) {
		void **slot = &held[(r = r * 1664525u + 1013904223u) >> 26];

		kfree(*slot);
		*slot = r & 0x10000 ? kmem_cache_alloc(churn_cache, GFP_KERNEL)
				    : kmalloc(r >> 20 & 8191, GFP_KERNEL);
		block = alloc_pages(GFP_KERNEL, 4 + (r >> 17 & 3)); /* too large for CPU lists */
		if (block)
			__free_pages(block, 4 + (r >> 17 & 3));
		__atomic_fetch_add(&churned, 1, __ATOMIC_RELAXED);
	}
	for (int i = 0; i < HELD; i++)
		kfree(held[i]);
	return NULL;
}

/*
 * In the child everything works, and no invariant is broken. not alone: other threads were in the
 * middle of something, and blocks of pages in their hands have no owner here; the caches' own books
 * must agree all the same.
 */
static int child_life(int parent, bool alone)
{
	enum { NR = 500 };
	static void *p[NR];

	if (kmem_stat_get()->pid == (uint32_t)parent)
		return 2;
	for (int i = 0; i < NR; i++) {
		p[i] = kmalloc((size_t)i % 700 + 1, GFP_KERNEL);
		if (!p[i])
			return 3;
		memset(p[i], i, (size_t)i % 700 + 1);
	}
	for (int i = 0; i < NR; i++) {
		if (*(unsigned char *)p[i] != (unsigned char)i)
			return 4; /* somebody else owns it too */
		kfree(p[i]);
	}
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		struct page *page = alloc_pages(GFP_KERNEL, order);

		if (page)
			__free_pages(page, order);
	}
	kmem_drain();
	return (alone ? kmem_check() : kmem_caches_check()) ? 5 : 0;
}

static void forks(const char *line, int nr)
{
	pthread_t t[3];

	is(kmem_boot(line), 0, "%s: %s", line, kmem_boot_error());
	churn_cache = kmem_cache_create("churn", 96, 0, SLAB_NO_MERGE, NULL);
	for (uintptr_t i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, churn, (void *)(i * 7919));
	while (__atomic_load_n(&churned, __ATOMIC_RELAXED) < 1000)
		usleep(100);
	for (int i = 0; i < nr; i++) {
		int parent = getpid(), status = 0;
		pid_t pid = fork();

		if (pid == 0) {
			alarm(60 * (unsigned int)tap_slow());
			_exit(child_life(parent, false));
		}
		if (!is(waitpid(pid, &status, 0), pid) || !is(status, 0, "child %d", i))
			break;
	}
	__atomic_store_n(&stop_churn, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	is(kmem_check(), 0);
	is(kmem_cache_destroy(churn_cache), 0);
	is(kmem_shutdown(), 0);
}

TEST(fork_while_others_allocate)
{
	forks("mem=64M", 150);
}

TEST(fork_while_others_allocate_checked)
{
	forks("mem=64M slab_debug=FZPU", 50);
}

TEST(fork_without_a_machine)
{
	pid_t pid;
	int status;

	is(kmem_boot("mem=16M"), 0);
	is(kmem_shutdown(), 0);
	pid = fork();
	if (pid == 0)
		_exit(kmem_boot("mem=16M") || kmem_shutdown());
	is(waitpid(pid, &status, 0), pid);
	is(status, 0);
}

TEST(the_childs_statistics_are_its_own)
{
	int parent = getpid(), status = 0;
	u64 before;
	pid_t pid;

	is(kmem_boot("mem=64M percpu_pages=0"), 0, "%s", kmem_boot_error());
	before = kmem_stat_get()->zone[KMEM_ZONE_DMA32].free;
	pid = fork();
	if (pid == 0) {
		alloc_pages(GFP_KERNEL, 9);
		_exit(kmem_stat_get()->pid == (u32)parent ||
		      kmem_stat_get()->zone[KMEM_ZONE_DMA32].free + 512 != before);
	}
	is(waitpid(pid, &status, 0), pid);
	is(status, 0);
	is(kmem_stat_get()->zone[KMEM_ZONE_DMA32].free, before, "not the child's numbers");
	is(kmem_stat_get()->pid, parent);
	is(kmem_shutdown(), 0);
}

TEST(forked_children_fork)
{
	int status = 0;
	pid_t pid;

	is(kmem_boot("mem=32M"), 0, "%s", kmem_boot_error());
	pid = fork();
	if (pid == 0) {
		int parent = getpid();

		pid = fork();
		if (pid == 0)
			_exit(child_life(parent, true));
		_exit(waitpid(pid, &status, 0) == pid ? status != 0 : 9);
	}
	is(waitpid(pid, &status, 0), pid);
	is(status, 0);
	is(kmem_shutdown(), 0);
}

/* Frees by and by, until the decay has come round twice. No more than the clock says, and sooner
 * or later; how much later is the machine's load. */
TEST(free_memory_decays_while_the_program_goes_on_freeing)
{
	enum { PAGES = 4096, LOOKS = 20000 };
	struct page *run;
	unsigned char *p;
	int i;

	is(kmem_boot("mem=256M decay_ms=20"), 0);
	run = alloc_contig_pages(PAGES, GFP_KERNEL, 0, NULL);
	if (!ok(run != NULL))
		return;
	p = page_address(run);
	memset(p, 0x55, (size_t)PAGES << PAGE_SHIFT);
	free_contig_range(page_to_pfn(run), PAGES);
	for (i = 0; i < LOOKS && phys_backed(page_to_pfn(run) + PAGES / 2); i++) {
		struct page *page = alloc_contig_pages(100, GFP_KERNEL, 0, NULL);

		free_contig_range(page_to_pfn(page), 100);
		usleep(1000);
	}
	ok(i < LOOKS, "given back");
	is(kmem_check(), 0);
	run = alloc_contig_pages(PAGES, GFP_KERNEL, 0, NULL);
	is(p[(size_t)PAGES << (PAGE_SHIFT - 1)], 0, "the host's memory again");
	free_contig_range(page_to_pfn(run), PAGES);
	is(kmem_shutdown(), 0);
}

/* One free, and nothing more: kswapd is made for it; the second time it was asleep, or nearly. */
TEST(free_memory_of_an_idle_program_decays_by_kswapd)
{
	enum { PAGES = 4096, LOOKS = 20000 };
	struct page *run;
	int i;

	is(kmem_boot("mem=256M decay_ms=20 decay_thread=1"), 0);
	for (int round = 0; round < 2; round++) {
		run = alloc_contig_pages(PAGES, GFP_KERNEL, 0, NULL);
		if (!ok(run != NULL))
			return;
		memset(page_address(run), 0x55, (size_t)PAGES << PAGE_SHIFT);
		free_contig_range(page_to_pfn(run), PAGES);
		for (i = 0; i < LOOKS && phys_backed(page_to_pfn(run) + PAGES / 2); i++)
			usleep(1000);
		ok(i < LOOKS, "given back");
	}
	is(kmem_check(), 0);
	is(kmem_shutdown(), 0);
}

/* Calls that hit look at a thread's own area, whose place the port knows once there is a machine. */
static void *first_page(void)
{
	return alloc_pages(GFP_KERNEL, 0);
}

static void *first_large(void)
{
	return kmalloc(65536, GFP_KERNEL);
}

/* What the task was told before there was a machine holds after it. */
static void *first_small(void)
{
	void *p;

	kmem_preempt_disable();
	kmem_preempt_enable();
	is(kmem_boot("mem=64M"), 0, "%s", kmem_boot_error());
	p = kmalloc(64, GFP_KERNEL);
	kfree(kmalloc(64, GFP_KERNEL));
	return p;
}

static void leaves_the_block_alone(void *(*first)(void), bool page)
{
	void *const *tcb = __builtin_thread_pointer(), *before[2], *p;

	memcpy(before, tcb, sizeof(before));
	p = first();
	ok(p && memcmp(before, tcb, sizeof(before)) == 0);
	if (page)
		__free_pages(p, 0);
	else
		kfree(p);
	is(kmem_shutdown(), 0);
}

TEST(the_first_page_leaves_the_threads_block_alone)
{
	leaves_the_block_alone(first_page, true);
}

TEST(the_first_large_kmalloc_leaves_the_threads_block_alone)
{
	leaves_the_block_alone(first_large, false);
}

TEST(so_do_the_first_small_ones_of_a_task_that_told_its_context)
{
	leaves_the_block_alone(first_small, false);
}
