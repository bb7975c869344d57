/* SPDX-License-Identifier: MIT */
/*
 * Real threads, real signals, real forks. Every block carries its owner's stamp from birth to death,
 * so a block handed to two owners is seen by one of them; kmem_check() at the end sees the rest.
 * THREAD_OPS changes the length, which is shorter where TAP_SLOW says that all is slower.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "../support.h"

enum { THREADS = 6, SLOTS = 256, MAILBOX = 1024 };

static unsigned long thread_ops(void)
{
	const char *env = getenv("THREAD_OPS");

	return env ? strtoul(env, NULL, 0) : 200000 / tap_slow();
}

struct block {
	unsigned char *p;
	size_t size;
	int kind; /* 0 kmalloc, 1 cache, 2 pages */
	unsigned char stamp;
};

static struct kmem_cache *shared_cache;
static struct block *mailbox[MAILBOX];
static struct page *shared_page;
static unsigned long torn, failed;
static int stop;

static uint64_t next_rand(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static bool block_new(struct block *b, uint64_t *rng)
{
	b->kind = (int)(next_rand(rng) % 3);
	b->stamp = (unsigned char)next_rand(rng);
	b->size = b->kind == 0	 ? 1 + (size_t)(next_rand(rng) % 3000)
		  : b->kind == 1 ? 120
				 : (size_t)PAGE_SIZE;
	b->p = b->kind == 0   ? kmalloc(b->size, GFP_KERNEL | __GFP_NOWARN)
	       : b->kind == 1 ? kmem_cache_alloc(shared_cache, GFP_KERNEL | __GFP_NOWARN)
			      : (void *)__get_free_page(GFP_KERNEL | __GFP_NOWARN);
	if (!b->p) {
		__atomic_fetch_add(&failed, 1, __ATOMIC_RELAXED);
		return false;
	}
	memset(b->p, b->stamp, b->size < 64 ? b->size : 64);
	b->p[b->size - 1] = b->stamp;
	return true;
}

static void block_end(struct block *b)
{
	if (b->p[0] != b->stamp || b->p[b->size - 1] != b->stamp)
		__atomic_fetch_add(&torn, 1, __ATOMIC_RELAXED);
	if (b->kind == 0)
		kfree(b->p);
	else if (b->kind == 1)
		kmem_cache_free(shared_cache, b->p);
	else
		free_page((unsigned long)b->p);
	b->p = NULL;
}

/* Sends a block to whoever comes by, and takes what was there. */
static void exchange(struct block *mine, uint64_t *rng)
{
	struct block *out = kmalloc(sizeof(*out), GFP_KERNEL), *in;

	if (!out)
		return;
	*out = *mine;
	mine->p = NULL;
	in = __atomic_exchange_n(&mailbox[next_rand(rng) % MAILBOX], out, __ATOMIC_ACQ_REL);
	if (!in)
		return;
	block_end(in);
	kfree(in);
}

static void *worker(void *arg)
{
	uint64_t rng = 88172645463325252ULL + (uintptr_t)arg * 7919;
	static _Thread_local struct block slot[SLOTS];
	unsigned long ops = thread_ops();

	for (unsigned long i = 0; i < ops; i++) {
		struct block *b = &slot[next_rand(&rng) % SLOTS];

		if (!b->p)
			block_new(b, &rng);
		else if (next_rand(&rng) % 4 == 0)
			exchange(b, &rng);
		else
			block_end(b);
		if (i % 5000 == 4999 && arg == (void *)0)
			kmem_cache_shrink(shared_cache);
		if (i % 7000 == 6999 && arg == (void *)1)
			drain_all_pages();
	}
	for (int i = 0; i < SLOTS; i++) {
		if (slot[i].p)
			block_end(&slot[i]);
	}
	return NULL;
}

static void mailbox_empty(void)
{
	for (int i = 0; i < MAILBOX; i++) {
		if (mailbox[i]) {
			block_end(mailbox[i]);
			kfree(mailbox[i]);
		}
	}
}

static void run_threads(const char *cmdline)
{
	pthread_t t[THREADS];

	machine_start(cmdline);
	shared_cache = kmem_cache_create("shared", 120, 0, 0, NULL);
	for (long i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, worker, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	mailbox_empty();
	is(torn, 0, "blocks with two owners");
	ok(1, "%lu requests failed", failed);
	is(kmem_cache_destroy(shared_cache), 0, "destroy");
	machine_stop();
}

TEST(threads_share_everything)
{
	run_threads("mem=256M zones=x86_64");
}

TEST(threads_share_a_single_cpu)
{
	run_threads("mem=256M zones=flat nr_cpus=1");
}

TEST(threads_on_many_virtual_cpus_in_little_memory)
{
	run_threads("mem=12M zones=i386 nr_cpus=8");
}

TEST(threads_with_debugging)
{
	run_threads("mem=256M zones=flat slab_debug=FZPU");
}

TEST(threads_without_percpu_lists)
{
	run_threads("mem=256M zones=flat percpu_pages=0 hardened=1");
}

/* ---- Everything else meanwhile -------------------------------------------------------------------- */

/* How often somebody's turn came, while there were others at work. */
static unsigned long turns[6];

static bool at_work(unsigned int who)
{
	__atomic_fetch_add(&turns[who], 1, __ATOMIC_RELAXED);
	return !__atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static void *reads_texts(void *arg)
{
	static const char *const texts[] = {"slabinfo", "buddyinfo", "zoneinfo", "vmstat",
					    "pagetypeinfo"};
	static char text[1 << 17];
	unsigned long bad = 0;

	while (at_work(0))
		for (int i = 0; i < 5; i++)
			bad += kmem_read(texts[i], text, sizeof(text)) < 100;
	*(unsigned long *)arg += bad;
	return NULL;
}

static void *makes_caches(void *arg)
{
	unsigned int n = 0;

	while (at_work(1)) {
		char name[24];
		struct kmem_cache *c;
		void *p;

		snprintf(name, sizeof(name), "cache-%u", n++ % 7);
		c = kmem_cache_create(name, 40 + n % 100, 0, 0, NULL);
		if (!c)
			continue;
		p = kmem_cache_alloc(c, GFP_KERNEL | __GFP_NOWARN);
		if (p)
			kmem_cache_free(c, p);
		*(unsigned long *)arg += kmem_cache_destroy(c) != 0;
	}
	return NULL;
}

static void *gives_back(void *arg)
{
	(void)arg;
	while (at_work(2)) {
		kmem_drain();
		kmem_cache_reap();
		kmem_trim();
		usleep(500);
	}
	return NULL;
}

static void *tunes(void *arg)
{
	bool flip = false;

	while (at_work(3)) {
		*(unsigned long *)arg += kmem_sysctl("min_free_kbytes", flip ? "2048" : "512") != 0;
		flip = !flip;
		usleep(500);
	}
	return NULL;
}

static void *traces(void *arg)
{
	struct kmem_trace_event ev;

	(void)arg;
	while (at_work(4)) {
		kmem_trace_start(NULL, NULL);
		for (unsigned int i = 0; i < 200; i++)
			kmem_trace_read(i % 4, &ev);
		kmem_trace_stop();
		usleep(2000);
	}
	return NULL;
}

/* Two take references of a block's head and drop them while its owner frees it. */
static void *shares_pages(void *arg)
{
	(void)arg;
	while (at_work(5)) {
		struct page *page = alloc_pages(GFP_KERNEL | __GFP_NOWARN, 2), *old;

		if (!page)
			continue;
		get_page(page);
		old = __atomic_exchange_n(&shared_page, page, __ATOMIC_ACQ_REL);
		if (old)
			put_page(old);
		__free_pages(page, 2);
	}
	return NULL;
}

TEST(others_look_and_change_meanwhile)
{
	static void *(*const other[])(void *) = {reads_texts, makes_caches, gives_back,	 tunes,
						 traces,      shares_pages, shares_pages};
	enum { OTHERS = sizeof(other) / sizeof(other[0]) };
	pthread_t t[THREADS], o[OTHERS];
	unsigned long bad[OTHERS] = {0}, sum = 0;

	machine_start("mem=64M zones=i386 nr_cpus=4 slab_merge");
	kmem_set_log(NULL, NULL);
	shared_cache = kmem_cache_create("shared", 120, 0, 0, NULL);
	for (int i = 0; i < OTHERS; i++)
		pthread_create(&o[i], NULL, other[i], &bad[i]);
	for (long i = 2; i < THREADS; i++)
		pthread_create(&t[i], NULL, worker, (void *)i);
	for (int i = 2; i < THREADS; i++)
		pthread_join(t[i], NULL);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < OTHERS; i++) {
		pthread_join(o[i], NULL);
		sum += bad[i];
	}
	if (shared_page)
		put_page(shared_page);
	is(sum, 0, "calls of the others that failed");
	for (int i = 0; i < 5; i++)
		ok(turns[i] > 1, "%d: %lu turns", i, turns[i]);
	mailbox_empty();
	is(torn, 0, "blocks with two owners");
	is(kmem_cache_destroy(shared_cache), 0, "destroy");
	machine_stop();
}

/* ---- Lazy boot from several threads at once ------------------------------------------------------- */

static void *first_user(void *arg)
{
	void *p = kmalloc(100, GFP_KERNEL);

	(void)arg;
	kfree(p);
	return p;
}

TEST(first_use_boots_once_from_many_threads)
{
	pthread_t t[THREADS];
	int good = 0;

	setenv("KMEM_CMDLINE", "mem=64M", 1);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, first_user, NULL);
	for (int i = 0; i < THREADS; i++) {
		void *p;

		pthread_join(t[i], &p);
		good += p != NULL;
	}
	is(good, THREADS, "all served");
	is(kmem_stat_get()->boots, 1, "one boot");
	is(kmem_check(), 0, "kmem_check");
	is(kmem_shutdown(), 0, "leaks");
}

/* ---- Signals ------------------------------------------------------------------------------------- */

enum { HANDLER_HOLDS = 16 };
static void *held[HANDLER_HOLDS];
static unsigned long handler_runs, handler_failed;

static void on_tick(int sig)
{
	static unsigned long turn;
	unsigned long i = turn++ % HANDLER_HOLDS;

	(void)sig;
	handler_runs++;
	if (held[i])
		kfree(held[i]);
	held[i] = kmalloc(8 + turn % 3000, GFP_ATOMIC | __GFP_NOWARN);
	handler_failed += !held[i];
	if (turn % 7 == 0) {
		struct page *page = alloc_page(GFP_ATOMIC | __GFP_NOWARN);

		if (page)
			__free_page(page);
	}
	if (turn % 5 == 0) {
		void *p = kmem_cache_alloc(shared_cache, GFP_ATOMIC | __GFP_NOWARN);

		if (p)
			kmem_cache_free(shared_cache, p);
	}
}

static void one_thread_work(uint64_t *rng, unsigned long ops)
{
	static struct block slot[SLOTS];

	for (unsigned long i = 0; i < ops; i++) {
		struct block *b = &slot[next_rand(rng) % SLOTS];

		if (!b->p)
			block_new(b, rng);
		else
			block_end(b);
		if (i % 5000 == 0)
			kmem_cache_shrink(shared_cache);
	}
	for (int i = 0; i < SLOTS; i++) {
		if (slot[i].p)
			block_end(&slot[i]);
	}
}

static void storm(const char *cmdline)
{
	struct sigaction sa = {.sa_handler = on_tick};
	struct itimerval fast = {{0, 50}, {0, 50}}, off = {{0, 0}, {0, 0}};
	uint64_t rng = 1234567;
	time_t end;

	machine_start(cmdline);
	shared_cache = kmem_cache_create("shared", 120, 0, 0, NULL);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &fast, NULL);
	end = time(NULL) + 2;
	while (time(NULL) < end)
		one_thread_work(&rng, 20000);
	setitimer(ITIMER_REAL, &off, NULL);
	for (int i = 0; i < HANDLER_HOLDS; i++) {
		kfree(held[i]);
		held[i] = NULL;
	}
	ok(handler_runs > 100, "handler ran %lu times, %lu requests refused", handler_runs,
	   handler_failed);
	is(torn, 0, "blocks with two owners");
	is(kmem_cache_destroy(shared_cache), 0, "destroy");
	machine_stop();
}

TEST(handlers_allocate_at_any_moment)
{
	storm("mem=64M zones=x86_64");
}

TEST(handlers_allocate_at_any_moment_without_percpu_lists)
{
	storm("mem=64M zones=flat percpu_pages=0 hardened=1");
}

/* ---- Fork ---------------------------------------------------------------------------------------- */

static void *churn(void *arg)
{
	uint64_t rng = 99991 + (uintptr_t)arg;
	static _Thread_local struct block slot[SLOTS];

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		struct block *b = &slot[next_rand(&rng) % SLOTS];

		if (!b->p)
			block_new(b, &rng);
		else
			block_end(b);
	}
	for (int i = 0; i < SLOTS; i++) {
		if (slot[i].p)
			block_end(&slot[i]);
	}
	return NULL;
}

static int child_works(void)
{
	uint64_t rng = 4711;

	one_thread_work(&rng, 3000);
	kmem_drain();
	return kmem_check() ? 2 : torn ? 3 : 0;
}

TEST(children_of_a_busy_process_allocate)
{
	pthread_t t[3];
	int bad = 0;

	machine_start("mem=256M zones=x86_64");
	shared_cache = kmem_cache_create("shared", 120, 0, 0, NULL);
	for (long i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, churn, (void *)i);
	for (int i = 0; i < (tap_slow() > 1 ? 20 : 60); i++) {
		int status = 0;
		pid_t pid = fork();

		if (!pid) {
			alarm(20);
			_exit(child_works());
		}
		waitpid(pid, &status, 0);
		bad += status != 0;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	is(bad, 0, "children that failed");
	is(kmem_cache_destroy(shared_cache), 0, "destroy");
	machine_stop();
}
