/* SPDX-License-Identifier: MIT */
/*
 * growth: blocks of one size are taken, and freed in an order that leaves many slabs half empty for long;
 * then the program grows by another size. What the first have left behind must have gone to it.
 * And what a block has in which realloc has moved one that grows.
 */
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"

enum {
	FIRST = 2000,
	FIRST_SIZE = 1900,
	SECOND = 100000,
	SECOND_SIZE = 60,
	KIB = 1024,
	MIB = 1024 * KIB
};

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

/* Blocks side by side, which have to move, grow: *least and *most are the usable bytes of those that moved. */
static int grow_by(size_t more, size_t *least, size_t *most)
{
	enum { BLOCKS = 8 };
	void *p[BLOCKS];
	int moved = 0;

	*least = SIZE_MAX;
	*most = 0;
	for (int i = 0; i < BLOCKS; i++)
		p[i] = malloc(MIB);
	for (int i = 0; i < BLOCKS; i++) {
		uintptr_t was = (uintptr_t)p[i];
		size_t usable;

		p[i] = realloc(p[i], MIB + more);
		usable = malloc_usable_size(p[i]);
		if ((uintptr_t)p[i] == was)
			continue;
		moved++;
		*least = usable < *least ? usable : *least;
		*most = usable > *most ? usable : *most;
	}
	for (int i = 0; i < BLOCKS; i++)
		free(p[i]);
	return moved;
}

static void test_realloc_room(void)
{
	size_t least, most;

	check(grow_by(64 * KIB, &least, &most) > 0 && least >= MIB + 192 * KIB,
	      "realloc: what moves to grow by little has room to grow again");
	check(grow_by(MIB / 2, &least, &most) > 0 && most < MIB + MIB / 2 + 8 * KIB,
	      "realloc: what grows by much gets that");
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
	test_realloc_room();
	return check_done();
}
