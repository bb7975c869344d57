/* SPDX-License-Identifier: MIT */
/*
 * What handlers do. Each shape is short enough to be understood, and all of them together enter the
 * library through every door that is open to a handler. What a shape keeps is freed after the run.
 */
#include <string.h>
#include "parts.h"
#include "world.h"

enum { SAME = 1200, BURST = 16 };

static void gift_free(enum kind kind, size_t size)
{
	struct block b = disown_kind(&s.handler, kind, size);

	if (b.p)
		block_free(b);
}

static void pair(enum kind kind, size_t size, gfp_t gfp)
{
	void *p = block_alloc(kind, size, gfp | __GFP_NOWARN);

	if (!p) {
		shape_refused();
		return;
	}
	block_free((struct block){p, size, kind});
}

static void sh_kmalloc(void)
{
	shape_alloc(OF_KMALLOC, SAME, GFP_ATOMIC);
}

static void sh_kfree(void)
{
	gift_free(OF_KMALLOC, SAME);
}

static void sh_kmalloc_pair(void)
{
	pair(OF_KMALLOC, SAME, GFP_ATOMIC);
	pair(OF_KMALLOC, 40, GFP_NOWAIT);
}

static void sh_cache_alloc(void)
{
	shape_alloc(OF_CACHE, 1500, GFP_ATOMIC);
}

static void sh_cache_free(void)
{
	gift_free(OF_CACHE, 0);
}

static void sh_page_alloc(void)
{
	shape_alloc(OF_PAGE, PAGE_SIZE, GFP_ATOMIC);
}

static void sh_page_free(void)
{
	gift_free(OF_PAGE, PAGE_SIZE);
}

static void sh_block_free(void)
{
	gift_free(OF_PAGE, PAGE_SIZE << 4);
}

static void sh_order2(void)
{
	struct page *page = alloc_pages(GFP_ATOMIC | __GFP_NOWARN, 2);

	if (page)
		__free_pages(page, 2);
}

static void sh_large(void)
{
	void *p = kmalloc(3 * PAGE_SIZE, GFP_ATOMIC | __GFP_NOWARN);

	kfree(p);
	p = kmalloc(9 * PAGE_SIZE, GFP_ATOMIC | __GFP_NOWARN);
	kfree(p);
}

static void sh_bulk(void)
{
	void *p[5];

	if (kmem_cache_alloc_bulk(s.cache, GFP_ATOMIC | __GFP_NOWARN, 5, p))
		kmem_cache_free_bulk(s.cache, 5, p);
	else
		shape_refused();
}

static void sh_burst_of_allocs(void)
{
	for (unsigned int i = 0; i < BURST; i++)
		shape_alloc(i % 2 ? OF_KMALLOC : OF_CACHE, i % 2 ? SAME : 1500, GFP_ATOMIC);
}

static void sh_burst_of_frees(void)
{
	for (unsigned int i = 0; i < BURST; i++)
		gift_free(i % 2 ? OF_KMALLOC : OF_CACHE, 0);
}

static void sh_irq(void)
{
	kmem_irq_enter();
	shape_alloc(OF_KMALLOC, SAME, GFP_ATOMIC);
	shape_alloc(OF_PAGE, PAGE_SIZE, GFP_ATOMIC);
	gift_free(OF_CACHE, 0);
	kmem_irq_exit();
}

static void sh_zeroed(void)
{
	unsigned char *p = kzalloc(PAGE_SIZE, GFP_NOWAIT | __GFP_NOWARN);

	if (!p) {
		shape_refused();
		return;
	}
	for (unsigned int i = 0; i < PAGE_SIZE; i += 8)
		if (p[i])
			step_finding("a zeroed block is not zero");
	own(&s.handler, OF_KMALLOC, p, PAGE_SIZE);
}

static void sh_krealloc(void)
{
	struct block b = disown_kind(&s.handler, OF_KMALLOC, SAME);
	void *p;

	if (!b.p)
		return;
	p = krealloc(b.p, 3000, GFP_ATOMIC | __GFP_NOWARN);
	if (!p)
		shape_refused();
	own(&s.handler, OF_KMALLOC, p ? p : b.p, p ? 3000 : SAME);
}

static void sh_free_of_the_tasks(void)
{
	for (unsigned int i = 0; i < 3 && s.task.n; i++)
		block_free(disown_last(&s.task));
}

static void sh_ctor(void)
{
	struct block b = disown_kind(&s.handler, OF_CTOR, 0);

	shape_alloc(OF_CTOR, 2100, GFP_ATOMIC);
	if (b.p)
		block_free(b);
	pair(OF_CTOR, 2100, GFP_NOWAIT);
}

static void sh_nolock(void)
{
	struct page *page = alloc_pages_nolock(__KMEM_GFP(0), 0, 0);
	void *p = kmalloc_nolock(SAME, __GFP_ZERO, 0);

	if (page)
		free_pages_nolock(page, 0);
	kfree_nolock(p);
}

static void sh_face(void)
{
	struct block b = disown_kind(&s.handler, OF_FACE, 0);

	w->urgent = false; /* malloc has a blocking word, whoever calls */
	if (b.p) {
		void *p = face_realloc(b.p, b.size * 2);

		own(&s.handler, OF_FACE, p ? p : b.p, p ? b.size * 2 : b.size);
	}
	face_free(face_malloc(SAME));
	face_free(face_malloc(5 * PAGE_SIZE));
}

static void sh_debug(void)
{
	shape_alloc(OF_DEBUG, 400, GFP_ATOMIC);
	pair(OF_DEBUG, 400, GFP_ATOMIC);
}

static void sh_burst_of_pages(void)
{
	struct page *page[20];

	for (unsigned int i = 0; i < 20; i++)
		page[i] = alloc_page(GFP_ATOMIC | __GFP_NOWARN);
	for (unsigned int i = 0; i < 20; i++)
		if (page[i])
			__free_page(page[i]);
		else
			shape_refused();
}

static void sh_run(void)
{
	struct page *page = alloc_contig_pages(5, GFP_ATOMIC | __GFP_NOWARN, 0, NULL);

	if (!page)
		return;
	contig_resize(page, 3);
	free_contig_range(page_to_pfn(page), 3);
}

static void sh_rcu(void)
{
	gift_free(OF_RCU, 0);
	shape_alloc(OF_RCU, 900, GFP_ATOMIC);
}

static void sh_back_and_forth(void)
{
	for (unsigned int i = 0; i < 3; i++) {
		gift_free(OF_KMALLOC, SAME);
		shape_alloc(OF_KMALLOC, SAME, GFP_ATOMIC);
		gift_free(OF_PAGE, PAGE_SIZE);
		shape_alloc(OF_PAGE, PAGE_SIZE, GFP_ATOMIC);
	}
}

static void sh_pool_alloc(void)
{
	shape_alloc(OF_POOL, 700, GFP_ATOMIC);
	pair(OF_POOL, 700, GFP_NOWAIT);
}

static void sh_pool_free(void)
{
	gift_free(OF_POOL, 700);
}

/* Out of the reserve, which may say no where it interrupted a call on the pool; the last goes back. */
static void sh_pool_reserve(void)
{
	for (unsigned int i = 0; i < 2; i++)
		own(&s.handler, OF_POOL, mempool_alloc_preallocated(s.pool), 700);
	gift_free(OF_POOL, 700);
}

/* The task's own page first, so that both want one window, and another on top of it. */
static void sh_kmap(void)
{
	uint64_t *theirs = kmap_local_page(s.high[0]), *mine = kmap_atomic(s.high[2]);
	uint64_t before = *theirs;

	*mine = ~before;
	if (*theirs != before || *mine != ~before)
		step_finding("a window shows another page");
	kunmap_atomic(mine);
	kunmap_local(theirs);
}

const struct shape shapes[] = {
	{"kmalloc of the same class", sh_kmalloc},
	{"kfree of the same class", sh_kfree},
	{"kmalloc and kfree", sh_kmalloc_pair},
	{"alloc from the same cache", sh_cache_alloc},
	{"free to the same cache", sh_cache_free},
	{"a page", sh_page_alloc},
	{"free of a page", sh_page_free},
	{"free of a block of order 4", sh_block_free},
	{"order 2 and back", sh_order2},
	{"large kmalloc and kfree", sh_large},
	{"bulk", sh_bulk},
	{"burst of allocations", sh_burst_of_allocs},
	{"burst of frees", sh_burst_of_frees},
	{"in interrupt context", sh_irq},
	{"zeroed, NOWAIT", sh_zeroed},
	{"krealloc", sh_krealloc},
	{"free of the task's own", sh_free_of_the_tasks},
	{"constructed objects", sh_ctor},
	{"nolock", sh_nolock},
	{"malloc, realloc, free", sh_face},
	{"debug cache", sh_debug},
	{"burst of pages", sh_burst_of_pages},
	{"run of pages", sh_run},
	{"RCU cache", sh_rcu},
	{"back and forth", sh_back_and_forth},
	{"elements of a mempool", sh_pool_alloc},
	{"free of an element", sh_pool_free},
	{"the reserve of a mempool", sh_pool_reserve},
	{"windows", sh_kmap},
};
const unsigned int nr_shapes = sizeof(shapes) / sizeof(shapes[0]);
