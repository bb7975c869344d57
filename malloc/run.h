/* SPDX-License-Identifier: MIT */
/* The hits of large blocks: runs of up to RUN_MAX bytes, from the page allocator's lists and back (run.c). */
#ifndef KMEM_MALLOC_RUN_H
#define KMEM_MALLOC_RUN_H

#include "internal.h"
#include "gfp/gfp.h"

#define RUN_MAX ((size_t)RUN_LISTED << PAGE_SHIFT)

static inline size_t pages_of(size_t size)
{
	return (size >> PAGE_SHIFT) + ((size & (PAGE_SIZE - 1)) != 0);
}

/* The list whose runs have room for 1 to RUN_MAX bytes. */
static inline unsigned int run_list_for(size_t size)
{
	return run_list(pages_of(size));
}

static noinline void *run_hit_count(void *p)
{
	const struct page *page = page_of_addr(p);

	run_count_slow(page_run_nr(page), run_taken(page));
	return p;
}

/* As for small blocks nobody looks at the task; but here at what is tracked. size: 1 to RUN_MAX. */
static inline always_inline void *run_hit(size_t size)
{
	struct page *page;
	void *p;

	if (unlikely(face_track))
		return NULL;
	page = run_take_hit(atom_load(&gfp_hit_class[0]), run_list_for(size));
	if (unlikely(!page))
		return NULL;
	p = addr_of_page(page);
	return likely(run_count(page_run_nr(page), run_taken(page))) ? p : run_hit_count(p);
}

static inline always_inline bool run_free_hit(void *p)
{
	struct page *page = page_of_addr(p);

	return likely(page) && likely(((uintptr_t)p & (PAGE_SIZE - 1)) == 0) &&
	       likely(!face_track) && run_give_hit(page);
}

#endif
