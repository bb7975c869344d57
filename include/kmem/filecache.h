/* SPDX-License-Identifier: MIT */
/*
 * A cache of file pages: what has been read of a store (kmem/store.h) stays in memory until that is
 * wanted for something else. It is read-only, so its pages are always clean and go without I/O.
 *
 *	kmem_file_store_open(&f, "data", 0, false);
 *	kmem_filecache_create(&cache, &f.store);
 *	if (kmem_filecache_get(cache, 7, GFP_HIGHUSER, &page) == 0) {
 *		p = kmap_local_page(page);
 *		...
 *		kunmap_local(p);
 *		put_page(page);
 *	}
 *	n = kmem_filecache_read(cache, buf, offset, sizeof(buf), GFP_HIGHUSER);
 *
 * Reclaim takes pages that nobody has a reference of, the longest unused first; one that was found in
 * the cache since it was read has a second chance. Letting go of a page needs neither I/O nor a file
 * system, so it is done under every mask that may reclaim at all, GFP_NOFS and GFP_NOIO too. Reading is
 * I/O, whatever the mask, which is for the memory alone.
 *
 * fork: the child has the cache, reads the store by itself, and lets go of pages as it likes. What other
 * threads were reading at the fork it reads again.
 */
#ifndef KMEM_FILECACHE_H
#define KMEM_FILECACHE_H

#include <stddef.h>
#include <stdint.h>
#include <kmem/gfp.h>
#include <kmem/page.h>
#include <kmem/store.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct kmem_filecache;

/*
 * A cache of the whole store, which stays the caller's, must outlive the cache, and must not be written to
 * while it is cached (see kmem_filecache_drop). 0 and *cache; or *cache is NULL and -EINVAL (a store
 * without read or size, or above 16 TiB where long has 32 bits), -ENOMEM, -ENOSPC (too many owners of
 * LRU pages), -EBUSY (in a context that may not sleep; reported). Task context, sleeps.
 */
int kmem_filecache_create(struct kmem_filecache **cache, struct kmem_store *store);
/*
 * Nobody may be in a call for the cache, or come. Pages that somebody has a reference of are his, and
 * free with the last put_page(). NULL is a no-op. Task context, sleeps.
 */
void kmem_filecache_destroy(struct kmem_filecache *cache);

/*
 * Page number index of the store (bytes from index * PAGE_SIZE on), with a reference for the caller, who
 * must not write to it, and gives it back with put_page(). Behind the end of the store its bytes are
 * zero. While there is a reference the page stays in memory.
 *
 * A page that is missing is read, once, however many tasks ask for it; the others wait. A mask that may
 * not block (GFP_NOWAIT, GFP_ATOMIC) gets what is in memory, and -EAGAIN for what would have to be read,
 * or waited for. Blocking masks are reported (KMEM_MISUSE_CONTEXT) where nothing may sleep, and
 * treated like those. Any context but NMI; a handler that has interrupted the library gets -EAGAIN.
 *
 * 0; or *page is NULL and
 *	-EINVAL		index is behind the end
 *	-EAGAIN		see above
 *	-ENOMEM		no memory for the page
 *	-EIO, others	the store's error; a store that is shorter than it was has -EIO there
 * and the cache is as before. A failed read is reported, at most five times in ten seconds, and tried
 * anew by each call.
 */
int kmem_filecache_get(struct kmem_filecache *cache, uint64_t index, gfp_t gfp, struct page **page);
/*
 * Copies len bytes at offset into buf, as pread() does: how many, fewer at the end of the store, 0 behind
 * it; fewer also if a page behind the first byte cannot be had. If the first one cannot: the negative
 * error of kmem_filecache_get. Contexts as there.
 */
long kmem_filecache_read(struct kmem_filecache *cache, void *buf, uint64_t offset, size_t len,
			 gfp_t gfp);

/*
 * Forgets the pages that have a byte of the range in them: who asks for one from now on has it read anew.
 * Those who have a reference keep the old one; so may those whose call is under way. For stores that
 * somebody has written to, or to give memory back. How many pages were forgotten. Task context, sleeps.
 */
unsigned long kmem_filecache_drop(struct kmem_filecache *cache, uint64_t offset, uint64_t len);

struct kmem_filecache_stat {
	uint64_t pages;	      /* in memory now */
	uint64_t hits;	      /* calls that found their page, at once or after a wait */
	uint64_t misses;      /* calls that read it, or tried to */
	uint64_t read_errors; /* of those: failed */
	uint64_t reclaimed;   /* pages that reclaim took */
	uint64_t dropped;     /* pages that kmem_filecache_drop forgot */
};
/* Of one moment. Any context but NMI; zeroes in a handler that has interrupted the library. */
void kmem_filecache_stat(struct kmem_filecache *cache, struct kmem_filecache_stat *stat);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
