/* SPDX-License-Identifier: MIT */
/*
 * The elements whose size a pool can know: objects, kmalloc blocks, areas, pages. While such an element
 * rests in a reserve nobody has business with it, so it is poisoned, and looked at when it leaves
 * (semantics 10.8):
 *
 *	in reserve	6b 6b 6b ... 6b a5
 *	handed out	5a 5a 5a ... 5a 5a
 *
 * Objects of a SLAB_TYPESAFE_BY_RCU cache keep their contents: readers may still look at them. Where
 * a tool watches (sanitize=1) they are not poisoned but hidden from it, as if they were free.
 *
 * Cost: where it is on, every element that passes through a reserve is written twice and read once.
 */
#include "pool/pool.h"
#include <kmem/vmalloc.h>

/* ---- Where elements come from ------------------------------------------------------------------- */

void *mempool_alloc_slab(gfp_t gfp, void *pool_data)
{
	return kmem_cache_alloc(pool_data, gfp);
}

void mempool_free_slab(void *element, void *pool_data)
{
	kmem_cache_free(pool_data, element);
}

void *mempool_kmalloc(gfp_t gfp, void *pool_data)
{
	return kmalloc((size_t)pool_data, gfp);
}

void mempool_kfree(void *element, void *pool_data)
{
	(void)pool_data;
	kfree(element);
}

void *mempool_kvmalloc(gfp_t gfp, void *pool_data)
{
	return kvmalloc((size_t)pool_data, gfp);
}

void mempool_kvfree(void *element, void *pool_data)
{
	(void)pool_data;
	kvfree(element);
}

void *mempool_alloc_pages(gfp_t gfp, void *pool_data)
{
	return alloc_pages(gfp, (unsigned int)(size_t)pool_data);
}

void mempool_free_pages(void *element, void *pool_data)
{
	__free_pages(element, (unsigned int)(size_t)pool_data);
}

/* ---- Poison ------------------------------------------------------------------------------------- */

bool pool_poison_wanted(size_t size)
{
	return KMEM_DEBUG || debug_flags("pools", 0, (u32)size) & SLAB_POISON;
}

static size_t slab_poison_bytes(const struct kmem_cache *c)
{
	if (c->flags & SLAB_TYPESAFE_BY_RCU || !(KMEM_DEBUG || c->flags & SLAB_POISON))
		return 0;
	return cache_object_size(c);
}

size_t element_poison_bytes(const mempool_t *pool)
{
	size_t data = (size_t)pool->pool_data;

	if (kmem_machine.watched)
		return 0;
	if (pool->alloc == mempool_alloc_slab)
		return slab_poison_bytes(pool->pool_data);
	if (pool->alloc == mempool_kmalloc || pool->alloc == mempool_kvmalloc)
		return pool_poison_wanted(data) ? data : 0;
	if (pool->alloc == mempool_alloc_pages)
		return pool_poison_wanted(PAGE_SIZE) ? PAGE_SIZE << data : 0;
	return 0;
}

/* NULL: an element without an address, or without poison. */
static u8 *poison_of(const mempool_t *pool, void *el)
{
	if (!pool->poison)
		return NULL;
	return pool->alloc == mempool_alloc_pages ? page_address(el) : el;
}

static void element_watch(const mempool_t *pool, void *el, bool kept)
{
	size_t data = (size_t)pool->pool_data;

	if (pool->alloc == mempool_alloc_slab)
		watch_keep(el, cache_object_size(pool->pool_data), kept);
	else if (pool->alloc == mempool_kmalloc || pool->alloc == mempool_kvmalloc)
		watch_keep(el, data, kept);
	else if (pool->alloc == mempool_alloc_pages)
		gfp_watch(el, 1ul << data, !kept);
}

void element_rests(const mempool_t *pool, void *el)
{
	u8 *p = poison_of(pool, el);

	if (unlikely(kmem_machine.watched))
		element_watch(pool, el, true);
	if (!p)
		return;
	__builtin_memset(p, POISON_FREE, pool->poison - 1);
	p[pool->poison - 1] = POISON_END;
}

size_t element_damage(const mempool_t *pool, void *el)
{
	const u8 *p = poison_of(pool, el);
	size_t last = pool->poison - 1;

	if (!p)
		return pool->poison;
	for (size_t i = 0; i < last; i++) {
		if (p[i] != POISON_FREE)
			return i;
	}
	return p[last] == POISON_END ? pool->poison : last;
}

void element_leaves(const mempool_t *pool, void *el)
{
	u8 *p = poison_of(pool, el);
	size_t at;

	if (unlikely(kmem_machine.watched))
		element_watch(pool, el, false);
	if (!p)
		return;
	at = element_damage(pool, el);
	if (unlikely(at < pool->poison))
		report_misuse(KMEM_MISUSE_MEMPOOL_CORRUPT, el,
			      "BUG: mempool element poison mismatch\n"
			      "Mempool %p size %zu\n"
			      " nr=%d @ %p: 0x%x at offset %zu",
			      (const void *)pool, pool->poison, atom_load(&pool->curr_nr),
			      (void *)p, p[at], at);
	__builtin_memset(p, POISON_INUSE, pool->poison);
}
