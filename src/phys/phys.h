/* SPDX-License-Identifier: MIT */
/*
 * Floor 3, phys: frames, zones, buddy blocks, per-CPU page lists.
 *
 * Glossary
 *	frame	one page of physical memory; its descriptor is struct page
 *	head	the first frame of a block; only heads carry a state. All other frames of a block
 *		are PAGE_NONE (or PAGE_TAIL in a compound block or slab), whoever owns the block
 *	zone	a range of frames of one platform meaning; owns free lists of orders 0..10
 *	run	any number of contiguous frames allocated as one; its head knows how many
 *	section	2^MAX_PAGE_ORDER aligned frames: what is committed at once
 *	deferred  blocks freed where nothing may be waited for and the zone was locked: they lie on a
 *		lock-free list, neither free nor allocated, until the next holder of the lock
 *	pcp	per-CPU page lists: one stack per zone, CPU and slot: order 0..9, or length of a run.
 *		Pages on it are not free for watermarks
 *	urgent	a few pages of each CPU's that only requests which may not wait get, where the lock
 *		of their zone is not to be had
 *	mark	a watermark: min, low, high, promo
 *	class	the highest zone a request may use; index into lowmem_reserve
 *
 * State of a frame
 *
 *	      buddy_take            page_prep                 page tagged
 *	FREE ------------> PCP/NONE ----------> ALLOC (order) -------------> SLAB or LARGE
 *	 ^                                        |  refcount 1 -> 0            |
 *	 +----------------------------------------+------------------------------+
 */
#pragma once
#include "trace/trace.h"
#include "base/list.h"

enum page_state {
	PAGE_NONE,  /* not the head of anything */
	PAGE_HOLE,  /* no usable memory, or the core's own tables: never handed out */
	PAGE_FREE,  /* head of a block on a zone's free list */
	PAGE_PCP,   /* head of a block on a per-CPU list; a compound block remains one */
	PAGE_ALLOC, /* head of an allocated block */
	PAGE_TAIL,  /* in a compound block or slab: u.tail.head is the head's pfn */
	PAGE_SLAB,  /* head of a slab; its tails are PAGE_TAIL with slab set */
	PAGE_LARGE, /* head of a large kmalloc: compound */
	PAGE_NR_STATES
};

enum page_flag {
	PAGE_COMPOUND = 1,
	PAGE_PFMEMALLOC = 2,
	PAGE_IN_SLAB = 4,
	PAGE_ACCOUNTED = 8,
	PAGE_RUN = 16,	 /* head of a run: PAGE_ALLOC, order PAGE_ORDER_RUN */
	PAGE_LRU = 32,	 /* on a list of pool/lru.c, which owns next, prev and u.own */
	PAGE_LENT = 64,	 /* not in the direct map for now; see lend.c */
	PAGE_SEEN = 128, /* zone_check's own mark; never set outside it */
	PAGE_IDLE =
		PAGE_PFMEMALLOC, /* of a free section: it was that at phys_decay()'s last look */
};
enum { PAGE_ORDER_RUN = 31 }; /* no order a block can have */

/*
 * 32 bytes. Every frame of a slab, head or tail, carries cache and tail_nr, so that kfree(p) needs
 * this one line to find owner, object and slab.
 */
struct page {
	union {
		struct {
			u8 state;    /* enum page_state */
			u8 flags;    /* enum page_flag */
			u8 order;    /* of the block, in heads */
			u8 zone : 4; /* KMEM_ZONE_* */
			u8 mt : 4; /* free: mobility type of its list; allocated: of the request */
		};
		u32 kind; /* all of these, to be compared at once: page_kind() */
	};
	s32 refcount;
	u32 next, prev; /* pfn links: free list, slab list; LINK_NIL */
	union {
		struct {
			struct kmem_cache *cache;
			u16 tail_nr; /* this frame's number in its slab */
			u16 inuse;   /* head: objects not in the free bitmap */
			u16 objects; /* of the slab; in every frame */
			u16 list;    /* head: enum slab_list, slab floor */
		} slab;
		struct {
			u32 head; /* pfn of the head */
		} tail;
		struct {
			unsigned long private_data; /* heads: the owner's; runs: frames */
			u16 lru, lru_owner;	    /* with PAGE_LRU: pool/lru.c */
			u16 listed; /* runs: one more than their list, once they have been there */
		} own;
	} u;
};
_Static_assert(sizeof(struct page) <= 32, "struct page is at most 32 bytes");

#define LINK_NIL UINT32_MAX

static inline struct page *page_of_pfn(pfn_t pfn)
{
	return &kmem_machine.memmap[pfn];
}
static inline pfn_t pfn_of_page(const struct page *page)
{
	return (pfn_t)(page - kmem_machine.memmap);
}
/* NULL if the address is not in the direct map (or the machine is off: low_end is 0). */
static inline struct page *page_of_addr(const void *p)
{
	size_t off = (size_t)((uintptr_t)p - (uintptr_t)kmem_machine.lowmem);

	if (unlikely((off >> PAGE_SHIFT) >= kmem_machine.low_end))
		return NULL;
	return &kmem_machine.memmap[off >> PAGE_SHIFT];
}
static inline size_t lowmem_off(const void *p)
{
	return (size_t)((uintptr_t)p - (uintptr_t)kmem_machine.lowmem);
}
/*
 * What a free that hits needs to know of an address' frame: if it is part of a cache's regular slab, which is
 * one of the order the cache prefers, the place that the slab floor has named for that (page_make_slab); all
 * others are NULL, as is whatever lies outside of the direct map.
 */
static inline void *page_owner_listed(const void *p)
{
	pfn_t pfn = lowmem_off(p) >> PAGE_SHIFT;

	return likely(pfn < kmem_machine.low_end) ? atom_load(&kmem_machine.owner[pfn]) : NULL;
}
/* The same, from a word for each frame there may be; NULL where the port has none this time. */
static inline void *page_owner(const void *p)
{
	uintptr_t frame = (uintptr_t)p >> PAGE_SHIFT;
	void **at = kmem_machine.owner_at;

	if (PORT_OWNERS == 0)
		return page_owner_listed(p);
	return likely(frame <= (uintptr_t)PORT_OWNERS - 1) && likely(at) ? atom_peek(&at[frame])
									 : NULL;
}
/* Only for frames of the direct map. */
static inline void *addr_of_page(const struct page *page)
{
	return kmem_machine.lowmem + (pfn_of_page(page) << PAGE_SHIFT);
}

/* Bits of an allocation, decoded from a gfp_t by gfp/flags.c. */
enum alloc_flag {
	ALLOC_WMARK_MIN = 0,
	ALLOC_WMARK_LOW = 1,
	ALLOC_WMARK_HIGH = 2,
	ALLOC_WMARK_MASK = 3,
	ALLOC_NO_WATERMARKS = 1 << 2,
	ALLOC_OOM = 1 << 3,
	ALLOC_NON_BLOCK = 1 << 4,
	ALLOC_MIN_RESERVE = 1 << 5,
	ALLOC_HIGHATOMIC = 1 << 6,
	ALLOC_NOFRAGMENT = 1 << 7,
	ALLOC_TRYLOCK = 1 << 9, /* nothing may be waited for */
	ALLOC_COLD = 1 << 10,
	ALLOC_RESERVES = ALLOC_NON_BLOCK | ALLOC_MIN_RESERVE | ALLOC_HIGHATOMIC | ALLOC_OOM,
};

enum {
	PCP_ORDERS = MAX_PAGE_ORDER, /* all but the largest, whole sections, which may go back */
	PCP_URGENT = PCP_ORDERS,     /* the slot behind those of the orders: single pages */
	PCP_RUNS,		     /* the first of those of runs */
	RUN_STEPS = 8,		     /* lists of runs to a doubling */
	RUN_LISTS = 32,
	RUN_LISTED = 64, /* frames of the longest */
	PCP_SLOTS = PCP_RUNS + RUN_LISTS,
};

/*
 * Lists of runs are for 1..16 frames, and from there on eight lengths to a doubling. Which of them is the
 * first whose runs have nr frames (1..RUN_LISTED)?
 */
static inline unsigned int run_list(unsigned long nr)
{
	unsigned int shift = ilog2_ulong((nr - 1) | RUN_STEPS) - 3;

	return shift * RUN_STEPS + (unsigned int)((nr - 1) >> shift);
}
/* The frames of its runs. */
static inline unsigned long run_list_nr(unsigned int list)
{
	unsigned int shift = list < 2 * RUN_STEPS ? 0 : list / RUN_STEPS - 1;

	return (list - shift * RUN_STEPS + 1ul) << shift;
}

struct free_area {
	u32 head[KMEM_NR_MT], tail[KMEM_NR_MT]; /* pfn links */
	unsigned long nr_free[KMEM_NR_MT];
};

struct zone {
	struct lock lock;
	u32 index; /* KMEM_ZONE_* */
	const char *name;
	bool configured;
	bool dma_too;	  /* __GFP_DMA searches it as well */
	pfn_t start, end; /* span */
	unsigned long present, managed;
	unsigned long free;    /* pages on the free lists; written under lock, read without */
	unsigned long mark[4]; /* min, low, high, promo */
	unsigned long reserve[KMEM_NR_ZONES]; /* lowmem_reserve */
	unsigned long nr_free_highatomic, nr_reserved_highatomic;
	struct free_area area[NR_PAGE_ORDERS];
	u32 pcp_off[PCP_SLOTS];	 /* per-CPU stacks; PERCPU_NONE: off. Not of urgent ones */
	u32 pcp_home[PCP_SLOTS]; /* the same offsets, also while pcp_switch(false) holds; urgent */
	u32 pcp_batch, pcp_high_min, pcp_high_max;
	u32 run_stacks; /* those of the shortest runs, which the others lie behind */
	struct sheaf *pcp_parked[PCP_SLOTS]; /* empty sheaves without a stack; lock-free stack */
	u32 *pcp_seen;		     /* pages in each CPU's and slot's sheaf when last in hands */
	u32 deferred, deferred_runs; /* pfn links; lock-free stacks, taken whole */
	u32 stat_dirty;		     /* bit o: nr_free of order o changed; under lock */
	pfn_t run_hint;		     /* where a run may fit: see contig.c; under lock */
	pfn_t fresh, fresh_end;	     /* free sections that are not listed yet; under lock */
	unsigned long slab_reclaimable; /* pages of reclaimable slabs; atomics */
	u32 given_up;	     /* kswapd has; a free that lifts the zone over high clears it */
	u64 hits, hits_most; /* hit.c: what may hit now, and at most; under lock */
	unsigned long hits_floor[KMEM_NR_ZONES];
	struct kmem_stat_zone *stat;
};

#define for_each_zone(z) \
	for (struct zone *z = kmem_machine.zones; z < kmem_machine.zones + KMEM_NR_ZONES; z++)

/* ---- zone.c ------------------------------------------------------------------------------------ */

/* Carves the port's ranges into zones by kmem_machine.opt, builds memmap, frees all frames to the
 * buddy lists. 0, or -KE_* with kmem_machine.boot_error set and nothing held. */
int phys_init(void);
void phys_exit(void);
/* Marks, reserves, totals (semantics 3); after any change of their inputs. */
void zone_setup_marks(void);
/* Semantics 2.3, P6. free_pages: what to count as free (zone_free_pages(z), or more in a forecast). */
bool zone_watermark_ok(const struct zone *z, unsigned int order, unsigned long mark, u32 class,
		       u32 aflags, unsigned long free_pages);
static inline unsigned long zone_free_pages(const struct zone *z)
{
	return atom_load(&z->free);
}
bool zone_above_high(const struct zone *z);
/* Marks a zone that is not above its high mark; the free that lifts it over it clears given_up. False:
 * it is above it. Task context. */
bool zone_give_up(struct zone *z);
int zone_check(struct zone *z);
int phys_check(void);
/* memblock.c: boot-time memory for the core's tables, zeroed; aligned to its size rounded up to a power of
 * two, or to a page. NULL if there is none. */
void *boot_alloc(size_t bytes, bool shared);

/* Could a request of the class be served from the zone? */
static inline bool zone_serves(const struct zone *z, u32 class)
{
	return z->managed && (z->index <= class || (class < KMEM_ZONE_NORMAL && z->dma_too));
}

enum page_verdict {
	PAGE_OK,
	PAGE_BAD_FOREIGN,
	PAGE_BAD_FREE, /* already free */
	PAGE_BAD_ORDER,
	PAGE_BAD_TAIL,
	PAGE_BAD_SLAB,
	PAGE_BAD_REFCOUNT,
	PAGE_BAD_LRU,  /* the last reference, and it is on an LRU list */
	PAGE_BAD_LENT, /* the last reference, and it is not in its own place (lend.c) */
};

/* ---- pcp.c: the zone's front door ---------------------------------------------------------------- */

/*
 * A block of 2^order frames, backed by memory, state PAGE_ALLOC, refcount 1; contents unknown.
 * Takes no account of watermarks. NULL: no block of that order, a refused commit, or (with
 * ALLOC_TRYLOCK) a lock that is busy. mt is a KMEM_MT_*.
 */
struct page *zone_alloc(struct zone *z, unsigned int order, u32 mt, u32 aflags);
/* nr order-0 pages at once into pages[]; returns how many. */
unsigned int zone_alloc_bulk(struct zone *z, u32 mt, u32 aflags, struct page **pages,
			     unsigned int nr);
/* Takes back a block whose last reference is gone. Any context; try: nothing may be waited for. */
void zone_free(struct page *page, unsigned int order, bool cold, bool try);
/* Splits an allocated block into frames of order 0, each with refcount 1. */
void page_split_block(struct page *page, unsigned int order);
/*
 * Of an allocated block that is not compound only the head frame stays, with order 0 and the
 * references it has; the others go back as blocks of order - 1 ... 0 (semantics 4.2).
 */
void page_free_tails(struct page *page, unsigned int order, bool try);

/* ---- hit.c: what is taken and given back without asking ---------------------------------------------- */

enum { PAGE_HITS_ROW = 8 }; /* one step of an address */
_Static_assert(KMEM_NR_ZONES + 1 <= PAGE_HITS_ROW, "a row has room for all classes");
struct page_hits {
	struct port_stack *take[PCP_ORDERS][PAGE_HITS_ROW]; /* by class; NULL; behind the last */
	struct port_stack *give[PCP_ORDERS][PAGE_HITS_ROW]; /* by zone; NULL */
	struct port_stack *run_take[RUN_LISTS][PAGE_HITS_ROW];
	struct port_stack *run_give[PAGE_HITS_ROW]; /* the first of the zone's run_stacks */
	unsigned long *soiled;			    /* that of commit.c */
};
extern struct page_hits page_hits HIDDEN;
/* After a change of what the answers rest on, free lists apart: marks, managed counts, switches. Task
 * context. */
void page_hits_refresh(void);
/* The tails are nobody's, and the head has the flag no longer. */
void page_clear_compound(struct page *page, unsigned int order);
/* What is left to do for hits of which a step was refused. Counting: the block itself; the event. */
struct page *page_take_counted(struct page *page, unsigned int order)
	__attribute__((returns_nonnull));
/* All of it for a block that is compound and ought not to be, or the reverse. */
struct page *page_take_odd(struct page *page, unsigned int order, u32 flags)
	__attribute__((returns_nonnull));
void page_give_counted(unsigned int order);
/* The stack has no room: the block is nobody's, state PAGE_PCP. Counted, too. */
void page_give_full(struct page *page, unsigned int order);

/* page->kind of a head without flags in zone 0, and its bits that say in which zone it is. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first field is the lowest byte");
enum {
	PAGE_KIND_ORDER_SHIFT = 16,
	PAGE_KIND_ORDER = 0xff << PAGE_KIND_ORDER_SHIFT,
	PAGE_KIND_ZONE_SHIFT = 24,
	PAGE_KIND_ZONE = 0xf << PAGE_KIND_ZONE_SHIFT,
	PAGE_KIND_MT_SHIFT = 28,
};
static inline u32 page_kind(enum page_state state, unsigned int order, u32 flags)
{
	return (u32)state | flags << 8 | order << PAGE_KIND_ORDER_SHIFT;
}
static inline u32 page_kind_state(u32 kind)
{
	return kind & 0xff;
}
static inline u32 page_kind_flags(u32 kind)
{
	return kind >> 8 & 0xff;
}
static inline u32 page_kind_order(u32 kind)
{
	return (kind & PAGE_KIND_ORDER) >> PAGE_KIND_ORDER_SHIFT;
}
static inline u32 page_kind_zone(u32 kind)
{
	return kind >> PAGE_KIND_ZONE_SHIFT & 0xf;
}
/*
 * A head whose kind its owner has just read, to another state. Hits read the whole word, so they write it: a
 * load of a word of which one byte was stored waits until that is in the cache, 4 ns.
 */
static inline always_inline void page_turn(struct page *page, u32 kind, enum page_state from,
					   enum page_state to)
{
	atom_store(&page->kind, kind ^ (u32)from ^ (u32)to);
}

/*
 * A block as zone_alloc() gives it, but with these flags, 0 or PAGE_COMPOUND, for a request of the class
 * with no other wishes; the caller has looked at order < PCP_ORDERS. NULL: nothing has happened, and the
 * long way knows why.
 */
static inline always_inline struct page *page_take_hit(u32 class, unsigned int order, u32 flags)
{
	struct port_stack *stack = atom_load_acq(&page_hits.take[order][class]);
	struct page *page = likely(stack) ? port_hit_pop(stack) : NULL;
	u32 kind;

	if (unlikely(!page))
		return NULL;
	kind = page->kind;
	if (unlikely((kind & ~(u32)PAGE_KIND_ZONE) != page_kind(PAGE_PCP, order, flags)))
		return page_take_odd(page, order, flags);
	page->refcount = 1;
	page->next = LINK_NIL;
	page->prev = LINK_NIL;
	atom_store(&page->u.own.private_data, 0ul);
	page_turn(page, kind, PAGE_PCP, PAGE_ALLOC);
	if (likely(vm_event_hit(kmem_machine.stat, KMEM_EV_pgalloc_dma + page_kind_zone(kind),
				1ull << order)))
		return page;
	return page_take_counted(page, order);
}

/* Have all frames of this block been somebody's before? Their bits are a part of a word, or, of an order
 * above PAGE_HITS_WORD, whole words, a cache line at most. */
enum { PAGE_HITS_BITS = 8 * sizeof(unsigned long), PAGE_HITS_WORD = PAGE_HITS_BITS == 64 ? 5 : 4 };
static inline bool frames_known_soiled(pfn_t pfn, unsigned int order)
{
	const unsigned long *word = &page_hits.soiled[pfn / PAGE_HITS_BITS];
	unsigned long mask;

	if (order <= PAGE_HITS_WORD) {
		mask = (1ul << (1u << order)) - 1;
		return (~(atom_load(word) >> pfn % PAGE_HITS_BITS) & mask) == 0;
	}
	for (unsigned int left = (1u << order) / PAGE_HITS_BITS; left; left--)
		if (~atom_load(word++))
			return false;
	return true;
}

/* The last of such a free (page_give_known): its kind, as just read, is found good, and it is one of `state`. */
static inline always_inline bool page_give_kind(struct page *page, pfn_t pfn, u32 kind,
						unsigned int order, enum page_state state)
{
	struct port_stack *stack = atom_load(&page_hits.give[order][page_kind_zone(kind)]);
	s32 one = 1;

	if (unlikely(!stack) || unlikely(!frames_known_soiled(pfn, order)) ||
	    unlikely(!atom_cas(&page->refcount, &one, 0)))
		return false;
	page_turn(page, kind, state, PAGE_PCP);
	if (unlikely(!port_hit_push(stack, page)))
		page_give_full(page, order);
	else if (unlikely(!vm_event_hit(kmem_machine.stat, KMEM_EV_pgfree, 1ull << order)))
		page_give_counted(order);
	return true;
}

/*
 * Frees a block that nothing is to be said about: its one reference, its order, and no state and flags
 * but these, 0 or PAGE_COMPOUND. False: nothing has happened, and the long way judges it. Of two who free
 * it at once one sees the other's reference count. The count is looked at first: who drops the one before
 * the last may have changed the order until then (gfp/alloc.c).
 */
static inline always_inline bool page_give_known(struct page *page, unsigned int order, u32 flags)
{
	size_t off = (size_t)((uintptr_t)page - (uintptr_t)kmem_machine.memmap);
	pfn_t pfn = off / sizeof(struct page);
	u32 kind;

	if (unlikely(pfn >= kmem_machine.end) || unlikely(off % sizeof(struct page)))
		return false;
	/* Pairs with the cas of whoever dropped the one before. */
	if (unlikely(atom_load_acq(&page->refcount) != 1))
		return false;
	kind = atom_load(&page->kind);
	if (unlikely((kind & ~(u32)PAGE_KIND_ZONE) != page_kind(PAGE_ALLOC, order, flags)))
		return false;
	return page_give_kind(page, pfn, kind, order, PAGE_ALLOC);
}

/* The same of a large kmalloc, whose order nobody says. */
static inline always_inline bool page_give_kmalloc(struct page *page, pfn_t pfn)
{
	const u32 whole = PAGE_KIND_ZONE | PAGE_KIND_ORDER;
	u32 kind, order;

	if (unlikely(atom_load_acq(&page->refcount) != 1))
		return false;
	kind = atom_load(&page->kind);
	order = page_kind_order(kind);
	if (unlikely((kind & ~whole) != page_kind(PAGE_LARGE, 0, PAGE_COMPOUND)) ||
	    unlikely(order >= PCP_ORDERS))
		return false;
	return page_give_kind(page, pfn, kind, order, PAGE_LARGE);
}

/* Orders above PAGE_HITS_WORD have a call of their own, so that the others need no frame on the stack. */
static inline always_inline bool page_give_hit(struct page *page, unsigned int order, u8 flags)
{
	return likely(order <= PAGE_HITS_WORD) && page_give_known(page, order, flags);
}
bool page_give_large(struct page *page, unsigned int order, u8 flags);

/* ---- contig.c: runs -------------------------------------------------------------------------------
 *
 * A run is nr frames, any number, allocated as one: the head is PAGE_ALLOC with PAGE_RUN, refcount
 * 1; its tails are not written to, so a run of a gigabyte costs a few hundred stores. On a list its head is
 * PAGE_PCP, and all else is as it was. Where the
 * caller is a handler (sync_nested(), or not a task) these try the lock only: NULL or false then,
 * and frees are deferred.
 */
struct page *zone_alloc_contig(struct zone *z, unsigned long nr);
/* Gives back a run or any part of it; what stays on either side is a run of its own. Anything but
 * PAGE_OK: these frames are not of one run, and nothing has changed. */
enum page_verdict zone_free_contig(struct page *page, unsigned long nr);
/* Grows a run in place to nr frames if those behind it are free, are backed by memory, and the zone
 * stays above its low mark. False: nothing has changed. */
bool zone_contig_extend(struct page *head, unsigned long nr);
/* Gives the frames of a run behind the first nr back. */
void zone_contig_shrink(struct page *head, unsigned long nr);
/* Then its length is seen, too: a neighbour may just have made it one, by freeing what was before it. */
static inline bool page_is_run(const struct page *page)
{
	u32 kind = atom_load_acq(&page->kind);

	return page_kind_state(kind) == PAGE_ALLOC && page_kind_flags(kind) & PAGE_RUN;
}
static inline unsigned long page_run_nr(const struct page *head)
{
	return atom_load(&head->u.own.private_data);
}

/* Hits of runs. */
void run_count_slow(unsigned long nr, enum kmem_event ev);
void run_give_full(struct page *page);

/* Counts a run's frames: what follows its hit. False: run_count_slow() has to. */
static inline always_inline bool run_count(unsigned long nr, enum kmem_event ev)
{
	return likely(vm_event_hit(kmem_machine.stat, ev, nr));
}
static inline enum kmem_event run_taken(const struct page *page)
{
	return (enum kmem_event)(KMEM_EV_pgalloc_dma + page_kind_zone(page->kind));
}

/*
 * A run of the list as zone_alloc_contig() gives it, for a request of the class, to be counted. NULL:
 * nothing has happened. Its head has remained one while it rested.
 */
static inline always_inline struct page *run_take_hit(u32 class, unsigned int list)
{
	struct port_stack *stack = atom_load_acq(&page_hits.run_take[list][class]);
	struct page *page = likely(stack) ? port_hit_pop(stack) : NULL;
	u32 kind;

	if (unlikely(!page))
		return NULL;
	kind = page->kind;
	assert_always((kind & ~(u32)PAGE_KIND_ZONE) ==
		      page_kind(PAGE_PCP, PAGE_ORDER_RUN, PAGE_RUN));
	page->refcount = 1;
	page_turn(page, kind, PAGE_PCP, PAGE_ALLOC);
	return page;
}

/*
 * Frees a whole run that has been on a list before: all its frames are soiled. False: nothing has
 * happened. Of two who free it at once one drops the reference; and who cuts it has that meanwhile
 * (contig.c), so which list it is for is looked at again.
 */
static inline always_inline bool run_give_hit(struct page *page)
{
	u32 kind = atom_load(&page->kind);
	struct port_stack *stacks;
	unsigned int listed;
	unsigned long nr;
	s32 one = 1;

	if (unlikely((kind & ~(u32)PAGE_KIND_ZONE) !=
		     page_kind(PAGE_ALLOC, PAGE_ORDER_RUN, PAGE_RUN)))
		return false;
	stacks = atom_load(&page_hits.run_give[page_kind_zone(kind)]);
	if (unlikely(!stacks) || unlikely(!atom_load(&page->u.own.listed)) ||
	    unlikely(!atom_cas(&page->refcount, &one, 0)))
		return false;
	listed = atom_load(&page->u.own.listed);
	if (unlikely(!listed)) {
		atom_store_rel(&page->refcount, 1);
		return false;
	}
	nr = page_run_nr(page); /* once it is on the list it is anybody's */
	page_turn(page, kind, PAGE_ALLOC, PAGE_PCP);
	if (unlikely(!port_hit_push(stacks + listed - 1, page)))
		run_give_full(page);
	else if (unlikely(!run_count(nr, KMEM_EV_pgfree)))
		run_count_slow(nr, KMEM_EV_pgfree);
	return true;
}

/* commit.c. The frames have been somebody's. */
void frames_soil(pfn_t pfn, unsigned long nr);
/*
 * The owner of the frames, which are of one section, has no need of their contents for now: the host may have
 * their memory until somebody touches them. It does nothing for frames that are known not to be soiled, as
 * these are from now on. False: it cannot be had again, and nobody may touch them.
 */
bool frames_discard(pfn_t pfn, unsigned long nr);

/* Walks over a zone's heads jump over what was never listed; without the lock, what is listed just now
 * too. */
static inline pfn_t zone_skip_fresh(const struct zone *z, pfn_t pfn)
{
	return pfn == atom_load(&z->fresh) && pfn < z->fresh_end ? z->fresh_end : pfn;
}
/* Frames from this one to the next that can be a head: how walks over the memmap step. */
static inline unsigned long page_frames(const struct page *page)
{
	u32 kind = atom_load_acq(&page->kind), state = page_kind_state(kind);

	if (state == PAGE_NONE || state == PAGE_HOLE || state == PAGE_TAIL)
		return 1;
	return page_kind_flags(kind) & PAGE_RUN ? page_run_nr(page) : 1UL << page_kind_order(kind);
}
/* Gives the memory of free sections back to the host: frames made unbacked. Task context. */
unsigned long phys_trim(void);
/*
 * Looks at up to nr sections from *from on, of zones without hooks: marks those that are free, and
 * gives one back that has been since the last look. *from becomes the next to look at; true: there is
 * none, and it is 0 again. Task context.
 */
bool phys_decay(pfn_t *from, unsigned int nr);
bool phys_backed(pfn_t pfn); /* has the host been asked for the frame's section? */
/* Semantics 2.9: makes one reserved page block ordinary again, of type mt. True: it had free pages.
 * Keeps at least one per zone unless force. */
bool zone_unreserve_highatomic(u32 mt, bool force);

/* Gives back all per-CPU lists of all CPUs. Task context. Under pressure: all but the urgent pages. */
void pcp_drain_all(void);
void pcp_drain_lists(void);
/* A piece of the latter; *at, 0 at first: where to go on. False: it was the last. Task context. */
bool pcp_drain_some(u32 *at);
/* Frees blocks that handlers had to leave aside. */
void phys_run_deferred(void);
/* Switches the per-CPU lists off (tracing) and on. */
void pcp_switch(bool on);
unsigned long pcp_count(const struct zone *z, unsigned int cpu);

/* ---- page.c: what a frame is -------------------------------------------------------------------- */

/* May this block be freed by its owner? Changes nothing. */
enum page_verdict page_check_free(const struct page *page, unsigned int order);
/* Reports the misuse with all that is known of the page. */
void page_report_bad(const struct page *page, unsigned int order, enum page_verdict v);
/* Zero the block, through windows where it has no address. */
void page_clear(struct page *page, unsigned int order);
/* The same for nr frames on their way to an owner, leaving out those known to be zero. */
void page_clear_soiled(struct page *page, unsigned long nr);
void page_make_compound(struct page *page, unsigned int order);
/* Marks an allocated block as a slab of cache (all frames), or as plain again. owner: of all frames of a
 * regular slab; else NULL. */
void page_make_slab(struct page *page, unsigned int order, struct kmem_cache *cache,
		    unsigned int objects, void *owner);
void page_unmake_slab(struct page *page, unsigned int order);
static inline bool page_valid(const struct page *page)
{
	return page >= kmem_machine.memmap && page < kmem_machine.memmap + kmem_machine.end;
}
/*
 * The free bitmap of a block that is cut into so many objects, by the slab floor or others. There is room for 512
 * objects a page, the most there can be, in 64 bytes a frame. Most blocks need few of them, so where tables are
 * backed as they are touched there is another, of 32 bytes a frame, for those of up to 256 a page.
 */
unsigned long *pfn_bitmap(pfn_t pfn, u32 order, u32 objects);
static inline unsigned long *page_bitmap(const struct page *head, u32 objects)
{
	return pfn_bitmap(pfn_of_page(head), head->order, objects);
}

/* ---- lend.c: frames in a row at other addresses ---------------------------------------------------- */

/* The range for it; NULL: the port has none. Task context. */
unsigned char *vmap_range(size_t *bytes);
/* Is the address in it? Any context; false before anybody has asked for the range. */
bool vmap_range_has(const void *p);
/*
 * Shows the n frames of pfn[] in a row from va on, with their contents if keep is set. *zeroed: they
 * read as zero now. False: refused by the host, or one of them cannot be lent; nothing has changed.
 * Each lent frame stays the caller's. Task context.
 */
bool frames_map(void *va, const pfn_t *pfn, unsigned int n, bool keep, bool *zeroed);
void frames_unmap(void *va, const pfn_t *pfn, unsigned int n, bool keep);
static inline bool page_is_lent(const struct page *page)
{
	return atom_load(&page->flags) & PAGE_LENT;
}

/* fork (boot floor): every lock of the floor, in rank order. */
void phys_fork_lock(void);
void phys_fork_unlock(bool child);
