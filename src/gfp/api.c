/* SPDX-License-Identifier: MIT */
/*
 * The page calls of <kmem/page.h> that allocate and free. Thin: what they add to alloc.c is the
 * first use that starts the machine, the caller's address, and the shape of the result.
 */
#include "gfp/gfp.h"

enum { BULK_CHUNK = 64, NODE_ANY = -1 };

/* The allowed ones of the nolock call; what else it needs it sets itself. */
#define GFP_NOLOCK_ALLOWED __GFP_ACCOUNT

static bool node_exists(int nid)
{
	return nid == 0 || nid == NODE_ANY;
}

/* Never inlined: so a hit needs no frame. */
static noinline struct page *pages_alloc(gfp_t gfp, unsigned int order, const void *site)
{
	if (unlikely(!machine_ensure()))
		return NULL;
	return gfp_alloc(gfp_fix_public(gfp), order, site);
}

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = gfp_hit(gfp, order, 0);

	return likely(page) ? page : pages_alloc(gfp, order, __builtin_return_address(0));
}

struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order)
{
	if (!node_exists(nid))
		return NULL;
	return pages_alloc(gfp, order, __builtin_return_address(0));
}

static noinline unsigned long free_pages_get(gfp_t gfp, unsigned int order, const void *site)
{
	struct page *page = pages_alloc(gfp & ~__GFP_HIGHMEM, order, site);

	return page ? (unsigned long)addr_of_page(page) : 0;
}

unsigned long __get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = gfp_hit(gfp & ~__GFP_HIGHMEM, order, 0);

	if (likely(page))
		return (unsigned long)addr_of_page(page);
	return free_pages_get(gfp, order, __builtin_return_address(0));
}

unsigned long get_zeroed_page(gfp_t gfp)
{
	return free_pages_get(gfp | __GFP_ZERO, 0, __builtin_return_address(0));
}

/* ---- Free --------------------------------------------------------------------------------------- */

void __free_pages(struct page *page, unsigned int order)
{
	if (likely(gfp_free_hit(page, order, 0)))
		return;
	if (page)
		gfp_free_miss(page, order, false, __builtin_return_address(0));
}

void free_pages_cold(struct page *page, unsigned int order)
{
	if (page)
		gfp_free_miss(page, order, true, __builtin_return_address(0));
}

static void report_foreign(const void *addr)
{
	report_misuse(KMEM_MISUSE_PAGE_FOREIGN, addr,
		      "BUG: bad page free: %p is not an address of this machine's memory", addr);
}

void free_pages(unsigned long addr, unsigned int order)
{
	struct page *page = page_of_addr((const void *)addr);

	if (!addr)
		return;
	if (likely(page) && likely(gfp_free_hit(page, order, 0)))
		return;
	if (page)
		gfp_free_miss(page, order, false, __builtin_return_address(0));
	else
		report_foreign((const void *)addr);
}

void put_page(struct page *page)
{
	if (!page || likely(gfp_free_hit(page, 0, 0)))
		return;
	if (page_valid(page))
		gfp_put(compound_head(page));
	else
		page_report_bad(page, 0, PAGE_BAD_FOREIGN);
}

void split_page(struct page *page, unsigned int order)
{
	enum page_verdict v = page_check_free(page, order);

	if (v == PAGE_OK && (order > MAX_PAGE_ORDER || page->flags & PAGE_COMPOUND))
		v = PAGE_BAD_ORDER;
	if (v == PAGE_OK)
		gfp_split(page, order);
	else
		page_report_bad(page, order, v);
}

/* ---- Exact sizes -------------------------------------------------------------------------------- */

static void report_exact(gfp_t gfp, const void *site)
{
	char names[160];

	if (!gfp_warn_once(site, KMEM_MISUSE_GFP_EXACT))
		return;
	kmem_gfp_text(gfp, names, sizeof(names));
	report_misuse(
		KMEM_MISUSE_GFP_EXACT, site,
		"alloc_pages_exact: compound or highmem pages have no exact size: mode:%#x(%s)",
		(u32)gfp, names);
}

void *alloc_pages_exact(size_t size, gfp_t gfp)
{
	const void *site = __builtin_return_address(0);
	unsigned long nr = size / PAGE_SIZE + (size % PAGE_SIZE != 0);
	unsigned int order = get_order(size);
	struct page *page;

	if (size == 0)
		return NULL;
	if (gfp & (__GFP_COMP | __GFP_HIGHMEM)) {
		report_exact(gfp, site);
		gfp &= ~(__GFP_COMP | __GFP_HIGHMEM);
	}
	page = pages_alloc(gfp, order, site);
	if (!page)
		return NULL;
	gfp_split(page, order);
	for (unsigned long i = nr; i < 1UL << order; i++)
		gfp_free(page + i, 0, false, site);
	return addr_of_page(page);
}

void free_pages_exact(void *addr, size_t size)
{
	unsigned long nr = size / PAGE_SIZE + (size % PAGE_SIZE != 0);
	struct page *page = page_of_addr(addr);

	if (!addr)
		return;
	if (!page) {
		report_foreign(addr);
		return;
	}
	/* All or none: the first page that is not a single one of the caller's refuses the call. */
	for (unsigned long i = 0; i < nr; i++) {
		enum page_verdict v = page_check_free(page + i, 0);

		if (v != PAGE_OK) {
			page_report_bad(page + i, 0, v);
			return;
		}
	}
	for (unsigned long i = 0; i < nr; i++)
		gfp_free(page + i, 0, false, __builtin_return_address(0));
}

/* ---- Bulk --------------------------------------------------------------------------------------- */

static unsigned long first_empty(struct page **array, unsigned long from, unsigned long nr)
{
	while (from < nr && array[from])
		from++;
	return from;
}

static unsigned long empty_slots(struct page **array, unsigned long nr)
{
	unsigned long empty = 0;

	for (unsigned long i = 0; i < nr; i++)
		empty += array[i] == NULL;
	return empty;
}

/* Pages without effort into the empty slots, a chunk at a time. Returns how many. */
static unsigned long bulk_fill(const struct alloc_request *req, unsigned long nr,
			       struct page **array)
{
	unsigned long missing = empty_slots(array, nr), slot = 0, filled = 0;
	struct page *chunk[BULK_CHUNK];
	unsigned int want, got;

	do {
		want = (unsigned int)size_min(missing - filled, BULK_CHUNK);
		got = want ? gfp_alloc_bulk(req, chunk, want) : 0;
		for (unsigned int i = 0; i < got; i++) {
			slot = first_empty(array, slot, nr);
			array[slot] = chunk[i];
		}
		filled += got;
	} while (got == want && want);
	return filled;
}

/* A charge belongs to one page, and the request's whole effort is for one page too. */
unsigned long alloc_pages_bulk(gfp_t gfp, unsigned long nr, struct page **array)
{
	const void *site = __builtin_return_address(0);
	unsigned long empty = first_empty(array, 0, nr), filled = 0;
	struct alloc_request req;

	if (empty == nr || !machine_ensure())
		return empty;
	gfp = gfp_fix_public(gfp);
	if (!(gfp & __GFP_ACCOUNT)) {
		if (!gfp_decode(gfp, 0, site, &req) || gfp_should_fail(req.gfp, 0))
			return empty;
		filled = bulk_fill(&req, nr, array);
	}
	if (!filled)
		array[empty] = gfp_alloc(gfp, 0, site);
	return first_empty(array, empty, nr);
}

/* ---- Without locks ------------------------------------------------------------------------------ */

struct page *alloc_pages_nolock(gfp_t gfp, int nid, unsigned int order)
{
	const void *site = __builtin_return_address(0);

	if (gfp & ~GFP_NOLOCK_ALLOWED) {
		report_misuse(KMEM_MISUSE_GFP_NOLOCK, site,
			      "alloc_pages_nolock: gfp %#x is not allowed", (u32)gfp);
		return NULL;
	}
	/* Starting a machine would wait. */
	if (!node_exists(nid) || atom_load_acq(&kmem_machine.state) != MACHINE_ON)
		return NULL;
	return gfp_alloc_nolock(gfp, order, site);
}

void free_pages_nolock(struct page *page, unsigned int order)
{
	if (page)
		gfp_free_nolock(page, order);
}
