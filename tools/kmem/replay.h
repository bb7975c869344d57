/* SPDX-License-Identifier: MIT */
/*
 * kmem replay: what its files share.
 *
 *	trace	what was recorded: addresses of another machine		trace.h
 *	plan	what to do: slots instead of addresses			plan.c, plan_pages.c
 *	result	what this library did					replay_run.c
 *	drop	what it took back when memory was short			replay_drop.c
 *
 * A slot is a place for one object or page of ours. The plan is made before the clock starts, so
 * the time of the replay is the allocator's and not that of a hash table.
 */
#ifndef KMEM_REPLAY_H
#define KMEM_REPLAY_H

#include <stdio.h>

#include <kmem/config.h>

#include "trace.h"

enum op_kind {
	OP_KMALLOC,
	OP_CACHE_ALLOC,
	OP_KFREE, /* slot NO_SLOT: kfree(NULL) */
	OP_CACHE_FREE,
	OP_PAGE_ALLOC,
	OP_PAGE_SPLIT, /* allocate a block and split it: fills 2^order slots */
	OP_PAGE_FREE,
};

/* How urgent a request is, by its mask; the rows of the table of failures. */
enum gfp_class {
	CLASS_ATOMIC,
	CLASS_NOWAIT,
	CLASS_NOIO,
	CLASS_NOFS,
	CLASS_KERNEL,
	CLASS_USER,
	CLASS_NR
};

#define NO_SLOT UINT32_MAX

struct op {
	uint32_t slot, req, gfp;
	uint16_t cache, cpu; /* cache TRACE_NO_CACHE: kmalloc */
	uint8_t kind, ctx, order, class;
};

/* One cache, or all of kmalloc. Bytes of allocations: asked for, and given by that kernel. */
struct plan_cache {
	uint64_t allocs, requested, theirs;
	uint64_t live, peak;
	uint32_t object_size, their_slot; /* the largest seen */
};

struct plan {
	const struct trace *trace;
	bool pages; /* the page level; otherwise the slab level */
	struct op *op;
	size_t nr, cap;
	uint32_t nr_slots;
	struct plan_cache *cache; /* trace->nr_caches, then kmalloc */

	uint64_t events[TRACE_NR_KINDS]; /* of the recording, both levels */
	uint64_t class_nr[CLASS_NR];
	uint64_t kfree_null, older, implicit, cross_cpu, frees, renamed, their_failures;
	uint64_t peak_objects, peak_requested, peak_theirs;
	uint64_t peak_pages, split_blocks;
	uint64_t live_objects, live_requested, live_theirs, live_pages;
};

void plan_make(struct plan *p, const struct trace *t, bool pages);
void plan_free(struct plan *p);
struct op *plan_add(struct plan *p, enum op_kind kind, const struct trace_event *ev, uint32_t slot);
void plan_pages(struct plan *p);
enum gfp_class gfp_class(uint32_t gfp);
extern const char *const gfp_class_name[CLASS_NR];

/* A hash table from a 64-bit number to a 32-bit one. */
struct map {
	uint64_t *key; /* number + 1; 0 is empty */
	uint32_t *value;
	size_t mask, nr;
};
void map_init(struct map *m);
void map_free(struct map *m);
bool map_get(const struct map *m, uint64_t key, uint32_t *value);
void map_set(struct map *m, uint64_t key, uint32_t value);
void map_remove(struct map *m, uint64_t key);

struct result_cache {
	uint32_t slot;		    /* bytes an object takes here; 0: none was allocated */
	uint64_t allocs;	    /* that succeeded */
	uint64_t bytes;		    /* ours, over all allocations */
	uint64_t slabs, slab_pages; /* at the end of the recording */
};

struct result {
	struct result_cache *cache; /* as plan.cache */
	uint64_t class_failed[CLASS_NR], order_failed[NR_PAGE_ORDERS], failed, gave_up;
	/* With --reclaim: what was dropped, and frees of that; pages that kswapd and that requests
	 * took back, objects scanned, runs of kswapd, requests that had to reclaim. */
	bool reclaimed;
	uint64_t dropped_objects, dropped_pages, dropped_freed;
	uint64_t by_kswapd, by_requests, slabs_scanned, kswapd_runs, stalls;
	uint64_t peak_bytes, live_bytes;
	uint64_t misuses, faults, leaks, undestroyed;
	double seconds;
	char *summary;	     /* the zones when the recording ended */
	char first_log[512]; /* the first line the library reported */
	uint64_t log_lines;
};

struct replay_how {
	const char *cmdline; /* of a machine that is started and stopped here */
	bool pin, reclaim;
};
/* An exit status; messages were printed. */
int replay_run(const struct plan *p, const struct replay_how *how, struct result *r);
void result_free(struct result *r);

/*
 * --reclaim, between begin and end; otherwise these do nothing. drop(arg, slot) frees what is in the
 * slot. born: the operation has filled it, with a page or (NULL) an object. freed: the recording frees
 * what is in it, or was.
 */
struct page;
void drop_begin(const struct plan *p, struct result *r, void (*drop)(void *arg, uint32_t slot),
		void *arg);
void drop_end(void);
void drop_born(const struct op *op, uint32_t slot, const struct page *page);
void drop_freed(uint32_t slot);
/* Is a cache of this name one that the kernel reclaims? */
bool drop_cache(const char *name);
/* Runs kswapd if it was woken: between two operations, and for one that waits; false: it has waited
 * for so many rounds that nothing will come. */
void drop_in_background(void);
bool drop_waits(unsigned long rounds);

/* Prints the report; returns whether there are findings. */
bool replay_report(const struct plan *p, const struct result *r, const char *path,
		   const char *cmdline, FILE *out);

#endif
