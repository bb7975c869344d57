/* SPDX-License-Identifier: MIT */
/*
 * A file as a store, over a host whose transfers are short, interrupted, or refused when told to: what
 * pread and pwrite do goes through this program first.
 */
#include <errno.h>
#include <unistd.h>
#include "../support.h"
#include "pool/pool.h"
#include <kmem/filecache.h>
#include <kmem/store.h>
#include <kmem/swap.h>

enum { BYTES = 10 * PAGE_SIZE + 100 };

ssize_t __real_pread64(int fd, void *buf, size_t len, off64_t pos);
ssize_t __real_pwrite64(int fd, const void *buf, size_t len, off64_t pos);
ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t pos);
ssize_t __wrap_pread64(int fd, void *buf, size_t len, off64_t pos);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t pos);
ssize_t __wrap_pwrite64(int fd, const void *buf, size_t len, off64_t pos);

/* What the host does to one transfer after the other. */
static struct {
	unsigned int calls;
	size_t at_most;	      /* bytes a call; 0: all */
	unsigned int eintr;   /* every n-th call is interrupted; 0: none */
	unsigned int fail_at; /* the call with this number fails; 0: none */
	int error;	      /* errno; 0: it transfers nothing */
} host;

static bool host_refuses(size_t *len, ssize_t *rc)
{
	host.calls++;
	if (host.eintr && host.calls % host.eintr == 0) {
		errno = EINTR;
		*rc = -1;
		return true;
	}
	if (host.calls == host.fail_at) {
		errno = host.error;
		*rc = host.error ? -1 : 0;
		return true;
	}
	if (host.at_most && *len > host.at_most)
		*len = host.at_most;
	return false;
}

ssize_t __wrap_pread64(int fd, void *buf, size_t len, off64_t pos)
{
	ssize_t rc;

	return host_refuses(&len, &rc) ? rc : __real_pread64(fd, buf, len, pos);
}

ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t pos)
{
	return __wrap_pread64(fd, buf, len, pos);
}

ssize_t __wrap_pwrite64(int fd, const void *buf, size_t len, off64_t pos)
{
	ssize_t rc;

	return host_refuses(&len, &rc) ? rc : __real_pwrite64(fd, buf, len, pos);
}

ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t pos)
{
	return __wrap_pwrite64(fd, buf, len, pos);
}

static char path[] = "/tmp/kmem-store-XXXXXX";
static struct kmem_file_store file;

static void file_start(uint64_t size)
{
	memset(&host, 0, sizeof(host));
	close(mkstemp(path));
	is(kmem_file_store_open(&file, path, size, true), 0);
}

static void file_stop(void)
{
	kmem_file_store_close(&file);
	unlink(path);
}

static unsigned char byte_of(size_t i, unsigned int version)
{
	return (unsigned char)(i * 7 + i / 251 + version * 31);
}

static unsigned char bytes[BYTES], back[BYTES];

static int write_version(unsigned int version)
{
	for (size_t i = 0; i < BYTES; i++)
		bytes[i] = byte_of(i, version);
	return file.store.write(&file.store, 0, bytes, BYTES);
}

static int read_back(void)
{
	memset(back, 0, BYTES);
	return file.store.read(&file.store, 0, back, BYTES);
}

TEST(short_and_interrupted_transfers_are_gone_on_with)
{
	static const size_t most[] = {1, 7, 100, 4095, 4097};

	file_start(BYTES);
	for (unsigned int i = 0; i < 2 * sizeof(most) / sizeof(most[0]); i++) {
		host.at_most = most[i / 2];
		host.eintr = i % 2 ? 2 : 0;
		host.calls = 0;
		errno = EDOM;
		is(write_version(i), 0);
		is(read_back(), 0);
		is(errno, EDOM, "errno is the program's");
		ok(memcmp(bytes, back, BYTES) == 0, "%zu bytes a call", most[i / 2]);
		ok(host.calls >= 2 * (BYTES / most[i / 2]), "%u calls", host.calls);
	}
	file_stop();
}

/* At any call, after some bytes or none: the error of the host, or -EIO where it moves nothing. */
TEST(an_error_ends_the_transfer_and_is_told)
{
	static const int errors[] = {EIO, ENOSPC, ENODEV, 0};

	file_start(BYTES);
	host.at_most = PAGE_SIZE;
	is(write_version(1), 0);
	for (unsigned int i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		int want = errors[i] ? -errors[i] : -EIO;

		for (unsigned int at = 1; at <= 11; at++) {
			host.error = errors[i];
			host.fail_at = at;
			host.calls = 0;
			errno = EDOM;
			is(read_back(), want, "call %u", at);
			is(host.calls, at, "nothing after it");
			host.calls = 0;
			is(write_version(1), want, "call %u", at);
			is(errno, EDOM);
		}
	}
	host.fail_at = 0;
	is(read_back(), 0);
	ok(memcmp(bytes, back, BYTES) == 0);
	file_stop();
}

/* ---- Under swap and under a cache of file pages ---------------------------------------------------- */

enum { PAGES = 40 };
static struct kmem_swap_page *handles[PAGES];

static void push_out(void)
{
	for (int zone = 0; zone < KMEM_NR_ZONES; zone++)
		lru_provider.reclaim(&lru_provider, zone, PAGES, 0, GFP_KERNEL);
}

static unsigned int pages_out(void)
{
	unsigned int out = 0;

	for (unsigned int i = 0; i < PAGES; i++)
		out += !kmem_swap_resident(handles[i]);
	return out;
}

static void pages_make(void)
{
	void *p;

	for (unsigned int i = 0; i < PAGES; i++) {
		handles[i] = kmem_swap_alloc(GFP_KERNEL);
		is(kmem_swap_map(handles[i], GFP_KERNEL, &p), 0);
		memset(p, (int)i + 1, PAGE_SIZE);
		kmem_swap_unmap(handles[i], p, true);
	}
}

static unsigned int wrong_bytes(const unsigned char *p, unsigned char c)
{
	unsigned int wrong = 0;

	for (size_t k = 0; k < PAGE_SIZE; k++)
		wrong += p[k] != c;
	return wrong;
}

static void pages_verify(void)
{
	void *p;

	for (unsigned int i = 0; i < PAGES; i++) {
		is(kmem_swap_map(handles[i], GFP_KERNEL, &p), 0);
		is(wrong_bytes(p, (unsigned char)(i + 1)), 0, "page %u", i);
		kmem_swap_unmap(handles[i], p, false);
	}
}

static void swap_start(void)
{
	machine_start("mem=8M zones=flat nr_cpus=1 kswapd=0");
	file_start(256 * PAGE_SIZE);
	is(kmem_swapon(&file.store), 0);
	pages_make();
}

static void swap_stop(void)
{
	for (unsigned int i = 0; i < PAGES; i++)
		kmem_swap_free(handles[i]);
	is(kmem_swapoff(), 0);
	file_stop();
	machine_stop();
}

TEST(swap_over_short_and_interrupted_transfers)
{
	swap_start();
	host.at_most = 1000;
	host.eintr = 3;
	push_out();
	is(pages_out(), PAGES);
	pages_verify();
	ok(host.calls > 2 * 4 * PAGES, "%u calls", host.calls);
	swap_stop();
}

TEST(swap_loses_no_page_to_a_transfer_that_fails_in_its_middle)
{
	static const int errors[] = {ENOSPC, EIO, 0};

	swap_start();
	host.at_most = 1000;
	for (unsigned int i = 0; i < 3; i++) {
		host.error = errors[i];
		for (unsigned int at = 1; at <= 5; at++) {
			host.calls = 0;
			host.fail_at = at;
			push_out();
			is(pages_out(), PAGES - 1, "one stays");
			host.fail_at = 0;
			push_out();
			is(pages_out(), PAGES, "until it can be written");
			host.calls = 0;
			host.fail_at = at;
			is(kmem_swap_in(handles[7], GFP_KERNEL), errors[i] ? -errors[i] : -EIO);
			host.fail_at = 0;
			pages_verify();
			for (unsigned int k = 0; k < PAGES; k++)
				kmem_swap_free(handles[k]);
			pages_make();
		}
	}
	ok(log_count("write failed") >= 1, "reported");
	swap_stop();
}

TEST(a_cache_of_file_pages_over_short_transfers_and_failing_ones)
{
	struct kmem_filecache *cache;

	machine_start("mem=8M zones=flat nr_cpus=1 kswapd=0");
	file_start(BYTES);
	is(write_version(3), 0);
	is(kmem_filecache_create(&cache, &file.store), 0);
	host.at_most = 1000;
	host.eintr = 3;
	is(kmem_filecache_read(cache, back, 0, BYTES, GFP_KERNEL), BYTES);
	ok(memcmp(bytes, back, BYTES) == 0);
	host.eintr = 0;
	host.error = EIO;
	for (unsigned int at = 1; at <= 5; at++) {
		kmem_filecache_drop(cache, 0, BYTES);
		host.calls = 0;
		host.fail_at = at + 5;
		is(kmem_filecache_read(cache, back, 0, BYTES, GFP_KERNEL), PAGE_SIZE, "one page");
		host.fail_at = 0;
		is(kmem_filecache_read(cache, back, 0, BYTES, GFP_KERNEL), BYTES);
		ok(memcmp(bytes, back, BYTES) == 0);
	}
	kmem_filecache_destroy(cache);
	file_stop();
	machine_stop();
}
