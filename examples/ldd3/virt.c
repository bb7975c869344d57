/* SPDX-License-Identifier: MIT */
/* Large blocks of pages that need not lie together. */
#include "store.h"

#include <string.h>

enum { BLOCK_PAGES = 16 };

static void *area_get(void)
{
	void *area = vmalloc(BLOCK_PAGES * PAGE_SIZE);

	if (area)
		memset(area, 0, BLOCK_PAGES * PAGE_SIZE);
	return area;
}

static void area_put(void *area)
{
	vfree(area);
}

static char *area_map(void *area)
{
	return area;
}

static void area_unmap(char *bytes)
{
	(void)bytes;
}

static struct store store = {
	"virt", BLOCK_PAGES *PAGE_SIZE, area_get, area_put, area_map, area_unmap, 0, {NULL}};

struct store *virt_load(void)
{
	return &store;
}

void virt_unload(void)
{
	store_trim(&store);
}
