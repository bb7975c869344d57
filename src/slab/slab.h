/* SPDX-License-Identifier: MIT */
/*
 * Floor 6, slab: caches of equal objects, and kmalloc over them.
 *
 * Glossary
 *	slab	a block of pages cut into objects of one cache; its free bitmap lies outside
 *	sheaf	an array of object pointers; main and spare per CPU and cache
 *	barn	a cache's store of full and empty sheaves
 *	partial	a slab with a free object, which may be all of them (empty)
 *	hollow	of a slab's page: no object in use lies in it
 *	slot	the room of one object: object, red zones, tracks, padding; cache->size bytes
 *	inuse	objects of a slab that are not in its bitmap: objects resting in sheaves count
 *
 * An object is in exactly one place: free in its slab's bitmap, resting in one sheaf, or with a
 * user. Sheaves are in a CPU's main or spare stack, in the barn, or in the hands of one function.
 */
#pragma once
#include "gfp/gfp.h"
#include <kmem/hit.h>
#include <kmem/slab.h>

enum slab_list {
	SLAB_LIST_NONE, /* in one function's hands */
	SLAB_LIST_PARTIAL,
	SLAB_LIST_FULL,
	SLAB_LIST_PENDING, /* made by a handler that could not get the lock; in dirty[] */
};

enum {
	BARN_LEAST = 1 << 20, /* what a barn's full sheaves may hold; and a 1024th of the machine */
	BARN_MOST = 8 << 20,  /* the same, where what has left the barn comes back */
	BARN_ROWS = 16,	      /* CPUs whose sheaves are told from each other's, in a barn */
	DIRTY_MAX = 8,
	SLAB_TRACK_BYTES = 32, /* who allocated, or freed: struct track of debug.c */
	CACHE_ALIVE = 0x4b4d4331,
	CACHE_DEAD = 0x6b6b6b6b,
};
#define LINK_NONE	UINT32_MAX
#define SLAB_LINK_FLAGS (SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON)

/* A list of slabs, linked through next and prev of their head frames. */
struct slab_chain {
	u32 head, tail;
	unsigned long nr;
};

/*
 * What a cache has in each CPU's area. That in CPU 0's is the owner of the frames of regular slabs, and that in
 * nobody's tells for all CPUs where objects start (hits_common): so a kfree goes from there to its CPU's stack
 * without a look at the cache. Nowhere while each operation must see the slow path.
 */
struct hits {
	struct port_stack main, spare;
	u64 starts; /* see object_starts() */
	u32 usable; /* bytes of an object that are its owner's */
	u32 freed;  /* each CPU's own: its last miss was a free */
};

struct kmem_cache {
	/*
	 * What a hit needs. Percpu offsets: PERCPU_NONE has no sheaf for ever, so it always misses.
	 * fast: CPU 0's at fast_off.
	 */
	struct port_stack *fast;
	u64 starts; /* see object_starts() */

	struct port_stack **sizes; /* a table's row that has copies of fast: cache_serve() */
	u32 nr_sizes;

	u32 fast_off; /* main_off, or NONE while each operation must see the slow path */
	u32 size;     /* of a slot */
	u32 recip;    /* ceil(2^32 / size), for object numbers */
	u32 objects;  /* per slab */
	u32 main_off, spare_off;
	u32 magic;
	slab_flags_t flags;

	u32 object_size, align, inuse_end; /* inuse_end: where the right red zone ends */
	u32 left_pad, track_off, orig_off; /* debug layout; 0: absent */
	u32 link_off;			   /* of free objects; LINK_NONE */
	void *cut;			   /* whose link was found broken last */
	u32 order, min_order, min_partial;
	u32 few; /* if its maker knows how many objects make a slab worth its bookkeeping; else 0 */
	u32 sheaf_cap;
	u32 useroffset, usersize;
	gfp_t gfp; /* added to every slab's request */
	void (*ctor)(void *obj);
	void (*ctor_ldd3)(void *obj, kmem_cache_t *cache, unsigned long flags);
	void (*dtor_ldd3)(void *obj, kmem_cache_t *cache, unsigned long flags);

	struct lock node; /* RANK_NODE: slabs and chains */
	struct slab_chain partial, full;
	unsigned long nr_slabs, free_objects;
	u32 dirty[DIRTY_MAX]; /* heads whose bitmap grew without the lock; pfn, or 0 */
	u32 dirty_all;	      /* more than fit: look at every slab */
	u32 dirty_any;	      /* something of the above is set */
	u32 touched;	      /* since the reaper came by */

	struct lock barn; /* RANK_BARN */
	struct barn_row {
		struct sheaf *full, *empty;
	} barn_row[BARN_ROWS];
	u32 nr_full, nr_empty; /* of all rows */
	u32 full_low;	       /* the least nr_full since the reaper came by */
	u32 nr_sheaves;	       /* there, with the CPUs, or in somebody's hands */
	u32 barn_max;	       /* full, and empty, sheaves it may hold: */
	u32 barn_least, barn_most;
	u32 spilled; /* batches that found no room there and have not come back */
	u32 missed;  /* that have, less than a sheaf */

	struct lock rcu; /* RANK_LEAF: slabs waiting for a grace period */
	struct slab_chain rcu_wait, rcu_next;
	struct rcu_cookie rcu_cookie;

	u32 refcount;  /* aliases */
	u32 pins;      /* walkers that hold it in the list of caches; under its lock */
	bool internal; /* the library's own: not a user's leak */
	u64 seq;
	struct kmem_cache *next; /* in kmem_machine.caches */
	struct kmem_stat_cache *stat;
	char name[KMEM_NAME_MAX];
};

/* Merging another cache into this one may raise it at any time. */
static inline u32 cache_object_size(const struct kmem_cache *c)
{
	return atom_load(&c->object_size);
}

/* Only where there is a stack. */
static inline struct hits *cache_hits(const struct kmem_cache *c)
{
	return percpu_first(c->main_off);
}
static inline struct hits *hits_common(const struct hits *h)
{
	return percpu_common(h);
}

/* ---- layout.c ---------------------------------------------------------------------------------- */

/* Fills in size, offsets, order and objects from object_size, align and flags. 0 or -KE_INVAL. */
int layout_cache(struct kmem_cache *c);
/* Bytes that speed alone asks for: most, where that is no more than a 1,024th of the direct map. */
static inline size_t slab_thousandth(size_t most)
{
	return size_min(most, (size_t)kmem_machine.low_end << PAGE_SHIFT >> 10);
}
/* Order for a slot size (semantics 6.3). few: cache->few. */
u32 layout_order(u32 size, u32 few, u32 *min_order);

/* ---- node.c: slabs, their bitmaps and chains -------------------------------------------------- */

/* Takes up to want objects off partial slabs, growing by one slab if there are none and gfp allows.
 * Returns how many lie in objs, the lowest address of a slab behind the others. */
u32 node_alloc(struct kmem_cache *c, gfp_t gfp, void **objs, u32 want, bool nested);
/* Puts objects back into their slabs. A second free of one is reported and left out. */
void node_free(struct kmem_cache *c, void **objs, u32 nr, bool nested);
/* Gives empty slabs back; how many pages. */
unsigned long node_shrink(struct kmem_cache *c);
/* A part of that: *left, ~0UL at first, are to be looked at yet. False: none is. */
bool node_shrink_some(struct kmem_cache *c, unsigned long *left, unsigned long *pages);
void node_settle(struct kmem_cache *c); /* takes in what was freed without the lock */
/*
 * Takes off the next slab with pages that no object in use lies in the objects that lie in these, at most
 * HOLLOW_MOST: how many; *left as above.
 */
u32 node_take_hollow(struct kmem_cache *c, unsigned long *left, struct page **slab, void **objs);
/* How many slabs there are; *free: and how many objects are free in them. */
unsigned long node_slabs(struct kmem_cache *c, unsigned long *free);
/* Slabs whose grace period is over go to the page allocator; all of them if wait. */
unsigned long node_rcu(struct kmem_cache *c, bool wait);
void report_double_free(const struct kmem_cache *c, const void *obj);
int node_check(struct kmem_cache *c);
void chain_init(struct slab_chain *ch);

static inline struct page *slab_head(struct page *page)
{
	return page - page->u.slab.tail_nr;
}
static inline unsigned char *slab_base(const struct page *head)
{
	return addr_of_page(head);
}
enum { OBJECT_NONE = 0xffffffffu };
/* Number of the object that starts at p, or OBJECT_NONE. page: p's frame, whose one descriptor
 * line tells. */
static inline u32 object_nr(const struct kmem_cache *c, const struct page *page, const void *p)
{
	u32 off = ((u32)page->u.slab.tail_nr << PAGE_SHIFT) + (u32)((uintptr_t)p & ~PAGE_MASK) -
		  c->left_pad;
	u32 nr = (u32)(((u64)off * c->recip) >> 32);

	return nr * c->size == off && nr < page->u.slab.objects ? nr : (u32)OBJECT_NONE;
}
static inline void *object_at(const struct kmem_cache *c, const struct page *head, u32 nr)
{
	return slab_base(head) + (size_t)nr * c->size + c->left_pad;
}

/* A number whose low bits tell where in its slab p is. A port that tells owners by address has an aligned direct map. */
static inline u64 slab_place(const void *p)
{
	return PORT_OWNERS != 0 ? (u64)(uintptr_t)p : (u64)lowmem_off(p) + (1ull << 40);
}

/*
 * Does an object start at p, which is in a regular slab? Its offset there must be a multiple q of the size s, below the
 * number of objects n. With a word w, e = w s - 2^64 and L = STARTS_LIMIT
 *
 *	(q s + r) w  =  q e + r w	(modulo 2^64)
 *
 * which for r = 0 is q e: below L if q is an object's, (n - 1) e < L, and not in the waste at the end, n e >= L. For
 * r > 0 it is at least w > L, and does not come round, (n + 1) e < w. The low six bits of w are what an address is
 * shifted by, up and down, to be the offset: one word is all that is loaded. There is one with that e and these bits, as
 * L / n (n - 1) > 64 s, for slabs of up to 4 MiB; objects of 512 KiB and more have none for (n + 1) e < w.
 */
#define STARTS_LIMIT (1ull << KMEM_HIT_SMALL_BITS)
static inline bool object_starts(u64 w, const void *p)
{
	return KMEM_HIT_STARTS_AT(w, slab_place(p));
}

/* ---- hollow.c: pages inside of slabs ----------------------------------------------------------- */

enum {
	HOLLOW_MOST = 8 * sizeof(unsigned long), /* objects of a slab that is looked at */
	HOLLOW_LOOKS = 8,			 /* slabs in one piece */
};
/* The objects of a partial slab, by their bits, that are free and lie in pages without one in use. Under the
 * node lock. */
unsigned long slab_hollow_bits(const struct kmem_cache *c, const struct page *head);
/* The host may have the memory of all such pages, of caches that have no word in it. */
void slab_discard_hollow(void);
/* The same by pieces, and then the CPUs' lists of pages as well, for those who grow: begins unless it has been
 * begun, and does so many pieces. */
void slab_give(bool begin, unsigned long pieces);
void slab_give_reset(void); /* in a fork's child, whose parent may have been at it */

/* ---- sheaf.c -------------------------------------------------------------------------------- */

void *sheaf_alloc(struct kmem_cache *c, gfp_t gfp, bool nested);
/* False: the object is already in this CPU's sheaf (a double free, reported). */
bool sheaf_free(struct kmem_cache *c, void *obj, bool nested);
/* Empties all CPUs' sheaves and the barn into the slabs. Task context. wait: also those that are in
 * use this moment, which only callers that interrupted nobody may ask for. */
void sheaf_drain(struct kmem_cache *c, bool wait);
/* Gives back to the slabs a batch out of the barn's sheaves that nobody has needed since there was none
 * left, or (all) out of any. False: none is left. */
bool sheaf_reap(struct kmem_cache *c, bool all);
/* One of the CPUs' sheaves goes to the barn; *stack, 0 at first: where to look. False: none is left. */
bool sheaf_reap_stacks(struct kmem_cache *c, u32 *stack);
void sheaf_barn_init(struct kmem_cache *c);
u32 sheaf_capacity(u32 size);
u32 sheaf_capacity_for(u32 want); /* the least of those there are that is no less, or the most */
unsigned long sheaf_count(struct kmem_cache *c); /* objects resting in sheaves and barn */
/* Calls fn for each resting object; quiescent callers only. */
void sheaf_for_each(struct kmem_cache *c, void (*fn)(struct kmem_cache *, void *, void *),
		    void *arg);
int sheaf_check(struct kmem_cache *c);
struct kmem_cache *sheaf_cache_of(u32 cap);
enum { NR_SHEAF_CACHES = 7 };
extern const u32 sheaf_caps[NR_SHEAF_CACHES] HIDDEN;
extern struct kmem_cache sheaf_caches[];

/* ---- cache.c -------------------------------------------------------------------------------- */

/* Requests that may take the fast path carry none of these. */
#define GFP_SLAB_SPECIAL KMEM_HIT_SPECIAL

/* What follows a hit that was refused. */
void *cache_alloc_miss(struct kmem_cache *c, gfp_t gfp, size_t req, const void *site);
/* The whole of an allocation but the hit. req: bytes asked for. */
void *cache_alloc_slow(struct kmem_cache *c, gfp_t gfp, size_t req, const void *site);
/* As above, waiting for nothing: the _nolock calls. */
void *cache_alloc_try(struct kmem_cache *c, gfp_t gfp, size_t req, const void *site);
void cache_free_slow(struct kmem_cache *c, struct page *page, void *obj, const void *site);
/* The cache an object belongs to; reports and NULL if it is no object's start. */
struct kmem_cache *cache_of_object(const void *obj, struct page **page);
/* Makes one inside memory the caller has: zeroes, and perhaps LDD3's constructors. 0 or -KE_*. */
int cache_init(struct kmem_cache *c, const char *name, u32 size, const struct kmem_cache_args *args,
	       slab_flags_t flags, bool sheaves);
int cache_enlist(struct kmem_cache *c); /* makes it visible, and may let it hit; 0 or -KE_NOMEM */
/* The cache is that of n sizes in a row: a table's, where a hit looks for the size's stack. From now on they
 * are what the cache's fast is, and NULL before. */
void cache_serve(struct kmem_cache *c, struct port_stack **sizes, u32 n);
void cache_refresh_all(void); /* after tracing or a debug switch changed */
void cache_miss_all(void); /* no operation is a hit from now on, of this machine and later ones */
/* Walks all caches without holding a lock: prev NULL for the first; the one returned is pinned
 * until it is passed as prev. */
struct kmem_cache *cache_next(struct kmem_cache *prev);
struct kmem_cache *cache_from(u64 seq); /* the newest made as this one or before it; pinned */
void cache_unpin(struct kmem_cache *c);
/* Is a slab's object number nr free, by its bitmap? Pairs with the or of a free that went without the lock. */
static inline bool slab_bit(const struct page *head, u32 nr)
{
	const u32 bits = 8 * sizeof(unsigned long);

	return atom_load_acq(&page_bitmap(head, head->u.slab.objects)[nr / bits]) >> nr % bits & 1;
}
/* Sends an object that is known to be one of the cache's back to it. */
void object_release(struct kmem_cache *c, void *obj, bool nested);

static inline bool task_in_nmi(void)
{
	return port_task()->preempt & CONTEXT_NMI_MASK;
}

/* What all frees but the _nolock ones do first. page: of the object; others have their own reports. */
static inline void check_nmi_free(const struct page *page, const void *obj)
{
	if (unlikely(task_in_nmi()) && page && atom_load(&page->flags) & PAGE_IN_SLAB)
		context_report_nmi(obj, "object free");
}

/*
 * The hits. NULL, and false: nothing has happened, and the caller goes the long way. They are inlined
 * into what users call, with nothing behind them but tail calls, so that a hit needs no frame.
 */
static inline always_inline void *fast_hit(struct port_stack *fast, gfp_t gfp)
{
	return unlikely(gfp & GFP_SLAB_SPECIAL) ? NULL : port_task_pop(fast);
}

static inline always_inline void *cache_hit(struct kmem_cache *c, gfp_t gfp)
{
	return fast_hit(atom_load(&c->fast), gfp);
}

/* Does an object of theirs start there, and may it be a hit? */
static inline bool hits_start(const struct hits *h, const void *p)
{
	return object_starts(atom_load(&hits_common(h)->starts), p);
}

/* Usable bytes of the object that starts at obj; 0: the slow path knows. */
static inline always_inline size_t ksize_hit(const void *obj)
{
	const struct hits *h = page_owner(obj);

	return likely(h) && likely(hits_start(h, obj)) ? hits_common(h)->usable : 0;
}

/* How many of nr, at least 1. */
static inline size_t cache_hit_many(struct kmem_cache *c, gfp_t gfp, size_t nr, void **objs)
{
	if (unlikely(gfp & GFP_SLAB_SPECIAL) || unlikely(port_task()->preempt))
		return 0;
	return port_hit_pop_many(atom_load(&c->fast), objs, nr);
}

static inline always_inline bool free_hit_of(struct hits *h, void *obj, bool any)
{
	return likely(h) && likely(hits_start(h, obj)) &&
	       likely(any ? port_hit_push(&h->main, obj) : port_task_push(&h->main, obj));
}

/* To the cache that its frame names. any: whatever the task is in the middle of. */
static inline always_inline bool free_hit(void *obj, bool any)
{
	return free_hit_of(page_owner(obj), obj, any);
}

/* Could no free hit, for want of what tells owners by address? */
static inline bool free_hits_never(void)
{
	return PORT_OWNERS != 0 && unlikely(!kmem_machine.owner_at);
}

static inline bool free_hit_listed(void *obj)
{
	return free_hit_of(page_owner_listed(obj), obj, true);
}

/* What follows a free that did not hit: a task's first, or one of a task that must not sleep, or one of those that
 * never do. True: it hits now. NMI context is reported by whoever comes next. */
static inline bool free_miss_hit(void *obj)
{
	u32 word = port_task()->preempt;

	port_task_set(word);
	return (word || free_hits_never()) && !(word & CONTEXT_NMI_MASK) && free_hit_listed(obj);
}

static inline void *cache_alloc(struct kmem_cache *c, gfp_t gfp, size_t req, const void *site)
{
	void *obj = cache_hit(c, gfp);

	return likely(obj) ? obj : cache_alloc_miss(c, gfp, req, site);
}

/* ---- kmalloc.c -------------------------------------------------------------------------------- */

enum kmalloc_family { FAMILY_NORMAL, FAMILY_DMA, FAMILY_RECLAIM, FAMILY_CHARGED, NR_FAMILIES };
enum { NR_CLASSES = 14 };
enum { KMALLOC_SIZES = KMALLOC_MAX_CACHE_SIZE / 8 };
/* NULL while there is no machine. */
extern struct kmem_cache *kmalloc_caches[NR_FAMILIES][NR_CLASSES] HIDDEN;
extern const u8 kmalloc_class[KMALLOC_SIZES] HIDDEN;	      /* by (size - 1) / 8 */
extern struct port_stack *kmalloc_fast[KMALLOC_SIZES] HIDDEN; /* the normal family's, likewise */

size_t object_usable(const struct kmem_cache *c); /* bytes of an object that are its owner's */
int kmalloc_init(void);
void kmalloc_exit(void);
bool page_is_large(const struct page *page);

/* ---- watch.c: what is told to AddressSanitizer and valgrind --------------------------------------- */

enum { WATCH_GAP = 16 }; /* hidden bytes behind each object, at least */
bool cache_watched(const struct kmem_cache *c);
void watch_slab(struct kmem_cache *c, struct page *head); /* born: all its objects are free */
void watch_slab_end(struct page *head);
void watch_show(struct kmem_cache *c, void *obj); /* allocated: all of it may be touched */
void watch_trim(struct kmem_cache *c, void *obj, size_t req); /* but what was not asked for */
void watch_ksize(struct kmem_cache *c, const void *obj);      /* its owner may use all of it now */
void watch_free(struct kmem_cache *c, void *obj);
/* An object, or pages of a kmalloc: kept back by its owner, as if free, or handed out again. */
void watch_keep(void *p, size_t size, bool kept);
void watch_start(void); /* sanitize=1: is there somebody to tell? */
void watch_stop(void);
void watch_describe(const void *addr); /* a line about it, for a tool's report */

bool watch_freed_twice(const struct kmem_cache *c, const void *obj); /* reported */
bool object_is_free(const void *obj); /* obj starts in a slab: does the bitmap say so? */

/* ---- quarantine.c: freed objects of watched caches, held back -------------------------------------- */

void quarantine_add(struct kmem_cache *c, void *obj, bool nested);
bool quarantine_has(const void *obj);
void quarantine_drain(void); /* all of them go back to their slabs */
void quarantine_reset(void);
void quarantine_fork_lock(void);
void quarantine_fork_unlock(void);
int quarantine_check(void);

/* ---- fault.c ---------------------------------------------------------------------------------- */

int failslab_setup(const char *text); /* 0 or -KE_INVAL; empty: off */
bool failslab_armed(void);	      /* may an object fail on purpose: then no request may hit */
bool failslab_should_fail(slab_flags_t flags, size_t size, gfp_t gfp);

/* ---- debug.c, debug_option.c, debug_report.c: red zones, poison, tracks (semantics 10.8) ---------- */

enum {
	POISON_FREE = 0x6b,
	POISON_END = 0xa5,
	POISON_INUSE = 0x5a,
	RED_INACTIVE = 0xbb,
	RED_ACTIVE = 0xcc
};

/* slab_debug= against a name; flags given in code stay. */
slab_flags_t debug_flags(const char *name, slab_flags_t flags, u32 size);
int debug_setup(const char *text); /* 0 or -KE_INVAL */
/* A fresh slab: poison, red zones, padding. */
void debug_slab_init(struct kmem_cache *c, struct page *head);
/* Before an object goes to a user; what was overwritten is reported and restored. */
void debug_alloc(struct kmem_cache *c, struct page *head, void *obj, size_t req, const void *site);
/* Before it goes back. False: it is free already, which was reported. */
bool debug_free(struct kmem_cache *c, struct page *head, void *obj, const void *site);
/* Before a slab's pages go back. */
void debug_slab_release(struct kmem_cache *c, struct page *head);
/* How many of its objects, free or not, and links were written to; each is reported and mended. */
u32 debug_validate(struct kmem_cache *c, struct page *head);
void debug_report_live(struct kmem_cache *c, struct page *head, void *obj);
size_t debug_orig_size(struct kmem_cache *c, void *obj); /* bytes asked for, if tracked; else 0 */
void debug_set_orig_size(struct kmem_cache *c, void *obj, size_t size);

/* Who allocated, or freed, an object last. */
struct track {
	u64 site, when_ms, spare;
	u32 cpu, pid;
};
_Static_assert(sizeof(struct track) == SLAB_TRACK_BYTES, "a track is as large as the kernel's");
static inline struct track *debug_track(const struct kmem_cache *c, void *obj, bool freed)
{
	return (struct track *)(void *)((char *)obj + c->track_off) + freed;
}
/* The report frame; reason is the text after "BUG cache (taint): ". */
void debug_report_slab(struct kmem_cache *c, struct page *head, const char *reason);
void debug_report(struct kmem_cache *c, struct page *head, void *obj, const char *reason);

/* ---- debug_link.c: free objects of debugging caches lead to each other ------------------------------- */

void debug_relink(struct kmem_cache *c, struct page *head); /* all of a slab; its lock, or fresh */
/* Those of a word of the bitmap, whose bits are set now. Under the node lock. */
void debug_link_in(struct kmem_cache *c, struct page *head, u32 first, unsigned long bits);
void debug_unlink(struct kmem_cache *c, void *obj); /* it is with a user, or on its way back */
void debug_link_end(struct kmem_cache *c, const struct page *head);
/* False: reported, and cut. Of one object; of a slab, where nobody else uses the cache. */
bool debug_link_holds(struct kmem_cache *c, struct page *head, void *obj, bool free);
bool debug_chain_holds(struct kmem_cache *c, struct page *head);
void *debug_link(const struct kmem_cache *c, const void *obj);
void *debug_first_free(const struct kmem_cache *c, const struct page *head);
u32 debug_info_start(const struct kmem_cache *c); /* where tracks, or padding, begin */

/* ---- What boot calls ---------------------------------------------------------------------------- */

int slab_init(void);
void slab_exit(void);
unsigned long slab_report_leaks(void); /* objects */
int slab_check_all(void);
unsigned long slab_drain_all(void); /* pages given back */
/* A piece of what was not used since the last time; false: it was the last. */
bool slab_reap_some(bool begin);
/* The same, for those who grow: a walk begins, unless one is under way, and so many pieces of it are done. */
void slab_reap_idle(bool begin, unsigned long pieces);
void slab_reap_reset(void); /* in a fork's child, whose parent may have been at it */

/* Work that is done by pieces by whoever comes by, one task at a time. */
enum { TURN_NONE, TURN_DUE, TURN_ON, TURN_TAKEN };
/* begin: there is some, unless it has been begun. False: there is none, or another one is at it. */
static inline bool turn_take(u32 *state, bool begin, bool *fresh)
{
	u32 seen = TURN_NONE;

	if (begin)
		atom_cas(state, &seen, (u32)TURN_DUE);
	seen = atom_load(state);
	*fresh = seen == TURN_DUE;
	/* Pairs with the release below. */
	return seen != TURN_NONE && seen != TURN_TAKEN && atom_cas(state, &seen, (u32)TURN_TAKEN);
}
static inline void turn_end(u32 *state, bool more)
{
	atom_store_rel(state, (u32)(more ? TURN_ON : TURN_NONE));
}
void slab_trace_switch(bool on);
void slab_fork_lock(void);
void slab_fork_unlock(bool child);
