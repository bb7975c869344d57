/* SPDX-License-Identifier: MIT */
/*
 * The slow path: what a request does that found every zone at its low mark. A state machine; each
 * state is one function that returns the next.
 *
 *	INIT --> WAKE --> TRY_MIN --> RETRY_HEAD --> RECLAIM --> DECIDE --> OOM
 *	                                ^   |                      |  |      |
 *	                                |   | may not block        |  |      |
 *	                                +---|----------------------+--|------+
 *	                                |   v                         v      v
 *	                                +--NOPAGE <-------------------+------+
 *	                         nofail    |
 *	                                   v
 *	                                  FAIL		any walk that gets a block: DONE
 *
 *	TRY_MIN		walk at min, with the request's fractions
 *	RETRY_HEAD	one round begins: livelock guard, privileges of the task, walk
 *	RECLAIM		ask others to give pages back, walk
 *	DECIDE		is another round worth it?
 *	OOM		the last resort, one task at a time
 *	NOPAGE		the end, unless the request may not fail
 *
 * The model (semantics 2.5) has two more states, for moving pages together. Nothing in this machine
 * can move a page, so their outcome is always "skipped": an order above 3 fails after its first
 * reclaim, and at once with NORETRY.
 *
 * Rounds. no_progress counts rounds in which nothing was freed, since the last in which something
 * was; above 16 the loop goes on to OOM. Orders above 3 count every round. What loops without end by
 * contract (NOFAIL; NOFS and NOIO, for which nobody is killed) sleeps a tick each time, so that
 * whoever can free gets to run, and the livelock guard can end it.
 *
 * Nothing is waited for unless the request may block; a nested one gets no further than privileges,
 * and calls neither hooks nor reports.
 *
 * Locks: none held in any state.
 */
#include "gfp/gfp.h"

enum slow_state {
	SLOW_INIT,
	SLOW_WAKE,
	SLOW_TRY_MIN,
	SLOW_RETRY_HEAD,
	SLOW_RECLAIM,
	SLOW_DECIDE,
	SLOW_OOM,
	SLOW_NOPAGE,
	SLOW_FAIL,
	SLOW_DONE,
};

struct slow {
	const struct alloc_request *req;
	u32 aflags;
	unsigned long rounds;	/* times RETRY_HEAD was entered */
	unsigned long progress; /* pages freed in this round */
	u32 no_progress;
	struct page *page;
};

/* The walk's block ends the machine; without one it goes on. */
static enum slow_state slow_walk(struct slow *s, u32 aflags, enum slow_state next)
{
	s->page = gfp_walk(s->req, aflags);
	return s->page ? SLOW_DONE : next;
}

/* What any walk of the request carries, without mark and privileges. */
static u32 slow_plain(const struct slow *s)
{
	return s->aflags & (ALLOC_TRYLOCK | ALLOC_COLD);
}

static bool slow_is_costly(const struct slow *s)
{
	return s->req->order > PAGE_ALLOC_COSTLY_ORDER;
}

static void slow_wake_kswapd(const struct slow *s)
{
	if (s->req->gfp & __GFP_KSWAPD_RECLAIM)
		reclaim_wake_kswapd(gfp_shown(s->req->gfp), s->req->order, s->req->class,
				    s->req->nested);
}

static enum slow_state slow_init(struct slow *s)
{
	if (!s->req->nested)
		gfp_check_nofail(s->req);
	s->aflags = gfp_slow_aflags(s->req);
	return s->req->zone_mask ? SLOW_WAKE : SLOW_NOPAGE;
}

static enum slow_state slow_wake(struct slow *s)
{
	slow_wake_kswapd(s);
	return SLOW_TRY_MIN;
}

/* Where pages can be moved together, a costly request tries that before all else, and one that is
 * not to retry ends when it is of no use; here it never is. */
static bool slow_hopeless(const struct slow *s)
{
	const gfp_t both = __GFP_IO | __GFP_NORETRY;

	return slow_is_costly(s) && s->req->may_block && (s->req->gfp & both) == both &&
	       !gfp_reserve_aflags(s->req);
}

static enum slow_state slow_try_min(struct slow *s)
{
	return slow_walk(s, s->aflags, slow_hopeless(s) ? SLOW_NOPAGE : SLOW_RETRY_HEAD);
}

/* The guard is the embedding's: it may know that nobody can free any more. */
static bool slow_is_stuck(const struct slow *s)
{
	const struct alloc_request *req = s->req;
	char names[160];

	if (s->rounds == 0 || !livelock_stop(gfp_shown(req->gfp), req->order, s->rounds))
		return false;
	kmem_gfp_text(gfp_shown(req->gfp), names, sizeof(names));
	report(KMEM_LOG_WARN, "kmem: livelock: order:%u, mode:%#x(%s), %lu rounds", req->order,
	       (u32)gfp_shown(req->gfp), names, s->rounds);
	gfp_show_mem(req->class);
	vm_event(KMEM_EV_kmem_alloc_fail);
	return true;
}

static enum slow_state slow_retry_head(struct slow *s)
{
	u32 reserve = gfp_reserve_aflags(s->req);
	bool may_reclaim = s->req->may_block && !(port_task()->pf & PF_MEMALLOC);

	if (slow_is_stuck(s))
		return SLOW_DONE;
	s->rounds++;
	slow_wake_kswapd(s);
	if (reserve)
		s->aflags = reserve | slow_plain(s);
	return slow_walk(s, s->aflags, may_reclaim ? SLOW_RECLAIM : SLOW_NOPAGE);
}

/* Without progress too: the per-CPU lists have been drained. What was freed may lie there again, or in
 * page blocks kept for others. */
static enum slow_state slow_reclaim(struct slow *s)
{
	const struct alloc_request *req = s->req;
	enum slow_state next;

	s->progress = reclaim_direct(gfp_shown(req->gfp), req->order, req->class);
	next = slow_walk(s, s->aflags, SLOW_DECIDE);
	if (next == SLOW_DONE || s->progress == 0)
		return next;
	zone_unreserve_highatomic(req->mt, false);
	pcp_drain_lists();
	return slow_walk(s, s->aflags, SLOW_DECIDE);
}

/* Would min be passed if everything were given back that can be? */
static bool reclaim_can_help(const struct slow *s)
{
	for_each_zone (z) {
		unsigned long reclaimable, avail, min;
		bool ok;

		if (!(s->req->zone_mask & 1u << z->index))
			continue;
		reclaimable = reclaim_reclaimable(z);
		avail = reclaimable + zone_free_pages(z);
		min = atom_load(&z->mark[ALLOC_WMARK_MIN]);
		ok = zone_watermark_ok(z, s->req->order, min, s->req->class, s->aflags, avail);
		trace_retry_zone(z->index, s->req->order, ok,
				 (s64[]){(s64)reclaimable, (s64)avail, (s64)min, s->no_progress});
		if (ok)
			return true;
	}
	return false;
}

static bool slow_retry_reclaim(struct slow *s)
{
	if (s->progress && !slow_is_costly(s))
		s->no_progress = 0;
	else
		s->no_progress++;
	if (s->no_progress <= MAX_RECLAIM_RETRIES && reclaim_can_help(s)) {
		port_relax();
		return true;
	}
	return zone_unreserve_highatomic(s->req->mt, true);
}

static enum slow_state slow_decide(struct slow *s)
{
	if (s->req->gfp & __GFP_NORETRY || slow_is_costly(s))
		return SLOW_NOPAGE;
	return slow_retry_reclaim(s) ? SLOW_RETRY_HEAD : SLOW_OOM;
}

/* Requests nobody is killed for: they may fail, or another zone would not help them. */
static bool oom_is_pointless(const struct alloc_request *req)
{
	return req->order > PAGE_ALLOC_COSTLY_ORDER || req->class < KMEM_ZONE_NORMAL ||
	       req->gfp & (__GFP_RETRY_MAYFAIL | __GFP_THISNODE);
}

static enum slow_state slow_oom_refused(const struct slow *s)
{
	if (kmem_machine.opt.oom_panic) {
		gfp_show_mem(s->req->class);
		port_panic("System is deadlocked on memory");
	}
	return SLOW_NOPAGE;
}

static enum slow_state slow_oom(struct slow *s)
{
	const struct alloc_request *req = s->req;
	bool victim = port_task()->pf & PF_KMEM_OOM_VICTIM;

	/* Another task's reclaim, or a kill before ours, may have done it already. */
	if (slow_walk(s, ALLOC_WMARK_HIGH | slow_plain(s), SLOW_OOM) == SLOW_DONE)
		return SLOW_DONE;
	if (oom_is_pointless(req))
		return SLOW_NOPAGE;
	/* A victim has had its reserve by now; killing it again gives nothing. */
	if (victim && (s->aflags & ALLOC_OOM || req->gfp & __GFP_NOMEMALLOC))
		return SLOW_NOPAGE;
	switch (oom_call(gfp_shown(req->gfp), req->order)) {
	case KMEM_OOM_FREED:
		s->no_progress = 0;
		if (!(req->gfp & __GFP_NOFAIL))
			return SLOW_RETRY_HEAD;
		return slow_walk(s, ALLOC_NO_WATERMARKS | slow_plain(s), SLOW_RETRY_HEAD);
	case KMEM_OOM_RETRY:
		if (!(req->gfp & __GFP_FS))
			s->no_progress = 0;
		return SLOW_RETRY_HEAD;
	default:
		return slow_oom_refused(s);
	}
}

/* May not fail: part of the reserve of urgent requests, but not all of it, then patience. */
static enum slow_state slow_nopage(struct slow *s)
{
	if (!(s->req->gfp & __GFP_NOFAIL) || !s->req->may_block)
		return SLOW_FAIL;
	if (slow_walk(s, ALLOC_WMARK_MIN | ALLOC_MIN_RESERVE | slow_plain(s), SLOW_NOPAGE) ==
	    SLOW_DONE)
		return SLOW_DONE;
	reclaim_tick();
	return SLOW_RETRY_HEAD;
}

static enum slow_state slow_fail(struct slow *s)
{
	vm_event(KMEM_EV_kmem_alloc_fail);
	if (!s->req->nested)
		gfp_report_failure(s->req);
	return SLOW_DONE;
}

static enum slow_state (*const slow_steps[])(struct slow *) = {
	[SLOW_INIT] = slow_init,       [SLOW_WAKE] = slow_wake,
	[SLOW_TRY_MIN] = slow_try_min, [SLOW_RETRY_HEAD] = slow_retry_head,
	[SLOW_RECLAIM] = slow_reclaim, [SLOW_DECIDE] = slow_decide,
	[SLOW_OOM] = slow_oom,	       [SLOW_NOPAGE] = slow_nopage,
	[SLOW_FAIL] = slow_fail,
};
_Static_assert(ARRAY_SIZE(slow_steps) == SLOW_DONE, "every state but the last has a step");

noinline struct page *gfp_slow(const struct alloc_request *req)
{
	struct slow s = {.req = req};
	enum slow_state state = SLOW_INIT;

	while (state != SLOW_DONE) {
		assert_debug(state < SLOW_DONE && !s.page);
		state = slow_steps[state](&s);
	}
	return s.page;
}
