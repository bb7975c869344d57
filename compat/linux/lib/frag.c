/* SPDX-License-Identifier: MIT */
/*
 * Fragments of pages. A block's count of references is that of its fragments that are out, and one of who
 * cuts it: the block goes back with the last of them, whichever that is. A cache cuts from the block's end
 * downwards, and takes a used up block for another round if nobody but it holds that.
 */
#include <linux/mm.h>
#include <net/sock.h>

enum { FRAG_ORDER = 3 };

/* A large block if one is there; a page with all the effort the mask allows. */
static struct page *block_new(gfp_t gfp, unsigned int *size)
{
	gfp_t easy = (gfp & ~__GFP_DIRECT_RECLAIM) | __GFP_COMP | __GFP_NOWARN | __GFP_NORETRY;
	struct page *page = alloc_pages(easy, FRAG_ORDER);

	*size = PAGE_SIZE << FRAG_ORDER;
	if (page)
		return page;
	*size = PAGE_SIZE;
	return alloc_pages(gfp, 0);
}

static bool cache_refill(struct page_frag_cache *c, gfp_t gfp)
{
	struct page *page = block_new(gfp, &c->size);

	c->va = page ? page_address(page) : NULL;
	c->offset = c->size;
	c->pagecnt_bias = page != NULL;
	c->pfmemalloc = false;
	return page != NULL;
}

/* Used up: its fragments keep it, or nobody does and it is as new. */
static void cache_turn(struct page_frag_cache *c)
{
	if (page_count(virt_to_page(c->va)) == 1)
		c->offset = c->size;
	else
		page_frag_cache_drain(c);
}

void *page_frag_alloc_align(struct page_frag_cache *c, unsigned int size, gfp_t gfp,
			    unsigned int align_mask)
{
	unsigned int offset;

	if (!size || size > PAGE_SIZE << FRAG_ORDER)
		return NULL;
	if (c->va && c->offset < size)
		cache_turn(c);
	if (!c->va && !cache_refill(c, gfp))
		return NULL;
	if (c->offset < size)
		return NULL;
	offset = (c->offset - size) & align_mask;
	get_page(virt_to_page(c->va));
	c->offset = offset;
	return (char *)c->va + offset;
}

void __page_frag_cache_drain(struct page *page, unsigned int count)
{
	while (count-- > 0)
		put_page(page);
}

void page_frag_cache_drain(struct page_frag_cache *c)
{
	if (c->va)
		__page_frag_cache_drain(virt_to_page(c->va), c->pagecnt_bias);
	c->va = NULL;
	c->pagecnt_bias = 0;
}

/* The other form: the user cuts, from the start upwards, and takes a reference for each piece. */
bool skb_page_frag_refill(unsigned int size, struct page_frag *f, gfp_t gfp)
{
	if (f->page) {
		if (page_count(f->page) == 1)
			f->offset = 0;
		if (f->offset + size <= f->size)
			return true;
		put_page(f->page);
	}
	f->offset = 0;
	f->page = block_new(gfp, &f->size);
	return f->page != NULL;
}
