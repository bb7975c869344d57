/* SPDX-License-Identifier: MIT */
/*
 * A cache of file pages: an owner of LRU pages (kmem/lru.h) that finds them by their number in a store
 * (kmem/store.h). They are never dirty, so it has no writepage.
 *
 *	             get: not found                read
 *	(nothing) -------------------> READING ------------> HERE
 *	   ^                            |    |               |  |
 *	   |     read failed            |    | drop          |  | drop
 *	   +----------------------------+    v               |  v
 *	   |                             FORGOTTEN           | GOING   until it is off the lists
 *	   |  read: the reader's alone      |                |  |
 *	   +--------------------------------+----------------+--+
 *	                                            reclaim: release()
 *
 * An entry stands for each page, in a hash table; a FORGOTTEN one is in its reader's hands alone. Whoever
 * finds READING or GOING sleeps until `turn` has changed, and looks again. The memory is there before the
 * entry is, so a reader waits for nothing but the store, and nobody who waits for him holds anything
 * up: release() takes the cache's lock for a few instructions, and never waits for a reader.
 *
 * Who uses a page has a reference of it, taken under the lock; the cache's own is the other one. release()
 * looks at the count under the same lock, so a page in use is not let go, and put_page() needs no lock.
 *
 * What an LRU page knows of its owner is its number, not the entry: a child of fork may find a page on the
 * lists whose entry another task had just removed. It is then nobody's, and goes.
 *
 * Equation: entries HERE or GOING = stat.pages = the owner's pages on the lists (GOING: at most).
 *
 * Lock: one a cache, RANK_ZONE, for it is held over the LRU lists' (RANK_LEAF); filecaches.lock
 * (RANK_LEAF) is for the list of caches. Cost: a hit is one lock, a chain of about one entry, and two
 * atomics; a miss two small requests, three locks, and the transfer.
 */
#include "pool/pool.h"
#include <kmem/filecache.h>
#include <kmem/highmem.h>
#include <kmem/lru.h>
#include <kmem/vmalloc.h>

enum {
	BUCKETS_MIN_SHIFT = 4,
	BUCKETS_MAX_SHIFT = 16, /* half a megabyte of table; chains of 16 at 4 GiB in memory */
};

enum fc_state { FC_READING, FC_HERE, FC_GOING, FC_FORGOTTEN };
struct fc_page {
	struct fc_page *next;
	unsigned long index;
	struct page *page;
	enum fc_state state;
};

struct kmem_filecache {
	struct kmem_lru_owner owner; /* first: callbacks cast */
	struct list all;
	struct kmem_store *store;
	struct lock lock;
	u32 turn;    /* changes when a page ceases to be READING or GOING */
	bool waited; /* somebody may be asleep for it */
	unsigned int shift;
	struct fc_page **bucket; /* 1 << shift */
	struct kmem_filecache_stat stat;
};

static struct {
	struct lock lock;
	struct list all;
} filecaches;

static struct ratelimit error_limit = {.interval_ms = 10000, .burst = 5};

/* ---- Table: the lock is held ---------------------------------------------------------------------- */

static struct fc_page **bucket_of(const struct kmem_filecache *fc, unsigned long index)
{
	u32 mixed = (u32)((u64)index ^ (u64)index >> 32) * 0x9e3779b9u;

	return &fc->bucket[mixed >> (32 - fc->shift)];
}

static struct fc_page *entry_find(const struct kmem_filecache *fc, unsigned long index)
{
	struct fc_page *e = *bucket_of(fc, index);

	while (e && e->index != index)
		e = e->next;
	return e;
}

static void entry_hash(struct kmem_filecache *fc, struct fc_page *e)
{
	struct fc_page **head = bucket_of(fc, e->index);

	assert_debug(!entry_find(fc, e->index));
	e->next = *head;
	atom_store(head, e);
}

static void entry_unhash(struct kmem_filecache *fc, struct fc_page *e)
{
	struct fc_page **at = bucket_of(fc, e->index);

	while (*at != e) {
		assert_always(*at);
		at = &(*at)->next;
	}
	atom_store(at, e->next);
}

/* Somebody's page is no longer on its way. True: wake_all, once the lock is free. */
static bool turn_pass(struct kmem_filecache *fc)
{
	bool waited = fc->waited;

	atom_add(&fc->turn, 1u);
	fc->waited = false;
	return waited;
}

static void wake_all(struct kmem_filecache *fc)
{
	port_wake(&fc->turn, INT32_MAX);
}

/* ---- In ------------------------------------------------------------------------------------------- */

static u64 store_pages(const struct kmem_store *store)
{
	return ((store->size - 1) >> PAGE_SHIFT) + 1;
}

static struct fc_page *entry_alloc(unsigned long index, gfp_t gfp)
{
	struct fc_page *e = kmalloc(sizeof(*e), gfp & ~(GFP_ZONEMASK | __GFP_ZERO | __GFP_COMP));

	if (!e)
		return NULL;
	e->index = index;
	e->state = FC_READING;
	e->page = alloc_page(gfp & ~(__GFP_ZERO | __GFP_COMP));
	if (e->page)
		return e;
	kfree(e);
	return NULL;
}

static void entry_free(struct fc_page *e)
{
	if (e)
		__free_page(e->page);
	kfree(e);
}

enum look { LOOK_HERE, LOOK_BUSY, LOOK_MISSING };

/* What there is of the page. Missing: the fresh entry, if there is one, takes the place, and the caller
 * is its reader. */
static enum look entry_look(struct kmem_filecache *fc, unsigned long index, struct fc_page *fresh,
			    struct page **page)
{
	struct fc_page *e = entry_find(fc, index);

	if (!e) {
		if (fresh) {
			entry_hash(fc, fresh);
			fc->stat.misses++;
		}
		return LOOK_MISSING;
	}
	if (e->state != FC_HERE)
		return LOOK_BUSY;
	get_page(e->page);
	kmem_lru_mark_accessed(e->page);
	fc->stat.hits++;
	*page = e->page;
	return LOOK_HERE;
}

static int contents_read(struct kmem_filecache *fc, struct fc_page *e)
{
	u64 pos = (u64)e->index << PAGE_SHIFT;
	size_t len = (size_t)u64_min(PAGE_SIZE, fc->store->size - pos);
	char *contents = kmap_local_page(e->page);
	int rc = fc->store->read(fc->store, pos, contents, len);

	if (!rc)
		__builtin_memset(contents + len, 0, PAGE_SIZE - len);
	kunmap_local(contents);
	if (rc && ratelimit_ok(&error_limit))
		report(KMEM_LOG_ERR, "kmem: filecache: %s: page %lu cannot be read, error %d",
		       fc->store->name, e->index, -rc);
	return rc;
}

/* The entry is the cache's now, and the caller has a reference; unless reading failed. Forgotten
 * meanwhile: the page is the caller's alone. */
static int entry_arrive(struct kmem_filecache *fc, struct fc_page *e, int rc, struct page **page)
{
	struct page *read = e->page;
	bool keep, waited;
	irqflags_t flags = lock_take(&fc->lock);

	assert_debug(e->state == FC_READING || e->state == FC_FORGOTTEN);
	keep = !rc && e->state == FC_READING;
	if (keep) {
		kmem_lru_add(read, &fc->owner, (void *)(uintptr_t)e->index, false);
		get_page(read);
		e->state = FC_HERE;
		fc->stat.pages++;
	} else if (e->state == FC_READING) {
		entry_unhash(fc, e);
	}
	fc->stat.read_errors += rc != 0;
	waited = turn_pass(fc);
	lock_release(&fc->lock, flags);
	if (waited)
		wake_all(fc);
	if (!keep)
		kfree(e);
	if (rc)
		__free_page(read);
	else
		*page = read;
	return rc;
}

static bool may_wait(struct kmem_filecache *fc, gfp_t gfp)
{
	return gfpflags_allow_blocking(gfp) &&
	       context_check_sleep(KMEM_MISUSE_CONTEXT, fc, "only pages in memory are found");
}

static int page_get(struct kmem_filecache *fc, unsigned long index, gfp_t gfp, struct page **page)
{
	struct fc_page *fresh = NULL;
	bool wait = may_wait(fc, gfp);

	for (;;) {
		irqflags_t flags = lock_take(&fc->lock);
		enum look look = entry_look(fc, index, fresh, page);
		u32 turn = atom_load(&fc->turn);

		fc->waited |= wait && look == LOOK_BUSY;
		lock_release(&fc->lock, flags);
		if (look == LOOK_MISSING && fresh)
			return entry_arrive(fc, fresh, contents_read(fc, fresh), page);
		if (look == LOOK_HERE || !wait) {
			entry_free(fresh);
			return look == LOOK_HERE ? 0 : -KE_AGAIN;
		}
		if (look == LOOK_BUSY)
			port_wait(&fc->turn, turn, UINT64_MAX);
		else if (!(fresh = entry_alloc(index, gfp)))
			return -KE_NOMEM;
	}
}

int kmem_filecache_get(struct kmem_filecache *fc, uint64_t index, gfp_t gfp, struct page **page)
{
	*page = NULL;
	if (index >= store_pages(fc->store))
		return -KE_INVAL;
	if (pool_must_try())
		return -KE_AGAIN;
	return page_get(fc, (unsigned long)index, gfp, page);
}

long kmem_filecache_read(struct kmem_filecache *fc, void *buf, uint64_t offset, size_t len,
			 gfp_t gfp)
{
	u64 size = fc->store->size;
	size_t done = 0;

	len = (size_t)u64_min(u64_min(len, SIZE_MAX / 2), offset < size ? size - offset : 0);
	while (done < len) {
		size_t within = (size_t)(offset & (PAGE_SIZE - 1));
		size_t n = size_min(len - done, PAGE_SIZE - within);
		struct page *page;
		char *contents;
		int rc = kmem_filecache_get(fc, offset >> PAGE_SHIFT, gfp, &page);

		if (rc)
			return done ? (long)done : rc;
		contents = kmap_local_page(page);
		__builtin_memcpy((char *)buf + done, contents + within, n);
		kunmap_local(contents);
		put_page(page);
		done += n;
		offset += n;
	}
	return (long)done;
}

/* ---- Out ------------------------------------------------------------------------------------------ */

static bool fc_release(struct kmem_lru_owner *o, struct page *page, gfp_t gfp)
{
	struct kmem_filecache *fc = (struct kmem_filecache *)(void *)o;
	irqflags_t flags = lock_take(&fc->lock);
	struct fc_page *e = entry_find(fc, (unsigned long)(uintptr_t)kmem_lru_key(page));
	bool mine = e && e->page == page;
	/* The count pairs with put_page: what others read in the page they have read. */
	bool gone = !mine || (e->state == FC_HERE && atom_load_acq(&page->refcount) == 1);

	(void)gfp;
	assert_debug(!kmem_lru_dirty(page));
	if (mine && gone) {
		entry_unhash(fc, e);
		fc->stat.pages--;
		fc->stat.reclaimed++;
	}
	lock_release(&fc->lock, flags);
	if (mine && gone)
		kfree(e);
	return gone;
}

/* An entry of the chain that can be dropped; it is not found any more. One that is being read is its
 * reader's from now on. */
static struct fc_page *chain_drop(struct kmem_filecache *fc, struct fc_page *e, u64 first, u64 last)
{
	for (; e; e = e->next) {
		if (e->index < first || e->index > last || e->state == FC_GOING)
			continue;
		if (e->state == FC_READING) {
			entry_unhash(fc, e);
			e->state = FC_FORGOTTEN;
		} else {
			e->state = FC_GOING;
		}
		return e;
	}
	return NULL;
}

/* GOING, and nobody's but ours: off the lists, which may mean waiting for a callback that says no. */
static void entry_drop(struct kmem_filecache *fc, struct fc_page *e)
{
	irqflags_t flags;
	bool waited;

	kmem_lru_del(e->page);
	flags = lock_take(&fc->lock);
	entry_unhash(fc, e);
	fc->stat.pages--;
	fc->stat.dropped++;
	waited = turn_pass(fc);
	lock_release(&fc->lock, flags);
	if (waited)
		wake_all(fc);
	put_page(e->page);
	kfree(e);
}

static unsigned long bucket_drop(struct kmem_filecache *fc, struct fc_page **head, u64 first,
				 u64 last)
{
	unsigned long nr = 0;

	while (atom_load(head)) {
		irqflags_t flags = lock_take(&fc->lock);
		struct fc_page *e = chain_drop(fc, *head, first, last);
		bool going = e && e->state == FC_GOING;
		bool waited = e && !going && turn_pass(fc);

		lock_release(&fc->lock, flags);
		if (waited)
			wake_all(fc);
		if (going)
			entry_drop(fc, e);
		nr += going;
		if (!e)
			break;
	}
	return nr;
}

unsigned long kmem_filecache_drop(struct kmem_filecache *fc, uint64_t offset, uint64_t len)
{
	u64 last = len - 1 < UINT64_MAX - offset ? offset + (len - 1) : UINT64_MAX;
	unsigned long nr = 0;

	if (len == 0 || !context_check_sleep(KMEM_MISUSE_CONTEXT, fc, "no page is dropped"))
		return 0;
	for (size_t i = 0; i < (size_t)1 << fc->shift; i++)
		nr += bucket_drop(fc, &fc->bucket[i], offset >> PAGE_SHIFT, last >> PAGE_SHIFT);
	return nr;
}

void kmem_filecache_stat(struct kmem_filecache *fc, struct kmem_filecache_stat *stat)
{
	irqflags_t flags;

	__builtin_memset(stat, 0, sizeof(*stat));
	if (pool_must_try())
		return;
	flags = lock_take(&fc->lock);
	*stat = fc->stat;
	lock_release(&fc->lock, flags);
}

/* ---- Caches --------------------------------------------------------------------------------------- */

/* A bucket for every other page that can be in memory at once. */
static unsigned int table_shift(const struct kmem_store *store)
{
	u64 most = u64_min(store_pages(store), kmem_machine.end);
	unsigned int shift = BUCKETS_MIN_SHIFT;

	while (shift < BUCKETS_MAX_SHIFT && (u64)2 << shift < most)
		shift++;
	return shift;
}

static void caches_link(struct kmem_filecache *fc, bool on)
{
	irqflags_t flags = lock_take(&filecaches.lock);

	if (on)
		list_add(&fc->all, &filecaches.all);
	else
		list_del(&fc->all);
	lock_release(&filecaches.lock, flags);
}

static int cache_start(struct kmem_filecache *fc, struct kmem_store *store)
{
	int rc;

	fc->store = store;
	fc->shift = table_shift(store);
	lock_init(&fc->lock, RANK_ZONE);
	fc->owner.name = "filecache";
	fc->owner.flags = KMEM_LRU_FILE;
	fc->owner.release = fc_release;
	fc->bucket = kvzalloc(sizeof(*fc->bucket) << fc->shift, GFP_KERNEL);
	if (!fc->bucket)
		return -KE_NOMEM;
	rc = kmem_lru_owner_register(&fc->owner);
	if (rc)
		kvfree(fc->bucket);
	else
		caches_link(fc, true);
	return rc;
}

int kmem_filecache_create(struct kmem_filecache **cache, struct kmem_store *store)
{
	struct kmem_filecache *fc;
	int rc;

	*cache = NULL;
	if (!store || !store->read || store->size == 0 || store_pages(store) - 1 > UINTPTR_MAX)
		return -KE_INVAL;
	if (!machine_ensure())
		return -KE_NOMEM;
	if (!context_check_sleep(KMEM_MISUSE_CONTEXT, store, "no cache is created"))
		return -KE_BUSY;
	fc = kzalloc(sizeof(*fc), GFP_KERNEL);
	if (!fc)
		return -KE_NOMEM;
	rc = cache_start(fc, store);
	if (rc)
		kfree(fc);
	else
		*cache = fc;
	return rc;
}

void kmem_filecache_destroy(struct kmem_filecache *fc)
{
	if (!fc || !context_check_sleep(KMEM_MISUSE_CONTEXT, fc, "the cache stays"))
		return;
	kmem_filecache_drop(fc, 0, UINT64_MAX);
	/* In a child of fork a page may be left on the lists that its parent was about to free. */
	if (kmem_lru_owner_unregister(&fc->owner) != 0)
		return;
	assert_always(fc->stat.pages == 0);
	caches_link(fc, false);
	kvfree(fc->bucket);
	kfree(fc);
}

/* ---- Check, start, end, fork ----------------------------------------------------------------------- */

static int check_entry(const struct kmem_filecache *fc, const struct fc_page *e,
		       struct fc_page *const *head)
{
	int faults = 0;

	assert_audit(bucket_of(fc, e->index) == head && e->index < store_pages(fc->store),
		     "%s: page %lu", fc->store->name, e->index);
	assert_audit(e->state != FC_FORGOTTEN, "%s: page %lu", fc->store->name, e->index);
	assert_audit(e->state != FC_HERE || (e->page->flags & PAGE_LRU &&
					     (uintptr_t)kmem_lru_key(e->page) == e->index),
		     "%s: page %lu: pfn %lu", fc->store->name, e->index, pfn_of_page(e->page));
	return faults;
}

static int check_cache(const struct kmem_filecache *fc)
{
	u64 nr = 0;
	int faults = 0;

	for (size_t i = 0; i < (size_t)1 << fc->shift; i++) {
		for (const struct fc_page *e = fc->bucket[i]; e && !faults; e = e->next) {
			faults += check_entry(fc, e, &fc->bucket[i]);
			nr += e->state != FC_READING;
		}
	}
	assert_audit(faults || nr == fc->stat.pages, "%s: %lu pages, %lu counted", fc->store->name,
		     (unsigned long)nr, (unsigned long)fc->stat.pages);
	return faults;
}

int filecache_check(void)
{
	const struct kmem_filecache *fc;
	int faults = 0;

	if (!kmem_booted())
		return 0;
	list_for_each_entry (fc, &filecaches.all, struct kmem_filecache, all)
		faults += check_cache(fc);
	return faults;
}

void filecache_init(void)
{
	lock_init(&filecaches.lock, RANK_LEAF);
	list_init(&filecaches.all);
}

void filecache_fork_lock(void)
{
	struct kmem_filecache *fc;

	lock_fork_take(&filecaches.lock);
	list_for_each_entry (fc, &filecaches.all, struct kmem_filecache, all)
		lock_fork_take(&fc->lock);
}

/* Readers are not in the child, nor are tasks that were dropping a page; but if this very task forks in
 * the middle of a read, it finds its page forgotten. */
static void child_chain(struct kmem_filecache *fc, struct fc_page *e)
{
	for (; e; e = e->next) {
		bool listed = atom_load(&e->page->flags) & PAGE_LRU;

		if (e->state == FC_GOING && listed)
			e->state = FC_HERE;
		if (e->state == FC_HERE)
			continue;
		entry_unhash(fc, e);
		fc->stat.pages -= e->state == FC_GOING;
		e->state = FC_FORGOTTEN;
	}
}

static void child_cache(struct kmem_filecache *fc)
{
	for (size_t i = 0; i < (size_t)1 << fc->shift; i++)
		child_chain(fc, fc->bucket[i]);
	turn_pass(fc);
	lock_reset(&fc->lock);
}

void filecache_fork_unlock(bool child)
{
	struct kmem_filecache *fc;

	list_for_each_entry (fc, &filecaches.all, struct kmem_filecache, all) {
		if (child)
			child_cache(fc);
		else
			lock_fork_drop(&fc->lock);
	}
	if (child)
		lock_reset(&filecaches.lock);
	else
		lock_fork_drop(&filecaches.lock);
}
