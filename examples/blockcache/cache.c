/* SPDX-License-Identifier: MIT */
/*
 * The cache: blocks by number, the least recently used ones given back when memory is short.
 *
 * Nothing here says how large the cache is. It takes a page for each block that it does not have, and
 * when the machine runs low the allocator calls the shrinker: in kswapd, or in the very task that asked
 * for memory. So what a task may ask for depends on what it holds:
 *
 *	it holds		it allocates with		since the shrinker
 *	nothing			GFP_KERNEL, GFP_HIGHUSER	takes c->lock and c->writing
 *	a block, c->writing	the same, in a NOFS scope	sees no __GFP_FS, and steps back
 *	c->lock			nothing			would wait for its own task
 *
 * The scopes are opened by cache_get() and write_block(), so code in between need not know.
 * Locks, in the order they are taken: c->writing, b->lock, c->lock.
 */
#include <errno.h>
#include "blockcache.h"

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ---- Stall time ---------------------------------------------------------------------------------- */

/* As /proc/pressure/memory has it: "some" runs while anybody waits, "full" while all do. */
static void stall_change(struct stall *s, int change)
{
	uint64_t now;

	lock(&s->lock);
	now = now_ns();
	if (s->nr > 0)
		s->some_ns += now - s->since_ns;
	if (s->nr >= s->nr_threads)
		s->full_ns += now - s->since_ns;
	s->since_ns = now;
	s->nr += (unsigned int)change;
	unlock(&s->lock);
}

/* ---- Blocks -------------------------------------------------------------------------------------- */

/* A block comes back to its slab cache as it left it, so this is done once for each piece of memory,
 * not for each use. */
static void block_construct(void *obj)
{
	struct block *b = obj;

	*b = (struct block){.page = NULL};
	list_init(&b->lru);
	list_init(&b->dirty);
	lock_init(&b->lock, "block");
}

static void block_free(struct cache *c, struct block *b)
{
	__free_page(b->page);
	b->page = NULL;
	b->valid = false;
	kmem_cache_free(c->headers, b);
}

/* The header has an address always. The data need one only while somebody looks at them. */
static struct block *block_alloc_gfp(struct cache *c, gfp_t header, gfp_t data)
{
	struct block *b = kmem_cache_alloc(c->headers, header);

	if (!b)
		return NULL;
	b->page = alloc_page(data);
	if (!b->page) {
		kmem_cache_free(c->headers, b);
		return NULL;
	}
	return b;
}

/* First what is there without waiting. The rest is time lost to shortage, and counted as such. */
static struct block *block_alloc(struct cache *c)
{
	struct block *b = block_alloc_gfp(c, GFP_NOWAIT, GFP_NOWAIT | __GFP_HIGHMEM);

	if (b)
		return b;
	stall_change(&c->stall, 1);
	b = block_alloc_gfp(c, GFP_KERNEL, GFP_HIGHUSER);
	stall_change(&c->stall, -1);
	return b;
}

/* ---- The table and the list, all under c->lock --------------------------------------------------- */

static struct block **bucket_of(struct cache *c, uint64_t nr)
{
	return &c->table[nr * 0x9e3779b97f4a7c15u >> 32 & (c->nr_buckets - 1)];
}

static struct block *lookup(struct cache *c, uint64_t nr)
{
	struct block *b = *bucket_of(c, nr);

	while (b && b->nr != nr)
		b = b->hash_next;
	return b;
}

static void insert(struct cache *c, struct block *b, uint64_t nr)
{
	struct block **bucket = bucket_of(c, nr);

	b->nr = nr;
	b->hash_next = *bucket;
	*bucket = b;
	list_add_after(&b->lru, &c->lru);
	if (++c->nr_blocks > c->nr_blocks_max)
		c->nr_blocks_max = c->nr_blocks;
}

/* Freeing never waits, so it may be done under the lock. */
static void evict(struct cache *c, struct block *b)
{
	struct block **link = bucket_of(c, b->nr);

	while (*link != b)
		link = &(*link)->hash_next;
	*link = b->hash_next;
	list_del(&b->lru);
	c->nr_blocks--;
	block_free(c, b);
}

/* ---- The shrinker -------------------------------------------------------------------------------- */

static unsigned long shrink_count(struct shrinker *s, struct shrink_control *sc)
{
	struct cache *c = s->private_data;
	unsigned long nr = c->nr_blocks;

	(void)sc;
	return nr ? nr : SHRINK_EMPTY;
}

/* From the cold end. What cannot go now goes to the hot one. */
static unsigned long shrink_scan(struct shrinker *s, struct shrink_control *sc)
{
	struct cache *c = s->private_data;
	unsigned long freed = 0, scanned;

	/* Without FS the task that asks for memory may be one of ours, in the midst of a transfer. */
	if (!(sc->gfp_mask & __GFP_FS))
		return SHRINK_STOP;
	lock(&c->lock);
	for (scanned = 0; scanned < sc->nr_to_scan && !list_empty(&c->lru); scanned++) {
		struct block *b = list_entry(c->lru.prev, struct block, lru);

		list_del(&b->lru);
		list_add_after(&b->lru, &c->lru);
		if (!b->pins && !list_empty(&b->dirty))
			write_block(c, b);
		if (b->pins || !list_empty(&b->dirty))
			continue; /* in use, or not written, or somebody came while it was */
		evict(c, b);
		freed++;
	}
	unlock(&c->lock);
	sc->nr_scanned = scanned;
	mm_account_reclaimed_pages(freed); /* of the blocks; slabs are counted by themselves */
	c->nr_evicted += freed;
	if (kmem_task_flags() & PF_KTHREAD)
		c->nr_evicted_kswapd += freed;
	return freed;
}

/* ---- Get and put --------------------------------------------------------------------------------- */

/* A block that is there, or a new one that has yet to be read; pinned. */
static struct block *find_or_add(struct cache *c, uint64_t nr)
{
	struct block *b, *fresh = NULL;

	lock(&c->lock);
	b = lookup(c, nr);
	if (!b) {
		/* The lock must go: it is the shrinker's. Somebody may add the block meanwhile. */
		unlock(&c->lock);
		fresh = block_alloc(c);
		if (!fresh)
			return NULL;
		lock(&c->lock);
		b = lookup(c, nr);
	}
	if (b) {
		list_del(&b->lru);
		list_add_after(&b->lru, &c->lru);
	} else {
		b = fresh;
		fresh = NULL;
		insert(c, b, nr);
	}
	b->pins++;
	unlock(&c->lock);
	if (fresh)
		block_free(c, fresh);
	return b;
}

static int fill(struct cache *c, struct block *b)
{
	void *data = kmap_local_page(b->page);
	int rc = io_read(c->io, b->nr, data);

	kunmap_local(data);
	b->valid = rc == 0;
	c->nr_fills++;
	return rc;
}

int cache_get(struct cache *c, uint64_t nr, bool write, struct block **block)
{
	int rc = write ? throttle(c) : 0;
	struct block *b;

	if (rc)
		return rc;
	b = find_or_add(c, nr);
	if (!b)
		return -ENOMEM;
	c->nr_gets++;
	lock(&b->lock);
	b->nofs = memalloc_nofs_save();
	if (!b->valid)
		rc = fill(c, b);
	if (rc)
		cache_put(c, b, false); /* it stays, without contents, for the shrinker to find */
	else
		*block = b;
	return rc;
}

void cache_put(struct cache *c, struct block *b, bool changed)
{
	unsigned int nofs = b->nofs;

	lock(&c->lock);
	if (changed)
		mark_dirty(c, b);
	unlock(&b->lock);
	b->pins--; /* the last use of b: from here on it may be evicted */
	unlock(&c->lock);
	memalloc_nofs_restore(nofs);
}

/* ---- Create and destroy -------------------------------------------------------------------------- */

static int shrinker_create(struct cache *c)
{
	c->shrinker = shrinker_alloc(0, "blockcache");
	if (!c->shrinker)
		return -ENOMEM;
	c->shrinker->count_objects = shrink_count;
	c->shrinker->scan_objects = shrink_scan;
	c->shrinker->seeks = DEFAULT_SEEKS;
	c->shrinker->private_data = c;
	shrinker_register(c->shrinker);
	return 0;
}

int cache_create(struct cache *c, struct io *io, unsigned int nr_threads)
{
	*c = (struct cache){.io = io, .nr_buckets = 1024, .stall.nr_threads = nr_threads};
	lock_init(&c->lock, "cache");
	lock_init(&c->stall.lock, "stall");
	lock_init(&c->writing, "writing");
	list_init(&c->lru);
	list_init(&c->dirty);
	while (c->nr_buckets < io->nr_blocks / 16)
		c->nr_buckets *= 2;
	c->table = kcalloc(c->nr_buckets, sizeof(struct block *), GFP_KERNEL);
	c->headers = kmem_cache_create("block", sizeof(struct block), 0, SLAB_RECLAIM_ACCOUNT,
				       block_construct);
	if (!c->table || !c->headers || writeout_create(c) || shrinker_create(c)) {
		cache_destroy(c);
		return -ENOMEM;
	}
	return 0;
}

void cache_destroy(struct cache *c)
{
	shrinker_free(c->shrinker); /* waits until nobody is in it */
	while (!list_empty(&c->lru))
		evict(c, list_entry(c->lru.next, struct block, lru));
	writeout_destroy(c);
	kmem_cache_destroy(c->headers);
	kfree(c->table);
}
