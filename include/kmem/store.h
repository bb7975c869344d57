/* SPDX-License-Identifier: MIT */
/*
 * Where pages are kept when they are not in memory: an array of bytes that can be read and written. The
 * library asks no more of a disk, a file or a network than this.
 */
#ifndef KMEM_STORE_H
#define KMEM_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/*
 * read and write transfer all of len bytes at pos, within size, or fail: 0, or a negative errno. They
 * may sleep, and are called by several tasks at once, for ranges that do not overlap, with no lock of
 * the library held. A write may be called out of memory reclaim: it must not wait for memory. After a
 * write that failed the range may hold anything. discard: the range is of no use any more; NULL:
 * nobody wants to know. Without write the store is read-only.
 */
struct kmem_store {
	const char *name; /* for reports */
	uint64_t size;	  /* bytes; does not change while the store is in use */
	int (*read)(struct kmem_store *s, uint64_t pos, void *buf, size_t len);
	int (*write)(struct kmem_store *s, uint64_t pos, const void *buf, size_t len);
	void (*discard)(struct kmem_store *s, uint64_t pos, uint64_t len);
};

/*
 * A file as a store; posix only. A file that is shorter than the store, or has become so, fails to be
 * read there with -EIO. Interrupted and short transfers are gone on with.
 */
struct kmem_file_store {
	struct kmem_store store; /* first: what other calls want */
	int fd;
};
/*
 * Opens path. size 0 means the file's own; writable: it is created if need be, and made size bytes long,
 * sparse: the disk may still be full later. 0, or a negative errno (-EINVAL: no size) and nothing is
 * open. path is not copied.
 */
int kmem_file_store_open(struct kmem_file_store *f, const char *path, uint64_t size, bool writable);
/* Nobody may use the store any more. */
void kmem_file_store_close(struct kmem_file_store *f);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
