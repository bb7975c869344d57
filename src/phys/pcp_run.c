// SPDX-License-Identifier: MIT
/*
 * pcp_run: runs on the per-CPU lists (see pcp.c).
 *
 * A list is for runs of one length, and what is taken from it is what was put there: nothing is cut, and
 * the descriptors are not written to but for the head's state and reference. Runs come to a list one by
 * one, when they are freed; what does not find one there goes to the zone.
 *
 *	listed	in the head: one more than its list, from its first rest on until its length changes. All
 *		frames of such a run are soiled, so that a free has nothing to look at but the head
 *
 * Freed without the lock: the reference is dropped by compare-and-swap, and of two frees one succeeds.
 *
 * Bound: an eighth of the zone, the same share of it for each length; of one length and CPU 128 KiB, or two
 * runs; 32 runs of up to 16 KiB, for of those a mix of sizes has many, now more and now less. More of longer ones
 * would keep growing blocks from what lies behind them.
 */
#include "phys/internal.h"

enum {
	RUN_LIST_PAGES = (128 << 10) >> PAGE_SHIFT,
	RUN_SHORT =
		(16 << 10) >> PAGE_SHIFT, /* frames of a run of which lists hold RUN_SHORT_MANY */
	RUN_SHORT_MANY = 32,
};

/* The slot for runs of exactly this length, PCP_SLOTS: there is none. */
static unsigned int run_slot(unsigned long nr)
{
	unsigned int list = nr - 1 < RUN_LISTED ? run_list(nr) : RUN_LISTS;

	return list < RUN_LISTS && run_list_nr(list) == nr ? PCP_RUNS + list : PCP_SLOTS;
}

struct page *pcp_run_take(struct zone *z, unsigned long nr)
{
	unsigned int slot = run_slot(nr);
	struct page *head = slot < PCP_SLOTS ? port_stack_pop(atom_load(&z->pcp_off[slot])) : NULL;

	if (!head)
		return NULL;
	assert_always(head->state == PAGE_PCP && page_run_nr(head) == nr);
	head->refcount = 1;
	page_set_state(head, PAGE_ALLOC);
	return head;
}

/* The run is nobody's. */
static void run_rest(struct zone *z, struct page *head, unsigned int slot, bool try)
{
	if (!port_stack_push(atom_load(&z->pcp_off[slot]), head) &&
	    !pcp_free_slow(z, head, slot, false, try))
		blocks_to_buddy(z, (void *[]){head}, 1, slot, try);
}

bool pcp_run_give(struct zone *z, struct page *head, unsigned long nr, bool try)
{
	unsigned int slot = run_slot(nr);
	s32 one = 1;

	if (slot == PCP_SLOTS || phys.typed || atom_load(&z->pcp_off[slot]) == PERCPU_NONE)
		return false;
	/* A part of a run is not asked for its reference: others may be freeing theirs (run_cut). */
	if (!page_is_run(head) || page_run_nr(head) != nr || !atom_cas(&head->refcount, &one, 0))
		return false;
	/* Who cuts a run has the reference meanwhile. */
	if (page_run_nr(head) != nr) {
		atom_store_rel(&head->refcount, 1);
		return false;
	}
	frames_soil(pfn_of_page(head), nr);
	atom_store(&head->u.own.listed, (u16)(slot - PCP_RUNS + 1));
	page_set_state(head, PAGE_PCP);
	run_rest(z, head, slot, try);
	return true;
}

void run_give_full(struct page *head)
{
	vm_event_add(KMEM_EV_pgfree, page_run_nr(head));
	run_rest(zone_of_head(head), head, PCP_RUNS + head->u.own.listed - 1u, sync_nested());
}

void run_count_slow(unsigned long nr, enum kmem_event ev)
{
	vm_event_add(ev, nr);
}

static u32 run_capacity(const struct zone *z, unsigned int list)
{
	unsigned long share = z->present / PCP_ZONE_SHARE / RUN_LISTS / port_ncpu();
	unsigned long nr = run_list_nr(list);
	unsigned long least = nr <= RUN_SHORT ? RUN_SHORT_MANY : PCP_SHEAF_LEAST;
	unsigned long cap = size_min(size_max(RUN_LIST_PAGES / nr, least), share / nr);

	return cap < PCP_SHEAF_LEAST ? 0 : (u32)cap;
}

/* A hit knows all stacks by the first, so each length has one; where not two runs fit it has no sheaf. */
void pcp_run_init(struct zone *z)
{
	size_t bytes = 0;
	unsigned char *mem;
	u32 off;

	for (unsigned int list = 0; list < RUN_LISTS; list++)
		bytes += run_capacity(z, list) ? pcp_sheaf_bytes(run_capacity(z, list)) : 0;
	off = bytes ? percpu_alloc(RUN_LISTS * sizeof(struct port_stack)) : (u32)PERCPU_NONE;
	mem = off ? boot_alloc(bytes * port_ncpu(), false) : NULL;
	z->run_stacks = off;
	for (unsigned int list = 0; off && list < RUN_LISTS; list++) {
		u32 cap = mem ? run_capacity(z, list) : 0;

		if (cap) {
			pcp_init_at(z, PCP_RUNS + list, off, cap, mem);
			mem += pcp_sheaf_bytes(cap) * port_ncpu();
		} else {
			for (unsigned int cpu = 0; cpu < port_ncpu(); cpu++)
				port_stack_init(off, cpu, 0);
		}
		off += (u32)sizeof(struct port_stack);
	}
}
