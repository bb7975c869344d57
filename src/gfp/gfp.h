/* SPDX-License-Identifier: MIT */
/*
 * Floor 5, gfp: what a GFP word means. flags.c is the only file that knows bit values: it decodes
 * a word into a request, or rejects it. alloc.c walks the zones. slow.c is the slow path, a state
 * machine (semantics 2.5).
 *
 * Glossary
 *	request	one call's wish, decoded: which zones, which marks, what may be waited for
 *	walk	one pass over a request's zones, highest first
 *	scope	a task's own restriction, laid on every request it makes (memalloc_nofs_save)
 *	round	one turn of the slow path's retry loop
 *	site	return address of the public call, for reports that are made once per caller
 */
#pragma once
#include "reclaim/reclaim.h"

/* A request, decoded once and then only read. */
struct alloc_request {
	gfp_t gfp; /* after allowed mask, scopes and fix-ups */
	u32 order;
	u32 class;	 /* KMEM_ZONE_* */
	u32 zone_mask;	 /* bit z: zone z may be walked */
	u32 mt;		 /* mobility type */
	u32 aflags_fast; /* walk of the first pass */
	bool may_block, nested;
	const void *site;
};

/* Internal gfp bits, above the public ones; stripped before anything is reported. */
#define __GFP_KMEM_TRYLOCK __KMEM_GFP(0x20000000u) /* nothing may be waited for */

/* ---- flags.c ------------------------------------------------------------------------------------ */

/*
 * Decodes; reports misuse and fixes it up as semantics 1.6 says. False: refuse the request (NULL).
 * site: the caller, for once-per-site warnings.
 */
bool gfp_decode(gfp_t gfp, unsigned int order, const void *site, struct alloc_request *req);
/* What a user of the page calls passed, without the library's own bits. */
gfp_t gfp_fix_public(gfp_t gfp);
/* For slab and kmalloc: drops and reports zone bits they cannot honour, unknown bits. */
gfp_t gfp_fix_slab(gfp_t gfp);
/* The task's scopes applied (semantics 1.7). */
gfp_t gfp_current(gfp_t gfp);
u32 gfp_slow_aflags(const struct alloc_request *req);
/* ALLOC_NO_WATERMARKS, ALLOC_OOM or 0: the privilege of the running task for this request. */
u32 gfp_reserve_aflags(const struct alloc_request *req);
/* What every request that may block passes, scopes applied: in atomic context it is reported (once a
 * second) and returned made non-blocking, else the locks held over it are looked at. */
gfp_t gfp_might_sleep(gfp_t gfp, const void *site);
/* Reports, once per site, what is wrong with a __GFP_NOFAIL request (semantics 1.6). */
void gfp_check_nofail(const struct alloc_request *req);
/* Once per site and code. Any context. */
bool gfp_warn_once(const void *site, enum kmem_misuse code);
/* The word as a report or a callback may see it: without the library's own bits. */
static inline gfp_t gfp_shown(gfp_t gfp)
{
	return gfp & ~__GFP_KMEM_TRYLOCK;
}
void gfp_flags_reset(void);
/*
 * Hits: requests with none of these bits, and with zone bits whose class is here: KMEM_NR_ZONES, or
 * one that has nothing, while each request must be looked at.
 */
#define GFP_PAGE_SPECIAL                                                                    \
	(~(GFP_ZONEMASK | __GFP_RECLAIM | __GFP_HIGH | __GFP_IO | __GFP_FS | __GFP_NOWARN | \
	   __GFP_NORETRY | __GFP_RETRY_MAYFAIL | __GFP_MEMALLOC | __GFP_NOMEMALLOC |        \
	   __GFP_HARDWALL | __GFP_WRITE))
extern u8 gfp_hit_class[(u32)GFP_ZONEMASK + 1] HIDDEN;
/* After a change of what requires that; and when the machine is complete. Task context. */
void gfp_hits_refresh(void);

/* A block with these flags and nothing else done to it, or NULL: the long way. The task may not sleep: then
 * it may not ask to, nor be in NMI context. */
static inline always_inline struct page *gfp_hit(gfp_t gfp, unsigned int order, u32 flags)
{
	u32 preempt = port_task()->preempt;

	if (unlikely(gfp & GFP_PAGE_SPECIAL) || unlikely(order >= PCP_ORDERS))
		return NULL;
	if (unlikely(preempt) && (gfp & __GFP_DIRECT_RECLAIM || preempt & CONTEXT_NMI_MASK))
		return NULL;
	return page_take_hit(atom_load(&gfp_hit_class[(u32)(gfp & GFP_ZONEMASK)]), order, flags);
}

/* The same of a run of a list's length (run_list()), to be counted (run_count()). */
static inline always_inline struct page *gfp_run_hit(gfp_t gfp, unsigned int list)
{
	u32 preempt = port_task()->preempt;

	if (unlikely(gfp & GFP_PAGE_SPECIAL))
		return NULL;
	if (unlikely(preempt) && (gfp & __GFP_DIRECT_RECLAIM || preempt & CONTEXT_NMI_MASK))
		return NULL;
	return run_take_hit(atom_load(&gfp_hit_class[(u32)(gfp & GFP_ZONEMASK)]), list);
}

/* A whole run goes back; false: nothing has happened, and the long way judges it. */
static inline always_inline bool gfp_run_give(struct page *head)
{
	return likely(!(port_task()->preempt & CONTEXT_NMI_MASK)) && run_give_hit(head);
}

/* ---- alloc.c ------------------------------------------------------------------------------------ */

/*
 * The page allocator behind alloc_pages(): a block, or NULL. With __GFP_KMEM_TRYLOCK, or when
 * sync_nested(), nothing is waited for. Not traced as a public call when quiet (slabs are).
 */
struct page *gfp_alloc(gfp_t gfp, unsigned int order, const void *site);
/* One pass; a block out of the reserves is marked so. */
struct page *gfp_walk(const struct alloc_request *req, u32 aflags);
/* Never sleeps or spins; no slow path. zeroed, compound. Any context. */
struct page *gfp_alloc_nolock(gfp_t gfp, unsigned int order, const void *site);
/* Fills pages[0..nr) with single pages without effort; returns how many. */
unsigned int gfp_alloc_bulk(const struct alloc_request *req, struct page **pages, unsigned int nr);
/* What most frees are; false: nothing has happened. */
static inline always_inline bool gfp_free_hit(struct page *page, unsigned int order, u8 flags)
{
	return likely(!(port_task()->preempt & CONTEXT_NMI_MASK)) &&
	       page_give_hit(page, order, flags);
}
/* Drops a reference and frees with it; checks first. */
void gfp_free(struct page *page, unsigned int order, bool cold, const void *site);
/* What follows a hit that was refused. */
void gfp_free_miss(struct page *page, unsigned int order, bool cold, const void *site);
void gfp_free_nolock(struct page *page, unsigned int order);
/* Must an ordinary free do with trylocks? In NMI context, where it is reported, and in a handler. */
bool gfp_free_tries(const void *addr);
/* Drops a reference of a head; the last one frees with the order the block has. */
void gfp_put(struct page *page);
/* Single pages of an allocated block that is not compound, each with the block's charge. */
void gfp_split(struct page *page, unsigned int order);
/* The block passes its old contents to nobody: init_on_free, page_poison. */
void gfp_wipe_freed(struct page *page, unsigned long nr);
/* sanitize=1: a block may be touched, or may not be. */
void gfp_watch(const struct page *page, unsigned long nr, bool show);
void gfp_zero(struct page *page, unsigned long nr); /* and who watches knows that they are set */
/* Zeroes nr frames, which need not be a power of two. */
void gfp_clear_frames(struct page *page, unsigned long nr);
void gfp_reset(void);

/* ---- slow.c, report.c --------------------------------------------------------------------------- */

struct page *gfp_slow(const struct alloc_request *req);
void gfp_report_failure(const struct alloc_request *req);
void gfp_show_mem(u32 max_class);
void gfp_report_reset(void);

/* ---- fault.c, fault_text.c ---------------------------------------------------------------------- */

enum { FAULT_CALLS_MAX = 8, FAULT_DEPTH_MAX = 32 };
#define PF_KMEM_MAKE_IT_FAIL 0x04000000u /* kmem_fault_task() */
#define PF_KMEM_BULK	     0x08000000u /* in a bulk call, which was decided about as one */

/* One injector, semantics 10.9. Written by fault_parse; the counts then move by atomics. */
struct fault_attr {
	const char *name; /* of the injector, its owner's to set */
	bool active;	  /* a text was parsed */
	bool ignore_wait, ignore_highmem, cache_filter, task_filter;
	u32 min_order;
	u32 interval, probability; /* every interval-th decision fails with probability % */
	u32 count;		   /* decisions that came to the interval, or to the list */
	s32 space, times;	   /* allowed yet; failures left, -1: no end */
	u32 verbose;		   /* 0: silent, 1: a line, 2: and the stack */
	struct ratelimit limit;	   /* of that; interval 0: none */
	u32 depth;		   /* frames the ranges are held against */
	uintptr_t require_start, require_end, reject_start, reject_end;
	u32 calls[FAULT_CALLS_MAX], nr_calls; /* the very calls to fail, ascending from 1 */
};
/*
 * "interval,probability,space,times", then any of the words in the table of fault_text.c, each after
 * a comma. Empty or NULL: off. 0, or -KE_INVAL and nothing has changed.
 */
int fault_parse(struct fault_attr *attr, const char *text);
/* True: this decision fails, and a line says so unless the request is __GFP_NOWARN. */
bool fault_should_fail(struct fault_attr *attr, long size, gfp_t gfp);
/* The page injector's text; as fault_parse. */
int fault_setup(const char *text);
/* A new machine: the port's agent is asked for, the count of failures starts. */
void fault_start(void);
bool fault_has_agent(void);
/* A task has set its fail_nth; true: the first since the machine was started. */
bool fault_arm_nth(void);
/* May a request fail on purpose, whatever the attributes say: then none may hit. */
bool fault_armed(void);
/* The same of a request for pages. */
bool gfp_fault_armed(void);
/* Do the agent or the task's fail_nth decide about this request, whatever the attributes spare? */
bool fault_asks_all(void);
/* fail_page_alloc=, the agent and fail_nth; true: this decision fails. */
bool gfp_should_fail(gfp_t gfp, unsigned int order);
