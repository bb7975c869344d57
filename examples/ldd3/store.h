/* SPDX-License-Identifier: MIT */
/*
 * Memory that reads and writes like a device: a sparse row of blocks, each asked for when it is first
 * written to. Where the blocks come from is what the three drivers differ in.
 */
#ifndef LDD3_STORE_H
#define LDD3_STORE_H

#include <stddef.h>
#include <sys/types.h>
#include <kmem/ldd3.h>

enum { STORE_ROWS = 64, STORE_BLOCKS = 256 };

struct store {
	const char *name;
	size_t block; /* bytes */
	/* A block, zeroed, or NULL; and back. What a block is, the driver knows: */
	void *(*get)(void);
	void (*put)(void *block);
	/* its bytes, while nothing sleeps, and then no more. */
	char *(*map)(void *block);
	void (*unmap)(char *bytes);
	off_t size;
	void **row[STORE_ROWS]; /* of STORE_BLOCKS blocks each */
};

/* As a driver's read and write: how much, 0 at the end, or -ENOMEM, -ENOSPC. */
ssize_t store_read(struct store *s, char *buf, size_t n, off_t at);
ssize_t store_write(struct store *s, const char *buf, size_t n, off_t at);
void store_trim(struct store *s); /* gives everything back */

/* The drivers. Loading: the store, or NULL and nothing has happened. */
struct store *cache_load(void);
void cache_unload(void);
struct store *pages_load(void);
void pages_unload(void);
struct store *virt_load(void);
void virt_unload(void);

/* cache.c has an interrupt, and this is what it has noted, as text; it is then forgotten. */
size_t cache_ticks(char *buf, size_t len);

#endif
