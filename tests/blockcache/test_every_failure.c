/* SPDX-License-Identifier: MIT */
/*
 * The block cache of examples/blockcache, one thread, again and again: each time another allocation,
 * or another transfer, fails, once or from then on. Every byte is verified as it is read and in the
 * file at the end; what a flush has promised is there, and nothing is left of the machine.
 */
#include "../support.h"
#include <kmem/fault.h>
#include <kmem/port.h>
#include "port_inline.h"
#include "../../examples/blockcache/blockcache.h"

enum { FILE_BLOCKS = 1024, OPS = 1200, TIMES_ALL = -1 };

/* A file four times the machine. Faults that never come: with them every request is a decision. */
static const char machine[] = "mem=1M zones=normal:512K,highmem:rest nr_cpus=2 failslab=1,0,0,0 "
			      "fail_page_alloc=1,0,0,0,min-order=0";

static struct io io;
static struct cache cache;
static struct load load;
static char path[64];

static void prepare(struct io_fault fault, unsigned long ops)
{
	snprintf(path, sizeof(path), "%s/blockcache-%d",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (int)getpid());
	io.fault = fault;
	is(io_create(&io, path, FILE_BLOCKS), 0);
	unlink(path); /* whoever ends this program leaves nothing behind */
	load = (struct load){.cache = &cache,
			     .nr_blocks = FILE_BLOCKS,
			     .seed = tap_seed(),
			     .nr_threads = 1,
			     .nr_ops = ops,
			     .commit_every = 64};
	is(load_create(&load), 0);
	is(kmem_boot(machine), 0, "%s", kmem_boot_error());
}

/* True if the last flush said that all is in the file. */
static bool finish(const char *what, unsigned long n)
{
	bool flushed = cache_flush(&cache) == 0 || cache_flush(&cache) == 0;

	kmem_fault_nth(0);
	cache_destroy(&cache);
	is(kmem_check(), 0, "%s %lu", what, n);
	is(kmem_shutdown(), 0, "%s %lu leaked", what, n);
	load_verify(&load, &io, flushed);
	is(load.nr_wrong, 0, "%s %lu", what, n);
	io_remove(&io);
	load_destroy(&load);
	return flushed;
}

/* One run in which the n-th decision to allocate is no. False: there were fewer. */
static bool without_nth_allocation(unsigned long n)
{
	bool reached;

	prepare((struct io_fault){.kind = FAULT_NONE}, OPS);
	kmem_fault_nth((int)n);
	if (cache_create(&cache, &io, 1)) {
		kmem_fault_nth(0);
		is(kmem_check(), 0, "creation %lu", n);
		is(kmem_shutdown(), 0, "creation %lu leaked", n);
		io_remove(&io);
		load_destroy(&load);
		return true;
	}
	load_run(&load);
	reached = port_task()->fail_nth == 0;
	ok(finish("allocation", n), "a flush fails for want of memory");
	return reached;
}

TEST(each_allocation_fails_in_turn)
{
	unsigned long n = 1;

	kmem_set_log(support_on_log, NULL);
	for (; without_nth_allocation(n); n += tap_slow())
		reports_clear();
	ok(n > OPS / 2, "the load asks for memory %lu times", n);
	ok(cache.nr_evicted > 0, "memory was short");
	diag("%lu allocations, %lu blocks given back", n, (unsigned long)cache.nr_evicted);
}

/* Runs with the transfer failing; how many transfers of the kind there were. */
static unsigned long with_fault(struct io_fault fault)
{
	prepare(fault, OPS);
	is(cache_create(&cache, &io, 1), 0);
	load_run(&load);
	if (!finish("transfer", fault.first) && (fault.kind == FAULT_SHORT || fault.times > 0))
		ok(0, "a flush fails after transfer %lu works again", fault.first);
	return io.nr_seen;
}

static void each_transfer(int kind, long times)
{
	unsigned long n = 1;

	while (with_fault((struct io_fault){.kind = kind, .first = n, .times = times}) >= n)
		n += tap_slow();
	diag("%lu transfers", n);
}

TEST(each_transfer_fails_in_turn)
{
	each_transfer(FAULT_EIO, 1);
}

TEST(each_transfer_is_the_last_that_works)
{
	each_transfer(FAULT_EIO, TIMES_ALL);
}

TEST(the_disk_is_full_after_each_write)
{
	each_transfer(FAULT_ENOSPC, TIMES_ALL);
}

TEST(each_transfer_is_short)
{
	each_transfer(FAULT_SHORT, TIMES_ALL);
}

TEST(after_a_failed_sync_no_flush_is_believed)
{
	prepare((struct io_fault){.kind = FAULT_SYNC, .first = 2, .times = 1}, OPS);
	is(cache_create(&cache, &io, 1), 0);
	load_run(&load);
	is(load.nr_commits, 1, "the first");
	is(finish("sync", 2), false);
}
