/* SPDX-License-Identifier: MIT */
/*
 * DMA pools: blocks cut from pages, each known by two addresses (semantics 9).
 *
 *	 page block, PAGE_SIZE or the size of one block
 *	|b0 b1 b2 b3 ..|b0 b1 b2 b3 ..|		..: what is left before a boundary
 *	^              ^ boundary
 *
 * No block has a word of the pool's in it, which a device could overwrite. Whether it is free is a
 * bit of the frame's own bitmap (phys: page_bitmap), set: free. The head frame's private word names
 * the pool, so a free finds all it needs by arithmetic on the address: page block, owner, block.
 *
 *	claim	clears a bit that is set, by compare-and-swap
 *	free	sets a bit that is clear, by one atomic OR
 *	grow	a new page block, its first block claimed already, is pushed on the list
 *
 * The list only grows until the pool is destroyed: no lock, no state that a handler could find half
 * done, nothing for fork to wait for.
 *
 *	blocks of all page blocks = bits set + blocks out
 *
 * Cost: a claim looks at the page block of the last free or claim, then at all of them, a word for 64
 * blocks, unless none is known to be free; a free touches one word.
 */
#include "pool/pool.h"
#include <kmem/dmapool.h>

enum {
	BLOCK_MIN = 16,
	BITS = 8 * sizeof(unsigned long),
	POISON_DMA_FREE = 0xa7,
	POISON_DMA_FRESH = 0xa9,
};
#define BLOCK_NONE UINT32_MAX

struct dma_pool {
	char name[KMEM_NAME_MAX];
	size_t size, boundary, span; /* bytes of a block, between two boundaries, of a page block */
	u32 order;		     /* of a page block */
	u32 blocks;		     /* in a page block */
	u32 pages;		     /* pfn of the newest; linked by next; LINK_NIL: none */
	u32 hint;		     /* pfn of the one to look at first, or LINK_NIL */
	s32 nr_free;		     /* bits set; a moment behind */
	bool poison;
};

_Static_assert(PAGE_SIZE / BLOCK_MIN <= 512, "a frame's bitmap has room for all blocks of a page");

/* ---- Geometry ------------------------------------------------------------------------------------- */

static size_t block_offset(const struct dma_pool *p, u32 nr)
{
	u32 row = (u32)(p->boundary / p->size);

	return nr / row * p->boundary + nr % row * p->size;
}

/* The block that begins so many bytes into its page block, or BLOCK_NONE. */
static u32 block_at(const struct dma_pool *p, size_t off)
{
	size_t row = p->boundary / p->size, col = off % p->boundary;
	size_t nr = off / p->boundary * row + col / p->size;

	return col % p->size == 0 && col / p->size < row && nr < p->blocks ? (u32)nr : BLOCK_NONE;
}

static unsigned long *map_word(const struct dma_pool *p, const struct page *head, u32 nr)
{
	return &page_bitmap(head, p->blocks)[nr / BITS];
}

static u32 map_words(const struct dma_pool *p)
{
	return (p->blocks + BITS - 1) / BITS;
}

/* Bits of word w that stand for blocks. */
static unsigned long map_all(const struct dma_pool *p, u32 w)
{
	u32 nr = p->blocks - w * BITS;

	return nr >= BITS ? ~0UL : (1UL << nr) - 1;
}

static u8 *block_addr(const struct dma_pool *p, const struct page *head, u32 nr)
{
	return (u8 *)addr_of_page(head) + block_offset(p, nr);
}

static dma_addr_t block_dma(const struct dma_pool *p, const struct page *head, u32 nr)
{
	return ((dma_addr_t)pfn_of_page(head) << PAGE_SHIFT) + block_offset(p, nr);
}

/* The head of the pool's page block that the address lies in, or NULL. */
static struct page *head_of(const struct dma_pool *p, dma_addr_t dma)
{
	u64 pfn = (dma >> PAGE_SHIFT) >> p->order << p->order;
	struct page *head;

	if (pfn >= kmem_machine.low_end)
		return NULL;
	head = page_of_pfn((pfn_t)pfn);
	if (atom_load(&head->state) != PAGE_ALLOC ||
	    atom_load(&head->u.own.private_data) != (unsigned long)(uintptr_t)p)
		return NULL;
	assert_debug(head->order == p->order);
	return head;
}

static struct page *page_next(const struct page *head)
{
	return head->next == LINK_NIL ? NULL : page_of_pfn(head->next);
}

static struct page *page_first(const struct dma_pool *p)
{
	u32 pfn = atom_load_acq(&p->pages); /* pairs with the push in pool_grow */

	return pfn == LINK_NIL ? NULL : page_of_pfn(pfn);
}

/* ---- Creation ------------------------------------------------------------------------------------- */

/* Fills in the geometry. False: a rule is broken. */
static bool geometry(struct dma_pool *p, size_t size, size_t align, size_t boundary)
{
	align = align ? align : 1;
	if (size == 0 || size > INT32_MAX || !is_pow2(align) || align > INT32_MAX)
		return false;
	p->size = align_up(size_max(size, BLOCK_MIN), align);
	p->span = size_max(p->size, PAGE_SIZE);
	if (boundary && (boundary < p->size || !is_pow2(boundary)))
		return false;
	p->boundary = boundary ? size_min(boundary, p->span) : p->span;
	p->order = get_order(p->span);
	p->blocks = (u32)(p->span / p->boundary * (p->boundary / p->size));
	assert_debug(p->blocks > 0);
	return true;
}

struct dma_pool *dma_pool_create(const char *name, struct device *dev, size_t size, size_t align,
				 size_t boundary)
{
	struct dma_pool draft = {.pages = LINK_NIL, .hint = LINK_NIL}, *p;

	if (!dev || !name || !geometry(&draft, size, align, boundary) ||
	    !context_check_sleep(KMEM_MISUSE_CONTEXT, NULL, "no dma_pool is created"))
		return NULL;
	p = kmalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		return NULL;
	*p = draft;
	str_copy(p->name, name, sizeof(p->name));
	p->poison = pool_poison_wanted(p->size);
	return p;
}

/* ---- Allocation ----------------------------------------------------------------------------------- */

static u32 page_claim(const struct dma_pool *p, struct page *head)
{
	for (u32 w = 0; w < map_words(p); w++) {
		unsigned long *word = &page_bitmap(head, p->blocks)[w], seen = atom_load(word);

		while (seen) {
			if (atom_cas(word, &seen, seen & (seen - 1)))
				return w * BITS + (u32)__builtin_ctzl(seen);
		}
	}
	return BLOCK_NONE;
}

static u32 pool_claim(struct dma_pool *p, struct page **head)
{
	u32 hint = atom_load_acq(&p->hint); /* pairs with all stores: its bits are set up */
	u32 nr = BLOCK_NONE;

	if (atom_load(&p->nr_free) <= 0)
		return BLOCK_NONE;
	*head = hint == LINK_NIL ? NULL : page_of_pfn(hint);
	if (*head)
		nr = page_claim(p, *head);
	for (struct page *pg = page_first(p); pg && nr == BLOCK_NONE; pg = page_next(pg)) {
		*head = pg;
		nr = page_claim(p, pg);
	}
	if (nr != BLOCK_NONE) {
		atom_store_rel(&p->hint, (u32)pfn_of_page(*head));
		atom_sub(&p->nr_free, 1);
	}
	return nr;
}

/* A new page block, of which block 0 is the caller's. NULL: no memory. */
static struct page *pool_grow(struct dma_pool *p, gfp_t gfp, const void *site)
{
	struct page *head = gfp_alloc(
		gfp_fix_public(gfp) & ~(__GFP_ZERO | __GFP_HIGHMEM | __GFP_COMP), p->order, site);
	u32 seen = atom_load(&p->pages);

	if (!head)
		return NULL;
	if (p->poison)
		__builtin_memset(addr_of_page(head), POISON_DMA_FREE, p->span);
	for (u32 w = 0; w < map_words(p); w++)
		atom_store(&page_bitmap(head, p->blocks)[w], map_all(p, w) & (w ? ~0UL : ~1UL));
	atom_store(&head->u.own.private_data, (unsigned long)(uintptr_t)p);
	do
		head->next = seen;
	while (!atom_cas(&p->pages, &seen, (u32)pfn_of_page(head))); /* pairs with page_first */
	atom_add(&p->nr_free, (s32)p->blocks - 1);
	atom_store_rel(&p->hint, (u32)pfn_of_page(head));
	return head;
}

/* Offset of the first byte of a free block that is not poison; the block's size: none. */
static size_t block_damage(const struct dma_pool *p, const u8 *addr)
{
	size_t i = 0;

	while (p->poison && i < p->size && addr[i] == POISON_DMA_FREE)
		i++;
	return p->poison ? i : p->size;
}

static void block_leaves(const struct dma_pool *p, u8 *addr, gfp_t gfp)
{
	size_t at = block_damage(p, addr);

	if (unlikely(at < p->size))
		report_misuse(KMEM_MISUSE_SLAB_CORRUPT, addr,
			      "dma_pool_alloc %s, %p (corrupted): 0x%x at offset %zu", p->name,
			      (void *)addr, addr[at], at);
	if (gfp & __GFP_ZERO || kmem_machine.opt.init_on_alloc)
		__builtin_memset(addr, 0, p->size);
	else if (p->poison)
		__builtin_memset(addr, POISON_DMA_FRESH, p->size);
}

void *dma_pool_alloc(struct dma_pool *p, gfp_t gfp, dma_addr_t *dma)
{
	struct page *head = NULL;
	u32 nr = pool_claim(p, &head);
	u8 *addr;

	if (nr == BLOCK_NONE) {
		head = pool_grow(p, gfp, __builtin_return_address(0));
		nr = 0;
	}
	if (!head)
		return NULL;
	addr = block_addr(p, head, nr);
	block_leaves(p, addr, gfp);
	*dma = block_dma(p, head, nr);
	return addr;
}

/* ---- Free ------------------------------------------------------------------------------------------ */

static void report_free(const struct dma_pool *p, const void *vaddr, dma_addr_t dma,
			const char *what)
{
	report_misuse(KMEM_MISUSE_DMAPOOL_FREE, vaddr, "dma_pool_free %s, %p/%#llx (%s)", p->name,
		      vaddr, (unsigned long long)dma, what);
}

/* The wipe comes before the bit that lets others in, and so does a first look at the bit: a block
 * that is free already may be another's by then. */
static bool block_put(struct dma_pool *p, struct page *head, u32 nr)
{
	unsigned long bit = 1UL << (nr % BITS), *word = map_word(p, head, nr);
	u8 *addr = block_addr(p, head, nr);

	if (atom_load(word) & bit)
		return false;
	if (p->poison)
		__builtin_memset(addr, POISON_DMA_FREE, p->size);
	else if (kmem_machine.opt.init_on_free)
		__builtin_memset(addr, 0, p->size);
	if (atom_or(word, bit) & bit) /* pairs with the cas of page_claim */
		return false;
	atom_add(&p->nr_free, 1);
	atom_store_rel(&p->hint, (u32)pfn_of_page(head));
	return true;
}

void dma_pool_free(struct dma_pool *p, void *vaddr, dma_addr_t dma)
{
	struct page *head = head_of(p, dma);
	u32 nr = BLOCK_NONE;

	if (head)
		nr = block_at(p, (size_t)(dma - block_dma(p, head, 0)));
	if (nr == BLOCK_NONE)
		report_free(p, vaddr, dma, "bad dma");
	else if (vaddr != block_addr(p, head, nr))
		report_free(p, vaddr, dma, "bad vaddr");
	else if (!block_put(p, head, nr))
		report_free(p, vaddr, dma, "already free");
}

/* ---- The end, and check --------------------------------------------------------------------------- */

static u32 page_free_blocks(const struct dma_pool *p, const struct page *head)
{
	u32 nr = 0;

	for (u32 w = 0; w < map_words(p); w++)
		for (unsigned long word = atom_load(&page_bitmap(head, p->blocks)[w]); word;
		     word &= word - 1)
			nr++;
	return nr;
}

static u32 blocks_out(const struct dma_pool *p)
{
	u32 nr = 0;

	for (struct page *pg = page_first(p); pg; pg = page_next(pg))
		nr += p->blocks - page_free_blocks(p, pg);
	return nr;
}

void dma_pool_destroy(struct dma_pool *p)
{
	struct page *pg, *next;
	u32 out;

	if (!p)
		return;
	(void)context_check_sleep(KMEM_MISUSE_CONTEXT, p, "dma_pool_destroy");
	out = blocks_out(p);
	if (out)
		report_misuse(KMEM_MISUSE_DMAPOOL_BUSY, p,
			      "dma_pool_destroy %s busy: %u blocks are out, its pages stay",
			      p->name, out);
	for (pg = page_first(p); pg; pg = next) {
		next = page_next(pg);
		atom_store(&pg->u.own.private_data, 0ul);
		if (!out)
			gfp_free(pg, p->order, false, __builtin_return_address(0));
	}
	kfree(p);
}

static int page_check(const struct dma_pool *p, const struct page *head)
{
	int faults = 0;

	assert_audit(head_of(p, block_dma(p, head, 0)) == head, "%s: pfn %#lx is not its own",
		     p->name, pfn_of_page(head));
	for (u32 w = 0; w < map_words(p); w++)
		assert_audit(!(page_bitmap(head, p->blocks)[w] & ~map_all(p, w)),
			     "%s: no such blocks", p->name);
	for (u32 nr = 0; nr < p->blocks; nr++) {
		if (*map_word(p, head, nr) & 1UL << (nr % BITS))
			assert_audit(block_damage(p, block_addr(p, head, nr)) == p->size,
				     "%s: block %u of pfn %#lx was written to", p->name, nr,
				     pfn_of_page(head));
	}
	return faults;
}

int dma_pool_check(struct dma_pool *p)
{
	int faults = 0;
	u32 nr = 0;

	for (struct page *pg = page_first(p); pg; pg = page_next(pg)) {
		faults += page_check(p, pg);
		nr += page_free_blocks(p, pg);
	}
	assert_audit((s32)nr == p->nr_free, "%s: %u blocks free, %d counted", p->name, nr,
		     p->nr_free);
	return faults;
}
