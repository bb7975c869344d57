/* SPDX-License-Identifier: MIT */
/*
 * A block cache over a file: what the files of this example share. README.md tells the story.
 *
 *	main.c		options, start and stop, report
 *	load.c		threads that read and write at random, and know what must be where
 *	cache.c		lookup, least recently used, the shrinker
 *	writeout.c	dirty blocks: bounce pages, flush, the timer's signal
 *	io.c		the file, and failures made on purpose
 */
#ifndef BLOCKCACHE_H
#define BLOCKCACHE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <kmem/kmem.h>
#include <kmem/highmem.h>
#include <kmem/mempool.h>
#include <kmem/shrinker.h>

/* ---- A list whose links lie in what is listed ---------------------------------------------------- */

struct list {
	struct list *prev, *next;
};
#define list_entry(link, type, member) ((type *)((char *)(link)-offsetof(type, member)))

static inline void list_init(struct list *l)
{
	l->prev = l->next = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_del(struct list *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	list_init(l);
}

static inline void list_add_after(struct list *l, struct list *place)
{
	l->prev = place;
	l->next = place->next;
	l->next->prev = place->next = l;
}

/* ---- A lock, of which the library's check for deadlocks hears (kmem/lockdep.h) ------------------- */

struct lock {
	pthread_mutex_t mutex;
	const char *name; /* of all locks of its kind */
};

static inline void lock_init(struct lock *l, const char *name)
{
	pthread_mutex_init(&l->mutex, NULL);
	l->name = name;
}

static inline void lock(struct lock *l)
{
	pthread_mutex_lock(&l->mutex);
	kmem_lock_acquired(l->name, l->name, NULL);
}

static inline void unlock(struct lock *l)
{
	kmem_lock_released(l->name);
	pthread_mutex_unlock(&l->mutex);
}

/* ---- io.c ---------------------------------------------------------------------------------------- */

/* From the first-th transfer (or sync) of the kind on, the next `times` fail; -1: all of them. */
struct io_fault {
	enum { FAULT_NONE, FAULT_EIO, FAULT_ENOSPC, FAULT_SHORT, FAULT_SYNC } kind;
	unsigned long first;
	long times;
};

struct io {
	int fd;
	const char *path;
	uint64_t nr_blocks;
	struct io_fault fault;
	atomic_ulong nr_seen; /* transfers that the fault could have hit */
	atomic_bool lost;     /* a sync failed: nobody knows any more what is on the disk */
	atomic_ulong nr_reads, nr_writes, nr_errors;
};

/* A block is a page. All return 0 or a negative errno; what a failed transfer left is unknown. */
int io_create(struct io *io, const char *path, uint64_t nr_blocks);
int io_read(struct io *io, uint64_t nr, void *block);
int io_write(struct io *io, uint64_t nr, const void *block);
int io_sync(struct io *io);
void io_remove(struct io *io);

/* ---- cache.c ------------------------------------------------------------------------------------- */

struct block {
	struct block *hash_next;
	struct list lru, dirty; /* dirty: linked while the page is newer than the file */
	uint64_t nr;
	uint64_t stamp;	   /* counts up with each block that becomes dirty */
	unsigned int pins; /* with any, it stays */
	struct lock lock;  /* guards what follows, and the page's contents */
	struct page *page;
	bool valid;	   /* the page holds the block */
	unsigned int nofs; /* what the holder's task was allowed before */
};

/* How long some, or all, of the threads stood still because memory was short. */
struct stall {
	struct lock lock;
	unsigned int nr, nr_threads;
	uint64_t since_ns, some_ns, full_ns;
};

struct cache {
	struct io *io;
	struct lock lock; /* guards the table, the lists, and of blocks what is above their lock */
	struct lock writing; /* held by the one who writes */
	struct block **table;
	unsigned long nr_buckets;
	struct list lru;   /* most recently used first */
	struct list dirty; /* oldest first */
	uint64_t stamp;
	unsigned long nr_failed; /* writes, and the last one's error */
	int error;
	atomic_ulong nr_blocks, nr_blocks_max, nr_dirty;
	struct kmem_cache *headers;
	struct shrinker *shrinker;
	mempool_t *bounce;
	struct stall stall;

	/* The write-out thread, and the timer that wakes it. */
	struct kmem_cache *works;
	_Atomic(struct work *) work;
	sem_t wake;
	pthread_t thread;
	timer_t timer;
	atomic_bool stopping;

	atomic_ulong nr_gets, nr_fills, nr_evicted, nr_evicted_kswapd, nr_ticks, nr_ticks_missed;
};

int cache_create(struct cache *c, struct io *io, unsigned int nr_threads);
void cache_destroy(struct cache *c); /* what is dirty is lost: flush first */
/*
 * The block, pinned and locked, its page filled from the file. With write the caller may change the
 * page, and says in cache_put whether he did. Until then his task is in a NOFS scope, and gets no
 * other block. -ENOMEM, or what input and output failed with; then nothing has changed.
 */
int cache_get(struct cache *c, uint64_t nr, bool write, struct block **block);
void cache_put(struct cache *c, struct block *b, bool changed);
uint64_t now_ns(void);

/* ---- writeout.c ---------------------------------------------------------------------------------- */

int writeout_create(struct cache *c);
void writeout_destroy(struct cache *c);
int writeout_start(struct cache *c); /* the thread and its timer */
void writeout_stop(struct cache *c);
void mark_dirty(struct cache *c, struct block *b); /* both locks held */
/* Writes the block if it is dirty. c->lock is held, and let go of meanwhile. */
int write_block(struct cache *c, struct block *b);
/* Before a write: writes old blocks while too many are dirty. The first error ends it. */
int throttle(struct cache *c);
/* 0: all that was put before the call is on the disk. Otherwise what is not there is still dirty. */
int cache_flush(struct cache *c);

/* ---- load.c -------------------------------------------------------------------------------------- */

struct load {
	struct cache *cache;
	uint64_t nr_blocks, seed;
	unsigned int nr_threads;
	uint64_t end_ns;	    /* 0: for ever */
	unsigned long nr_ops;	    /* of each thread; 0: without end */
	unsigned long commit_every; /* writes of one thread between its flushes */
	atomic_bool stop;

	/* What must be where; malloc's memory, none of the machine's. */
	uint32_t *version;	 /* of each block in the cache; its lock guards it */
	_Atomic uint32_t *acked; /* of each block that a flush has promised */

	atomic_ulong nr_reads, nr_writes, nr_refused, nr_commits, nr_wrong;
};

int load_create(struct load *l);
void load_destroy(struct load *l);
int load_run(struct load *l);
/*
 * Reads the whole file, past the cache. flushed: each block must be its newest version; otherwise
 * each word of it may be of any version since the one a flush has promised.
 */
void load_verify(struct load *l, struct io *io, bool flushed);

#endif
