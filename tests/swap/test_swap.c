/* SPDX-License-Identifier: MIT */
/*
 * Swap: pages that leave memory and come back with every byte. Machines are so small that most of the
 * data is out; the area is memory that fails when told to, or a real file.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include "../conformance/pressure.h"
#include "../store.h"
#include "pool/pool.h"
#include <kmem/highmem.h>
#include <kmem/lru.h>
#include <kmem/swap.h>

enum { MIB = 1 << 20, MANY = 8192 };
#define FLAT	    "mem=8M zones=flat nr_cpus=2 kswapd=0 "
#define FLAT_KSWAPD "mem=8M zones=flat nr_cpus=2 "
#define HIGH	    "mem=16M zones=dma:2M,normal:6M,highmem:rest nr_cpus=2 "

static struct mem_store area;
static struct kmem_swap_page *handles[MANY];
static unsigned int version[MANY];

static void swap_start(const char *cmdline, size_t bytes)
{
	machine_start(cmdline);
	mem_store_start(&area, bytes);
	is(kmem_swapon(&area.s), 0, "swapon");
}

static void swap_stop(void)
{
	is(kmem_swapoff(), 0, "swapoff");
	mem_store_stop(&area);
	machine_stop();
}

/* Every word of a page says whose it is, and of which version. */
static uint64_t word_of(unsigned int page, unsigned int ver, unsigned int i)
{
	return (uint64_t)page << 40 | (uint64_t)ver << 16 | i;
}

static int page_fill(unsigned int nr, unsigned int ver)
{
	void *p;
	int rc = kmem_swap_map(handles[nr], GFP_HIGHUSER, &p);

	if (rc)
		return rc;
	for (unsigned int i = 0; i < PAGE_SIZE / 8; i++)
		((uint64_t *)p)[i] = word_of(nr, ver, i);
	kmem_swap_unmap(handles[nr], p, true);
	version[nr] = ver;
	return 0;
}

static int page_verify(unsigned int nr)
{
	unsigned int wrong = 0;
	void *p;
	int rc = kmem_swap_map(handles[nr], GFP_HIGHUSER, &p);

	if (rc)
		return rc;
	for (unsigned int i = 0; i < PAGE_SIZE / 8; i++)
		wrong += ((uint64_t *)p)[i] != word_of(nr, version[nr], i);
	kmem_swap_unmap(handles[nr], p, false);
	if (wrong)
		ok(0, "page %u: %u words are wrong", nr, wrong);
	return 0;
}

static unsigned int pages_make(unsigned int nr, gfp_t gfp)
{
	unsigned int made = 0;

	while (made < nr) {
		handles[made] = kmem_swap_alloc(gfp);
		if (!handles[made] || page_fill(made, 1))
			break;
		made++;
	}
	return made;
}

static void pages_free_all(unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		kmem_swap_free(handles[i]);
}

static unsigned int resident(unsigned int nr)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < nr; i++)
		n += kmem_swap_resident(handles[i]);
	return n;
}

/* All of it out, as far as the area takes it. */
static void push_out(void)
{
	for (int zone = 0; zone < KMEM_NR_ZONES; zone++)
		while (lru_provider.reclaim(&lru_provider, zone, 64, 0, GFP_KERNEL))
			;
}

/* ---- One page ------------------------------------------------------------------------------------- */

TEST(a_page_goes_out_and_comes_back)
{
	uint64_t before;

	swap_start(FLAT, MIB);
	before = pages_free_drained();
	is(pages_make(1, GFP_HIGHUSER), 1);
	push_out();
	ok(!kmem_swap_resident(handles[0]));
	is(area.writes, 1);
	ok(pages_free_drained() + 1 >= before, "its memory is free");
	is(kmem_stat_get()->swap_total, 256);
	is(kmem_stat_get()->swap_free, 255);
	is(kmem_swap_in(handles[0], GFP_HIGHUSER), 0);
	ok(kmem_swap_resident(handles[0]));
	is(area.reads, 1);
	is(page_verify(0), 0);
	is(events_of(KMEM_EV_pswpin), 1);
	is(events_of(KMEM_EV_pswpout), 1);
	kmem_swap_free(handles[0]);
	is(kmem_stat_get()->swap_free, 256);
	swap_stop();
}

TEST(a_clean_page_goes_out_without_a_write)
{
	swap_start(FLAT, MIB);
	pages_make(1, GFP_HIGHUSER);
	push_out();
	is(page_verify(0), 0);
	push_out();
	ok(!kmem_swap_resident(handles[0]));
	is(area.writes, 1, "the slot holds it still");
	page_fill(0, 2);
	push_out();
	is(area.writes, 2);
	is(page_verify(0), 0);
	kmem_swap_free(handles[0]);
	swap_stop();
}

TEST(a_mapped_page_stays)
{
	void *p, *q;

	swap_start(FLAT, MIB);
	pages_make(1, GFP_HIGHUSER);
	is(kmem_swap_map(handles[0], GFP_HIGHUSER, &p), 0);
	is(kmem_swap_map(handles[0], GFP_HIGHUSER, &q), 0);
	is_ptr(q, p, "one address");
	push_out();
	ok(kmem_swap_resident(handles[0]));
	is(area.writes, 0);
	kmem_swap_unmap(handles[0], p, false);
	push_out();
	ok(kmem_swap_resident(handles[0]), "until the last of them");
	kmem_swap_unmap(handles[0], q, false);
	push_out();
	ok(!kmem_swap_resident(handles[0]));
	kmem_swap_free(handles[0]);
	swap_stop();
}

TEST(without_an_area_pages_stay)
{
	machine_start(FLAT);
	is(pages_make(10, GFP_HIGHUSER), 10);
	push_out();
	is(resident(10), 10);
	mem_store_start(&area, MIB);
	is(kmem_swapon(&area.s), 0);
	push_out();
	is(resident(10), 0, "those that were there before go out too");
	is(kmem_swapoff(), 0);
	is(resident(10), 10);
	is(kmem_stat_get()->swap_total, 0);
	for (unsigned int i = 0; i < 10; i++)
		is(page_verify(i), 0);
	pages_free_all(10);
	mem_store_stop(&area);
	machine_stop();
}

TEST(wrong_areas_are_refused)
{
	struct mem_store small, read_only;

	swap_start(FLAT, MIB);
	mem_store_start(&small, 100);
	mem_store_start(&read_only, MIB);
	read_only.s.write = NULL;
	is(kmem_swapon(&read_only.s), -22);
	is(kmem_swapon(&small.s), -22);
	is(kmem_swapon(NULL), -22);
	is(kmem_swapon(&area.s), -16, "one is on");
	is(kmem_swapoff(), 0);
	is(kmem_swapoff(), -22, "none is on");
	mem_store_stop(&small);
	mem_store_stop(&read_only);
	mem_store_stop(&area);
	machine_stop();
}

TEST(wrong_uses_are_reported)
{
	void *p;

	swap_start(FLAT, MIB);
	pages_make(1, GFP_HIGHUSER);
	kmem_swap_map(handles[0], GFP_HIGHUSER, &p);
	kmem_swap_free(handles[0]);
	is(reports_of(KMEM_MISUSE_LRU), 1, "freed while mapped");
	kmem_swap_unmap(handles[0], p, false);
	kmem_swap_unmap(handles[0], p, false);
	is(reports_of(KMEM_MISUSE_KMAP_UNBALANCED), 1);
	kmem_preempt_disable();
	is(kmem_swap_in(handles[0], GFP_HIGHUSER), -16);
	kmem_preempt_enable();
	is(reports_of(KMEM_MISUSE_CONTEXT), 1);
	kmem_swap_free(NULL);
	kmem_swap_free(handles[0]);
	swap_stop();
}

/* ---- Four times as much as there is ---------------------------------------------------------------- */

static void four_times(const char *cmdline, size_t bytes, gfp_t gfp)
{
	unsigned int nr = (unsigned int)(4 * bytes / PAGE_SIZE);

	swap_start(cmdline, 5 * bytes);
	is(pages_make(nr, gfp), nr, "every request is served");
	ok(mem_store_count(&area.writes) > nr / 2, "it was written to");
	for (unsigned int i = 0; i < nr; i++)
		is(page_verify(i), 0);
	for (unsigned int i = 0; i < nr; i += 3)
		is(page_fill(i, 2), 0);
	for (unsigned int i = nr; i-- > 0;)
		is(page_verify(i), 0);
	ok(events_of(KMEM_EV_pswpin) > nr && events_of(KMEM_EV_pswpout) > nr / 2);
	is(kmem_check(), 0);
	diag("%s: %u pages, %u written, %u read", cmdline, nr, mem_store_count(&area.writes),
	     mem_store_count(&area.reads));
	pages_free_all(nr);
	is(kmem_stat_get()->swap_free, kmem_stat_get()->swap_total);
	swap_stop();
}

TEST(four_times_the_memory_in_one_zone)
{
	four_times(FLAT_KSWAPD, 8 * MIB, GFP_KERNEL);
}

TEST(four_times_the_memory_without_kswapd)
{
	four_times(FLAT "percpu_pages=0", 8 * MIB, GFP_KERNEL);
}

TEST(twice_the_memory_with_highmem)
{
	four_times(HIGH, 8 * MIB, GFP_HIGHUSER);
}

/* ---- Masks ---------------------------------------------------------------------------------------- */

TEST(requests_that_may_not_write_do_not)
{
	unsigned int saved, before;
	struct page *page;

	swap_start(FLAT, 32 * MIB);
	saved = memalloc_noio_save();
	for (unsigned int i = 0; i < MANY; i++) {
		handles[i] = kmem_swap_alloc(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
		if (!handles[i])
			break;
		nr_held = i + 1;
	}
	is(area.writes, 0, "in a NOIO scope");
	memalloc_noio_restore(saved);
	is(alloc_page(GFP_NOIO | __GFP_NORETRY | __GFP_NOWARN) != NULL, 0);
	is(area.writes, 0, "nor with GFP_NOIO");
	saved = memalloc_nofs_save();
	page = alloc_page(GFP_KERNEL);
	memalloc_nofs_restore(saved);
	ok(page && area.writes > 0, "NOFS may");
	__free_page(page);
	before = area.writes;
	for (int i = 0; i < 200; i++) {
		page = alloc_page(GFP_KERNEL);
		ok(page != NULL);
		held[i] = page;
	}
	ok(area.writes > before, "GFP_KERNEL may");
	for (int i = 0; i < 200; i++)
		__free_page(held[i]);
	pages_free_all((unsigned int)nr_held);
	swap_stop();
}

/* With memory and area both full nothing can be brought in; it is not lost for that. */
static void make_room(unsigned int *nr)
{
	unsigned int refused = 0;

	kmem_swap_free(handles[*nr]); /* NULL, or a page that could not be filled */
	for (unsigned int i = 0; i < *nr && refused < 5; i++)
		refused += page_verify(i) == -12;
	ok(refused > 0, "%u pages refused", refused);
	for (int i = 0; i < 100; i++)
		kmem_swap_free(handles[--*nr]);
}

/* ---- Failing areas -------------------------------------------------------------------------------- */

TEST(a_full_area_keeps_pages_in_memory)
{
	unsigned int nr;

	swap_start(FLAT, MIB);
	nr = pages_make(MANY, GFP_HIGHUSER | __GFP_NOWARN);
	ok(nr > 256 + 1000 && nr < MANY, "%u pages", nr);
	is(kmem_stat_get()->swap_free, 0);
	ok(log_count("kmem: swap: memory: full") >= 1, "reported");
	ok(log_count("kmem: swap:") <= 6, "once in a while");
	make_room(&nr);
	for (unsigned int i = 0; i < nr; i++)
		is(page_verify(i), 0);
	pages_free_all(nr);
	swap_stop();
}

/* Slots that pages in memory keep are given up in time: more data than the area, or memory, alone. */
TEST(memory_and_area_add_up)
{
	const unsigned int nr = 2600; /* of 2048 pages of memory and 1024 slots */

	swap_start(FLAT, 4 * MIB);
	is(pages_make(nr, GFP_HIGHUSER), nr);
	for (int round = 0; round < 3; round++)
		for (unsigned int i = 0; i < nr; i++)
			is(page_verify(i), 0);
	pages_free_all(nr);
	swap_stop();
}

TEST(a_failed_write_loses_nothing)
{
	swap_start(FLAT, MIB);
	pages_make(20, GFP_HIGHUSER);
	area.nth = 1;
	area.for_ever = true;
	area.error = -28;
	push_out();
	is(resident(20), 20);
	is(kmem_stat_get()->swap_free, 256, "no slot is kept");
	ok(log_count("write failed") >= 1);
	area.nth = 0;
	push_out();
	is(resident(20), 0);
	for (unsigned int i = 0; i < 20; i++)
		is(page_fill(i, 2), 0);
	area.nth = 5;
	area.for_ever = false;
	push_out();
	is(resident(20), 0, "tried again");
	for (unsigned int i = 0; i < 20; i++)
		is(page_verify(i), 0);
	pages_free_all(20);
	swap_stop();
}

TEST(a_failed_read_is_an_error_and_can_be_repeated)
{
	void *p = &p;

	swap_start(FLAT, MIB);
	pages_make(1, GFP_HIGHUSER);
	push_out();
	area.nth = 1;
	area.error = -5;
	is(kmem_swap_map(handles[0], GFP_HIGHUSER, &p), -5);
	is_ptr(p, NULL);
	ok(!kmem_swap_resident(handles[0]));
	is(kmem_stat_get()->swap_free, 255, "the slot is kept");
	area.nth = 1;
	is(kmem_swapoff(), -5, "and the area stays on");
	is(page_verify(0), 0);
	kmem_swap_free(handles[0]);
	swap_stop();
}

TEST(changed_contents_are_an_error)
{
	swap_start(FLAT, MIB);
	pages_make(2, GFP_HIGHUSER);
	push_out();
	for (unsigned int bit = 0; bit < 8 * 2 * PAGE_SIZE; bit += 511) {
		area.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		is(kmem_swap_in(handles[0], GFP_HIGHUSER) == 0 &&
			   kmem_swap_in(handles[1], GFP_HIGHUSER) == 0,
		   0, "bit %u", bit);
		area.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		push_out();
	}
	ok(log_count("cannot be read back") >= 1);
	/* Each in the other's place. */
	for (unsigned int i = 0; i < PAGE_SIZE; i++) {
		unsigned char c = area.bytes[i];

		area.bytes[i] = area.bytes[i + PAGE_SIZE];
		area.bytes[i + PAGE_SIZE] = c;
	}
	is(kmem_swap_in(handles[0], GFP_HIGHUSER), -5);
	is(kmem_swap_in(handles[1], GFP_HIGHUSER), -5);
	pages_free_all(2);
	swap_stop();
}

TEST(swapoff_without_room_fails_and_changes_nothing)
{
	const unsigned int nr = 4000;

	swap_start(FLAT, 32 * MIB);
	is(pages_make(nr, GFP_HIGHUSER), nr);
	is(kmem_swapoff(), -12);
	for (unsigned int i = 0; i < nr; i++)
		is(page_verify(i), 0);
	for (unsigned int i = 1000; i < nr; i++)
		kmem_swap_free(handles[i]);
	is(kmem_swapoff(), 0);
	is(resident(1000), 1000);
	for (unsigned int i = 0; i < 1000; i++)
		is(page_verify(i), 0);
	pages_free_all(1000);
	mem_store_stop(&area);
	machine_stop();
}

/* ---- Threads -------------------------------------------------------------------------------------- */

enum { THREADS = 4, SHARED = 64, OWN = 700, LOOPS = 3000 };
static struct kmem_swap_page *shared[SHARED];

static bool all_equal(const uint64_t *p)
{
	for (unsigned int i = 1; i < PAGE_SIZE / 8; i++)
		if (p[i] != p[0])
			return false;
	return true;
}

/* However they took turns: here all pages of all threads are there at once, and memory is short. */
static pthread_barrier_t all_there;

static unsigned int own_end(struct kmem_swap_page **own, const uint64_t *stamp)
{
	unsigned int bad = 0;

	for (unsigned int i = 0; i < OWN; i++) {
		void *p;

		if (own[i] && kmem_swap_map(own[i], GFP_HIGHUSER, &p) == 0) {
			bad += *(uint64_t *)p != stamp[i] || !all_equal(p);
			kmem_swap_unmap(own[i], p, false);
		} else {
			bad += own[i] != NULL;
		}
		kmem_swap_free(own[i]);
	}
	return bad;
}

/* Pages of its own, written and freed, and pages of all, which nobody writes. */
static void *worker(void *arg)
{
	unsigned int me = (unsigned int)(uintptr_t)arg, seed = me + 1, bad = 0;
	struct kmem_swap_page **own = calloc(OWN, sizeof(struct kmem_swap_page *));
	uint64_t *stamp = calloc(OWN, 8);

	for (unsigned int n = 0; n < LOOPS; n++) {
		unsigned int i = (unsigned int)rand_r(&seed) % OWN;
		void *p;

		if (!own[i])
			own[i] = kmem_swap_alloc(GFP_HIGHUSER);
		if (!own[i] || kmem_swap_map(own[i], GFP_HIGHUSER, &p)) {
			bad++;
			break;
		}
		if (stamp[i])
			bad += *(uint64_t *)p != stamp[i] || !all_equal(p);
		stamp[i] = (uint64_t)me << 32 | (n + 1);
		for (unsigned int k = 0; k < PAGE_SIZE / 8; k++)
			((uint64_t *)p)[k] = stamp[i];
		kmem_swap_unmap(own[i], p, true);
		if (n % 7 == 0) {
			kmem_swap_free(own[i]);
			own[i] = NULL;
			stamp[i] = 0;
		}
		i = (unsigned int)rand_r(&seed) % SHARED;
		if (kmem_swap_map(shared[i], GFP_HIGHUSER, &p)) {
			bad++;
			break;
		}
		bad += *(uint64_t *)p != i || !all_equal(p);
		kmem_swap_unmap(shared[i], p, false);
	}
	pthread_barrier_wait(&all_there);
	bad += own_end(own, stamp);
	free(own);
	free(stamp);
	return (void *)(uintptr_t)bad;
}

static void run_threads(struct kmem_store *store)
{
	pthread_t thread[THREADS];

	is(kmem_swapon(store), 0);
	for (unsigned int i = 0; i < SHARED; i++) {
		void *p;

		shared[i] = kmem_swap_alloc(GFP_HIGHUSER);
		kmem_swap_map(shared[i], GFP_HIGHUSER, &p);
		for (unsigned int k = 0; k < PAGE_SIZE / 8; k++)
			((uint64_t *)p)[k] = i;
		kmem_swap_unmap(shared[i], p, true);
	}
	pthread_barrier_init(&all_there, NULL, THREADS);
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, worker, (void *)i);
	for (int i = 0; i < THREADS; i++) {
		void *bad;

		pthread_join(thread[i], &bad);
		is((uintptr_t)bad, 0, "thread %d", i);
	}
	diag("%llu pages in, %llu out", (unsigned long long)events_of(KMEM_EV_pswpin),
	     (unsigned long long)events_of(KMEM_EV_pswpout));
	ok(events_of(KMEM_EV_pswpin) > 100);
	for (unsigned int i = 0; i < SHARED; i++)
		kmem_swap_free(shared[i]);
	is(kmem_swapoff(), 0);
}

/* ---- A real file ----------------------------------------------------------------------------------- */

static char path[] = "/tmp/kmem-swap-XXXXXX";
static struct kmem_file_store file;

static void file_start(uint64_t bytes)
{
	close(mkstemp(path));
	is(kmem_file_store_open(&file, path, bytes, true), 0);
	is(file.store.size, bytes);
}

static void file_stop(void)
{
	kmem_file_store_close(&file);
	unlink(path);
}

TEST(threads_over_a_file)
{
	machine_start("mem=4M zones=flat nr_cpus=4");
	file_start(32 * MIB);
	run_threads(&file.store);
	file_stop();
	machine_stop();
}

TEST(threads_over_a_file_with_highmem)
{
	machine_start("mem=5M zones=normal:3M,highmem:rest nr_cpus=4");
	file_start(32 * MIB);
	run_threads(&file.store);
	file_stop();
	machine_stop();
}

TEST(a_disk_that_is_full)
{
	struct rlimit limit = {512 << 10, 512 << 10};
	unsigned int nr;

	machine_start(FLAT);
	file_start(16 * MIB);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	is(kmem_swapon(&file.store), 0);
	nr = pages_make(MANY, GFP_HIGHUSER | __GFP_NOWARN);
	ok(nr > 1900 && nr < MANY, "%u pages", nr);
	is(kmem_stat_get()->swap_free, 4096 - 128, "half a megabyte went out");
	make_room(&nr);
	for (unsigned int i = 0; i < nr; i++)
		is(page_verify(i), 0);
	ok(log_count("write failed") >= 1);
	pages_free_all(nr);
	is(kmem_swapoff(), 0);
	file_stop();
	machine_stop();
}

TEST(a_file_that_is_cut_off)
{
	machine_start(FLAT);
	file_start(16 * MIB);
	is(kmem_swapon(&file.store), 0);
	pages_make(100, GFP_HIGHUSER);
	push_out();
	is(resident(100), 0);
	is(truncate(path, 50 * PAGE_SIZE + 100), 0);
	for (unsigned int i = 0; i < 100; i++)
		is(kmem_swap_in(handles[i], GFP_HIGHUSER), i < 50 ? 0 : -5, "page %u", i);
	is(kmem_swapoff(), -5, "what cannot be read is not forgotten");
	for (unsigned int i = 0; i < 50; i++)
		is(page_verify(i), 0);
	pages_free_all(100);
	is(kmem_swapoff(), 0);
	file_stop();
	machine_stop();
}

TEST(files_that_cannot_be_opened)
{
	struct kmem_file_store f;

	is(kmem_file_store_open(&f, "/nonexistent/swap", MIB, true), -ENOENT);
	is(kmem_file_store_open(&f, "/nonexistent", MIB, false), -ENOENT);
	is(kmem_file_store_open(&f, "/dev/null", 0, false), -EINVAL, "no size");
	is(kmem_file_store_open(&f, "/tmp", MIB, true), -EISDIR);
}

/* The child reads what was out; it writes nothing, and what the parent has overwritten is an error. */
TEST(a_child_of_fork_leaves_the_area_alone)
{
	int status, go[2];
	char c;
	pid_t pid;

	machine_start(FLAT);
	file_start(MIB);
	is(kmem_swapon(&file.store), 0);
	is(pipe(go), 0);
	pages_make(6, GFP_HIGHUSER);
	push_out();
	is(page_verify(0), 0);
	pid = fork();
	if (pid == 0) {
		bool good = page_verify(1) == 0;

		page_fill(2, 9);
		push_out();
		good = good && resident(6) == 3; /* 0, 1 and 2 stay */
		good = good && read(go[0], &c, 1) == 1;
		good = good && page_verify(3) == -5 && page_verify(4) == 0 && page_verify(2) == 0;
		pages_free_all(6);
		good = good && kmem_swapoff() == 0 && kmem_check() == 0;
		_exit(good ? 0 : 1);
	}
	page_fill(3, 2);
	push_out();
	is(resident(6), 0);
	is(write(go[1], "x", 1), 1);
	waitpid(pid, &status, 0);
	is(status, 0, "the child");
	for (unsigned int i = 0; i < 6; i++)
		is(page_verify(i), 0);
	pages_free_all(6);
	is(kmem_swapoff(), 0);
	file_stop();
	machine_stop();
}
