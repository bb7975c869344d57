/* SPDX-License-Identifier: MIT */
/*
 * Geometry: the one place that decides how large a slot is, how objects lie in it, and how many
 * share a slab (semantics 6.3).
 *
 *	slot, plain:	[object][to alignment]
 *	slot, debug:	[left pad][object][right red zone][link][alloc track][free track][req][padding]
 *	                          ^ what users see                STORE_USER            kmalloc
 *
 * The kernel keeps a free pointer in or behind each object. Here free objects are bits outside the
 * slab, so that word is saved: a slot may be smaller than the kernel's, never larger. Debugging caches
 * have it, to be checked (debug_link.c): inside the object, unless its free state is somebody's.
 *
 * Order: enough objects that a slab is worth its bookkeeping (4 * (fls(cpus) + 1)), in the smallest
 * order up to 3 that wastes at most 1/16, else 1/8, 1/4, 1/2; else the smallest that holds one. Where a
 * cache's maker says how many are enough: up to 4, if the option has not set less than 3, and from 1/64 on.
 */
#include "slab/slab.h"

enum { WORD = sizeof(void *), MAX_OBJS_PER_SLAB = 32767 };

static u32 order_for(u32 size, u32 min_order, u32 max_order, u32 fraction)
{
	for (u32 order = min_order; order <= max_order; order++) {
		u32 slab = (u32)PAGE_SIZE << order;

		if (slab % size <= slab / fraction)
			return order;
	}
	return max_order + 1;
}

u32 layout_order(u32 size, u32 few, u32 *min_order)
{
	const struct kmem_options *opt = &kmem_machine.opt;
	bool wider = few && opt->slab_max_order >= PAGE_ALLOC_COSTLY_ORDER;
	u32 max_order = opt->slab_max_order + wider;
	u32 max_objects = ((u32)PAGE_SIZE << max_order) / size;
	u32 want = opt->slab_min_objects ? opt->slab_min_objects
		   : few		 ? few
					 : 4 * (fls_ulong(kmem_machine.nr_cpus) + 1);
	u32 first;

	*min_order = get_order(size);
	if (want > max_objects)
		want = max_objects;
	if (want < 1)
		want = 1;
	first = (u32)size_max(opt->slab_min_order, get_order((size_t)want * size));
	if (((u32)PAGE_SIZE << first) / size > MAX_OBJS_PER_SLAB)
		return get_order((size_t)size * MAX_OBJS_PER_SLAB) - 1;
	for (u32 fraction = few ? 64 : 16; fraction > 1; fraction /= 2) {
		u32 order = order_for(size, first, max_order, fraction);

		if (order <= max_order)
			return order;
	}
	return *min_order;
}

/* The cache line, halved while two objects fit into half of it. */
static u32 align_of(const struct kmem_cache *c)
{
	u32 align = c->align;

	if (c->flags & SLAB_HWCACHE_ALIGN) {
		u32 line = KMEM_CACHE_LINE;

		while (c->object_size <= line / 2)
			line /= 2;
		align = (u32)size_max(align, line);
	}
	/* Eight everywhere, as the kernel on x86, where uint64_t must be aligned in objects too. */
	return (u32)align_up(size_max(align, 8), WORD);
}

/* Poisoned, constructed, still read, or too small for red zone and link. */
static bool links_outside(const struct kmem_cache *c)
{
	const slab_flags_t sized = SLAB_STORE_USER | SLAB_KMALLOC;

	if (c->flags & SLAB_POISON || c->ctor || c->ctor_ldd3 || c->dtor_ldd3)
		return true;
	if (c->flags & SLAB_RED_ZONE && (c->object_size < WORD || (c->flags & sized) == sized))
		return true;
	return c->flags & SLAB_TYPESAFE_BY_RCU && c->link_off == LINK_NONE;
}

static u32 layout_link(struct kmem_cache *c, u32 size)
{
	if (links_outside(c)) {
		c->link_off = size;
		return size + WORD;
	}
	if (c->link_off == LINK_NONE)
		c->link_off = c->object_size / 2 & ~(WORD - 1U);
	return size;
}

static u32 layout_debug(struct kmem_cache *c, u32 size)
{
	if (c->flags & SLAB_RED_ZONE && size == c->object_size)
		size += WORD;
	c->inuse_end = size;
	if (c->flags & SLAB_LINK_FLAGS)
		size = layout_link(c, size);
	if (c->flags & SLAB_STORE_USER) {
		c->track_off = size;
		size += 2 * SLAB_TRACK_BYTES;
		if (c->flags & SLAB_KMALLOC) {
			c->orig_off = size;
			size += WORD;
		}
	}
	if (c->flags & SLAB_RED_ZONE) {
		size += WORD;
		c->left_pad = (u32)align_up(WORD, c->align);
		size += c->left_pad;
	}
	return size;
}

/* The word of object_starts(), or KMEM_HIT_NOWHERE. */
static u64 layout_starts(const struct kmem_cache *c)
{
	const u32 n = c->objects, size = c->size, bits = 64 - PAGE_SHIFT - c->order;
	u64 e = div_u64(STARTS_LIMIT + n - 1, n), w = div_u64(~0ull, size);

	/* w * size is less than 2^64, by size at most. */
	w += div_u64(e + size - 1 - w * size, size);
	w += (bits - w) & 63;
	e = w * size;
	return (n - 1) * e < STARTS_LIMIT && n * e >= STARTS_LIMIT && (n + 1) * e < w
		       ? w
		       : KMEM_HIT_NOWHERE;
}

int layout_cache(struct kmem_cache *c)
{
	u32 size = (u32)align_up(c->object_size, WORD);

	c->left_pad = 0;
	c->track_off = 0;
	c->orig_off = 0;
	c->align = align_of(c);
	c->inuse_end = size;
	if (c->flags & SLAB_DEBUG_FLAGS)
		size = layout_debug(c, size);
	if (!(c->flags & SLAB_LINK_FLAGS))
		c->link_off = LINK_NONE;
	if (unlikely(kmem_machine.watched))
		size += WATCH_GAP;
	size = (u32)align_up(size, c->align);
	if (get_order(size) > MAX_PAGE_ORDER)
		return -KE_INVAL;
	c->size = size;
	c->recip = (u32)(div_u64((1ULL << 32) + size - 1, size));
	c->order = layout_order(size, c->few, &c->min_order);
	c->objects = ((u32)PAGE_SIZE << c->order) / size;
	c->starts = layout_starts(c);
	c->min_partial = (u32)size_max(5, size_min(10, ilog2_ulong(size) / 2));
	c->sheaf_cap = sheaf_capacity(size);
	return 0;
}
