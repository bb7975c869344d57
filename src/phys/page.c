// SPDX-License-Identifier: MIT
/*
 * page: what a frame is, and what may be done with it.
 *
 * Only heads carry a state; what lies inside a block is PAGE_NONE, or PAGE_TAIL where somebody must
 * find the head from any frame (compound blocks, slabs). Whoever owns a block owns all descriptors
 * of it, so nothing here takes a lock.
 *
 * A wrong free is told from these descriptors alone. For a frame that is not a head the block that
 * covers it is looked for at each order's alignment: eleven looks.
 */
#include "phys/internal.h"

static const char *const state_names[PAGE_NR_STATES] = {
	"inside a block", "hole", "free", "on a per-CPU list", "allocated", "tail", "slab", "large",
};

static const char *const verdict_text[] = {
	[PAGE_OK] = "nothing wrong",
	[PAGE_BAD_FOREIGN] = "not a frame of this machine",
	[PAGE_BAD_FREE] = "already free",
	[PAGE_BAD_ORDER] = "wrong order",
	[PAGE_BAD_TAIL] = "inside a block",
	[PAGE_BAD_SLAB] = "belongs to a slab",
	[PAGE_BAD_REFCOUNT] = "bad reference count",
	[PAGE_BAD_LRU] = "on an LRU list",
	[PAGE_BAD_LENT] = "mapped by vmalloc or vmap",
};

static const enum kmem_misuse verdict_code[] = {
	[PAGE_OK] = KMEM_MISUSE_NONE,
	[PAGE_BAD_FOREIGN] = KMEM_MISUSE_PAGE_FOREIGN,
	[PAGE_BAD_FREE] = KMEM_MISUSE_PAGE_DOUBLE_FREE,
	[PAGE_BAD_ORDER] = KMEM_MISUSE_PAGE_WRONG_ORDER,
	[PAGE_BAD_TAIL] = KMEM_MISUSE_PAGE_TAIL,
	[PAGE_BAD_SLAB] = KMEM_MISUSE_PAGE_SLAB,
	[PAGE_BAD_REFCOUNT] = KMEM_MISUSE_PAGE_REFCOUNT,
	[PAGE_BAD_LRU] = KMEM_MISUSE_LRU,
	[PAGE_BAD_LENT] = KMEM_MISUSE_VMALLOC_FREE,
};

/* A frame inside a block: of a free one, or of somebody's? */
static enum page_verdict inner_verdict(const struct page *page)
{
	pfn_t pfn = pfn_of_page(page);
	const struct zone *z = zone_of_pfn(pfn);

	if (z && pfn >= atom_load(&z->fresh) && pfn < z->fresh_end)
		return PAGE_BAD_FREE;

	for (unsigned int o = 1; o <= MAX_PAGE_ORDER; o++) {
		const struct page *head = page_of_pfn(align_down(pfn, 1UL << o));
		u8 state = page_state(head);

		if (state == PAGE_FREE || state == PAGE_PCP)
			return atom_load(&head->order) >= o ? PAGE_BAD_FREE : PAGE_BAD_TAIL;
		if (state != PAGE_NONE)
			break;
	}
	return PAGE_BAD_TAIL;
}

static enum page_verdict head_verdict(const struct page *page, unsigned int order)
{
	s32 refcount = atom_load(&page->refcount);

	/* No reference left, and not yet on a list: somebody else is freeing it. */
	if (refcount == 0)
		return PAGE_BAD_FREE;
	if (refcount < 0)
		return PAGE_BAD_REFCOUNT;
	if (refcount == 1 && unlikely(atom_load(&page->flags) & PAGE_LRU))
		return PAGE_BAD_LRU;
	if (refcount == 1 && unlikely(page_is_lent(page)))
		return PAGE_BAD_LENT;
	return atom_load(&page->order) == order ? PAGE_OK : PAGE_BAD_ORDER;
}

enum page_verdict page_check_free(const struct page *page, unsigned int order)
{
	if (!page_valid(page) ||
	    ((uintptr_t)page - (uintptr_t)kmem_machine.memmap) % sizeof(struct page) != 0)
		return PAGE_BAD_FOREIGN;
	switch (page_state(page)) {
	case PAGE_HOLE:
		return PAGE_BAD_FOREIGN;
	case PAGE_FREE:
	case PAGE_PCP:
		return PAGE_BAD_FREE;
	case PAGE_SLAB:
		return PAGE_BAD_SLAB;
	case PAGE_TAIL:
		if (atom_load(&page->flags) & PAGE_IN_SLAB)
			return PAGE_BAD_SLAB;
		return page_state(page_of_pfn(page->u.tail.head)) == PAGE_PCP ? PAGE_BAD_FREE
									      : PAGE_BAD_TAIL;
	case PAGE_ALLOC:
	case PAGE_LARGE:
		return head_verdict(page, order);
	default:
		return inner_verdict(page);
	}
}

void page_report_bad(const struct page *page, unsigned int order, enum page_verdict v)
{
	const struct zone *z;
	const void *addr;
	pfn_t pfn;
	u8 state;

	if (!page_valid(page)) {
		report_misuse(verdict_code[v], page, "BUG: bad page free: %p is %s, order %u\n",
			      (const void *)page, verdict_text[v], order);
		return;
	}
	pfn = pfn_of_page(page);
	state = page_state(page);
	z = zone_of_pfn(pfn);
	addr = pfn < kmem_machine.low_end ? addr_of_page(page) : NULL;
	report_misuse(
		verdict_code[v], addr ? addr : page,
		"BUG: bad page free: %s. pfn:%05lx address:%p zone:%s freed as order:%u; page "
		"is %s, order:%u refcount:%d flags:%#x\n",
		verdict_text[v], pfn, addr, z ? z->name : "none", order,
		state_names[state < PAGE_NR_STATES ? state : PAGE_NONE], atom_load(&page->order),
		(int)atom_load(&page->refcount), atom_load(&page->flags));
}

void frames_clear(pfn_t pfn, unsigned long nr)
{
	if (likely(pfn < kmem_machine.low_end)) {
		__builtin_memset(addr_of_page(page_of_pfn(pfn)), 0, nr << PAGE_SHIFT);
		return;
	}
	while (nr) {
		unsigned int n = (unsigned int)size_min(nr, windows.run), window;
		void *p = window_open(pfn, n, &window);

		__builtin_memset(p, 0, (size_t)n << PAGE_SHIFT);
		window_close(window);
		pfn += n;
		nr -= n;
	}
}

void page_clear(struct page *page, unsigned int order)
{
	frames_clear(pfn_of_page(page), 1UL << order);
}

void page_make_compound(struct page *page, unsigned int order)
{
	u32 head = (u32)pfn_of_page(page);

	assert_debug((page->state == PAGE_ALLOC || page->state == PAGE_PCP) &&
		     page->order == order);
	if (order == 0)
		return;
	for (unsigned long i = 1; i < 1UL << order; i++) {
		page[i].flags = 0;
		page[i].u.tail.head = head;
		page_set_state(&page[i], PAGE_TAIL);
	}
	atom_store(&page->flags, (u8)(page->flags | PAGE_COMPOUND));
}

void page_clear_compound(struct page *page, unsigned int order)
{
	for (unsigned long i = 1; i < 1UL << order; i++) {
		page[i].flags = 0;
		page_set_state(&page[i], PAGE_NONE);
	}
	atom_store(&page->flags, (u8)(page->flags & ~PAGE_COMPOUND));
}

static void owner_set(const struct page *page, unsigned int order, void *owner)
{
	for (unsigned long i = 0; i < 1UL << order; i++)
		atom_store(&kmem_machine.owner[pfn_of_page(page) + i], owner);
}

void page_make_slab(struct page *page, unsigned int order, struct kmem_cache *cache,
		    unsigned int objects, void *owner)
{
	assert_always(page->state == PAGE_ALLOC && page->order == order);
	for (unsigned long i = 0; i < 1UL << order; i++) {
		page[i].u.slab.tail_nr = (u16)i;
		page[i].u.slab.inuse = 0;
		page[i].u.slab.objects = (u16)objects;
		atom_store(&page[i].u.slab.list, (u16)0);
		/* Whoever sees the cache sees the rest (slab_settle looks at frames it does not own). */
		atom_store_rel(&page[i].u.slab.cache, cache);
		if (i == 0)
			continue;
		page[i].flags = PAGE_IN_SLAB;
		page_set_state(&page[i], PAGE_TAIL);
	}
	atom_store(&page->flags,
		   (u8)((page->flags & (PAGE_PFMEMALLOC | PAGE_ACCOUNTED)) | PAGE_IN_SLAB));
	page->next = LINK_NIL;
	page->prev = LINK_NIL;
	atom_store_rel(&page->state, (u8)PAGE_SLAB); /* pairs with give_base() */
	if (owner)
		owner_set(page, order, owner);
}

void page_unmake_slab(struct page *page, unsigned int order)
{
	assert_always(page->state == PAGE_SLAB && page->order == order);
	owner_set(page, order, NULL);
	for (unsigned long i = 1; i < 1UL << order; i++) {
		page[i].flags = 0;
		atom_store(&page[i].u.slab.cache, NULL);
		page_set_state(&page[i], PAGE_NONE);
	}
	atom_store(&page->flags, (u8)(page->flags & ~PAGE_IN_SLAB));
	atom_store(&page->u.own.private_data, 0ul); /* and with it u.slab.cache */
	page_set_state(page, PAGE_ALLOC);
}

void page_split_block(struct page *page, unsigned int order)
{
	struct zone *z = zone_of_head(page);

	assert_always(page->state == PAGE_ALLOC && page->order == order);
	assert_always(!(page->flags & PAGE_COMPOUND));
	for (unsigned long i = 1; i < 1UL << order; i++)
		page_hand_out(&page[i], z, 0, page->mt);
	atom_store(&page->order, (u8)0);
}

void page_free_tails(struct page *page, unsigned int order, bool try)
{
	struct zone *z = zone_of_head(page);
	u32 mt = page->mt;

	assert_always(page->state == PAGE_ALLOC && !(page->flags & PAGE_COMPOUND));
	/* The head may go to its last owner at any moment, so it is made right first; a put_page()
	 * that runs beside this one reads the order. */
	atom_store(&page->order, (u8)0);
	for (unsigned int o = order; o-- > 0;) {
		struct page *tail = page + (1UL << o);

		page_hand_out(tail, z, o, mt);
		tail->refcount = 0;
		zone_free(tail, o, false, try);
	}
}

unsigned long *pfn_bitmap(pfn_t pfn, u32 order, u32 objects)
{
	bool small = phys.small && objects <= (8u * SMALL_BYTES << order);

	assert_debug(pfn < kmem_machine.low_end);
	return (unsigned long *)(void *)(small ? phys.small + pfn * SMALL_BYTES
					       : phys.bitmap + pfn * BITMAP_BYTES);
}
