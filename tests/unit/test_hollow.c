/* SPDX-License-Identifier: MIT */
/* Pages inside of slabs that nothing is in go to the host, and nothing else does. */
#include <string.h>
#include <sys/mman.h>
#include <kmem/kmem.h>
#include "slab/slab.h"
#include "tap.h"

enum { OBJECTS = 512 };

static unsigned char *obj[OBJECTS];

static bool resident(const void *p)
{
	unsigned char there = 0;

	return mincore((void *)((uintptr_t)p & PAGE_MASK), PAGE_SIZE, &there) == 0 && there & 1;
}

/* Of the pages that objects begin in. */
static u32 count_resident(void)
{
	u32 n = 0;

	for (u32 i = 0; i < OBJECTS; i++)
		n += resident(obj[i]);
	return n;
}

static bool is_as_filled(u32 i, size_t size)
{
	for (size_t k = 0; k < size; k++)
		if (obj[i][k] != (unsigned char)(i + 1))
			return false;
	return true;
}

static void fill(u32 i, size_t size)
{
	memset(obj[i], (unsigned char)(i + 1), size);
}

static u32 kept(size_t size, u32 each)
{
	u32 good = 0;

	for (u32 i = 0; i < OBJECTS; i += each)
		good += is_as_filled(i, size);
	return good;
}

/* All but each so-manieth are freed. Twice, since what is taken again can become hollow again. */
static void look(const char *name, unsigned int size, u32 each, bool goes)
{
	struct kmem_cache *c = kmem_cache_create(name, size, 16, SLAB_NO_MERGE, NULL);

	for (u32 i = 0; i < OBJECTS; i++) {
		obj[i] = kmem_cache_alloc(c, GFP_KERNEL);
		fill(i, size);
	}
	for (u32 turn = 0; turn < 2; turn++) {
		u32 before = count_resident(), after;

		for (u32 i = 0; i < OBJECTS; i++)
			if (i % each)
				kmem_cache_free(c, obj[i]);
		sheaf_drain(c, true);
		slab_discard_hollow();
		is(kept(size, each), (OBJECTS + each - 1) / each, "%s: what lives is there", name);
		after = count_resident();
		if (goes)
			ok(after < before * 2 / 3, "%s: %u of %u stay", name, after, before);
		else
			is(after, before, "%s", name);
		is(kmem_check(), 0);
		for (u32 i = 0; i < OBJECTS; i++) {
			if (i % each)
				obj[i] = kmem_cache_alloc(c, GFP_KERNEL);
			fill(i, size);
		}
		is(kept(size, 1), OBJECTS, "%s: each object is its owner's alone", name);
	}
	for (u32 i = 0; i < OBJECTS; i++)
		kmem_cache_free(c, obj[i]);
	kmem_cache_destroy(c);
}

TEST(hollow_pages_go)
{
	is(kmem_boot("mem=64M"), 0);
	look("two a page", 2048, 8, true);
	look("over the border of a page", 1360, 12, true);
	look("a page and more", 5456, 6, true);
	look("many a page", 600, 12, true);
	is(kmem_shutdown(), 0);
}

TEST(pages_with_a_word_in_them_stay)
{
	is(kmem_boot("mem=64M"), 0);
	look("one of each page", 2048, 2, false);
	is(kmem_shutdown(), 0);
	is(kmem_boot("mem=64M slab_debug=P"), 0);
	look("poisoned", 2048, 8, false);
	is(kmem_shutdown(), 0);
}
