/* SPDX-License-Identifier: MIT */
/*
 * The file: whole blocks in and out, whatever the system makes of one call, and failures made on
 * purpose. A file that was created and never written to reads as zeroes.
 */
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "blockcache.h"

int io_create(struct io *io, const char *path, uint64_t nr_blocks)
{
	int rc = 0;

	*io = (struct io){.path = path, .nr_blocks = nr_blocks, .fault = io->fault};
	/* Never somebody's file: every block of it will be overwritten. */
	io->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (io->fd < 0)
		return -errno;
	if (ftruncate(io->fd, (off_t)(nr_blocks * PAGE_SIZE))) {
		rc = -errno;
		io_remove(io);
	}
	return rc;
}

void io_remove(struct io *io)
{
	close(io->fd);
	unlink(io->path);
}

/* Is it the turn of this transfer, or sync? */
static bool fault_hits(struct io *io)
{
	unsigned long n = atomic_fetch_add(&io->nr_seen, 1) + 1;

	return n >= io->fault.first &&
	       (io->fault.times < 0 || n - io->fault.first < (unsigned long)io->fault.times);
}

/* The error to fail with, or 0; *len may become less. */
static int fault_of(struct io *io, bool write, size_t *len)
{
	if (io->fault.kind == FAULT_EIO && fault_hits(io))
		return EIO;
	if (io->fault.kind == FAULT_ENOSPC && write && fault_hits(io))
		return ENOSPC;
	if (io->fault.kind == FAULT_SHORT && fault_hits(io))
		*len = *len / 2 + 1;
	return 0;
}

static ssize_t transfer_once(struct io *io, bool write, char *buf, size_t len, uint64_t at)
{
	errno = fault_of(io, write, &len);
	if (errno)
		return -1;
	return write ? pwrite(io->fd, buf, len, (off_t)at) : pread(io->fd, buf, len, (off_t)at);
}

static int transfer(struct io *io, bool write, uint64_t nr, char *buf)
{
	size_t done = 0;

	while (done < PAGE_SIZE) {
		ssize_t n = transfer_once(io, write, buf + done, PAGE_SIZE - done,
					  nr * PAGE_SIZE + done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			atomic_fetch_add(&io->nr_errors, 1);
			return n < 0 ? -errno : -ENODATA; /* the file is shorter than it was */
		}
		done += (size_t)n;
	}
	atomic_fetch_add(write ? &io->nr_writes : &io->nr_reads, 1);
	return 0;
}

int io_read(struct io *io, uint64_t nr, void *block)
{
	return transfer(io, false, nr, block);
}

int io_write(struct io *io, uint64_t nr, const void *block)
{
	return transfer(io, true, nr, (char *)block);
}

/*
 * A sync that failed may have dropped what was written before it, and the next would succeed: from
 * then on none can be believed.
 */
int io_sync(struct io *io)
{
	if ((io->fault.kind == FAULT_SYNC && fault_hits(io)) || fdatasync(io->fd)) {
		atomic_fetch_add(&io->nr_errors, 1);
		io->lost = true;
	}
	return io->lost ? -EIO : 0;
}
