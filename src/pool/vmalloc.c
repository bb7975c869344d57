/* SPDX-License-Identifier: MIT */
/*
 * vmalloc: single pages in a row, at addresses that nothing else uses.
 *
 *	range	| area | guard | area          | guard | hole ...
 *	          page 7, page 902, page 31 ...
 *
 * An area is its pages and one that is never mapped, so that running over the end traps. Which frames
 * it has lies in chunks of a page each, sorted, since frames in a row cost the host one call; the
 * chunks are what is mapped at a time. Everything an area needs is from kmalloc in pieces of a page
 * (the list of chunks: 16 KiB for 4 GiB), so that fragmentation, which vmalloc is there to get round,
 * does not stop it either.
 *
 *	    area_new          place          map             vfree
 *	none -----> filled -----> placed -----> mapped -----> dying -----> none
 *
 * What fails on the way is undone from wherever it has got to, by area_destroy(). A dying area keeps
 * its addresses until nothing is mapped there any more.
 *
 * vfree from a handler or interrupt leaves the area on a list without a lock, linked through the
 * area's own memory; the next call in task context takes it in.
 *
 * Lock: RANK_LEAF, over the space of addresses and which areas are dying. Not held while pages are
 * asked for, mapped or freed. Cost: the pages, and the host's calls.
 */
#include "pool/pool.h"
#include <kmem/vmalloc.h>

enum { CHUNK = PAGE_SIZE / sizeof(pfn_t), LEAK_LINES = 16 };

struct area {
	struct varea at; /* the guard page included */
	size_t size;	 /* bytes asked for */
	size_t nr;	 /* pages */
	size_t mapped;	 /* chunks */
	bool placed, dying;
	bool mapping; /* vmap: the pages are the user's */
	pfn_t *chunk[];
};

static struct lock areas_lock = {.rank = RANK_LEAF};
static struct vspace areas;
static unsigned char *areas_base;
static void *areas_deferred; /* list of areas to free, linked through their first word */
static struct ratelimit failure_limit = {.interval_ms = 5000, .burst = 10};

/* What metadata inherits of a request. */
#define GFP_META                                                                           \
	(__GFP_RECLAIM | __GFP_HIGH | __GFP_IO | __GFP_FS | __GFP_NOWARN | __GFP_NORETRY | \
	 __GFP_RETRY_MAYFAIL | __GFP_NOFAIL | __GFP_MEMALLOC | __GFP_NOMEMALLOC)

static size_t pages_of(size_t bytes)
{
	return bytes / PAGE_SIZE + (bytes % PAGE_SIZE != 0);
}

static size_t chunks_of(const struct area *a)
{
	return (a->nr + CHUNK - 1) / CHUNK;
}

static unsigned int chunk_nr(const struct area *a, size_t chunk)
{
	return (unsigned int)size_min(a->nr - chunk * CHUNK, CHUNK);
}

static unsigned char *area_addr(const struct area *a)
{
	return areas_base + (a->at.start << PAGE_SHIFT);
}

static pfn_t area_pfn(const struct area *a, size_t i)
{
	return a->chunk[i / CHUNK][i % CHUNK];
}

static size_t ram_pages(void)
{
	size_t nr = 0;

	for_each_zone (z)
		nr += z->managed;
	return nr;
}

/* ---- The space ------------------------------------------------------------------------------------- */

/* An area and its guard page get addresses; false: there is no room. */
static bool area_place(struct area *a)
{
	unsigned char *base;
	irqflags_t flags;
	size_t bytes;

	base = vmap_range(&bytes);
	if (!base)
		return false;
	flags = lock_take(&areas_lock);
	if (!areas_base) {
		areas_base = base;
		areas.pages = bytes >> PAGE_SHIFT;
	}
	a->placed = vspace_insert(&areas, &a->at, a->nr + 1);
	lock_release(&areas_lock, flags);
	return a->placed;
}

static void area_unplace(struct area *a)
{
	irqflags_t flags = lock_take(&areas_lock);

	vspace_erase(&areas, &a->at);
	lock_release(&areas_lock, flags);
	a->placed = false;
}

/* The area that has the address, not dying; lock held. */
static struct area *area_at_locked(const void *p)
{
	struct varea *v;
	struct area *a;

	if (!vmap_range_has(p) || !areas_base)
		return NULL;
	v = vspace_find(&areas, (size_t)((const unsigned char *)p - areas_base) >> PAGE_SHIFT);
	a = v ? container_of(v, struct area, at) : NULL;
	return a && !a->dying ? a : NULL;
}

/* The area that starts there becomes the caller's to destroy, if it is of that kind. */
static struct area *area_claim(const void *p, bool mapping_only)
{
	irqflags_t flags = lock_take(&areas_lock);
	struct area *a = area_at_locked(p);

	if (a && (p != area_addr(a) || (mapping_only && !a->mapping)))
		a = NULL;
	if (a)
		a->dying = true;
	lock_release(&areas_lock, flags);
	return a;
}

/* ---- Making and undoing ---------------------------------------------------------------------------- */

static struct area *area_new(size_t nr, gfp_t gfp)
{
	size_t chunks = (nr + CHUNK - 1) / CHUNK;
	struct area *a = kzalloc(sizeof(*a) + chunks * sizeof(a->chunk[0]), gfp);

	if (!a)
		return NULL;
	a->nr = nr;
	for (size_t i = 0; i < chunks; i++) {
		a->chunk[i] = kzalloc(chunk_nr(a, i) * sizeof(pfn_t), gfp);
		if (!a->chunk[i])
			break;
	}
	return a;
}

static bool area_whole(const struct area *a)
{
	return a->chunk[chunks_of(a) - 1] != NULL;
}

/* Shell's: chunks are small, and nearly in order. */
static void chunk_sort(pfn_t *pfn, unsigned int n)
{
	for (unsigned int gap = n / 2; gap; gap /= 2) {
		for (unsigned int i = gap; i < n; i++) {
			pfn_t moved = pfn[i];
			unsigned int j = i;

			for (; j >= gap && pfn[j - gap] > moved; j -= gap)
				pfn[j] = pfn[j - gap];
			pfn[j] = moved;
		}
	}
}

/* Frames for a chunk of zeroes. False: not all of them, and none is left in it. */
static bool chunk_fill(pfn_t *pfn, unsigned int n, gfp_t gfp)
{
	struct page **pages = (struct page **)(void *)pfn;
	unsigned long got = 0, before;

	do {
		before = got;
		got = alloc_pages_bulk(gfp, n, pages);
	} while (got < n && got > before);
	for (unsigned int i = 0; i < got; i++) {
		struct page *page = pages[i];

		if (got < n)
			__free_page(page);
		pfn[i] = got < n ? 0 : pfn_of_page(page);
	}
	chunk_sort(pfn, n);
	return got == n;
}

static void area_unmap(struct area *a)
{
	while (a->mapped > 0) {
		size_t i = --a->mapped;

		frames_unmap(area_addr(a) + i * CHUNK * PAGE_SIZE, a->chunk[i], chunk_nr(a, i),
			     a->mapping);
	}
}

static void area_destroy(struct area *a, size_t filled)
{
	area_unmap(a);
	if (a->placed)
		area_unplace(a);
	for (size_t i = 0; i < chunks_of(a); i++) {
		for (unsigned int k = 0; i < filled && !a->mapping && k < chunk_nr(a, i); k++)
			__free_page(page_of_pfn(a->chunk[i][k]));
		kfree(a->chunk[i]);
	}
	kfree(a);
}

/* What the host gave may be zero already. */
static bool area_map(struct area *a, bool zero)
{
	for (size_t i = 0; i < chunks_of(a); i++) {
		unsigned char *va = area_addr(a) + i * CHUNK * PAGE_SIZE;
		bool zeroed = false;

		if (!frames_map(va, a->chunk[i], chunk_nr(a, i), a->mapping, &zeroed))
			return false;
		a->mapped++;
		if (zero && !zeroed)
			__builtin_memset(va, 0, (size_t)chunk_nr(a, i) << PAGE_SHIFT);
	}
	return true;
}

static struct area *area_try(size_t nr, gfp_t gfp, const char **why)
{
	gfp_t pages = (gfp & ~(__GFP_ZERO | __GFP_COMP)) | __GFP_NOWARN;
	struct area *a = area_new(nr, gfp & GFP_META);
	size_t filled = 0;

	if (!(gfp & (__GFP_DMA | __GFP_DMA32)))
		pages |= __GFP_HIGHMEM;
	*why = "failed to allocate page array";
	if (!a)
		return NULL;
	if (area_whole(a)) {
		*why = "failed to allocate pages";
		while (filled < chunks_of(a) &&
		       chunk_fill(a->chunk[filled], chunk_nr(a, filled), pages))
			filled++;
		if (filled == chunks_of(a)) {
			*why = "out of vmalloc space";
			if (area_place(a)) {
				*why = "failed to map pages";
				if (area_map(a, gfp & __GFP_ZERO))
					return a;
			}
		}
	}
	area_destroy(a, filled);
	return NULL;
}

/* ---- Deferred -------------------------------------------------------------------------------------- */

static void area_free(const void *p, const char *call, bool mapping_only);

static void vfree_defer(const void *p)
{
	void **link = (void **)(uintptr_t)p, *head = atom_load(&areas_deferred);

	do {
		*link = head;
	} while (!atom_cas(&areas_deferred, &head, (void *)link)); /* pairs with the exchange */
}

/* One that was left twice is found out before its memory, gone by then, is looked at. */
void vmalloc_run_deferred(void)
{
	void *p = atom_load(&areas_deferred) ? atom_xchg(&areas_deferred, NULL) : NULL;

	while (p && vmalloc_to_page(p)) {
		void *next = *(void **)p;

		area_free(p, "vfree", false);
		p = next;
	}
	if (p)
		area_free(p, "vfree", false);
}

/* ---- Allocation ------------------------------------------------------------------------------------- */

static void report_failure(size_t size, gfp_t gfp, const char *why)
{
	char names[160];

	if (gfp & __GFP_NOWARN || !ratelimit_ok(&failure_limit))
		return;
	kmem_gfp_text(gfp, names, sizeof(names));
	report(KMEM_LOG_WARN, "%s: vmalloc error: size %zu, %s, mode:%#x(%s)", port_comm(), size,
	       why, (u32)gfp, names);
}

static bool size_ok(size_t size, gfp_t gfp, const void *site)
{
	if (size == 0) {
		if (gfp_warn_once(site, KMEM_MISUSE_VMALLOC_SIZE))
			report_misuse(KMEM_MISUSE_VMALLOC_SIZE, site, "vmalloc error: size 0");
		return false;
	}
	if (pages_of(size) <= ram_pages())
		return true;
	if (!(gfp & __GFP_NOWARN))
		report_misuse(KMEM_MISUSE_VMALLOC_SIZE, site,
			      "vmalloc error: size %zu, exceeds total pages", size);
	return false;
}

static void *vmalloc_site(size_t size, gfp_t gfp, const void *site)
{
	const char *why;
	struct area *a;

	if (!context_check_sleep(KMEM_MISUSE_CONTEXT, site, "NULL") || !machine_ensure() ||
	    !size_ok(size, gfp, site))
		return NULL;
	vmalloc_run_deferred();
	gfp = gfp_current(gfp);
	a = area_try(pages_of(size), gfp, &why);
	while (!a && gfp & __GFP_NOFAIL) {
		reclaim_tick();
		a = area_try(pages_of(size), gfp, &why);
	}
	if (!a) {
		report_failure(size, gfp, why);
		return NULL;
	}
	a->size = size;
	return area_addr(a);
}

void *vmalloc(size_t size)
{
	return vmalloc_site(size, GFP_KERNEL, __builtin_return_address(0));
}

void *vzalloc(size_t size)
{
	return vmalloc_site(size, GFP_KERNEL | __GFP_ZERO, __builtin_return_address(0));
}

void *__vmalloc(size_t size, gfp_t gfp)
{
	return vmalloc_site(size, gfp, __builtin_return_address(0));
}

void *vmalloc_user(size_t size)
{
	return vmalloc_site(size, GFP_KERNEL | __GFP_ZERO, __builtin_return_address(0));
}

void *vmalloc_32(size_t size)
{
	return vmalloc_site(size, GFP_KERNEL | __GFP_DMA32, __builtin_return_address(0));
}

void *vmalloc_node(size_t size, int node)
{
	if (node > 0)
		return NULL;
	return vmalloc_site(size, GFP_KERNEL, __builtin_return_address(0));
}

/* ---- Free ------------------------------------------------------------------------------------------- */

static void area_free(const void *p, const char *call, bool mapping_only)
{
	struct area *a = area_claim(p, mapping_only);

	if (a)
		area_destroy(a, chunks_of(a));
	else if ((uintptr_t)p % PAGE_SIZE)
		report_misuse(KMEM_MISUSE_VMALLOC_FREE, p, "Trying to %s() bad address (%p)", call,
			      p);
	else
		report_misuse(KMEM_MISUSE_VMALLOC_FREE, p,
			      "Trying to %s() nonexistent vm area (%p)", call, p);
}

void vfree(const void *p)
{
	if (!p)
		return;
	if (unlikely(context_in_nmi()))
		context_report_nmi(p, "vfree");
	if (sync_nested() || port_context() != PORT_TASK) {
		if (vmap_range_has(p) && (uintptr_t)p % PAGE_SIZE == 0)
			vfree_defer(p);
		else
			report_misuse(KMEM_MISUSE_VMALLOC_FREE, p,
				      "Trying to vfree() bad address (%p)", p);
		return;
	}
	(void)context_check_sleep(KMEM_MISUSE_CONTEXT, p, "freed nevertheless");
	vmalloc_run_deferred();
	area_free(p, "vfree", false);
}

/* ---- Pages of the user's ----------------------------------------------------------------------------- */

void *vmap(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot)
{
	const void *site = __builtin_return_address(0);
	struct area *a;

	(void)prot;
	if (!context_check_sleep(KMEM_MISUSE_CONTEXT, site, "NULL") || !machine_ensure() ||
	    count == 0 || count > ram_pages() || (flags & ~VM_MAP))
		return NULL;
	vmalloc_run_deferred();
	a = area_new(count, GFP_KERNEL);
	if (!a)
		return NULL;
	a->mapping = true;
	a->size = (size_t)count << PAGE_SHIFT;
	if (area_whole(a)) {
		for (unsigned int i = 0; i < count; i++) {
			assert_always(page_valid(pages[i]));
			a->chunk[i / CHUNK][i % CHUNK] = pfn_of_page(pages[i]);
		}
		if (area_place(a) && area_map(a, false))
			return area_addr(a);
	}
	area_destroy(a, 0);
	return NULL;
}

void vunmap(const void *p)
{
	if (!p)
		return;
	if (!context_check_sleep(KMEM_MISUSE_CONTEXT, p, "not unmapped") && sync_nested())
		return;
	vmalloc_run_deferred();
	area_free(p, "vunmap", true);
}

/* ---- Questions --------------------------------------------------------------------------------------- */

bool is_vmalloc_addr(const void *p)
{
	return vmap_range_has(p);
}

struct page *vmalloc_to_page(const void *p)
{
	struct page *page = NULL;
	irqflags_t flags;
	struct area *a;
	size_t i;

	if (!lock_take_or_try(&areas_lock, sync_nested(), &flags))
		return NULL;
	a = area_at_locked(p);
	i = a ? (size_t)((const unsigned char *)p - area_addr(a)) >> PAGE_SHIFT : 0;
	if (a && i < a->nr && i / CHUNK < a->mapped)
		page = page_of_pfn(area_pfn(a, i));
	lock_release(&areas_lock, flags);
	return page;
}

unsigned long vmalloc_to_pfn(const void *p)
{
	struct page *page = vmalloc_to_page(p);

	return page ? pfn_of_page(page) : 0;
}

/* The owner's: nobody else frees it meanwhile. */
static struct area *area_of_owner(const void *p)
{
	irqflags_t flags = lock_take(&areas_lock);
	struct area *a = area_at_locked(p);

	lock_release(&areas_lock, flags);
	return a && p == area_addr(a) && !a->mapping ? a : NULL;
}

void *vrealloc(const void *p, size_t size, gfp_t gfp)
{
	const void *site = __builtin_return_address(0);
	char *mem = (char *)(uintptr_t)p, *new;
	struct area *a;

	if (!p)
		return vmalloc_site(size, gfp, site);
	if (size == 0) {
		vfree(p);
		return NULL;
	}
	a = area_of_owner(p);
	if (!a) {
		report_misuse(KMEM_MISUSE_VMALLOC_FREE, p,
			      "Trying to vrealloc() nonexistent vm area (%p)", p);
		return NULL;
	}
	if (size <= a->nr << PAGE_SHIFT) {
		if (gfp & __GFP_ZERO && size > a->size)
			__builtin_memset(mem + a->size, 0, size - a->size);
		a->size = size;
		return mem;
	}
	new = vmalloc_site(size, gfp, site);
	if (!new)
		return NULL;
	__builtin_memcpy(new, p, a->size);
	vfree(p);
	return new;
}

/* ---- The machine's ----------------------------------------------------------------------------------- */

unsigned long vmalloc_report_leaks(void)
{
	unsigned long nr = 0;
	struct varea *v;

	vmalloc_run_deferred();
	while ((v = vspace_next(&areas, 0)) != NULL) {
		struct area *a = container_of(v, struct area, at);

		if (++nr <= LEAK_LINES)
			report(KMEM_LOG_WARN, "kmem: leak: vmalloc area %p, %zu bytes",
			       (void *)area_addr(a), a->size);
		area_destroy(a, chunks_of(a));
	}
	if (nr > LEAK_LINES)
		report(KMEM_LOG_WARN, "kmem: leak: %lu more vmalloc areas", nr - LEAK_LINES);
	return nr;
}

void vmalloc_reset(void)
{
	areas = (struct vspace){NULL, 0};
	areas_base = NULL;
	areas_deferred = NULL;
}

static int area_check(const struct area *a)
{
	int faults = 0;

	assert_audit(a->at.end - a->at.start == a->nr + 1, "area %zu", a->at.start);
	assert_audit(a->size <= a->nr << PAGE_SHIFT, "area %zu of %zu bytes", a->at.start, a->size);
	for (size_t i = 0; i < a->nr && i / CHUNK < a->mapped; i++) {
		const struct page *page = page_of_pfn(area_pfn(a, i));

		assert_audit(a->mapping || page->state == PAGE_ALLOC, "pfn %lu is state %u",
			     area_pfn(a, i), page->state);
		if (page_is_lent(page))
			assert_audit(page_address(page) == area_addr(a) + (i << PAGE_SHIFT),
				     "pfn %lu", area_pfn(a, i));
	}
	return faults;
}

int vmalloc_check(void)
{
	int faults = vspace_check(&areas);

	for (const struct varea *v = vspace_next(&areas, 0); v;
	     v = vspace_next(&areas, v->start + 1))
		faults += area_check(container_of(v, struct area, at));
	return faults;
}

void vmalloc_fork_lock(void)
{
	lock_fork_take(&areas_lock);
}

void vmalloc_fork_unlock(bool child)
{
	if (child)
		lock_reset(&areas_lock);
	else
		lock_fork_drop(&areas_lock);
}
