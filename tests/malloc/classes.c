/* SPDX-License-Identifier: MIT */
/* classes: the memory that blocks of a few sizes take, which is what the table of classes is there for. */
#include <malloc.h>
#include <stdlib.h>
#include "check.h"

/* Of the machine's memory a block, of many that are there to stay. */
static double taken_for(size_t size)
{
	enum { BLOCKS = 8000 };
	size_t before = mallinfo2().arena;

	for (int i = 0; i < BLOCKS; i++)
		if (!malloc(size))
			return 1e9;
	return (double)(mallinfo2().arena - before) / BLOCKS;
}

int main(void)
{
	check(taken_for(1024 + 16) < 1040 * 1.04, "a page of 1 KiB with a header");
	check(taken_for(2048 + 100) < 2148 * 1.06, "a page of 2 KiB with a header");
	check(taken_for(4096 + 272) < 4368 * 1.04, "a page of 4 KiB with a header");
	check(taken_for(7000) < 7000 * 1.06, "7,000 bytes do not take 8 KiB");
	return check_done();
}
