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
 * Cost: a dozen loads for a miss; while a walk is under way a piece, a batch of objects at most.
 */
#include "classes.h"

enum { GROWTH_SHARE = 16, GROWTH_LEAST = (256 << 10) >> PAGE_SHIFT, GROWTH_PIECE = 64 };

static struct {
	unsigned long due; /* pages; 0: not looked at yet */
	unsigned long at;  /* those in use at the last piece */
} growth;

static unsigned long pages_used(void)
{
	unsigned long used = 0;

	for_each_zone (z)
		used += z->managed - zone_free_pages(z);
	return used;
}

/* Is it time for a walk? */
static bool growth_due(unsigned long used)
{
	unsigned long seen = atom_load(&growth.due);
	unsigned long next = used + used / GROWTH_SHARE + GROWTH_LEAST;

	if (likely(used < seen && seen <= next))
		return false;
	return atom_cas(&growth.due, &seen, next) && seen && used >= seen;
}

void growth_look(void)
{
	unsigned long used = pages_used(), at = atom_load(&growth.at);
	bool due = growth_due(used);

	if (used != at)
		atom_store(&growth.at, used);
	/* Who finds it due has filled a list of pages just now, and has been long enough at it. */
	slab_reap_idle(due, (due ? 0 : 1) + (used > at ? (used - at) / GROWTH_PIECE : 0));
}
