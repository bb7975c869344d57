/* SPDX-License-Identifier: MIT */
/*
 * The page level of a recording. Frames become slots, 2^order of them for each block.
 *
 * A kernel may free a block in pieces (it was split), or with a neighbour it never belonged to (an
 * exact range). So two passes: the first finds the blocks that are not freed as they were
 * allocated; the second plans, and has those blocks split at once into pages that are freed one by
 * one. As on the slab level, an allocation over live frames means that they were freed meanwhile,
 * and a free of frames that are not live is older than the recording.
 */
#include "replay.h"
#include "cmd.h"

#include <stdlib.h>
#include <string.h>

/* A live block, by the number of its allocation. */
struct block {
	uint64_t pfn;
	uint32_t slot; /* of its first page */
	uint16_t cpu;
	uint8_t order;
	bool split;
	bool whole; /* no page of it has been freed */
};

struct page_plan {
	struct plan *p;
	struct map map; /* pfn -> block */
	struct block *block;
	uint32_t nr, cap, next;
	bool planning; /* the second pass */
};

static uint32_t new_block(struct page_plan *s)
{
	if (s->planning) /* the same blocks again, in the same order */
		return s->next++;
	if (s->nr == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 1024;
		s->block = cmd_grow(s->block, s->cap, sizeof(*s->block));
	}
	memset(&s->block[s->nr], 0, sizeof(*s->block));
	return s->nr++;
}

/* Frees one page of a block that was split. */
static void free_page_of(struct page_plan *s, const struct trace_event *ev, uint64_t pfn,
			 struct block *b)
{
	map_remove(&s->map, pfn);
	b->whole = false;
	if (!s->planning) {
		b->split = true;
		return;
	}
	plan_add(s->p, OP_PAGE_FREE, ev, b->slot + (uint32_t)(pfn - b->pfn))->order = 0;
	s->p->live_pages--;
}

static void free_block(struct page_plan *s, const struct trace_event *ev, struct block *b)
{
	for (uint64_t i = 0; i < UINT64_C(1) << b->order; i++)
		map_remove(&s->map, b->pfn + i);
	b->whole = false;
	if (!s->planning)
		return;
	plan_add(s->p, OP_PAGE_FREE, ev, b->slot)->order = b->order;
	s->p->live_pages -= UINT64_C(1) << b->order;
}

/*
 * Frees whatever is live in the range: whole blocks as blocks, the rest page by page. Returns how
 * many of its pages were live; last is a block that had one.
 */
static uint64_t free_range(struct page_plan *s, const struct trace_event *ev, uint64_t pfn,
			   uint64_t end, uint32_t *last)
{
	uint64_t live = 0;

	for (uint32_t nr; pfn < end; pfn++) {
		struct block *b;
		uint64_t pages;

		if (!map_get(&s->map, pfn, &nr))
			continue;
		b = &s->block[nr];
		pages = UINT64_C(1) << b->order;
		*last = nr;
		if (b->pfn == pfn && pages <= end - pfn && b->whole && !b->split) {
			free_block(s, ev, b);
			live += pages;
			pfn += pages - 1;
		} else {
			free_page_of(s, ev, pfn, b);
			live++;
		}
	}
	return live;
}

static void on_alloc(struct page_plan *s, const struct trace_event *ev)
{
	uint64_t end = ev->addr + (UINT64_C(1) << ev->order);
	struct trace_event gone = *ev;
	uint32_t nr, last;
	struct block *b;
	uint64_t missed;

	if (ev->addr == 0 || end < ev->addr || s->p->nr_slots > UINT32_MAX / 2) {
		s->p->their_failures += s->planning;
		return;
	}
	gone.ctx = 0;
	missed = free_range(s, &gone, ev->addr, end, &last);
	nr = new_block(s);
	b = &s->block[nr];
	*b = (struct block){.pfn = ev->addr,
			    .slot = s->p->nr_slots,
			    .cpu = ev->cpu,
			    .order = ev->order,
			    .split = b->split,
			    .whole = true};
	for (uint64_t pfn = ev->addr; pfn < end; pfn++)
		map_set(&s->map, pfn, nr);
	if (!s->planning)
		return;
	s->p->implicit += missed;
	s->p->split_blocks += b->split;
	s->p->nr_slots += UINT32_C(1) << ev->order;
	plan_add(s->p, b->split ? OP_PAGE_SPLIT : OP_PAGE_ALLOC, ev, b->slot);
	s->p->class_nr[gfp_class(ev->gfp)]++;
	s->p->live_pages += UINT64_C(1) << ev->order;
	if (s->p->live_pages > s->p->peak_pages)
		s->p->peak_pages = s->p->live_pages;
}

static void on_free(struct page_plan *s, const struct trace_event *ev)
{
	uint64_t end = ev->addr + (UINT64_C(1) << ev->order);
	uint32_t last = 0;
	uint64_t live = end > ev->addr ? free_range(s, ev, ev->addr, end, &last) : 0;

	if (!s->planning)
		return;
	if (live == 0) {
		s->p->older++;
		return;
	}
	s->p->frees++;
	s->p->cross_cpu += s->block[last].cpu != ev->cpu;
}

static void pass(struct page_plan *s, bool planning)
{
	s->planning = planning;
	map_init(&s->map);
	for (size_t i = 0; i < s->p->trace->nr; i++) {
		const struct trace_event *ev = &s->p->trace->ev[i];

		if (ev->kind == TRACE_PAGE_ALLOC)
			on_alloc(s, ev);
		else if (ev->kind == TRACE_PAGE_FREE)
			on_free(s, ev);
	}
	map_free(&s->map);
}

void plan_pages(struct plan *p)
{
	struct page_plan s = {.p = p};

	pass(&s, false);
	pass(&s, true);
	free(s.block);
}
