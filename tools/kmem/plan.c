/* SPDX-License-Identifier: MIT */
/*
 * From a recording to a plan. The kernel's addresses become slots; what a recording cannot tell is
 * inferred here and counted:
 *
 * - An allocation at an address that is live: the object was freed meanwhile without an event (bulk
 *   frees, kfree_rcu batches and prefilled sheaves have none). It is freed first.
 * - A free of an address that is not live: the object is older than the recording. Nothing is done.
 * - A free through a cache of another name: caches were merged. The object's own cache is used.
 */
#include "replay.h"
#include "cmd.h"

#include <stdlib.h>
#include <string.h>

#include <kmem/gfp.h>

const char *const gfp_class_name[CLASS_NR] = {"ATOMIC", "NOWAIT", "NOIO", "NOFS", "KERNEL", "USER"};

enum gfp_class gfp_class(uint32_t gfp)
{
	if (!(gfp & __GFP_DIRECT_RECLAIM))
		return gfp & __GFP_HIGH ? CLASS_ATOMIC : CLASS_NOWAIT;
	if (!(gfp & __GFP_IO))
		return CLASS_NOIO;
	if (!(gfp & __GFP_FS))
		return CLASS_NOFS;
	return gfp & __GFP_HARDWALL ? CLASS_USER : CLASS_KERNEL;
}

/* ---- The hash table: open addressing, linear, no tombstones -------------------------------- */

static size_t map_home(const struct map *m, uint64_t key)
{
	return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & m->mask;
}

/* Where the key is, or where it would go. */
static size_t map_find(const struct map *m, uint64_t key)
{
	size_t i = map_home(m, key);

	while (m->key[i] && m->key[i] != key + 1)
		i = (i + 1) & m->mask;
	return i;
}

static void map_size(struct map *m, size_t size)
{
	m->key = cmd_grow(NULL, size, sizeof(*m->key));
	m->value = cmd_grow(NULL, size, sizeof(*m->value));
	memset(m->key, 0, size * sizeof(*m->key));
	m->mask = size - 1;
	m->nr = 0;
}

void map_init(struct map *m)
{
	map_size(m, 4096);
}

void map_free(struct map *m)
{
	free(m->key);
	free(m->value);
}

bool map_get(const struct map *m, uint64_t key, uint32_t *value)
{
	size_t i = map_find(m, key);

	if (!m->key[i])
		return false;
	*value = m->value[i];
	return true;
}

static void map_double(struct map *m)
{
	struct map old = *m;

	map_size(m, (old.mask + 1) * 2);
	for (size_t i = 0; i <= old.mask; i++) {
		if (old.key[i])
			map_set(m, old.key[i] - 1, old.value[i]);
	}
	map_free(&old);
}

void map_set(struct map *m, uint64_t key, uint32_t value)
{
	size_t i = map_find(m, key);

	if (!m->key[i]) {
		m->nr++;
		m->key[i] = key + 1;
	}
	m->value[i] = value;
	if (m->nr * 2 > m->mask)
		map_double(m);
}

/* Moves later members of the run into the gap, so that no search ends too early. */
void map_remove(struct map *m, uint64_t key)
{
	size_t gap = map_find(m, key), i = gap;

	if (!m->key[gap])
		return;
	m->nr--;
	for (;;) {
		i = (i + 1) & m->mask;
		if (!m->key[i])
			break;
		if (((i - map_home(m, m->key[i] - 1)) & m->mask) < ((i - gap) & m->mask))
			continue;
		m->key[gap] = m->key[i];
		m->value[gap] = m->value[i];
		gap = i;
	}
	m->key[gap] = 0;
}

/* ---- The slab level ------------------------------------------------------------------------ */

struct live {
	uint32_t req, theirs;
	uint16_t cache, cpu;
};

struct slab_plan {
	struct plan *p;
	struct map map;
	struct live *live; /* by slot */
	size_t cap;
	uint32_t *spare; /* slots to be used again, so that few are in use */
	size_t nr_spare, spare_cap;
};

struct op *plan_add(struct plan *p, enum op_kind kind, const struct trace_event *ev, uint32_t slot)
{
	struct op *op;

	if (p->nr == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 4096;
		p->op = cmd_grow(p->op, p->cap, sizeof(*p->op));
	}
	op = &p->op[p->nr++];
	*op = (struct op){
		.slot = slot,
		.req = ev->req,
		.gfp = ev->gfp,
		.cache = ev->cache,
		.cpu = ev->cpu,
		.kind = (uint8_t)kind,
		.ctx = ev->ctx,
		.order = ev->order,
		.class = (uint8_t)gfp_class(ev->gfp),
	};
	return op;
}

static struct plan_cache *cache_of(struct plan *p, uint16_t cache)
{
	return &p->cache[cache == TRACE_NO_CACHE ? p->trace->nr_caches : cache];
}

static uint32_t take_slot(struct slab_plan *s)
{
	if (s->nr_spare)
		return s->spare[--s->nr_spare];
	if (s->p->nr_slots == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 4096;
		s->live = cmd_grow(s->live, s->cap, sizeof(*s->live));
	}
	return s->p->nr_slots++;
}

static void give_slot(struct slab_plan *s, uint32_t slot)
{
	if (s->nr_spare == s->spare_cap) {
		s->spare_cap = s->spare_cap ? s->spare_cap * 2 : 4096;
		s->spare = cmd_grow(s->spare, s->spare_cap, sizeof(*s->spare));
	}
	s->spare[s->nr_spare++] = slot;
}

static void count_alloc(struct plan *p, const struct trace_event *ev)
{
	struct plan_cache *c = cache_of(p, ev->cache);

	c->allocs++;
	c->requested += ev->req;
	c->theirs += ev->alloc;
	if (ev->req > c->object_size)
		c->object_size = ev->req;
	if (ev->alloc > c->their_slot)
		c->their_slot = ev->alloc;
	if (++c->live > c->peak)
		c->peak = c->live;
	p->live_requested += ev->req;
	p->live_theirs += ev->alloc;
	if (++p->live_objects > p->peak_objects)
		p->peak_objects = p->live_objects;
	if (p->live_theirs > p->peak_theirs) {
		p->peak_theirs = p->live_theirs;
		p->peak_requested = p->live_requested;
	}
}

/* Frees the object in the slot; ev says on which CPU and in which context. */
static void add_free(struct slab_plan *s, const struct trace_event *ev, uint32_t slot,
		     bool by_kfree)
{
	struct live *live = &s->live[slot];
	bool kfree = by_kfree || live->cache == TRACE_NO_CACHE;
	struct op *op = plan_add(s->p, kfree ? OP_KFREE : OP_CACHE_FREE, ev, slot);

	op->cache = live->cache;
	s->p->frees++;
	s->p->cross_cpu += live->cpu != ev->cpu;
	s->p->live_objects--;
	s->p->live_requested -= live->req;
	s->p->live_theirs -= live->theirs;
	cache_of(s->p, live->cache)->live--;
	map_remove(&s->map, ev->addr);
	give_slot(s, slot);
}

static void on_alloc(struct slab_plan *s, const struct trace_event *ev)
{
	uint32_t slot;

	if (ev->addr <= 16 || ev->addr == UINT64_MAX) { /* NULL, ZERO_SIZE_PTR, no pointer */
		s->p->their_failures += ev->addr == 0;
		return;
	}
	if (map_get(&s->map, ev->addr, &slot)) {
		struct trace_event gone = *ev;

		/* That kernel freed it on a CPU and in a context nobody knows. */
		gone.cpu = s->live[slot].cpu;
		gone.ctx = 0;
		s->p->implicit++;
		s->p->frees--;
		add_free(s, &gone, slot, false);
	}
	slot = take_slot(s);
	s->live[slot] = (struct live){ev->req, ev->alloc, ev->cache, ev->cpu};
	map_set(&s->map, ev->addr, slot);
	plan_add(s->p, ev->kind == TRACE_KMALLOC ? OP_KMALLOC : OP_CACHE_ALLOC, ev, slot);
	s->p->class_nr[gfp_class(ev->gfp)]++;
	count_alloc(s->p, ev);
}

static void on_free(struct slab_plan *s, const struct trace_event *ev)
{
	uint32_t slot;

	if (ev->addr <= 16) {
		s->p->kfree_null++;
		plan_add(s->p, OP_KFREE, ev, NO_SLOT);
		return;
	}
	if (ev->addr == UINT64_MAX || !map_get(&s->map, ev->addr, &slot)) {
		s->p->older++;
		return;
	}
	s->p->renamed += ev->cache != TRACE_NO_CACHE && ev->cache != s->live[slot].cache;
	add_free(s, ev, slot, ev->kind == TRACE_KFREE);
}

static void plan_slab(struct plan *p)
{
	struct slab_plan s = {.p = p};

	map_init(&s.map);
	for (size_t i = 0; i < p->trace->nr; i++) {
		const struct trace_event *ev = &p->trace->ev[i];

		if (ev->kind == TRACE_KMALLOC || ev->kind == TRACE_CACHE_ALLOC)
			on_alloc(&s, ev);
		else if (ev->kind == TRACE_KFREE || ev->kind == TRACE_CACHE_FREE)
			on_free(&s, ev);
	}
	map_free(&s.map);
	free(s.live);
	free(s.spare);
}

void plan_make(struct plan *p, const struct trace *t, bool pages)
{
	size_t nr = t->nr_caches + 1u;

	memset(p, 0, sizeof(*p));
	p->trace = t;
	p->pages = pages;
	p->cache = cmd_grow(NULL, nr, sizeof(*p->cache));
	memset(p->cache, 0, nr * sizeof(*p->cache));
	for (size_t i = 0; i < t->nr; i++)
		p->events[t->ev[i].kind]++;
	if (pages)
		plan_pages(p);
	else
		plan_slab(p);
}

void plan_free(struct plan *p)
{
	free(p->op);
	free(p->cache);
}
