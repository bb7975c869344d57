/* SPDX-License-Identifier: MIT */
/*
 * Who owns what, and the judge: no byte has two owners, every stamp is whole, kmem_check(); then
 * everything is freed and drained, kmem_check() again, and nothing may be left over.
 */
#include <string.h>
#include "world.h"
#include "phys/internal.h"

struct test_state s;

/* ---- Owners --------------------------------------------------------------------------------------- */

static size_t stamp_bytes(const struct block *b)
{
	return b->kind == OF_PAGE || b->kind == OF_RUN || b->size > PAGE_SIZE ? 8
	       : b->size < 8						      ? b->size
									      : 8;
}

static void *block_addr(const struct block *b)
{
	return b->kind == OF_PAGE || b->kind == OF_RUN ? page_address(b->p) : b->p;
}

static uint64_t stamp_of(const void *p)
{
	return (uint64_t)(uintptr_t)p * 0x9e3779b97f4a7c15ull;
}

void own(struct owner *o, enum kind kind, void *p, size_t size)
{
	struct block *b = &o->b[o->n];
	uint64_t stamp;

	if (!p)
		return;
	if (o->n == OWNER_MOST)
		step_finding("the table of owners is full");
	*b = (struct block){p, size, kind};
	stamp = stamp_of(p);
	if (kind != OF_CTOR)
		memcpy(block_addr(b), &stamp, stamp_bytes(b));
	o->n++;
}

struct block disown_last(struct owner *o)
{
	return o->n ? o->b[--o->n] : (struct block){0};
}

struct block disown_kind(struct owner *o, enum kind kind, size_t size)
{
	struct block found = {0};

	for (unsigned int i = o->n; i-- > 0;) {
		if (o->b[i].kind == kind && (!size || o->b[i].size == size)) {
			found = o->b[i];
			o->b[i] = o->b[--o->n];
			break;
		}
	}
	return found;
}

static unsigned int order_of(size_t size)
{
	return get_order(size);
}

void *block_alloc(enum kind kind, size_t size, gfp_t gfp)
{
	switch (kind) {
	case OF_KMALLOC:
		return kmalloc(size, gfp);
	case OF_CACHE:
		return kmem_cache_alloc(s.cache, gfp);
	case OF_CTOR:
		return kmem_cache_alloc(s.ctor, gfp);
	case OF_DEBUG:
		return kmem_cache_alloc(s.debug, gfp);
	case OF_RCU:
		return kmem_cache_alloc(s.rcu, gfp);
	case OF_PAGE:
		return alloc_pages(gfp, order_of(size));
	case OF_RUN:
		return alloc_contig_pages(size >> PAGE_SHIFT, gfp, 0, NULL);
	case OF_POOL:
		return mempool_alloc(s.pool, gfp);
	default:
		return face_malloc(size);
	}
}

void block_free(struct block b)
{
	switch (b.kind) {
	case OF_KMALLOC:
		kfree(b.p);
		return;
	case OF_CACHE:
		kmem_cache_free(s.cache, b.p);
		return;
	case OF_CTOR:
		kmem_cache_free(s.ctor, b.p);
		return;
	case OF_DEBUG:
		kmem_cache_free(s.debug, b.p);
		return;
	case OF_RCU:
		kmem_cache_free(s.rcu, b.p);
		return;
	case OF_PAGE:
		__free_pages(b.p, order_of(b.size));
		return;
	case OF_RUN:
		free_contig_range(page_to_pfn(b.p), b.size >> PAGE_SHIFT);
		return;
	case OF_POOL:
		mempool_free(b.p, s.pool);
		return;
	default:
		face_free(b.p);
		return;
	}
}

void shape_refused(void)
{
	if (s.tight)
		return;
	w->result.refused++;
	w->result.refused_of[w->shape]++;
}

void *shape_alloc(enum kind kind, size_t size, gfp_t gfp)
{
	void *p = block_alloc(kind, size, gfp | __GFP_NOWARN);

	if (!p)
		shape_refused();
	else if (kind == OF_CTOR && *(unsigned char *)p != STEP_CTOR_BYTE)
		step_finding("an object that was not constructed");
	own(&s.handler, kind, p, size);
	return p;
}

/* ---- The judge ------------------------------------------------------------------------------------ */

static bool claim_bits(size_t first, size_t last)
{
	for (size_t i = first; i <= last; i++) {
		unsigned char bit = (unsigned char)(1u << (i % 8));

		if (i % 8 == 0 && i + 7 <= last) {
			if (w->owned[i / 8])
				return false;
			w->owned[i / 8] = 0xff;
			i += 7;
			continue;
		}
		if (w->owned[i / 8] & bit)
			return false;
		w->owned[i / 8] |= bit;
	}
	return true;
}

static void judge_owner(const struct owner *o)
{
	for (unsigned int i = 0; i < o->n; i++) {
		const struct block *b = &o->b[i];
		unsigned char *p = block_addr(b);
		uint64_t stamp = stamp_of(b->p);
		size_t off = (size_t)(p - kmem_machine.lowmem);

		if (!p || off + b->size > kmem_machine.low_end << PAGE_SHIFT)
			step_finding("block %p lies outside the machine", b->p);
		if (!claim_bits(off / 8, (off + b->size - 1) / 8))
			step_finding("block %p of %zu bytes has two owners", b->p, b->size);
		if (b->kind != OF_CTOR && memcmp(p, &stamp, stamp_bytes(b)) != 0)
			step_finding("block %p of %zu bytes was written to", b->p, b->size);
		if (b->kind == OF_CTOR && *p != STEP_CTOR_BYTE)
			step_finding("constructed object %p was written to", b->p);
	}
}

static unsigned long objects_left(void)
{
	unsigned long left = 0;

	for (struct kmem_cache *c = kmem_machine.caches; c; c = c->next)
		if (!c->internal)
			left += c->nr_slabs * c->objects - c->free_objects;
	return left;
}

unsigned long pages_in_use(void)
{
	unsigned long used = 0;

	for_each_zone (z)
		used += z->managed - z->free;
	return used;
}

static void owners_end(void)
{
	for (struct block b = disown_last(&s.task); b.p; b = disown_last(&s.task))
		block_free(b);
	for (struct block b = disown_last(&s.handler); b.p; b = disown_last(&s.handler))
		block_free(b);
}

static void victim_done(void)
{
	const struct victim *v = w->victim;

	if (v->done)
		v->done();
	else if (v->kind != NR_KINDS)
		own(&s.task, v->kind, s.out, s.in.size);
	for (unsigned int i = 0; i < s.nr_out; i++)
		own(&s.task, v->kind, s.out_many[i], s.in.size);
	s.nr_out = 0;
	s.out = NULL;
}

/* Nobody has any of it: the reserve is whole, and no task maps anything. */
static void pool_end(void)
{
	if (mempool_check(s.pool))
		step_finding("mempool_check");
	if (!mempool_is_saturated(s.pool))
		step_finding("%d elements in reserve, not %d", s.pool->curr_nr, s.pool->min_nr);
	mempool_destroy(s.pool);
}

static void machine_empty(void)
{
	while (s.nr_reclaimable)
		__free_pages(s.reclaimable[--s.nr_reclaimable], 0);
	owners_end();
	pool_end();
	kmem_drain();
	kmem_cache_shrink(s.rcu);
	pcp_drain_all();
}

void judge(void)
{
	victim_done();
	if (port_task()->crit || port_task()->preempt || port_task()->held || port_task()->kmap)
		step_finding("the task's word is not as before");
	memset(w->owned, 0, (kmem_machine.low_end << PAGE_SHIFT) / 64);
	judge_owner(&s.task);
	judge_owner(&s.handler);
	if (kmem_check())
		step_finding("kmem_check");
	machine_empty();
	if (kmem_check())
		step_finding("kmem_check of the emptied machine");
	if (objects_left())
		step_finding("%lu objects left over", objects_left());
	if (w->pages_used && pages_in_use() != w->pages_used)
		step_finding("%lu pages in use of an emptied machine, not %lu", pages_in_use(),
			     w->pages_used);
}
