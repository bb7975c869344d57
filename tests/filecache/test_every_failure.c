/* SPDX-License-Identifier: MIT */
/*
 * The same work with a cache of file pages again and again, each time with another failure: the n-th
 * transfer of the store once, all from the n-th on, the n-th request for memory. Whatever failed, at
 * the end every byte is read and compared, the machine is whole and nothing leaks.
 */
#include "../every_failure.h"
#include "pool/pool.h"
#include <kmem/fault.h>
#include <kmem/filecache.h>
#include <kmem/highmem.h>

enum { PAGES = 20, BYTES = PAGES * PAGE_SIZE - 1000 };

static const char *const machines[] = {
	"mem=4M zones=flat nr_cpus=1 kswapd=0 failslab=1,0,0,0 "
	"fail_page_alloc=1,0,0,0,min-order=0",
	"mem=6M zones=normal:2M,highmem:rest nr_cpus=1 kswapd=0 failslab=1,0,0,0 "
	"fail_page_alloc=1,0,0,0,min-order=0",
};

static struct mem_store store;
static unsigned char buf[BYTES];
static unsigned int failed;

static void counted(long rc)
{
	failed += rc < 0;
	if (rc < 0 && rc != -5 && rc != -12)
		ok(0, "error %ld", rc);
}

/* What is read is the store's, or not read at all. */
static void read_range(struct kmem_filecache *cache, uint64_t off, size_t len)
{
	long got = kmem_filecache_read(cache, buf, off, len, GFP_HIGHUSER);

	counted(got);
	failed += got >= 0 && (uint64_t)got < len && off + (uint64_t)got < BYTES;
	if (got > 0 && memcmp(buf, store.bytes + off, (size_t)got) != 0)
		ok(0, "other bytes at %llu", (unsigned long long)off);
}

static void take_back(unsigned long nr)
{
	for (int zone = 0; zone < KMEM_NR_ZONES; zone++)
		lru_provider.reclaim(&lru_provider, zone, nr, 0, GFP_NOIO);
}

static void work(void)
{
	struct kmem_filecache *cache;
	struct page *page;
	int rc = kmem_filecache_create(&cache, &store.s);

	counted(rc);
	if (rc)
		return;
	read_range(cache, 0, BYTES);
	take_back(PAGES / 2);
	rc = kmem_filecache_get(cache, 3, GFP_HIGHUSER, &page);
	counted(rc);
	read_range(cache, 100, 10 * PAGE_SIZE);
	kmem_filecache_drop(cache, 2 * PAGE_SIZE, 8 * PAGE_SIZE);
	for (unsigned int i = 0; i < PAGES; i += 3)
		read_range(cache, i * PAGE_SIZE + 5, PAGE_SIZE);
	take_back(PAGES);
	put_page(page);
	if (kmem_check())
		ok(0, "%s", support_log);
	kmem_filecache_destroy(cache);
}

/* Nothing fails any more. before 0: not known yet. */
static void settle(uint64_t before, const char *how, unsigned int n)
{
	kmem_fault_nth(0);
	store.nth = 0;
	failed = 0;
	work();
	if (failed)
		ok(0, "%s %u: %u failures remain", how, n, failed);
	if (before && pages_free_drained() != before)
		ok(0, "%s %u: pages lost", how, n);
	if (kmem_check() || kmem_misuse_count())
		ok(0, "%s %u: %s", how, n, support_log);
	reports_clear();
}

static uint64_t start(const char *cmdline)
{
	machine_start(cmdline);
	mem_store_start(&store, BYTES);
	for (size_t i = 0; i < BYTES; i++)
		store.bytes[i] = (unsigned char)(i * 13 + i / 4096);
	settle(0, "first", 0);
	settle(0, "second", 0);
	return pages_free_drained();
}

static void finish(void)
{
	mem_store_stop(&store);
	machine_stop();
}

static void each_transfer(const char *cmdline, bool for_ever)
{
	struct every_failure e = {&store, work, settle, &failed, start(cmdline), 0};
	unsigned int n = every_transfer(&e, for_ever, -5);

	ok(n > 30, "%u transfers failed%s", n, for_ever ? " and all after" : "");
	is(e.noticed, n, "each was told");
	diag("%s: %u transfers%s", cmdline, n, for_ever ? ", for ever" : "");
	finish();
}

TEST(each_transfer_fails_once)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		each_transfer(machines[i], false);
}

TEST(all_transfers_fail_from_some_point_on)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		each_transfer(machines[i], true);
}

TEST(each_request_for_memory_fails_once)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		struct every_failure e = {&store, work, settle, &failed, start(machines[i]), 0};
		unsigned int n = every_request(&e);

		ok(n > 60 && e.noticed > 30, "%u requests failed, %u noticed", n, e.noticed);
		diag("%s: %u requests, %u runs noticed", machines[i], n, e.noticed);
		finish();
	}
}
