/* SPDX-License-Identifier: MIT */
/*
 * growth: blocks of one size are taken, and freed in an order that leaves many slabs half empty for long;
 * then the program grows by another size. What the first have left behind must have gone to it.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"

enum { FIRST = 2000, FIRST_SIZE = 1900, SECOND = 100000, SECOND_SIZE = 60 };

static void *block[SECOND];

static void take(int n, size_t size)
{
	for (int i = 0; i < n; i++) {
		block[i] = malloc(size);
		memset(block[i], 1, size);
	}
}

static void give(int n)
{
	for (int i = 0; i < n; i++) /* in an order of no slab's: 1,009 is prime to n */
		free(block[(size_t)i * 1009 % (size_t)n]);
}

/* Of the cache, as malloc_info() has it; 0 if it has none. */
static unsigned long slabs(const char *cache)
{
	char *text = NULL, *at;
	unsigned long nr = 0;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	malloc_info(0, f);
	fclose(f);
	at = strstr(text, cache);
	at = at ? strstr(at, "slabs=\"") : NULL;
	if (at)
		nr = strtoul(at + strlen("slabs=\""), NULL, 10);
	free(text);
	return nr;
}

int main(void)
{
	unsigned long before;

	take(FIRST, FIRST_SIZE);
	before = slabs("\"malloc-2048\"");
	check(before >= FIRST / 8, "many slabs are in use");
	give(FIRST);
	check(slabs("\"malloc-2048\"") > 2, "some stay when all blocks are freed");
	take(SECOND, SECOND_SIZE);
	check(slabs("\"malloc-2048\"") <= 1, "they go when the program grows by other blocks");
	give(SECOND);
	return check_done();
}
