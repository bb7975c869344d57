/* SPDX-License-Identifier: MIT */
/* Victims of memory pools and of the windows of high memory; their table is victims.c's. */
#include <kmem/highmem.h>
#include "parts.h"

void pool_size(void)
{
	s.in.size = 700;
}
void pool_run(void)
{
	s.out = mempool_alloc(s.pool, GFP_KERNEL);
}
void pool_reserve_run(void)
{
	s.out = mempool_alloc_preallocated(s.pool);
}
void pool_free_prepare(void)
{
	s.in = (struct block){mempool_alloc(s.pool, GFP_KERNEL), 700, OF_POOL};
}
/* One is missing from the reserve, and another is out. */
void pool_refill_prepare(void)
{
	own(&s.task, OF_POOL, mempool_alloc_preallocated(s.pool), 700);
	pool_free_prepare();
}
void pool_free_run(void)
{
	mempool_free(s.in.p, s.pool);
}
void pool_resize_prepare(void)
{
	own(&s.task, OF_POOL, mempool_alloc_preallocated(s.pool), 700);
}
void pool_grow_run(void)
{
	mempool_resize(s.pool, 2 * POOL_MIN);
}
void pool_shrink_run(void)
{
	mempool_resize(s.pool, 1);
}

/* Two pages, one in the other's mapping; what is written must be there when it is looked at again. */
enum { WORD = 0x1234567 };

void high_prepare(void)
{
	uint64_t *p = kmap_local_page(s.high[0]);

	*p = 0;
	kunmap_local(p);
}
void high_run(void)
{
	uint64_t *p = kmap_local_page(s.high[0]), *q = kmap_local_page(s.high[1]);

	*p = WORD;
	*q = WORD + 1;
	kunmap_local(q);
	kunmap_local(p);
}
void high_copy_run(void)
{
	high_run();
	copy_highpage(s.high[2], s.high[0]);
	clear_highpage(s.high[2]);
}
void high_done(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t *p = kmap_local_page(s.high[i]);

		if (*p != WORD + i)
			step_finding("page %u behind a window is %#llx", i, (unsigned long long)*p);
		kunmap_local(p);
	}
}
