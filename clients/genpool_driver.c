// SPDX-License-Identifier: MIT
/*
 * lib/genalloc.c over memory of ours: pieces of blocks of pages, taken and given back by tasks and under a
 * spinlock. No piece meets another, none is lost, and the chunks' own tables are got while memory is short.
 */
#include <linux/genalloc.h>
#include <linux/init.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include "check.h"

enum { CHUNKS = 24, ORDER = 3, UNIT = 5, PIECES = 400, MAX_SIZE = 3000 };

static unsigned int rounds = 20000;
module_param(rounds, uint, 0444);

static unsigned long chunk[CHUNKS];
static struct piece {
	unsigned char *at;
	size_t size;
	unsigned char mark;
} piece[PIECES];
static DEFINE_SPINLOCK(lock);

static void give(struct gen_pool *pool, struct piece *p)
{
	CHECK(p->at[0] == p->mark && p->at[p->size - 1] == p->mark);
	gen_pool_free(pool, (unsigned long)p->at, p->size);
	p->at = NULL;
}

static void take(struct gen_pool *pool, struct piece *p)
{
	p->size = 1 + get_random_u32_below(MAX_SIZE);
	p->at = (unsigned char *)gen_pool_alloc(pool, p->size);
	if (!p->at)
		return;
	CHECK(gen_pool_has_addr(pool, (unsigned long)p->at, p->size));
	CHECK(gen_pool_virt_to_phys(pool, (unsigned long)p->at) == virt_to_phys(p->at));
	p->mark = (unsigned char)get_random_u32();
	memset(p->at, p->mark, p->size);
}

static int __init genpool_driver_init(void)
{
	struct gen_pool *pool = gen_pool_create(UNIT, -1);
	size_t all = CHUNKS * (PAGE_SIZE << ORDER);

	if (!pool)
		return -ENOMEM;
	for (int i = 0; i < CHUNKS; i++) {
		chunk[i] = __get_free_pages(GFP_KERNEL, ORDER);
		if (!chunk[i] || gen_pool_add_virt(pool, chunk[i], virt_to_phys((void *)chunk[i]),
						   PAGE_SIZE << ORDER, -1))
			all -= PAGE_SIZE << ORDER;
	}
	CHECK(gen_pool_size(pool) == all && gen_pool_avail(pool) == all);
	for (unsigned int i = 0; i < rounds; i++) {
		struct piece *p = &piece[get_random_u32_below(PIECES)];

		spin_lock(&lock);
		if (p->at)
			give(pool, p);
		else
			take(pool, p);
		spin_unlock(&lock);
	}
	for (int i = 0; i < PIECES; i++) {
		if (piece[i].at)
			give(pool, &piece[i]);
	}
	CHECK(gen_pool_avail(pool) == all);
	gen_pool_destroy(pool);
	for (int i = 0; i < CHUNKS; i++)
		free_pages(chunk[i], ORDER);
	return checks_result("genpool");
}
late_initcall(genpool_driver_init);
