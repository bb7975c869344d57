/* SPDX-License-Identifier: MIT */
/* The bitmaps of blocks that are cut into objects. */
#include "phys_machine.h"

/* Of blocks of the order that are cut into so many objects; how far one's is from the next one's. */
static size_t bitmaps_apart(unsigned int order, u32 objects)
{
	size_t bytes = (objects + 7) / 8, least = SIZE_MAX;
	const unsigned char *last = NULL;

	for (pfn_t pfn = 0; pfn < 64; pfn += 1u << order) {
		struct page *head = page_of_pfn(pfn);
		const unsigned char *map;

		head->order = order & 0x1f;
		map = (const unsigned char *)page_bitmap(head, objects);
		if (last)
			least = size_min(least, (size_t)(map - last));
		last = map;
	}
	ok(least >= bytes, "%u objects of order %u", objects, order);
	return least >> order;
}

TEST(bitmaps_have_room_and_no_more)
{
	struct kmem_options opt = pm_options(16384);

	pm_start(&opt);
	is(bitmaps_apart(0, 512), 64);
	is(bitmaps_apart(3, 4096), 64);
	is(bitmaps_apart(0, 257), 64);
	is(bitmaps_apart(0, 256), 32, "half the memory");
	is(bitmaps_apart(2, 1024), 32);
	is(bitmaps_apart(3, 1), 32);
	for (pfn_t pfn = 0; pfn < 64; pfn++)
		page_of_pfn(pfn)->order = pfn ? 0 : MAX_PAGE_ORDER;
	pm_stop();
}
