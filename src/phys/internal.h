/* SPDX-License-Identifier: MIT */
/* What the files of the phys floor share with each other and show to no other floor. */
#pragma once
#include "phys/phys.h"

enum { SECTION_PAGES = 1 << MAX_PAGE_ORDER };

/* Tables indexed by frame, block or section number; from boot memory, zeroed. */
struct phys_tables {
	u8 *committed;	       /* a byte per section: enum section_state */
	unsigned long *soiled; /* a bit per frame: its contents may be other than zero */
	u32 *alias;	/* a number per frame, one more than that of the slot in which kmap shows
				* it, or, if it is lent, of its page in the range of port_vmap */
	u8 *block_type; /* a byte per page block: KMEM_MT_* */
	/* Of each frame of the direct map BITMAP_BYTES; SMALL_BYTES, or NULL: page_bitmap() */
	unsigned char *bitmap, *small;
	bool typed;  /* page blocks have types: opt.mobility or opt.highatomic */
	bool live;   /* frames are on the free lists */
	bool forked; /* a child: what other tasks held at the fork has no owner here */
};
extern struct phys_tables phys;
enum { BITMAP_BYTES = 64, SMALL_BYTES = 32 };

/* ---- memblock.c -------------------------------------------------------------------------------- */

/* Asks the port for its ranges, once. Returns how many. */
unsigned int memblock_load(void);
void memblock_reset(void);
/* Frames of [start, end) in usable ranges; left: without those boot_alloc has carved out. */
unsigned long memblock_count(pfn_t start, pfn_t end, bool left);
/* The first sub-range of [*start, *end) at or behind *start; false: there is none. */
bool memblock_next(pfn_t *start, pfn_t *end, bool left);
pfn_t memblock_first(void);
pfn_t memblock_end(void);
/* First frame outside the direct map by the zone table; memblock_end() if there is no HIGHMEM. */
pfn_t memblock_low_end(void);

/* ---- zone.c, commit.c --------------------------------------------------------------------------- */

bool zone_lock(struct zone *z, bool try, irqflags_t *flags);
void zone_unlock(struct zone *z, irqflags_t flags);
void zone_mirror(struct zone *z);
struct zone *zone_of_pfn(pfn_t pfn); /* NULL if it is in none */
static inline struct zone *zone_of_head(const struct page *head)
{
	return &kmem_machine.zones[head->zone];
}
/* May nothing be waited for in this context, whatever the caller says? */
static inline bool context_is_async(void)
{
	return sync_nested() || port_context() != PORT_TASK;
}
enum section_state { SECTION_NOT_BACKED, SECTION_BACKED, SECTION_BUSY };
static inline pfn_t section_end(pfn_t section)
{
	return size_min((section + 1) << MAX_PAGE_ORDER, kmem_machine.end);
}
/* Makes the frames backed, and populated where a zone has hooks; try: nothing may be waited for.
 * False: refused; no lock may be held. */
bool frames_commit(pfn_t pfn, unsigned long nr, bool try);
/* Zeroes frames of one zone, through windows where they have no address. */
void frames_clear(pfn_t pfn, unsigned long nr);

/* The state of a frame is read without locks by those who look at a neighbour, so it is stored and
 * loaded whole. FREE is entered and left only under the zone's lock. */
static inline u8 page_state(const struct page *page)
{
	return atom_load(&page->state);
}
static inline void page_set_state(struct page *page, enum page_state state)
{
	atom_store(&page->state, (u8)state);
}
/* What every allocated head looks like. */
void page_hand_out(struct page *page, const struct zone *z, unsigned int order, u32 mt);
/* The same with other words than a block's: what the owner knows it by, and page_kind() with its type. */
void page_hand_out_as(struct page *page, const struct zone *z, unsigned long private_data,
		      u32 kind);

/* ---- hit.c --------------------------------------------------------------------------------------- */

void page_hits_settle(struct zone *z); /* under the zone's lock, before it goes */
void page_hits_reset(void);
int page_hits_check(const struct zone *z);

/* ---- buddy.c: all under the zone's lock ---------------------------------------------------------- */

struct page *buddy_take(struct zone *z, unsigned int order, u32 mt, u32 aflags);
/* The first *n of want blocks, in a row: those that would be taken one by one, in their order. */
struct page *buddy_take_some(struct zone *z, unsigned int order, u32 mt, u32 aflags, u32 want,
			     u32 *n);
/* Whole sections that are free but not listed yet; one stretch a zone, without mobility types. */
void buddy_fresh_set(struct zone *z, pfn_t from, pfn_t to);
/* Lists those up to the one that has pfn: before its descriptor is looked at. */
void buddy_fresh_reach(struct zone *z, pfn_t pfn);
/* Takes a block of exactly this order, splitting the first that is large enough. */
struct page *buddy_take_smallest(struct zone *z, unsigned int order, u32 mt);
/* Takes a given free block off its list whole; z->free follows. */
void buddy_take_block(struct zone *z, struct page *page);
/* Cuts a block that is off the lists down to order, its upper halves going to the lists of mt. */
void buddy_split(struct zone *z, struct page *page, unsigned int from, unsigned int order, u32 mt);
void buddy_free(struct zone *z, struct page *page, unsigned int order, bool to_tail);
/* Frees any frames as the largest aligned blocks. */
void buddy_free_frames(struct zone *z, pfn_t pfn, unsigned long nr, bool to_tail);
/* Moves a free block to the list of another type. */
void buddy_retype(struct zone *z, struct page *page, u32 mt);
/* Off its list, not yet counted off: the caller follows with buddy_count. */
void buddy_unlink(struct zone *z, struct page *page);
void buddy_count(struct zone *z, unsigned int order, u32 mt, long blocks);
static inline u32 block_type(pfn_t pfn)
{
	if (!phys.typed)
		return KMEM_MT_UNMOVABLE;
	return atom_load(&phys.block_type[pfn >> pageblock_order]);
}

/* ---- mobility.c: all under the zone's lock ------------------------------------------------------- */

struct page *mobility_fallback(struct zone *z, unsigned int order, u32 mt, u32 aflags);
/* A page block wholly inside the zone changes its type; false if it is not. */
bool block_set_type(struct zone *z, pfn_t pfn, u32 mt);
void highatomic_reserve(struct zone *z, struct page *page, unsigned int order);
void mobility_init(struct zone *z);

/* ---- zone_hook.c: frames of one section ---------------------------------------------------------- */

bool zone_hooked(pfn_t start, pfn_t end); /* does some zone's hook watch over them? */
/* May this task call them, or wait for another that does? */
bool zone_hooks_may_wait(bool try);
bool zone_hooks_populate(pfn_t start, pfn_t end); /* false: refused, and all is as before */
void zone_hooks_release(pfn_t start, pfn_t end);
void zone_hooks_exit(void); /* releases all, forgets the hooks */
int zone_hooks_check(void);

/* ---- pcp.c --------------------------------------------------------------------------------------- */

void pcp_init(struct zone *z);
u32 pcp_batch_of(unsigned long managed);
/* slot: an order, or PCP_RUNS and the list of runs. Onto this CPU's list after a push was refused; false:
 * there is no room. */
bool pcp_free_slow(struct zone *z, struct page *page, unsigned int slot, bool cold, bool try);
void blocks_to_buddy(struct zone *z, void *const *block, unsigned int nr, unsigned int slot,
		     bool try);
size_t pcp_sheaf_bytes(u32 cap);
/* Gives the stacks at an offset sheaves in mem, pcp_sheaf_bytes() for each CPU. */
void pcp_init_at(struct zone *z, unsigned int slot, u32 off, u32 cap, unsigned char *mem);
enum {
	PCP_ZONE_SHARE = 8,
	PCP_SHEAF_LEAST = 2, /* smaller ones would only pass blocks through */
};
/* Leaves a block, or a whole run, for the next holder of the lock. */
void defer_block(struct zone *z, struct page *page, unsigned int order);
enum page_verdict defer_run(struct zone *z, struct page *head);
void deferred_run_locked(struct zone *z);
static inline bool zone_has_deferred(struct zone *z)
{
	return atom_load(&z->deferred) != LINK_NIL || atom_load(&z->deferred_runs) != LINK_NIL;
}

/* ---- pcp_run.c ----------------------------------------------------------------------------------- */

void pcp_run_init(struct zone *z);
/* A run of nr frames off this CPU's list, as zone_alloc_contig() gives it; NULL: there is none. */
struct page *pcp_run_take(struct zone *z, unsigned long nr);
/* A whole run of nr frames onto it, the last reference dropped; false: nothing has happened. */
bool pcp_run_give(struct zone *z, struct page *head, unsigned long nr, bool try);

/* ---- contig.c ------------------------------------------------------------------------------------ */

void run_free_locked(struct zone *z, struct page *head); /* a whole run */

/* ---- window.c: windows onto frames outside the direct map ---------------------------------------- */

struct window_slot {
	u32 count; /* kmap.c: its states; kmap_local.c: taken or not */
	u32 pfn;   /* the frame it shows; LINK_NIL: none */
	u32 below; /* kmap_local.c: the task's word before this mapping */
};
struct windows {
	unsigned char *base;
	struct window_slot *slot; /* of all slots; NULL: no memory outside the direct map */
	u32 run;		  /* pages of each of the library's own windows, which come first */
	u32 shared, nr_shared;	  /* slots of kmap */
	u32 local, nr_local;	  /* of kmap_local_page */
};
extern struct windows windows;

/* 0 or -KE_*. */
int windows_init(void);
void windows_reset(void);
int windows_check(void);
/* The library's own, of up to windows.run frames; every one is closed soon. Any context. */
void *window_open(pfn_t pfn, unsigned int nr, unsigned int *window);
void window_close(unsigned int window);
/* Shows a frame in a slot of the caller's. */
void *window_show(u32 slot, pfn_t pfn);
/* A misuse that the kernel stops at. */
void window_fatal(enum kmem_misuse code, const void *addr, const char *text)
	__attribute__((noreturn));
static inline void *window_addr(u32 slot)
{
	return windows.base + ((size_t)slot << PAGE_SHIFT);
}

/* ---- kmap.c, kmap_local.c ------------------------------------------------------------------------ */

/* Where kmap shows the frame now, or NULL. Any context. */
void *kmap_address(pfn_t pfn);
void kmap_reset(void);
int kmap_check(void);
void kmap_fork_lock(void);
void kmap_fork_unlock(bool child);
void kmap_local_reset(void);
/* In a fork's child: the mappings of tasks that are not there any more. */
void kmap_local_forget_others(void);

/* ---- lend.c -------------------------------------------------------------------------------------- */

/* Where a lent frame is. */
void *lent_address(const struct page *page);
void lend_reset(void);
void lend_fork_lock(void);
void lend_fork_unlock(bool child);
