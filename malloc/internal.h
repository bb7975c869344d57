/* SPDX-License-Identifier: MIT */
/*
 * What the files of malloc/ share. malloc.c is the family of functions, classes.c its small sizes;
 * run.c large blocks; growth.c what idle caches give back; track.c the ledger behind the options stat and
 * leaks; report.c what they print. malloc.c, classes.c and growth.c stand on the slab floor, run.c on gfp; the
 * others on the public headers.
 *
 * Glossary
 *	block	what malloc hands out
 *	small	a block of at most SMALL_MAX bytes: an object of a cache of ours, or of kmalloc's
 *	run	a larger block: whole pages (contig_nr_pages)
 *	slow	the functions that look at everything; the fast ones are the slab floor's hits
 *	ledger	every live block with its size and the stack that asked for it
 */
#ifndef KMEM_MALLOC_INTERNAL_H
#define KMEM_MALLOC_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <kmem/kmem.h>

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* What the C ABIs of all our targets promise: room for any scalar, SSE vectors included. */
#define MALLOC_ALIGN 16UL
#define SMALL_MAX    ((size_t)KMALLOC_MAX_CACHE_SIZE)

/*
 * Masks. What does not hit may wait for reclaim, unless a signal handler has interrupted the library
 * itself: then it may use the reserves instead (malloc_gfp). A program sees NULL and ENOMEM, not a
 * report in its log.
 */
#define GFP_TASK   (GFP_KERNEL | __GFP_NOWARN)
#define GFP_NESTED (GFP_ATOMIC | __GFP_NOWARN)
#define GFP_NONE   __KMEM_GFP(0)

extern bool face_track; /* the slow functions tell track.c of every call */

/* ---- malloc.c ---- */

/* Before the second thread: all calls go through the slow functions, and are tracked. A program that
 * does not ask for it pays nothing, for hits look at none of this. */
void face_watch(void);

size_t block_size(const void *p); /* usable bytes; 0: no block */
gfp_t malloc_gfp(void);

/* ---- growth.c ---- */

/* A task that may wait is about to take memory from the machine, perhaps. */
void growth_look(void);

/* ---- run.c ---- */

/* Room for size bytes (1..PTRDIFF_MAX) aligned to align, a power of two. NULL: nothing changed. */
void *run_alloc(size_t size, size_t align, gfp_t extra);
/* As run_alloc, for a block that has grown and will again: an eighth more if there is that much. */
void *run_alloc_roomy(size_t size);
/* Usable bytes of the run that starts at p; 0: none does. */
size_t run_size(const void *p);
/* Makes the run hold size bytes where it lies; false: it cannot. */
bool run_resize(void *p, size_t size);
void run_free(void *p);

/* ---- track.c ---- */

struct track_counts {
	uint64_t allocs, frees, failures;	      /* calls */
	uint64_t live_bytes, live_blocks, peak_bytes; /* usable bytes */
	uint64_t missed;			      /* blocks the ledger could not follow */
};

struct track_stack {
	void *pc[8];
	uint32_t depth, hash;
	size_t bytes, blocks; /* live: bytes asked for */
};

/* Before the first tracked call. */
void track_start(bool ledger);
void track_alloc(const void *p, size_t size);
void track_free(const void *p);
void track_failure(void);
void track_read(struct track_counts *c);
/* Ends tracking; the stacks with live blocks, most bytes first. Their number is in *n. */
const struct track_stack *track_finish(size_t *n);

/* ---- report.c ---- */

void report_to_stderr(void); /* malloc_stats */

#endif
