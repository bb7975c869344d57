/* SPDX-License-Identifier: MIT */
/*
 * A machine brought to the edge: what tests of flags and of the slow path share. Pages taken lie in
 * an array, so that taking needs no other memory and highmem can be held too.
 */
#ifndef KMEM_TEST_PRESSURE_H
#define KMEM_TEST_PRESSURE_H

#include "../support.h"
#include "slab/slab.h"

enum { HELD_MAX = 300000 };

static struct page *held[HELD_MAX];
static unsigned long nr_held;

static TAP_UNUSED unsigned long zone_free_now(enum kmem_zone_index z)
{
	return kmem_machine.zones[z].free;
}

/* Rounds of direct reclaim so far. */
static TAP_UNUSED unsigned long rounds(void)
{
	unsigned long n = 0;

	for (int z = 0; z < KMEM_NR_ZONES; z++)
		n += (unsigned long)events_of((enum kmem_event)(KMEM_EV_allocstall_dma + z));
	return n;
}

/* Takes pages until it fails; how many. */
static TAP_UNUSED unsigned long take(gfp_t gfp, unsigned long max)
{
	unsigned long n = 0;

	while (n < max && nr_held < HELD_MAX) {
		struct page *page = alloc_page(gfp | __GFP_NOWARN);

		if (!page)
			break;
		held[nr_held++] = page;
		n++;
	}
	return n;
}

static TAP_UNUSED void give_back(unsigned long nr)
{
	while (nr-- && nr_held)
		__free_page(held[--nr_held]);
}

static TAP_UNUSED void give_back_all(void)
{
	give_back(nr_held);
}

/* What an ordinary request may have is gone: the next one goes through the whole slow path. */
static TAP_UNUSED void exhaust(gfp_t gfp)
{
	take((gfp | __GFP_NORETRY) & ~__GFP_KSWAPD_RECLAIM, HELD_MAX);
}

static TAP_UNUSED void m64_exhausted(void)
{
	machine_start(M64);
	exhaust(GFP_KERNEL);
	reports_clear();
}

static TAP_UNUSED void m64_end(void)
{
	give_back_all();
	machine_stop();
}

/* ---- A provider that does as it is told ------------------------------------------------------- */

struct told {
	struct kmem_provider p;
	unsigned long claims;	 /* pages it says it has */
	unsigned long asked;	 /* rounds at priority 0, where it is always asked */
	unsigned long lie_in;	 /* the round in which it says it freed one, and did not; 0: none */
	unsigned long gives, in; /* pages of held[] it really frees, in that round */
	unsigned long admits;	 /* and what it returns then */
	gfp_t gfp;		 /* of the last call */
	unsigned int task_flags; /* of the last call */
	bool nested_ok;		 /* allocates inside */
};

static TAP_UNUSED unsigned long told_count(struct kmem_provider *p, int zone)
{
	return zone == KMEM_ZONE_NORMAL ? ((struct told *)(void *)p)->claims : 0;
}

static TAP_UNUSED unsigned long told_reclaim(struct kmem_provider *p, int zone, unsigned long nr,
					     int priority, gfp_t gfp)
{
	struct told *t = (struct told *)(void *)p;
	struct page *page;

	(void)zone;
	(void)nr;
	t->gfp = gfp;
	t->task_flags = kmem_task_flags();
	if (t->nested_ok) {
		page = alloc_page(GFP_KERNEL);
		t->nested_ok = page != NULL;
		if (page)
			__free_page(page);
	}
	if (priority)
		return 0;
	t->asked++;
	if (t->asked == t->in) {
		give_back(t->gives);
		return t->admits;
	}
	return t->asked == t->lie_in;
}

/* Claims fewer pages than priority 1 asks for, so each round comes to it once, at priority 0. */
static TAP_UNUSED void told_start(struct told *t, unsigned long claims)
{
	t->p.name = "told";
	t->p.count_pages = told_count;
	t->p.reclaim = told_reclaim;
	t->claims = claims;
	is(kmem_provider_register(&t->p), 0, "register");
}

/* ---- Hooks that count -------------------------------------------------------------------------- */

static unsigned long oom_calls TAP_UNUSED, wakes TAP_UNUSED;
static enum kmem_oom_result oom_answer TAP_UNUSED;

static TAP_UNUSED enum kmem_oom_result on_oom(gfp_t gfp, unsigned int order, void *arg)
{
	(void)gfp;
	(void)order;
	(void)arg;
	oom_calls++;
	return oom_answer;
}

static TAP_UNUSED void on_wake(int node, unsigned int order, int zone, void *arg)
{
	(void)node;
	(void)order;
	(void)zone;
	(void)arg;
	wakes++;
}

static unsigned long guard_rounds TAP_UNUSED;
static TAP_UNUSED bool on_round(gfp_t gfp, unsigned int order, unsigned long n, void *arg)
{
	(void)gfp;
	(void)order;
	guard_rounds = n;
	return n >= *(unsigned long *)arg;
}

#endif
