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
 *	used    |      reap at `due`         due = used + used / 16 + 256 KiB
 *	        |    /|
 *	        |  /  |  /          a program that keeps its size never comes by; one that shrinks takes
 *	        |/    |/            `due` down with it
 *
 * So two such steps, an eighth of what is in use, are the most that idle caches keep from others.
 *
 * Cost: a dozen loads for a miss; a walk over the caches for each 64 pages of growth, at least.
 */
#include "classes.h"

enum { GROWTH_SHARE = 16, GROWTH_LEAST = (256 << 10) >> PAGE_SHIFT };

static unsigned long due; /* pages; 0: not looked at yet */

static unsigned long pages_used(void)
{
	unsigned long used = 0;

	for_each_zone (z)
		used += z->managed - zone_free_pages(z);
	return used;
}

void growth_look(void)
{
	unsigned long used = pages_used(), seen = atom_load(&due);
	unsigned long next = used + used / GROWTH_SHARE + GROWTH_LEAST;

	if (likely(used < seen && seen <= next))
		return;
	if (atom_cas(&due, &seen, next) && seen && used >= seen)
		slab_reap_idle();
}
