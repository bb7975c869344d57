/* SPDX-License-Identifier: MIT */
/*
 * Memory for the core's own tables: mappings of their own, backed as they are touched, listed in a
 * small table so that port_stop can give them back. One of them, the statistics, lies in the memfd
 * "kmem-stat", where other processes find it through /proc/PID/fd.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <sys/mman.h>
#include <sys/stat.h>
#include <string.h>
#include <unistd.h>
#include "posix.h"

enum { META_MAX = 64 };

static struct meta {
	void *p;
	size_t bytes;
} meta[META_MAX];
static unsigned int nr_meta;

static struct meta stat_meta; /* which of them is the statistics */
static int stat_fd = -1;
static ino_t stat_ino; /* of the descriptor, as it was when it was made */
static dev_t stat_dev;

static void fd_remember(int fd)
{
	struct stat st = {0}; /* MemorySanitizer does not see fstat() */

	stat_fd = fd;
	if (fstat(fd, &st) == 0) {
		stat_ino = st.st_ino;
		stat_dev = st.st_dev;
	}
}

/* A daemon may have closed all descriptors and opened its own under our number: only ours is closed. */
static void fd_forget(void)
{
	struct stat st = {0}; /* MemorySanitizer does not see fstat() */

	if (stat_fd >= 0 && fstat(stat_fd, &st) == 0 && st.st_ino == stat_ino &&
	    st.st_dev == stat_dev)
		close(stat_fd);
	stat_fd = -1;
}

static void *map_shared(size_t bytes)
{
	int fd = port_memfd("kmem-stat", bytes);
	void *p;

	if (fd < 0)
		return NULL;
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		close(fd);
		return NULL;
	}
	fd_remember(fd);
	return p;
}

/* Where a memfd is refused the statistics are private: everything works, but nobody can look. */
void *port_meta(size_t bytes, bool shared)
{
	int saved = errno;
	void *p = NULL;

	if (nr_meta == META_MAX || bytes == 0 || bytes > SIZE_MAX / 2)
		return NULL;
	bytes = (bytes + PAGE_SIZE - 1) & PAGE_MASK;
	if (shared && !stat_meta.p) {
		p = map_shared(bytes);
		if (p)
			stat_meta = (struct meta){p, bytes};
	}
	if (!p)
		p = port_map(bytes, true);
	errno = saved;
	if (!p)
		return NULL;
	meta[nr_meta++] = (struct meta){p, bytes};
	return p;
}

void port_meta_stop(void)
{
	while (nr_meta > 0) {
		nr_meta--;
		munmap(meta[nr_meta].p, meta[nr_meta].bytes);
	}
	fd_forget();
	stat_meta = (struct meta){NULL, 0};
}

static bool write_all(int fd, const unsigned char *p, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t w = pwrite(fd, p + done, n - done, (off_t)done);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return false;
		done += (size_t)w;
	}
	return true;
}

static bool stat_new_file(void)
{
	int fd = port_memfd("kmem-stat", stat_meta.bytes);

	if (fd < 0)
		return false;
	if (!write_all(fd, stat_meta.p, stat_meta.bytes) ||
	    mmap(stat_meta.p, stat_meta.bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		 0) == MAP_FAILED) {
		close(fd);
		return false;
	}
	fd_forget();
	fd_remember(fd);
	return true;
}

/* A private copy, moved over the old mapping whole, so that there is never a hole in its place. */
static bool stat_private(void)
{
	void *copy = port_map(stat_meta.bytes, true);

	if (!copy)
		return false;
	memcpy(copy, stat_meta.p, stat_meta.bytes);
	if (mremap(copy, stat_meta.bytes, stat_meta.bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
		   stat_meta.p) == MAP_FAILED) {
		munmap(copy, stat_meta.bytes);
		return false;
	}
	fd_forget();
	return true;
}

/* If the host refuses both, the child goes on counting into the parent's: wrong numbers, no harm. */
void port_stat_after_fork(void)
{
	int saved = errno;

	if (stat_meta.p && !stat_new_file())
		(void)stat_private();
	errno = saved;
}
