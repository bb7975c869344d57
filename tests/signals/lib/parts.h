/* SPDX-License-Identifier: MIT */
/* What the files of the stepping search share: who owns what, and the tables of victims and shapes. */
#ifndef STEP_PARTS_H
#define STEP_PARTS_H
#include <stddef.h>
#include "slab/slab.h"
#include <kmem/kmem.h>
#include <kmem/mempool.h>
#include <kmem/highmem.h>

enum kind {
	OF_KMALLOC,
	OF_CACHE,
	OF_CTOR,
	OF_DEBUG,
	OF_RCU,
	OF_PAGE,
	OF_RUN,
	OF_FACE,
	OF_POOL,
	NR_KINDS
};

struct block {
	void *p;
	size_t size;
	enum kind kind;
};

enum { OWNER_MOST = 1600, GIFTS = 24, STEP_CTOR_BYTE = 0x5c, HIGHS = 3, POOL_MIN = 3 };

/* Blocks with their owner. The task and the handler have one each: the latter interrupts the former. */
struct owner {
	struct block b[OWNER_MOST];
	unsigned int n;
};

/* All that a run changes and the next one must find as it was lies in static memory. */
struct test_state {
	struct owner task, handler;
	struct kmem_cache *cache, *ctor, *debug, *rcu, *made;
	struct block in, in_many[64]; /* what the victim gives back */
	void *out, *out_many[64];     /* what it got */
	unsigned int nr_in, nr_out;
	struct page *reclaimable[64];
	unsigned int nr_reclaimable;
	bool tight; /* memory is short: requests may be refused */
	struct slab_sheaf *sheaf;
	mempool_t *pool;
	struct page *
		high[HIGHS]; /* of HIGHMEM if there is any, whose contents are not put aside: two of
					 * the task, one of the handler */
};
extern struct test_state s;

/* The task's or the handler's from now on; NULL is left out. Stamped. */
void own(struct owner *o, enum kind kind, void *p, size_t size);
struct block disown_last(struct owner *o);
/* The newest of a kind and size (0: any); p is NULL if there is none. */
struct block disown_kind(struct owner *o, enum kind kind, size_t size);
void block_free(struct block b);
void *block_alloc(enum kind kind, size_t size, gfp_t gfp);
/* A request of a shape: kept until the end of the run. Counted if it is refused. */
void *shape_alloc(enum kind kind, size_t size, gfp_t gfp);
void shape_refused(void);
/* A run is not as it should be. Does not return to a run that is under way. */
__attribute__((format(printf, 1, 2))) void step_finding(const char *fmt, ...);

struct victim {
	const char *group, *name, *cmdline;
	void (*prepare)(void);
	void (*run)(void);
	void (*done)(void); /* NULL: what it got is the task's */
	enum kind kind;
};
struct shape {
	const char *name;
	void (*fn)(void);
};
extern const struct victim victims[];
extern const unsigned int nr_victims;
extern const struct shape shapes[];
extern const unsigned int nr_shapes;

/* Of victims_pools.c. */
void pool_size(void);
void pool_run(void);
void pool_reserve_run(void);
void pool_free_prepare(void);
void pool_refill_prepare(void);
void pool_free_run(void);
void pool_resize_prepare(void);
void pool_grow_run(void);
void pool_shrink_run(void);
void high_prepare(void);
void high_run(void);
void high_copy_run(void);
void high_done(void);

/* The malloc face, compiled into the program under other names: face.c. */
void *face_malloc(size_t size);
void face_free(void *p);
void *face_realloc(void *p, size_t size);
void *face_calloc(size_t n, size_t size);
void *face_aligned_alloc(size_t align, size_t size);

#endif
