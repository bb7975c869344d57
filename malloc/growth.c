/* SPDX-License-Identifier: MIT */
/*
 * What to do before the machine grows.
 *
 * A program goes through phases: lists grow from class to class, a parser's nodes give way to those of its
 * successor. What it has left behind rests in sheaves, in barns and in slabs that are half empty, class by
 * class, while new memory is taken for the next. Time does not tell (decay: such a phase may last
 * milliseconds), growth does: whenever the pages in use are a 16th more than they were, the caches
 * give back what none has needed since they were asked last.
 *
 *	used    |      a walk at `due`       due = used + used / 16 + 256 KiB
 *	        |    /|
 *	        |  /  |  /          a program that keeps its size never comes by; one that shrinks takes
 *	        |/    |/            `due` down with it
 *
 * So two such steps, an eighth of what is in use, are the most that idle caches keep from others. The walk
 * over the caches goes by pieces, as decay does: one for each miss, and one more for each GROWTH_PIECE pages
 * that the program has grown by meanwhile. So it is over long before the next is due.
 *
 * Memory that the host has not given yet is asked for where there is more in use than there ever was (`top`).
 * Before that the CPUs' lists are emptied, on which a vector that grows leaves one or two runs of each length that it
 * has had; and pages inside of slabs that nothing is in (slab/hollow.c) are the host's again. Not for each page
 * more, but where there were a 16th less since the last time, or are a 16th more than then; and by pieces, as the
 * walk. Below `top` all that would be for nothing, and who comes and goes would lose his hits.
 *
 * Cost: a dozen loads for a miss; while a walk is under way a piece, a batch of objects at most.
 */
#include "classes.h"

enum { GROWTH_SHARE = 16, GROWTH_LEAST = (256 << 10) >> PAGE_SHIFT, GROWTH_PIECE = 64 };

static struct {
	unsigned long due;  /* pages; 0: not looked at yet */
	unsigned long at;   /* those in use at the last piece */
	unsigned long top;  /* the most there ever were, */
	unsigned long gave; /* how many when lists and slabs were emptied last, */
	unsigned long low;  /* and the least since then */
} growth;

static unsigned long pages_used(void)
{
	unsigned long used = 0;

	for_each_zone (z)
		used += z->managed - zone_free_pages(z);
	return used;
}

static unsigned long step_from(unsigned long used)
{
	return used + used / GROWTH_SHARE + GROWTH_LEAST;
}

/* Is it more than ever, and time that lists and slabs are emptied? Two who come by at once do no harm. */
static bool top_due(unsigned long used)
{
	unsigned long before = atom_load(&growth.low);

	if (used < before)
		atom_store(&growth.low, used);
	if (likely(used <= atom_load(&growth.top)))
		return false;
	atom_store(&growth.top, used);
	if (used < step_from(atom_load(&growth.gave)) && used < step_from(before))
		return false;
	atom_store(&growth.gave, used);
	atom_store(&growth.low, used);
	return true;
}

/* Is it time for a walk? */
static bool growth_due(unsigned long used)
{
	unsigned long seen = atom_load(&growth.due), next = step_from(used);

	if (likely(used < seen && seen <= next))
		return false;
	return atom_cas(&growth.due, &seen, next) && seen && used >= seen;
}

void growth_look(void)
{
	unsigned long used = pages_used(), at = atom_load(&growth.at);
	unsigned long more = used > at ? used - at : 0;
	bool due = growth_due(used), give = top_due(used);

	if (used != at)
		atom_store(&growth.at, used);
	/* Who finds it due has filled a list of pages just now, and has been long enough at it. */
	slab_reap_idle(due, (due ? 0 : 1) + more / GROWTH_PIECE);
	slab_give(give, (give ? 0 : 1) + more / GROWTH_PIECE);
}
