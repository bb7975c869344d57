/* SPDX-License-Identifier: MIT */
/*
 * Debugging caches: what surrounds and fills an object tells whether somebody wrote where he should
 * not (semantics 10.8). Such caches have no sheaves, so every operation comes by here.
 *
 *	            left pad   body              right red zone    link  tracks  padding
 *	free        bb..bb     6b 6b .. 6b a5    bb..bb            next  ...     5a..5a
 *	with a user cc..cc     the user's        cc..cc            0     ...     5a..5a
 *
 * Operations compare red zones and poison only with SLAB_CONSISTENCY_CHECKS, kmem_cache_validate()
 * always. What was overwritten is reported with both values and restored, and the object goes its
 * way: the allocator itself was never at risk, for its own state lies elsewhere.
 */
#include "slab/slab.h"

static bool poisons_body(const struct kmem_cache *c)
{
	return c->flags & SLAB_POISON && !c->ctor && !c->ctor_ldd3 &&
	       !(c->flags & SLAB_TYPESAFE_BY_RCU);
}

static unsigned char *slot_end(const struct kmem_cache *c, void *obj)
{
	return (unsigned char *)obj - c->left_pad + c->size;
}

size_t debug_orig_size(struct kmem_cache *c, void *obj)
{
	u32 size;

	if (!c->orig_off)
		return 0;
	__builtin_memcpy(&size, (char *)obj + c->orig_off, sizeof(size));
	return size;
}

void debug_set_orig_size(struct kmem_cache *c, void *obj, size_t size)
{
	u32 n = (u32)size;

	if (c->orig_off)
		__builtin_memcpy((char *)obj + c->orig_off, &n, sizeof(n));
}

static void set_track(struct kmem_cache *c, void *obj, bool freed, const void *site)
{
	struct track *t;

	if (!c->track_off)
		return;
	t = debug_track(c, obj, freed);
	t->site = (u64)(uintptr_t)site;
	t->when_ms = div_u64(port_now_ns(), 1000000);
	t->cpu = port_cpu();
	t->pid = (u32)port_pid();
}

/* ---- Filling ------------------------------------------------------------------------------------- */

static void fill_red(struct kmem_cache *c, void *obj, int value)
{
	unsigned char *p = obj;

	if (!(c->flags & SLAB_RED_ZONE))
		return;
	__builtin_memset(p - c->left_pad, value, c->left_pad);
	__builtin_memset(p + c->object_size, value, c->inuse_end - c->object_size);
}

static void fill_body(struct kmem_cache *c, void *obj)
{
	unsigned char *p = obj;

	if (!poisons_body(c))
		return;
	__builtin_memset(p, POISON_FREE, c->object_size - 1);
	p[c->object_size - 1] = POISON_END;
}

void debug_slab_init(struct kmem_cache *c, struct page *head)
{
	if (c->flags & SLAB_POISON)
		__builtin_memset(slab_base(head), POISON_INUSE, PAGE_SIZE << head->order);
	for (u32 i = 0; i < head->u.slab.objects; i++) {
		void *obj = object_at(c, head, i);

		fill_red(c, obj, RED_INACTIVE);
		fill_body(c, obj);
		if (c->track_off)
			__builtin_memset(debug_track(c, obj, false), 0, 2 * sizeof(struct track));
		debug_set_orig_size(c, obj, c->object_size);
	}
	debug_relink(c, head);
}

/* ---- Comparing ------------------------------------------------------------------------------------- */

/* A run of bytes that must all have one value; reports and restores it if not. */
static bool bytes_hold(struct kmem_cache *c, struct page *head, void *obj, const char *what,
		       unsigned char *start, unsigned char *end, unsigned char value)
{
	unsigned char *bad = start;

	while (bad < end && *bad == value)
		bad++;
	if (bad >= end)
		return true;
	while (end > bad && end[-1] == value)
		end--;
	report(KMEM_LOG_ERR, "[%s overwritten] %p-%p @offset=%zu. First byte 0x%x instead of 0x%x",
	       what, (void *)bad, (void *)(end - 1), (size_t)(bad - slab_base(head)), *bad, value);
	debug_report(c, head, obj, "Object corrupt");
	report(KMEM_LOG_ERR, "FIX %s: Restoring %s %p-%p=0x%x", c->name, what, (void *)bad,
	       (void *)(end - 1), value);
	__builtin_memset(bad, value, (size_t)(end - bad));
	return false;
}

static bool red_holds(struct kmem_cache *c, struct page *head, void *obj, int value)
{
	unsigned char *p = obj, v = (unsigned char)value;
	size_t orig = debug_orig_size(c, obj);
	bool ok = bytes_hold(c, head, obj, "Left Redzone", p - c->left_pad, p, v);

	ok &= bytes_hold(c, head, obj, "Right Redzone", p + c->object_size, p + c->inuse_end, v);
	if (value == RED_ACTIVE && c->orig_off && orig < c->object_size)
		ok &= bytes_hold(c, head, obj, "kmalloc Redzone", p + orig, p + c->object_size, v);
	return ok;
}

static bool poison_holds(struct kmem_cache *c, struct page *head, void *obj, bool free)
{
	unsigned char *p = obj, *tail = p + debug_info_start(c), *zone_end = p + c->inuse_end;
	bool ok = true;

	if (free && poisons_body(c)) {
		ok = bytes_hold(c, head, obj, "Poison", p, p + c->object_size - 1, POISON_FREE);
		ok &= bytes_hold(c, head, obj, "End Poison", p + c->object_size - 1,
				 p + c->object_size, POISON_END);
	}
	if (!(c->flags & SLAB_RED_ZONE))
		ok &= bytes_hold(c, head, obj, "Alignment padding", p + c->object_size, zone_end,
				 POISON_INUSE);
	if (c->track_off)
		tail = (unsigned char *)(debug_track(c, obj, true) + 1);
	if (c->orig_off)
		tail = p + c->orig_off + sizeof(u32);
	return bytes_hold(c, head, obj, "Object padding", tail, slot_end(c, obj), POISON_INUSE) &&
	       ok;
}

static bool object_intact(struct kmem_cache *c, struct page *head, void *obj, bool free)
{
	bool ok = true;

	if (c->flags & SLAB_RED_ZONE)
		ok = red_holds(c, head, obj, free ? RED_INACTIVE : RED_ACTIVE);
	if (c->flags & SLAB_POISON)
		ok &= poison_holds(c, head, obj, free);
	return debug_link_holds(c, head, obj, free) && ok;
}

static bool object_holds(struct kmem_cache *c, struct page *head, void *obj, bool free)
{
	if (object_intact(c, head, obj, free))
		return true;
	report_misuse(KMEM_MISUSE_SLAB_CORRUPT, obj,
		      "%s: object %p was written outside its time or bounds", c->name, obj);
	return false;
}

static void check_object(struct kmem_cache *c, struct page *head, void *obj, bool free)
{
	if (c->flags & SLAB_CONSISTENCY_CHECKS)
		object_holds(c, head, obj, free);
}

static void trace_op(struct kmem_cache *c, struct page *head, void *obj, const char *what)
{
	if (c->flags & SLAB_TRACE)
		report(KMEM_LOG_INFO, "TRACE %s %s 0x%p inuse=%u fp=0x%p", c->name, what, obj,
		       head->u.slab.inuse, debug_first_free(c, head));
}

void debug_alloc(struct kmem_cache *c, struct page *head, void *obj, size_t req, const void *site)
{
	check_object(c, head, obj, true);
	debug_unlink(c, obj);
	set_track(c, obj, false, site);
	debug_set_orig_size(c, obj, req);
	fill_red(c, obj, RED_ACTIVE);
	if (c->orig_off && c->flags & SLAB_RED_ZONE && req < c->object_size)
		__builtin_memset((char *)obj + req, RED_ACTIVE, c->object_size - req);
	trace_op(c, head, obj, "alloc");
}

bool debug_free(struct kmem_cache *c, struct page *head, void *obj, const void *site)
{
	if (object_is_free(obj)) {
		debug_report(c, head, obj, "Object already free");
		report(KMEM_LOG_ERR, "FIX %s: Object at %p not freed", c->name, obj);
		report_misuse(KMEM_MISUSE_SLAB_DOUBLE_FREE, obj,
			      "%s: Object already free: object %p freed twice", c->name, obj);
		return false;
	}
	check_object(c, head, obj, false);
	set_track(c, obj, true, site);
	debug_unlink(c, obj);
	fill_red(c, obj, RED_INACTIVE);
	fill_body(c, obj);
	trace_op(c, head, obj, "free");
	return true;
}

u32 debug_validate(struct kmem_cache *c, struct page *head)
{
	u32 bad = 0;

	if (!debug_chain_holds(c, head)) {
		report_misuse(KMEM_MISUSE_SLAB_CORRUPT, slab_base(head),
			      "%s: the link of a free object was written", c->name);
		bad++;
	}
	for (u32 i = 0; i < head->u.slab.objects; i++) {
		void *obj = object_at(c, head, i);

		bad += !object_holds(c, head, obj, object_is_free(obj));
	}
	return bad;
}

void debug_slab_release(struct kmem_cache *c, struct page *head)
{
	unsigned char *base = slab_base(head), *end = base + (PAGE_SIZE << head->order);
	unsigned char *rest = base + (size_t)head->u.slab.objects * c->size;

	for (u32 i = 0; i < head->u.slab.objects; i++)
		check_object(c, head, object_at(c, head, i), true);
	debug_link_end(c, head);
	if (c->flags & SLAB_POISON && c->flags & SLAB_CONSISTENCY_CHECKS)
		bytes_hold(c, head, base, "Padding", rest, end, POISON_INUSE);
}
