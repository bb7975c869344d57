/* SPDX-License-Identifier: MIT */
/* What a free that hits knows of an address, against the slower arithmetic that knows it as well. */
#include "support.h"
#include "slab/slab.h"

enum { LARGEST = 128 << 10 };

/* By the frames' table; by addresses it is the same, if there is such a table. */
static void *owner(const void *p)
{
	void *listed = page_owner_listed(p);

	if (PORT_OWNERS == 0 || kmem_machine.owner_at)
		ok(page_owner(p) == listed, "%p, by its address", p);
	return listed;
}

static unsigned long wrong_starts(const struct kmem_cache *c, const struct page *head)
{
	unsigned long wrong = 0, bytes = PAGE_SIZE << head->order;

	for (unsigned long i = 0; i < bytes; i++) {
		const unsigned char *p = slab_base(head) + i;
		bool starts = object_nr(c, page_of_addr(p), p) != OBJECT_NONE;

		wrong += object_starts(c->starts, p) != starts;
	}
	return wrong;
}

TEST(an_object_starts_where_the_slab_says_so)
{
	is(kmem_boot("mem=64M"), 0, "%s", kmem_boot_error());
	for (unsigned int size = 8; size <= LARGEST; size += size < 1024 ? 8 : size / 8 + 8) {
		struct kmem_cache *c = kmem_cache_create("sized", size, 0, 0, NULL);
		void *p = c ? kmem_cache_alloc(c, GFP_KERNEL) : NULL;

		if (c->starts == KMEM_HIT_NOWHERE)
			ok(size >= 512 << 10, "size %u: none may hit", size);
		else if (owner(p) == c->fast)
			is(wrong_starts(c, slab_head(page_of_addr(p))), 0, "size %u", size);
		else
			ok(size > KMALLOC_MAX_CACHE_SIZE, "size %u has regular slabs", size);
		kmem_cache_free(c, p);
		kmem_cache_destroy(c);
	}
}

static struct kmem_cache *size_cache(size_t size)
{
	return kmalloc_caches[FAMILY_NORMAL][kmalloc_class[(size - 1) / 8]];
}

TEST(a_size_known_to_the_compiler_has_the_class_that_the_library_finds)
{
	unsigned int wrong = 0;
	void *p;

	is(kmem_boot("mem=64M"), 0, "%s", kmem_boot_error());
	for (size_t size = 1; size <= KMALLOC_MAX_CACHE_SIZE; size++)
		wrong += kmalloc_fast[(size - 1) / 8] != size_cache(size)->fast;
	is(wrong, 0, "sizes of another class");
	p = kmalloc(192, GFP_KERNEL);
	is(ksize(p), 192, "a constant size");
	kfree(p);
	ok(kmalloc(0, GFP_KERNEL) == ZERO_SIZE_PTR, "nothing");
	ok(!kmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL | __GFP_NOWARN), "too much");
}

TEST(only_frames_of_regular_slabs_have_an_owner)
{
	struct kmem_cache *c;
	struct page *page;
	unsigned char *p;

	is(kmem_boot("mem=64M slab_debug=Z,debugged"), 0, "%s", kmem_boot_error());
	c = kmem_cache_create("plain", 320, 0, SLAB_NO_MERGE, NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	for (unsigned int i = 0; i < 1u << c->order; i++)
		ok(owner(slab_base(slab_head(page_of_addr(p))) + i * PAGE_SIZE) == c->fast,
		   "frame %u of a slab is the cache's", i);
	kmem_cache_free(c, p);
	kmem_cache_shrink(c);
	ok(!owner(p), "a slab given back has none");
	page = alloc_page(GFP_KERNEL);
	ok(!owner(page_address(page)), "a page has none");
	__free_page(page);
	p = kmem_cache_alloc(kmem_cache_create("debugged", 320, 0, 0, NULL), GFP_KERNEL);
	ok(!owner(p), "an object that is looked at on every free has none");
	ok(!owner(&p), "the stack has none");
	ok(!owner(NULL), "NULL has none");
	for (unsigned int bit = 0; bit < 8 * sizeof(uintptr_t); bit++) {
		ok(!owner((void *)((uintptr_t)1 << bit)), "nor has 1 << %u", bit);
		ok(!owner((void *)(((uintptr_t)1 << bit) - 1)), "nor what is before");
		ok(!owner((void *)-((uintptr_t)1 << bit)), "nor -1 << %u", bit);
	}
}

/* Under pressure a cache takes smaller slabs, whose end is somewhere else. */
TEST(a_slab_of_the_smaller_order_has_no_owner_and_its_objects_come_back)
{
	struct page *pages[4096];
	struct kmem_cache *c;
	unsigned int nr = 0, i;
	void *p;

	is(kmem_boot("mem=8M"), 0, "%s", kmem_boot_error());
	c = kmem_cache_create("large", 1200, 0, SLAB_NO_MERGE, NULL);
	ok(c->order > c->min_order, "there is a smaller order");
	while (nr < 4096 && (pages[nr] = alloc_page(GFP_ATOMIC | __GFP_MEMALLOC | __GFP_NOWARN)))
		nr++;
	for (i = 0; i < nr; i++)
		if (page_to_pfn(pages[i]) % 2 == 0)
			__free_page(pages[i]);
	p = kmem_cache_alloc(c, GFP_ATOMIC | __GFP_NOWARN);
	ok(p, "an object");
	is(slab_head(page_of_addr(p))->order, c->min_order, "of a slab of the smaller order");
	ok(!owner(p), "which no hit frees to");
	kmem_cache_free(c, p);
	is(kmem_cache_check(c), 0);
	for (i = 0; i < nr; i++)
		if (page_to_pfn(pages[i]) % 2 == 1)
			__free_page(pages[i]);
	is(kmem_check(), 0);
}
