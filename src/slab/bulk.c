/* SPDX-License-Identifier: MIT */
/*
 * Many objects at once, and prefilled sheaves: objects put by while failing is allowed, for a path
 * where it is not (semantics 5.4, 6.7).
 */
#include "slab/slab.h"

struct slab_sheaf {
	struct kmem_cache *cache;
	u32 n, cap;
	void *slot[];
};

/* ---- Bulk ---------------------------------------------------------------------------------------- */

/* The kernel's calls switch interrupts off and on by themselves, so whoever comes with interrupts off
 * would go with interrupts on. Here that does no harm; it is told for the day the code goes home. */
static void bulk_check_context(const struct kmem_cache *c)
{
	static struct ratelimit limit = {.interval_ms = 1000, .burst = 1};

	if (unlikely(port_task()->preempt) && (in_hardirq() || irqs_disabled()) &&
	    ratelimit_ok(&limit))
		report_misuse(KMEM_MISUSE_CONTEXT, c,
			      "BUG: bulk call where interrupts are off: in_hardirq(): %d, "
			      "irqs_disabled(): %d",
			      in_hardirq(), irqs_disabled());
}

/* Of those that come first, as many as free to one stack and find room there; 0 if the first has to
 * go the way of single ones. */
static size_t free_hits(struct kmem_cache *c, size_t nr, void **objs)
{
	struct hits *h = page_owner(objs[0]);
	u64 starts;
	size_t n = 0;

	if (!h || task_in_nmi() || (c && atom_load(&c->fast) != &h->main))
		return 0;
	starts = atom_load(&hits_common(h)->starts);
	while (n < nr && page_owner(objs[n]) == h && object_starts(starts, objs[n]))
		n++;
	return n ? port_hit_push_many(&h->main, objs, n) : 0;
}

static void objects_free(struct kmem_cache *c, size_t nr, void **objs)
{
	for (size_t i = 0; i < nr; i++) {
		i += free_hits(c, nr - i, &objs[i]);
		if (i == nr)
			return;
		if (c)
			kmem_cache_free(c, objs[i]);
		else
			kfree(objs[i]);
	}
}

/* How many there are; fewer than nr if one could not be had. */
static size_t objects_alloc(struct kmem_cache *c, gfp_t gfp, size_t nr, void **objs,
			    const void *site)
{
	size_t got = 0;

	while (got < nr) {
		got += cache_hit_many(c, gfp, nr - got, &objs[got]);
		if (got == nr)
			break;
		objs[got] = cache_alloc(c, gfp, cache_object_size(c), site);
		if (!objs[got])
			break;
		got++;
	}
	return got;
}

/* The same after one decision for all, not one for each. */
static noinline size_t objects_alloc_decided(struct kmem_cache *c, gfp_t gfp, size_t nr,
					     void **objs, const void *site)
{
	struct port_task *task = port_task();
	size_t got;

	if (failslab_should_fail(c->flags, cache_object_size(c), gfp))
		return 0;
	task->pf |= PF_KMEM_BULK;
	got = objects_alloc(c, gfp, nr, objs, site);
	task->pf &= ~PF_KMEM_BULK;
	return got;
}

int kmem_cache_alloc_bulk(struct kmem_cache *c, gfp_t gfp, size_t nr, void **objs)
{
	const void *site = __builtin_return_address(0);
	size_t got;

	if (nr > INT32_MAX)
		return 0;
	bulk_check_context(c);
	if (unlikely(nr && failslab_armed()))
		got = objects_alloc_decided(c, gfp, nr, objs, site);
	else
		got = objects_alloc(c, gfp, nr, objs, site);
	if (got == nr)
		return (int)nr;
	objects_free(c, got, objs);
	return 0;
}

void kmem_cache_free_bulk(struct kmem_cache *c, size_t nr, void **objs)
{
	bulk_check_context(c);
	objects_free(c, nr, objs);
}

void kfree_bulk(size_t nr, void **p)
{
	kmem_cache_free_bulk(NULL, nr, p);
}

/* ---- Prefilled sheaves --------------------------------------------------------------------------- */

/* Up to nr objects in all; the sheaf is as it was if that fails. */
static bool sheaf_top_up(struct slab_sheaf *s, gfp_t gfp, u32 nr)
{
	u32 had = s->n;

	while (s->n < nr) {
		void *obj = cache_alloc(s->cache, gfp & ~(__GFP_ZERO | __GFP_ACCOUNT),
					cache_object_size(s->cache), __builtin_return_address(0));

		if (!obj) {
			objects_free(s->cache, s->n - had, &s->slot[had]);
			s->n = had;
			return false;
		}
		s->slot[s->n++] = obj;
	}
	return true;
}

static struct slab_sheaf *slab_sheaf_new(struct kmem_cache *c, gfp_t gfp, u32 cap)
{
	struct slab_sheaf *s = kmalloc(sizeof(*s) + cap * sizeof(void *), gfp & ~__GFP_ZERO);

	if (s) {
		s->cache = c;
		s->n = 0;
		s->cap = cap;
	}
	return s;
}

struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *c, gfp_t gfp, unsigned int nr)
{
	struct slab_sheaf *s;

	if (!nr || nr > KMALLOC_MAX_SIZE / sizeof(void *) - 4)
		return NULL;
	s = slab_sheaf_new(c, gfp, (u32)size_max(nr, c->sheaf_cap));
	if (s && !sheaf_top_up(s, gfp, nr)) {
		kfree(s);
		s = NULL;
	}
	return s;
}

/* A larger one takes the objects over; the old one is untouched until that cannot fail. */
static struct slab_sheaf *sheaf_grow(struct slab_sheaf *s, gfp_t gfp, u32 nr)
{
	struct slab_sheaf *big = slab_sheaf_new(s->cache, gfp, nr);

	if (!big)
		return NULL;
	__builtin_memcpy(big->slot, s->slot, s->n * sizeof(void *));
	big->n = s->n;
	return big;
}

int kmem_cache_refill_sheaf(struct kmem_cache *c, gfp_t gfp, struct slab_sheaf **sheaf,
			    unsigned int nr)
{
	struct slab_sheaf *s = sheaf ? *sheaf : NULL;

	if (!s || s->cache != c)
		return -KE_INVAL;
	if (nr > KMALLOC_MAX_SIZE / sizeof(void *) - 4)
		return -KE_NOMEM;
	if (nr > s->cap) {
		struct slab_sheaf *big = sheaf_grow(s, gfp, nr);

		if (!big)
			return -KE_NOMEM;
		if (!sheaf_top_up(big, gfp, nr)) {
			kfree(big);
			return -KE_NOMEM;
		}
		kfree(s);
		*sheaf = big;
		return 0;
	}
	return sheaf_top_up(s, gfp, nr) ? 0 : -KE_NOMEM;
}

void *kmem_cache_alloc_from_sheaf(struct kmem_cache *c, gfp_t gfp, struct slab_sheaf *s)
{
	void *obj;

	if (!s || s->cache != c || !s->n)
		return NULL;
	obj = s->slot[--s->n];
	if (gfp & __GFP_ZERO && !c->ctor && !c->ctor_ldd3)
		__builtin_memset(obj, 0, cache_object_size(c));
	return obj;
}

void kmem_cache_return_sheaf(struct kmem_cache *c, gfp_t gfp, struct slab_sheaf *s)
{
	(void)gfp;
	if (!s)
		return;
	objects_free(c, s->n, s->slot);
	kfree(s);
}

unsigned int kmem_cache_sheaf_size(struct slab_sheaf *s)
{
	return s->n;
}
