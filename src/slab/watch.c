/* SPDX-License-Identifier: MIT */
/*
 * sanitize=1: objects are hidden from whoever watches the program's accesses (port_watch_*) while they
 * are free, and so are the bytes between objects.
 *
 *	slot	|  object, as long as asked for  |  hidden, at least 16 bytes  |
 *
 * Caches that are watched have no sheaves, so that a freed object is hidden at once, and held back for a
 * while (quarantine.c). An object that may be read after its free (SLAB_TYPESAFE_BY_RCU), and one whose
 * slot the library reads itself (slab_debug), are left alone; so are the library's own.
 */
#include "slab/slab.h"

bool cache_watched(const struct kmem_cache *c)
{
	return unlikely(kmem_machine.watched) && !c->internal &&
	       !(c->flags & (SLAB_DEBUG_FLAGS | SLAB_TYPESAFE_BY_RCU));
}

void watch_slab(struct kmem_cache *c, struct page *head)
{
	char name[KMEM_NAME_MAX + 16];

	fmt_snprintf(name, sizeof(name), "slab of cache %s", c->name);
	port_watch_slab(slab_base(head), PAGE_SIZE << head->order, name);
}

void watch_slab_end(struct page *head)
{
	port_watch_slab_end(slab_base(head), PAGE_SIZE << head->order);
}

/* The whole object, for constructor, zeroes and whoever asks for ksize(). */
void watch_show(struct kmem_cache *c, void *obj)
{
	bool constructed = c->ctor || c->ctor_ldd3;

	port_watch_object(slab_base(slab_head(page_of_addr(obj))), obj, cache_object_size(c),
			  constructed);
}

void watch_ksize(struct kmem_cache *c, const void *obj)
{
	port_watch_show(obj, cache_object_size(c), true);
}

/* What was not asked for: a kmalloc's end. */
void watch_trim(struct kmem_cache *c, void *obj, size_t req)
{
	size_t size = cache_object_size(c);

	if (req < size)
		port_watch_hide((char *)obj + req, size - req);
}

void watch_free(struct kmem_cache *c, void *obj)
{
	port_watch_object_free(slab_base(slab_head(page_of_addr(obj))), obj, cache_object_size(c));
}

void watch_keep(void *p, size_t size, bool kept)
{
	const struct page *page = page_of_addr(p);
	bool slab = page && atom_load(&page->flags) & PAGE_IN_SLAB;
	struct kmem_cache *c = slab ? page->u.slab.cache : NULL;

	if (!page || (slab && !cache_watched(c)))
		return;
	if (!slab && kept) {
		port_watch_hide(p, size);
	} else if (!slab) {
		port_watch_show(p, size, false);
	} else if (kept) {
		watch_free(c, p);
	} else {
		watch_show(c, p);
		watch_trim(c, p, size);
	}
}

/* Here and not when it goes back to its slab: then nobody would know who it was. */
bool watch_freed_twice(const struct kmem_cache *c, const void *obj)
{
	if (!object_is_free(obj) && !quarantine_has(obj))
		return false;
	report_double_free(c, obj);
	return true;
}

static void describe_object(const struct kmem_cache *c, const struct page *page, const void *addr)
{
	const struct page *head = page - page->u.slab.tail_nr;
	size_t off = (size_t)((const unsigned char *)addr - slab_base(head));
	u32 nr = (u32)(off / c->size);
	const unsigned char *obj = slab_base(head) + (size_t)nr * c->size;
	size_t at = (size_t)((const unsigned char *)addr - obj);
	bool free = nr < page->u.slab.objects && (object_is_free(obj) || quarantine_has(obj));

	report(KMEM_LOG_ERR, "kmem: %p is %zu bytes %s %s object %p of cache %s (%u bytes)", addr,
	       at < cache_object_size(c) ? at : at - cache_object_size(c),
	       at < cache_object_size(c) ? "inside" : "behind", free ? "the free" : "the",
	       (const void *)obj, c->name, cache_object_size(c));
}

void watch_describe(const void *addr)
{
	const struct page *page = page_of_addr(addr);

	if (!page)
		return;
	if (atom_load(&page->flags) & PAGE_IN_SLAB)
		describe_object(page->u.slab.cache, page, addr);
	else
		report(KMEM_LOG_ERR, "kmem: %p is in page %#lx of zone %s, %s", addr,
		       pfn_of_page(page), kmem_machine.zones[page->zone].name,
		       page->state == PAGE_FREE || page->state == PAGE_PCP ? "which is free"
									   : "which has an owner");
}

void watch_start(void)
{
	quarantine_reset();
	kmem_machine.watched = kmem_machine.opt.sanitize && port_watch_start(watch_describe);
	if (kmem_machine.opt.sanitize && !kmem_machine.watched)
		report(KMEM_LOG_WARN,
		       "kmem: sanitize=1: no AddressSanitizer, MemorySanitizer or "
		       "valgrind is there, or the library was built without valgrind's header");
}

/* What comes to lie at these addresses later is somebody else's. */
void watch_stop(void)
{
	if (kmem_machine.watched)
		port_watch_show(kmem_machine.lowmem, kmem_machine.low_end << PAGE_SHIFT, true);
	kmem_machine.watched = false;
}
