/* SPDX-License-Identifier: MIT */
/*
 * fragment: a mix of sizes is allocated, nine blocks of ten are freed at random, and other sizes are
 * allocated: how much memory does the process have then for each byte that lives? Every page is touched, so
 * the resident set is what was taken. The tables of this program are not counted; everything else is, the
 * program's own text and stacks included. Sizes are from a uniform distribution over the powers of two.
 */
#include "harness.h"
#include "api.h"

#include <unistd.h>

enum { FIRST = 64 << 20, SECOND = 32 << 20, BLOCKS_MAX = 1 << 20 };

struct block {
	char *p;
	uint32_t size;
};

static uint64_t live;
static struct block *block;
static uint32_t blocks;

static void block_add(uint32_t size)
{
	struct block *b = &block[blocks++];

	if (blocks > BLOCKS_MAX)
		die("more blocks than %d", BLOCKS_MAX);
	*b = (struct block){need(api_alloc(size)), size};
	memset(b->p, 1, size);
	live += size;
}

static void block_drop(uint32_t i)
{
	api_free(block[i].p);
	live -= block[i].size;
	block[i] = block[--blocks];
}

static uint64_t resident(void)
{
	unsigned long long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%*u %llu", &pages) != 1)
		die("/proc/self/statm tells nothing");
	fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE) - BLOCKS_MAX * sizeof(*block);
}

static void tell(const char *name)
{
	case_report(name, "RSS/live", (double)resident() / (double)live);
}

WORKLOAD(fragment)
{
	uint64_t seed = bench.seed, until;

	block = own_alloc(BLOCKS_MAX * sizeof(*block));
	memset(block, 1, BLOCKS_MAX * sizeof(*block));
	while (live < FIRST)
		block_add(rnd_size(&seed, 16, 2048));
	tell("all live");
	for (uint32_t keep_nr = blocks / 10; blocks > keep_nr;)
		block_drop(rnd_below(&seed, blocks));
	tell("9 of 10 freed");
	until = live + SECOND;
	while (live < until)
		block_add(rnd_size(&seed, 24, 3072) / 3 * 3);
	tell("and other sizes");
}
