/* SPDX-License-Identifier: MIT */
/*
 * growth: blocks of one size are taken, and freed in an order that leaves many slabs half empty for long;
 * then the program grows by another size. What the first have left behind must have gone to it. So must
 * what large blocks have left on the CPUs' lists. And what a block has in which realloc has moved one that grows.
 */
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "check.h"

enum {
	FIRST = 2000,
	FIRST_SIZE = 1900,
	SECOND = 100000,
	SECOND_SIZE = 60,
	KIB = 1024,
	MIB = 1024 * KIB,
	THIRD = 20000,
	THIRD_SIZE = 256
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

/*
 * Vectors that have grown, like any list's: of each length two are freed, and rest on the CPU's lists.
 * Returns their bytes.
 */
static size_t runs_left(void)
{
	size_t bytes = 0;
	int n = 0;

	for (size_t size = 12 << 10; size <= 256 << 10; size += size / 8, n += 2) {
		block[n] = malloc(size);
		block[n + 1] = malloc(size);
		bytes += 2 * size;
	}
	while (n-- > 0)
		free(block[n]);
	return bytes;
}

static void lists_give_way(void)
{
	size_t before = mallinfo2().arena, left = runs_left();

	check(mallinfo2().arena - before > left / 2, "some stay when large blocks are freed");
	take(THIRD, THIRD_SIZE);
	check(mallinfo2().arena - before < THIRD * THIRD_SIZE + left / 4,
	      "they go when the program grows by small ones");
	give(THIRD);
}

static size_t resident(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	check(f && fscanf(f, "%*u %lu", &pages) == 1, "what is resident can be read");
	if (f)
		fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/*
 * Each tenth block stays, and with it its slab; but the other pages of that go before there is more than ever, or
 * when they are asked for.
 */
static void hollow_pages_give_way(bool trim)
{
	static void *stay[FIRST];
	size_t before = resident(), most = FIRST * FIRST_SIZE;

	take(FIRST, FIRST_SIZE);
	for (int i = 0; i < FIRST; i += 10) {
		stay[i] = block[i];
		block[i] = NULL;
	}
	give(FIRST);
	check(resident() - before > most, "they stay while nothing else is wanted");
	if (trim) {
		malloc_trim(0);
		check(resident() - before < most / 5 * 3,
		      "they go when malloc_trim() asks for them");
	}
	take(THIRD, THIRD_SIZE);
	check(resident() - before < THIRD * THIRD_SIZE + most / 2 + most / 4,
	      "they go when the program grows");
	give(THIRD);
	for (int i = 0; i < FIRST; i += 10)
		free(stay[i]);
}

int main(int argc, char **argv)
{
	unsigned long before;

	if (argc > 1) {
		hollow_pages_give_way(!strcmp(argv[1], "trim"));
		return check_done();
	}
	lists_give_way();
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
