/* SPDX-License-Identifier: MIT */
/* DMA pools: S187 to S190, poison, and a random walk over many shapes against a model. */
#include <pthread.h>
#include <kmem/dmapool.h>
#include "pressure.h"

enum { BLOCKS = 300 };

struct device {
	const char *name;
};
static struct device device = {"a device"};

struct block {
	unsigned char *p;
	dma_addr_t dma;
	unsigned char byte;
};
static struct block block[BLOCKS];
static unsigned int nr_blocks;

static bool block_get(struct dma_pool *pool, gfp_t gfp)
{
	struct block *b = &block[nr_blocks];

	b->p = dma_pool_alloc(pool, gfp, &b->dma);
	nr_blocks += b->p != NULL;
	return b->p != NULL;
}

static void block_put(struct dma_pool *pool, unsigned int i)
{
	dma_pool_free(pool, block[i].p, block[i].dma);
	block[i] = block[--nr_blocks];
}

static void blocks_put(struct dma_pool *pool)
{
	while (nr_blocks)
		block_put(pool, nr_blocks - 1);
}

/* Distance of the two nearest blocks: what one takes. */
static size_t stride(struct dma_pool *pool)
{
	size_t least = SIZE_MAX;

	while (nr_blocks < 64)
		ok(block_get(pool, GFP_KERNEL));
	for (unsigned int i = 0; i < nr_blocks; i++) {
		for (unsigned int k = 0; k < nr_blocks; k++) {
			if (block[i].dma > block[k].dma && block[i].dma - block[k].dma < least)
				least = (size_t)(block[i].dma - block[k].dma);
		}
	}
	blocks_put(pool);
	return least;
}

static bool refused(size_t size, size_t align, size_t boundary)
{
	struct dma_pool *pool = dma_pool_create("refused", &device, size, align, boundary);

	dma_pool_destroy(pool);
	return !pool;
}

TEST(S187_blocks_are_rounded_up_and_cross_no_boundary)
{
	static const size_t shape[][4] = {
		/* size, align, boundary: block */
		{20, 16, 0, 32},   {1, 0, 0, 16},      {16, 1, 0, 16},	   {17, 1, 0, 17},
		{40, 8, 64, 64},   {48, 16, 128, 48},  {100, 4, 256, 100}, {2048, 2048, 2048, 2048},
		{24, 8, 4096, 24}, {24, 8, 65536, 24},
	};

	machine_start(M64);
	for (size_t i = 0; i < sizeof(shape) / sizeof(shape[0]); i++) {
		size_t size = shape[i][0], align = shape[i][1], boundary = shape[i][2];
		struct dma_pool *pool = dma_pool_create("shapes", &device, size, align, boundary);

		ok(pool != NULL, "%zu %zu %zu", size, align, boundary);
		is(stride(pool), shape[i][3], "%zu %zu %zu", size, align, boundary);
		boundary = boundary && boundary < PAGE_SIZE ? boundary : PAGE_SIZE;
		while (nr_blocks < BLOCKS)
			block_get(pool, GFP_KERNEL);
		for (unsigned int k = 0; k < nr_blocks; k++) {
			is(block[k].dma % (align ? align : 1), 0, "aligned");
			is(block[k].dma / boundary, (block[k].dma + shape[i][3] - 1) / boundary,
			   "crosses no multiple of %zu", boundary);
		}
		blocks_put(pool);
		is(dma_pool_check(pool), 0, "check");
		dma_pool_destroy(pool);
	}
	machine_stop();
}

TEST(S188_creation_refuses_what_no_block_could_keep)
{
	machine_start(M64);
	ok(refused(16, 1, 24), "boundary 24");
	ok(refused(16, 3, 0), "align 3");
	ok(refused(64, 1, 32), "a boundary below the size");
	ok(refused(20, 16, 16), "or below the size it is rounded up to");
	ok(refused(0, 1, 0), "size 0");
	ok(refused((size_t)INT32_MAX + 1, 1, 0), "a size above INT_MAX");
	ok(!dma_pool_create("no device", NULL, 16, 1, 0), "no device");
	ok(!dma_pool_create(NULL, &device, 16, 1, 0), "no name");
	ok(!refused(16, 0, 0), "align 0 is 1");
	dma_pool_destroy(NULL);
	is(kmem_misuse_count(), 0, "none of it is misuse");
	machine_stop();
}

TEST(S189_both_addresses_keep_their_distance)
{
	struct dma_pool *pool;
	unsigned char *p;
	dma_addr_t dma, first;

	machine_start(M64);
	pool = dma_pool_create("pairs", &device, 64, 64, 0);
	for (unsigned int i = 0; i < 200; i++) {
		ok(block_get(pool, GFP_KERNEL));
		is(block[i].dma, virt_to_phys(block[i].p), "the physical address");
	}
	p = block[0].p;
	first = block[0].dma;
	dma_pool_free(pool, p, first + 64 * 4096);
	dma_pool_free(pool, p, first + 1);
	dma_pool_free(pool, p, ~(dma_addr_t)0);
	dma_pool_free(pool, p, virt_to_phys(pool));
	is(log_count("dma_pool_free pairs"), 4, "a wrong dma is reported");
	is(log_count("(bad dma)"), 4, "as that");
	dma_pool_free(pool, p + 64, first);
	dma_pool_free(pool, NULL, first);
	is(log_count("(bad vaddr)"), 2, "a wrong address too");
	is(reports_of(KMEM_MISUSE_DMAPOOL_FREE), 6, "with its code");
	is(dma_pool_check(pool), 0, "and nothing has changed");
	dma_pool_free(pool, p, first);
	dma_pool_free(pool, p, first);
	is(log_count("(already free)"), 1, "a second free");
	is(dma_pool_check(pool), 0, "changes nothing");
	ok(dma_pool_alloc(pool, GFP_KERNEL, &dma) == p && dma == first, "the block is there once");
	block[0].p = p;
	blocks_put(pool);
	dma_pool_destroy(pool);
	pool = dma_pool_create("gaps", &device, 24, 8, 64);
	p = dma_pool_alloc(pool, GFP_KERNEL, &dma);
	dma_pool_free(pool, p + 48, dma + 48);
	is(log_count("(bad dma)"), 5, "what is left before a boundary is no block");
	dma_pool_free(pool, p, dma);
	dma_pool_destroy(pool);
	machine_stop();
}

TEST(S190_destroy_with_blocks_out_keeps_their_memory)
{
	struct dma_pool *pool;
	uint64_t free;
	unsigned char *p;
	dma_addr_t dma;

	machine_start(M64);
	pool = dma_pool_create("busy-one", &device, 64, 64, 0);
	p = dma_pool_alloc(pool, GFP_KERNEL, &dma);
	kmem_drain();
	free = pages_free();
	dma_pool_destroy(pool);
	is(reports_of(KMEM_MISUSE_DMAPOOL_BUSY), 1, "reported");
	is(log_count("busy-one busy"), 1, "as busy");
	kmem_drain();
	ok(pages_free() <= free + 1, "the page stays allocated");
	memset(p, 1, 64);
	machine_stop_with(1);
}

TEST(memory_comes_from_where_the_mask_says)
{
	struct dma_pool *pool;

	machine_start("mem=1G zones=i386 nr_cpus=2");
	pool = dma_pool_create("zones", &device, 4096, 0, 0);
	ok(block_get(pool, GFP_KERNEL));
	ok(block_get(pool, GFP_KERNEL | GFP_DMA));
	ok(block_get(pool, GFP_KERNEL | __GFP_HIGHMEM));
	is(page_zonenum(virt_to_page(block[0].p)), KMEM_ZONE_NORMAL, "normal");
	is(page_zonenum(virt_to_page(block[1].p)), KMEM_ZONE_DMA, "DMA");
	ok(block[1].dma < 16 << 20, "below 16 MiB");
	is(page_zonenum(virt_to_page(block[2].p)), KMEM_ZONE_NORMAL, "always with an address");
	blocks_put(pool);
	dma_pool_destroy(pool);
	machine_stop();
}

TEST(blocks_larger_than_a_page)
{
	struct dma_pool *pool;

	machine_start(M64);
	pool = dma_pool_create("large", &device, 5000, 16, 0);
	for (unsigned int i = 0; i < 10; i++)
		ok(block_get(pool, GFP_KERNEL) && block[i].dma % 16 == 0, "block %u", i);
	block_put(pool, 3);
	is(dma_pool_check(pool), 0, "check");
	blocks_put(pool);
	dma_pool_destroy(pool);
	machine_stop();
}

TEST(pages_stay_until_the_pool_ends)
{
	struct dma_pool *pool;
	uint64_t before;

	machine_start(M64);
	before = pages_free_drained();
	pool = dma_pool_create("keeper", &device, 1024, 0, 0);
	for (unsigned int i = 0; i < 40; i++)
		ok(block_get(pool, GFP_KERNEL));
	blocks_put(pool);
	ok(pages_free_drained() <= before - 10, "ten pages");
	for (unsigned int i = 0; i < 40; i++)
		ok(block_get(pool, GFP_NOWAIT));
	blocks_put(pool);
	ok(pages_free_drained() >= before - 11, "are used again");
	dma_pool_destroy(pool);
	is(pages_free_drained(), before, "and given back at last");
	machine_stop();
}

TEST(no_memory_is_null_and_changes_nothing)
{
	struct dma_pool *pool;
	unsigned int n;

	machine_start(M64);
	pool = dma_pool_create("short", &device, 2048, 0, 0);
	ok(block_get(pool, GFP_KERNEL));
	exhaust(GFP_KERNEL);
	for (n = 0; block_get(pool, GFP_NOWAIT); n++)
		;
	ok(n >= 1 && n <= 3, "what the pool has, and then NULL");
	is(dma_pool_check(pool), 0, "check");
	block_put(pool, 0);
	ok(block_get(pool, GFP_NOWAIT), "what is freed serves again");
	blocks_put(pool);
	dma_pool_destroy(pool);
	m64_end();
}

static bool all(const unsigned char *p, size_t n, unsigned char byte)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != byte)
			return false;
	}
	return true;
}

TEST(poison_and_zeroes)
{
	struct dma_pool *pool;
	unsigned char *p, *was;
	dma_addr_t dma;

	machine_start(M64 " slab_debug=P");
	pool = dma_pool_create("poisoned", &device, 256, 0, 0);
	p = dma_pool_alloc(pool, GFP_KERNEL, &dma);
	ok(all(p, 256, 0xa9), "fresh");
	dma_pool_free(pool, p, dma);
	ok(all(p, 256, 0xa7), "free");
	was = p;
	p = dma_pool_zalloc(pool, GFP_KERNEL, &dma);
	ok(p == was && all(p, 256, 0), "zeroes");
	dma_pool_free(pool, p, dma);
	p[100] = 1;
	is(dma_pool_check(pool), 1, "a write to a free block");
	p = dma_pool_alloc(pool, GFP_KERNEL, &dma);
	is(reports_of(KMEM_MISUSE_SLAB_CORRUPT), 1, "is reported");
	is(log_count("dma_pool_alloc poisoned"), 1, "by name");
	ok(all(p, 256, 0xa9), "and wiped");
	dma_pool_free(pool, p, dma);
	dma_pool_destroy(pool);
	machine_stop();
}

/* A handler interrupts a call anywhere: nothing here has a lock it could find held. */
TEST(from_a_handler)
{
	struct dma_pool *pool;
	irqflags_t f;

	machine_start(M64);
	pool = dma_pool_create("handlers", &device, 64, 0, 0);
	f = port_irq_save();
	kmem_irq_enter();
	for (unsigned int i = 0; i < 200; i++)
		ok(block_get(pool, GFP_ATOMIC));
	blocks_put(pool);
	ok(!dma_pool_create("not here", &device, 64, 0, 0), "created in task context alone");
	is(reports_of(KMEM_MISUSE_CONTEXT), 1, "which is reported");
	kmem_irq_exit();
	port_irq_restore(f);
	is(dma_pool_check(pool), 0, "check");
	dma_pool_destroy(pool);
	machine_stop();
}

static void walk(struct dma_pool *pool, size_t size)
{
	for (unsigned int i = 0; i < 2000; i++) {
		unsigned int k = nr_blocks ? tap_below(nr_blocks) : 0;
		bool get = nr_blocks == 0 || (nr_blocks < BLOCKS && tap_below(100) < 55);

		if (get && block_get(pool, GFP_KERNEL)) {
			struct block *b = &block[nr_blocks - 1];

			b->byte = (unsigned char)tap_rand();
			memset(b->p, b->byte, size);
		} else if (!get) {
			ok(all(block[k].p, size, block[k].byte), "step %u: nobody wrote to it", i);
			block_put(pool, k);
		}
	}
	is(dma_pool_check(pool), 0, "check");
}

TEST(a_random_walk_over_many_shapes)
{
	machine_start(M64);
	for (int i = 0; i < 40; i++) {
		size_t size = 1 + tap_below(i % 4 ? 300 : 9000), align = 1u << tap_below(9);
		size_t least = (size < 16 ? 16 : size) + align, boundary = 0;
		struct dma_pool *pool;

		if (tap_below(2))
			for (boundary = 16; boundary < least; boundary *= 2)
				;
		pool = dma_pool_create("walk", &device, size, align, boundary);
		ok(pool != NULL, "size %zu align %zu boundary %zu", size, align, boundary);
		walk(pool, size);
		blocks_put(pool);
		dma_pool_destroy(pool);
	}
	is(kmem_misuse_count(), 0, "nothing to report");
	machine_stop();
}

struct user {
	struct dma_pool *pool;
	unsigned char byte;
	unsigned int torn;
};

static void *use(void *arg)
{
	struct user *u = arg;
	unsigned char *p[8];
	dma_addr_t dma[8];

	for (unsigned int i = 0; i < 20000; i++) {
		for (unsigned int k = 0; k < 8; k++) {
			p[k] = dma_pool_alloc(u->pool, GFP_KERNEL, &dma[k]);
			memset(p[k], u->byte, 64);
		}
		for (unsigned int k = 0; k < 8; k++) {
			u->torn += !all(p[k], 64, u->byte);
			dma_pool_free(u->pool, p[k], dma[k]);
		}
	}
	return NULL;
}

TEST(four_threads_share_a_pool)
{
	struct user u[4];
	pthread_t thread[4];
	struct dma_pool *pool;

	machine_start(M64);
	pool = dma_pool_create("shared", &device, 64, 0, 0);
	for (unsigned int i = 0; i < 4; i++) {
		u[i] = (struct user){pool, (unsigned char)(i + 1), 0};
		pthread_create(&thread[i], NULL, use, &u[i]);
	}
	for (unsigned int i = 0; i < 4; i++) {
		pthread_join(thread[i], NULL);
		is(u[i].torn, 0, "every block had one owner");
	}
	is(dma_pool_check(pool), 0, "check");
	dma_pool_destroy(pool);
	machine_stop();
}
