/* SPDX-License-Identifier: MIT */
/* Blocks that are whole pages, of HIGHMEM where there is some: seen through a window while it is copied. */
#include "store.h"

static void *page_get(void)
{
	return alloc_page(GFP_HIGHUSER | __GFP_ZERO | __GFP_COLD);
}

static void page_put(void *page)
{
	__free_page(page);
}

static char *page_map(void *page)
{
	return kmap_atomic(page, KM_USER0);
}

static void page_unmap(char *bytes)
{
	kunmap_atomic(bytes, KM_USER0);
}

static struct store store = {"pages",  PAGE_SIZE,  page_get, page_put,
			     page_map, page_unmap, 0,	     {NULL}};

struct store *pages_load(void)
{
	return &store;
}

void pages_unload(void)
{
	store_trim(&store);
}
