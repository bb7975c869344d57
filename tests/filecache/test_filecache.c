/* SPDX-License-Identifier: MIT */
/*
 * A cache of file pages: what is read once and found again, who waits and who is told to come again,
 * what reclaim takes under which mask, and that every byte is the file's.
 */
#include <pthread.h>
#include <unistd.h>
#include <sys/wait.h>
#include "../conformance/pressure.h"
#include "../store.h"
#include "pool/pool.h"
#include <kmem/fault.h>
#include <kmem/filecache.h>
#include <kmem/highmem.h>
#include <kmem/lru.h>

enum { MIB = 1 << 20, TAIL = 100, PAGES = 64, BYTES = (PAGES - 1) * PAGE_SIZE + TAIL };
#define FLAT "mem=8M zones=flat nr_cpus=2 kswapd=0 percpu_pages=0 "
#define HIGH "mem=8M zones=normal:4M,highmem:rest nr_cpus=2 kswapd=0 "

static struct mem_store store;
static struct kmem_filecache *cache;

static unsigned char byte_of(uint64_t pos)
{
	uint64_t x = (pos / 8 + 1) * 0x9e3779b97f4a7c15ull;

	return (unsigned char)(x >> 32 >> pos % 8);
}

static void cache_start(const char *cmdline)
{
	machine_start(cmdline);
	mem_store_start(&store, BYTES);
	for (size_t i = 0; i < BYTES; i++)
		store.bytes[i] = byte_of(i);
	store.s.write = NULL;
	is(kmem_filecache_create(&cache, &store.s), 0);
}

static void cache_stop(void)
{
	kmem_filecache_destroy(cache);
	is(kmem_misuse_count(), 0);
	mem_store_stop(&store);
	machine_stop();
}

static struct kmem_filecache_stat stat_now(void)
{
	struct kmem_filecache_stat st;

	kmem_filecache_stat(cache, &st);
	return st;
}

static struct page *get(uint64_t index, gfp_t gfp)
{
	struct page *page = NULL;

	is(kmem_filecache_get(cache, index, gfp, &page), 0, "page %llu", (unsigned long long)index);
	return page;
}

/* Brings pages first..last-1 in, or finds them. */
static void touch(uint64_t first, uint64_t last, gfp_t gfp)
{
	for (uint64_t i = first; i < last; i++)
		put_page(get(i, gfp));
}

static void page_verify(const struct page *page, uint64_t index)
{
	const unsigned char *p = kmap_local_page(page);
	unsigned int wrong = 0;

	for (uint64_t i = 0; i < PAGE_SIZE; i++) {
		uint64_t pos = index * PAGE_SIZE + i;

		wrong += p[i] != (pos < BYTES ? byte_of(pos) : 0);
	}
	kunmap_local(p);
	is(wrong, 0, "bytes of page %llu", (unsigned long long)index);
}

static unsigned long take_back(unsigned long nr, int priority, gfp_t gfp)
{
	unsigned long n = 0;

	for (int zone = 0; zone < KMEM_NR_ZONES; zone++)
		n += lru_provider.reclaim(&lru_provider, zone, nr, priority, gfp);
	return n;
}

/* ---- One task -------------------------------------------------------------------------------------- */

static void read_twice(const char *cmdline)
{
	cache_start(cmdline);
	for (unsigned int round = 0; round < 2; round++)
		for (uint64_t i = 0; i < PAGES; i++) {
			struct page *page = get(i, GFP_HIGHUSER);

			page_verify(page, i);
			put_page(page);
		}
	is(store.reads, PAGES, "each page once");
	is(stat_now().pages, PAGES);
	is(stat_now().misses, PAGES);
	is(stat_now().hits, PAGES);
	cache_stop();
}

TEST(a_page_is_read_once_and_found_again)
{
	read_twice(FLAT);
}

TEST(pages_of_highmem_too)
{
	read_twice(HIGH);
}

TEST(pages_count_as_file_pages)
{
	cache_start(FLAT);
	touch(0, 10, GFP_KERNEL);
	is(kmem_stat_get()->zone[KMEM_ZONE_NORMAL].lru[KMEM_LRU_INACTIVE_FILE], 10);
	is(kmem_stat_get()->zone[KMEM_ZONE_NORMAL].lru[KMEM_LRU_DIRTY], 0);
	cache_stop();
}

TEST(reads_of_any_range)
{
	static unsigned char buf[3 * PAGE_SIZE + 2];
	static const struct {
		uint64_t off;
		size_t len;
		long want;
	} ranges[] = {
		{0, 1, 1},
		{0, 0, 0},
		{PAGE_SIZE - 1, 2, 2},
		{5, 3 * PAGE_SIZE, 3 * PAGE_SIZE},
		{BYTES - 1, 1, 1},
		{BYTES - 1, 2, 1},
		{BYTES - PAGE_SIZE, 3 * PAGE_SIZE, PAGE_SIZE},
		{BYTES, 1, 0},
		{BYTES + 5 * PAGE_SIZE, 1, 0},
		{UINT64_MAX, 1, 0},
	};

	cache_start(HIGH);
	for (unsigned int i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		unsigned int wrong = 0;

		memset(buf, 0xa5, sizeof(buf));
		is(kmem_filecache_read(cache, buf + 1, ranges[i].off, ranges[i].len, GFP_HIGHUSER),
		   ranges[i].want, "range %u", i);
		for (long k = 0; k < ranges[i].want; k++)
			wrong += buf[1 + k] != byte_of(ranges[i].off + (uint64_t)k);
		is(wrong, 0, "range %u", i);
		is(buf[0], 0xa5);
		is(buf[1 + ranges[i].want], 0xa5, "not one more");
	}
	cache_stop();
}

TEST(behind_the_end_there_is_no_page)
{
	struct page *page = (struct page *)&page;

	cache_start(FLAT);
	is(kmem_filecache_get(cache, PAGES, GFP_KERNEL, &page), -22);
	is_ptr(page, NULL);
	is(kmem_filecache_get(cache, UINT64_MAX, GFP_KERNEL, &page), -22);
	page = get(PAGES - 1, GFP_KERNEL);
	page_verify(page, PAGES - 1);
	put_page(page);
	cache_stop();
}

TEST(wrong_stores_are_refused)
{
	struct kmem_store none = {.name = "none", .size = 5};
	struct kmem_filecache *fc = (struct kmem_filecache *)(void *)&none;

	cache_start(FLAT);
	is(kmem_filecache_create(&fc, NULL), -22);
	is_ptr(fc, NULL);
	is(kmem_filecache_create(&fc, &none), -22, "without read");
	none = store.s;
	none.size = 0;
	is(kmem_filecache_create(&fc, &none), -22, "empty");
	none.size = UINT64_MAX;
	is(kmem_filecache_create(&fc, &none), sizeof(long) == 4 ? -22 : 0, "a very large one");
	kmem_filecache_destroy(fc);
	kmem_filecache_destroy(NULL);
	cache_stop();
}

TEST(one_store_may_have_two_caches)
{
	struct kmem_filecache *first;

	cache_start(FLAT);
	first = cache;
	is(kmem_filecache_create(&cache, &store.s), 0);
	touch(0, 10, GFP_KERNEL);
	is(stat_now().misses, 10);
	kmem_filecache_destroy(cache);
	cache = first;
	is(stat_now().misses, 0);
	cache_stop();
}

/* ---- Masks and contexts ---------------------------------------------------------------------------- */

TEST(who_may_not_block_gets_what_is_in_memory)
{
	struct page *page;

	cache_start(FLAT);
	is(kmem_filecache_get(cache, 0, GFP_NOWAIT, &page), -11);
	is_ptr(page, NULL);
	is(kmem_filecache_get(cache, 0, GFP_ATOMIC, &page), -11);
	is(store.reads, 0);
	touch(0, 1, GFP_KERNEL);
	put_page(get(0, GFP_NOWAIT));
	kmem_irq_enter();
	page = get(0, GFP_ATOMIC);
	page_verify(page, 0);
	put_page(page);
	is(kmem_filecache_get(cache, 1, GFP_ATOMIC, &page), -11);
	kmem_irq_exit();
	is(store.reads, 1);
	cache_stop();
}

TEST(a_blocking_mask_where_nothing_may_sleep_is_reported)
{
	struct page *page;

	cache_start(FLAT);
	touch(0, 1, GFP_KERNEL);
	kmem_preempt_disable();
	is(kmem_filecache_get(cache, 1, GFP_KERNEL, &page), -11);
	is(kmem_filecache_drop(cache, 0, BYTES), 0);
	kmem_filecache_destroy(cache);
	kmem_preempt_enable();
	is(reports_of(KMEM_MISUSE_CONTEXT), 3);
	is(stat_now().pages, 1, "nothing has happened");
	kmem_filecache_destroy(cache);
	mem_store_stop(&store);
	machine_stop();
}

/* ---- Reclaim --------------------------------------------------------------------------------------- */

TEST(reclaim_takes_pages_under_every_mask_that_may_reclaim)
{
	static const gfp_t masks[] = {GFP_KERNEL, GFP_NOFS, GFP_NOIO};

	cache_start(FLAT);
	for (unsigned int i = 0; i < 3; i++) {
		uint64_t before = pages_free_drained();

		touch(0, PAGES, GFP_KERNEL);
		is(take_back(PAGES, 0, masks[i]), PAGES);
		is(stat_now().pages, 0);
		is(stat_now().reclaimed, (i + 1) * PAGES);
		ok(pages_free_drained() >= before, "their memory is free");
	}
	is(store.writes, 0, "without I/O");
	is(store.reads, 3 * PAGES);
	cache_stop();
}

TEST(a_page_in_use_stays)
{
	struct page *page;

	cache_start(FLAT);
	touch(0, PAGES, GFP_KERNEL);
	page = get(5, GFP_KERNEL);
	is(take_back(PAGES, 0, GFP_KERNEL), PAGES - 1);
	is(stat_now().pages, 1);
	page_verify(page, 5);
	is_ptr(get(5, GFP_NOWAIT), page, "and is found");
	put_page(page);
	put_page(page);
	is(take_back(PAGES, 0, GFP_KERNEL), 1);
	cache_stop();
}

TEST(a_page_that_was_found_again_has_a_second_chance)
{
	cache_start(FLAT);
	touch(0, 8, GFP_KERNEL);
	put_page(get(3, GFP_KERNEL));
	is(take_back(8, 12, GFP_KERNEL), 7);
	put_page(get(3, GFP_NOWAIT));
	is(take_back(PAGES, 0, GFP_KERNEL), 1, "at the last priority it has none");
	cache_stop();
}

/* Real requests, which reclaim by themselves. */
static void load_under(gfp_t gfp)
{
	unsigned long n;

	cache_start("mem=2M zones=flat nr_cpus=1 kswapd=0 percpu_pages=0");
	touch(0, PAGES, GFP_KERNEL);
	n = take(gfp | __GFP_NORETRY, HELD_MAX);
	ok(stat_now().reclaimed == PAGES, "%llu pages taken",
	   (unsigned long long)stat_now().reclaimed);
	give_back(n);
	touch(0, PAGES, GFP_KERNEL);
	cache_stop();
}

TEST(requests_that_may_not_write_live_on_it)
{
	load_under(GFP_NOIO);
}

TEST(requests_that_may_all_live_on_it)
{
	load_under(GFP_KERNEL);
}

/* ---- Errors ---------------------------------------------------------------------------------------- */

TEST(a_failed_read_is_told_and_tried_again)
{
	struct page *page;

	cache_start(FLAT);
	touch(0, 3, GFP_KERNEL);
	store.nth = 1;
	store.error = -5;
	is(kmem_filecache_get(cache, 3, GFP_KERNEL, &page), -5);
	is_ptr(page, NULL);
	is(stat_now().pages, 3);
	is(stat_now().read_errors, 1);
	ok(log_count("kmem: filecache: memory: page 3 cannot be read, error 5") == 1, "%s",
	   support_log);
	page = get(3, GFP_KERNEL);
	page_verify(page, 3);
	put_page(page);
	is(stat_now().misses, 5);
	cache_stop();
}

TEST(a_store_that_is_gone_leaves_what_is_in_memory)
{
	unsigned char buf[4 * PAGE_SIZE];
	struct page *page;

	cache_start(FLAT);
	touch(0, 3, GFP_KERNEL);
	store.nth = 1;
	store.for_ever = true;
	store.error = -19;
	is(kmem_filecache_get(cache, 3, GFP_KERNEL, &page), -19);
	is(kmem_filecache_read(cache, buf, 10, sizeof(buf), GFP_KERNEL), 3 * PAGE_SIZE - 10);
	is(kmem_filecache_read(cache, buf, 3 * PAGE_SIZE, 1, GFP_KERNEL), -19);
	for (uint64_t i = 0; i < 3; i++) {
		page = get(i, GFP_KERNEL);
		page_verify(page, i);
		put_page(page);
	}
	ok(log_count("cannot be read") <= 5, "once in a while");
	cache_stop();
}

TEST(without_memory_nothing_changes)
{
	unsigned int refused = 0, reads = 1;
	struct page *page;
	bool last = false;

	cache_start("mem=4M zones=flat nr_cpus=1 kswapd=0 failslab=1,0,0,0 "
		    "fail_page_alloc=1,0,0,0,min-order=0");
	touch(1, 2, GFP_KERNEL);
	is(kmem_filecache_drop(cache, 0, BYTES), 1);
	for (int n = 1; !last; n++) {
		uint64_t before = pages_free_drained();
		int rc;

		kmem_fault_nth(n);
		rc = kmem_filecache_get(cache, 1, GFP_KERNEL, &page);
		last = port_task()->fail_nth != 0;
		kmem_fault_nth(0);
		if (rc == 0) { /* it was a request that the library can do without */
			put_page(page);
			is(kmem_filecache_drop(cache, 0, BYTES), 1);
			reads++;
			continue;
		}
		refused++;
		is(rc, -12, "request %d", n);
		is_ptr(page, NULL);
		is(pages_free_drained(), before);
		is(store.reads, reads);
		is(stat_now().misses, reads);
	}
	ok(refused >= 2, "%u refused: the entry, the page", refused);
	cache_stop();
}

/* ---- Drop ------------------------------------------------------------------------------------------ */

TEST(what_is_dropped_is_read_anew)
{
	struct page *old, *page;
	unsigned char *p;

	cache_start(FLAT);
	touch(0, PAGES, GFP_KERNEL);
	old = get(2, GFP_KERNEL);
	for (unsigned int i = 0; i < BYTES; i++)
		store.bytes[i]++;
	is(kmem_filecache_drop(cache, 0, 0), 0, "an empty range");
	is(kmem_filecache_drop(cache, 2 * PAGE_SIZE - 1, 2), 2, "pages 1 and 2");
	is(kmem_filecache_drop(cache, BYTES, UINT64_MAX), 1,
	   "the last page has bytes behind the end");
	is(stat_now().pages, PAGES - 3);
	is(stat_now().dropped, 3);
	page_verify(old, 2);
	page = get(2, GFP_KERNEL);
	ok(page != old, "who has the old page keeps it");
	p = kmap_local_page(page);
	is(p[7], (unsigned char)(byte_of(2 * PAGE_SIZE + 7) + 1));
	kunmap_local(p);
	put_page(page);
	put_page(old);
	is(kmem_filecache_drop(cache, 0, UINT64_MAX), PAGES - 2);
	is(stat_now().pages, 0);
	cache_stop();
}

TEST(a_page_outlives_the_cache)
{
	struct page *page;

	cache_start(FLAT);
	page = get(4, GFP_KERNEL);
	kmem_filecache_destroy(cache);
	page_verify(page, 4);
	put_page(page);
	mem_store_stop(&store);
	machine_stop();
}

TEST(a_reference_given_back_twice_is_reported)
{
	struct page *page;

	cache_start(FLAT);
	page = get(0, GFP_KERNEL);
	put_page(page);
	put_page(page);
	ok(kmem_misuse_count() == 1, "%s", support_log);
	page = get(0, GFP_NOWAIT);
	page_verify(page, 0);
	put_page(page);
	kmem_filecache_destroy(cache);
	mem_store_stop(&store);
	machine_stop();
}

/* ---- Threads --------------------------------------------------------------------------------------- */

enum { THREADS = 4 };
static unsigned int arrived;

/* The store answers when all the others have asked for the page, or may have. */
static void wait_for_the_others(void)
{
	while (__atomic_load_n(&arrived, __ATOMIC_RELAXED) < THREADS)
		sched_yield();
	usleep(20000); /* so that they sleep; they must pass without it, too */
}

static void *getter(void *arg)
{
	struct page *page = NULL;

	(void)arg;
	__atomic_fetch_add(&arrived, 1, __ATOMIC_RELAXED);
	kmem_filecache_get(cache, 9, GFP_KERNEL, &page);
	return page;
}

TEST(a_page_that_all_want_is_read_once)
{
	pthread_t thread[THREADS];
	void *first, *page;

	cache_start("mem=8M zones=flat nr_cpus=4");
	store.point = wait_for_the_others;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, getter, NULL);
	pthread_join(thread[0], &first);
	page_verify(first, 9);
	put_page(first);
	for (int i = 1; i < THREADS; i++) {
		pthread_join(thread[i], &page);
		is_ptr(page, first);
		put_page(page);
	}
	is(store.reads, 1);
	is(stat_now().misses, 1);
	is(stat_now().hits, THREADS - 1);
	cache_stop();
}

/* ---- A real file four times as large as the machine -------------------------------------------------- */

enum { FILE_MIB = 64, READS = 1200 };
static struct kmem_file_store file;
static char path[] = "/tmp/kmem-filecache-XXXXXX";

static void file_make(void)
{
	static unsigned char buf[MIB];
	int fd = mkstemp(path);

	for (uint64_t m = 0; m < FILE_MIB; m++) {
		for (uint64_t i = 0; i < MIB; i++)
			buf[i] = byte_of(m * MIB + i);
		if (write(fd, buf, MIB) != MIB)
			ok(0, "cannot write the file");
	}
	close(fd);
	is(kmem_file_store_open(&file, path, 0, false), 0);
	unlink(path);
}

/* Two thirds at random, one third of a part that fits into memory. */
static void *reader(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;
	uint64_t bad = 0;
	unsigned char buf[3 * PAGE_SIZE];

	for (unsigned int n = 0; n < READS; n++) {
		uint64_t r = (uint64_t)rand_r(&seed) << 15 ^ (uint64_t)rand_r(&seed);
		uint64_t off = r % (n % 3 ? (uint64_t)FILE_MIB * MIB : (uint64_t)4 * MIB);
		size_t len = (size_t)rand_r(&seed) % sizeof(buf);
		long got = kmem_filecache_read(cache, buf, off, len, GFP_HIGHUSER);

		bad += got < 0 || (got < (long)len && off + (uint64_t)got != file.store.size);
		for (long i = 0; i < got; i++)
			bad += buf[i] != byte_of(off + (uint64_t)i);
	}
	return (void *)(uintptr_t)bad;
}

static void read_at_random(const char *cmdline)
{
	pthread_t thread[THREADS];
	struct kmem_filecache_stat st;
	void *bad;

	machine_start(cmdline);
	is(kmem_filecache_create(&cache, &file.store), 0);
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, reader, (void *)(i + 1));
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &bad);
		is((uintptr_t)bad, 0, "thread %d", i);
	}
	st = stat_now();
	diag("%llu hits, %llu misses, %llu reclaimed, %llu in memory", (unsigned long long)st.hits,
	     (unsigned long long)st.misses, (unsigned long long)st.reclaimed,
	     (unsigned long long)st.pages);
	ok(st.reclaimed > 1000 && st.hits > 1000 && st.read_errors == 0);
	is(st.pages + st.reclaimed, st.misses, "pages add up");
	kmem_filecache_destroy(cache);
	machine_stop();
}

TEST(a_file_read_at_random_by_four_threads)
{
	file_make();
	read_at_random("mem=16M zones=flat nr_cpus=4");
	read_at_random("mem=16M zones=normal:6M,highmem:rest nr_cpus=4");
	kmem_file_store_close(&file);
}

TEST(a_file_that_is_cut_off)
{
	struct page *page;
	char name[] = "/tmp/kmem-filecache-XXXXXX";

	machine_start(FLAT);
	close(mkstemp(name));
	is(truncate(name, 10 * PAGE_SIZE), 0);
	is(kmem_file_store_open(&file, name, 0, false), 0);
	is(kmem_filecache_create(&cache, &file.store), 0);
	touch(0, 3, GFP_KERNEL);
	is(truncate(name, 5 * PAGE_SIZE + 7), 0);
	touch(0, 5, GFP_KERNEL);
	is(kmem_filecache_get(cache, 5, GFP_KERNEL, &page), -5, "a short read is an error");
	is(kmem_filecache_get(cache, 9, GFP_KERNEL, &page), -5);
	is(stat_now().pages, 5);
	kmem_filecache_destroy(cache);
	kmem_file_store_close(&file);
	unlink(name);
	machine_stop();
}

/* ---- fork ------------------------------------------------------------------------------------------- */

static bool child_is_well(void)
{
	struct page *page;
	bool good = kmem_check() == 0;

	for (uint64_t i = 0; i < PAGES; i++) {
		good = good && kmem_filecache_get(cache, i, GFP_KERNEL, &page) == 0;
		if (good)
			page_verify(page, i);
		put_page(page);
	}
	good = good && take_back(PAGES, 0, GFP_KERNEL) == PAGES && kmem_check() == 0;
	kmem_filecache_destroy(cache);
	return good && kmem_check() == 0 && kmem_misuse_count() == 0;
}

static void fork_and_try(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(child_is_well() ? 0 : 1);
	waitpid(pid, &status, 0);
	is(status, 0, "the child");
}

TEST(a_child_of_fork_has_the_cache)
{
	cache_start(FLAT);
	touch(0, PAGES / 2, GFP_KERNEL);
	fork_and_try();
	is(stat_now().pages, PAGES / 2);
	cache_stop();
}

static unsigned int forks;
static void fork_in_the_middle(void)
{
	if (!forks++)
		fork_and_try();
}

/* The task that forks is the page's reader itself: its child reads it anew. */
TEST(a_fork_in_the_middle_of_a_read)
{
	struct page *page;

	cache_start(FLAT);
	store.point = fork_in_the_middle;
	page = get(3, GFP_KERNEL);
	page_verify(page, 3);
	put_page(page);
	is(forks, 1);
	cache_stop();
}
