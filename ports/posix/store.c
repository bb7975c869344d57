/* SPDX-License-Identifier: MIT */
/* A file as a store (kmem/store.h). Positions are passed with each call, so tasks share the descriptor. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <kmem/store.h>

static int fd_of(struct kmem_store *s)
{
	return ((struct kmem_file_store *)(void *)s)->fd;
}

/* pread and pwrite differ in a const; whoever reads gives a buffer that may be written to. */
static ssize_t transfer_some(int fd, bool write, char *at, size_t len, off_t pos)
{
	return write ? pwrite(fd, at, len, pos) : pread(fd, at, len, pos);
}

/* All of it, however many steps it takes. errno stays the program's. */
static int transfer(int fd, bool write, char *at, size_t len, uint64_t pos)
{
	int saved = errno, rc = 0;

	while (len > 0 && !rc) {
		ssize_t n = transfer_some(fd, write, at, len, (off_t)pos);

		if (n > 0) {
			at += n;
			pos += (uint64_t)n;
			len -= (size_t)n;
		} else if (n == 0) {
			rc = -EIO;
		} else if (errno != EINTR) {
			rc = -errno;
		}
	}
	errno = saved;
	return rc;
}

static int file_read(struct kmem_store *s, uint64_t pos, void *buf, size_t len)
{
	return transfer(fd_of(s), false, buf, len, pos);
}

static int file_write(struct kmem_store *s, uint64_t pos, const void *buf, size_t len)
{
	return transfer(fd_of(s), true, (char *)(uintptr_t)buf, len, pos);
}

static void file_discard(struct kmem_store *s, uint64_t pos, uint64_t len)
{
	int saved = errno;

	/* Where that is not supported the bytes stay. */
	(void)!fallocate(fd_of(s), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)pos,
			 (off_t)len);
	errno = saved;
}

/* The size asked for, or the file's; a writable file is made as long. */
static int file_shape(int fd, uint64_t *size, bool writable)
{
	struct stat st = {0}; /* MemorySanitizer does not see fstat() */

	if (*size > INT64_MAX)
		return -EFBIG;
	if (fstat(fd, &st) != 0)
		return -errno;
	if (*size == 0)
		*size = (uint64_t)st.st_size;
	if (*size == 0)
		return -EINVAL;
	if (writable && (uint64_t)st.st_size < *size && ftruncate(fd, (off_t)*size) != 0)
		return -errno;
	return 0;
}

int kmem_file_store_open(struct kmem_file_store *f, const char *path, uint64_t size, bool writable)
{
	int flags = O_CLOEXEC | (writable ? O_RDWR | O_CREAT : O_RDONLY), saved = errno, rc;
	int fd = open(path, flags, 0600);

	rc = fd < 0 ? -errno : file_shape(fd, &size, writable);
	if (rc && fd >= 0)
		close(fd);
	errno = saved;
	if (rc)
		return rc;
	*f = (struct kmem_file_store){
		.store =
			{
				.name = path,
				.size = size,
				.read = file_read,
				.write = writable ? file_write : NULL,
				.discard = writable ? file_discard : NULL,
			},
		.fd = fd,
	};
	return 0;
}

void kmem_file_store_close(struct kmem_file_store *f)
{
	int saved = errno;

	close(f->fd);
	f->fd = -1;
	errno = saved;
}
