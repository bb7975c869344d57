/* SPDX-License-Identifier: MIT */
/* mempool: elements of the library's own kinds, which are poisoned, or hidden, while they rest. */
#include <kmem/mempool.h>
#include "pressure.h"
#include "pool/pool.h"

enum { SIZE = 48 };

static void one_of(mempool_t *pool, const char *what, bool poisoned)
{
	unsigned char *p;
	void *el;

	ok(pool != NULL, "%s", what);
	is(pool->curr_nr, 2, "%s: two in reserve", what);
	el = mempool_alloc(pool, GFP_KERNEL);
	is(pool->curr_nr, 2, "%s: served from below", what);
	mempool_free(el, pool);
	el = mempool_alloc_preallocated(pool);
	p = pool->alloc == mempool_alloc_pages ? page_address(el) : el;
	if (poisoned)
		ok(p[0] == 0x5a && p[SIZE - 1] == 0x5a, "%s: handed out as 5a", what);
	mempool_free(el, pool);
	if (poisoned) {
		is(p[0], 0x6b, "%s: rests as 6b", what);
		is(p[pool->poison - 1], 0xa5, "%s: with a5 at its end", what);
	}
	is(mempool_check(pool), 0, "%s: check", what);
	mempool_destroy(pool);
}

static void own_elements(bool poisoned)
{
	struct kmem_cache *c = kmem_cache_create("elements", SIZE, 0, 0, NULL);

	one_of(mempool_create_slab_pool(2, c), "slab", poisoned);
	one_of(mempool_create_kmalloc_pool(2, SIZE), "kmalloc", poisoned);
	one_of(mempool_create_kvmalloc_pool(2, SIZE), "kvmalloc", poisoned);
	one_of(mempool_create_page_pool(2, 0), "a page", poisoned);
	one_of(mempool_create_page_pool(2, 3), "eight pages", poisoned);
	is(kmem_cache_destroy(c), 0, "no object is left");
}

TEST(own_elements_are_poisoned_where_things_are_checked)
{
	machine_start(M64);
	own_elements(KMEM_DEBUG);
	machine_stop();
	machine_start(M64 " slab_debug=P");
	own_elements(true);
	machine_stop();
	machine_start(M64 " sanitize=1");
	own_elements(KMEM_DEBUG && !kmem_machine.watched);
	machine_stop();
	is(kmem_misuse_count(), 0, "nothing to report");
}

/* Somebody else's lock, so that what is freed is left aside; and no longer. */
static bool lock_elsewhere(bool taken)
{
	static irqflags_t flags;

	if (taken) {
		mempool_fork_lock();
		flags = port_irq_save();
	} else {
		port_irq_restore(flags);
		mempool_fork_unlock(false);
	}
	return taken;
}

static void rests_and_comes_back(mempool_t *pool)
{
	void *out[8] = {NULL};
	bool taken = false;

	for (int i = 0; i < 100; i++) {
		unsigned int k = tap_below(8);

		if (tap_below(10) == 0)
			taken = lock_elsewhere(!taken);
		if (!taken && tap_below(10) == 0)
			is(mempool_resize(pool, 1 + (int)tap_below(9)), 0, "resize");
		mempool_free(out[k], pool);
		out[k] = tap_below(4) ? mempool_alloc_preallocated(pool)
				      : mempool_alloc(pool, GFP_ATOMIC);
		if (out[k])
			memset(out[k], i, SIZE);
	}
	for (int k = 0; k < 8; k++)
		mempool_free(out[k], pool);
	if (taken)
		lock_elsewhere(false);
	is(mempool_resize(pool, 10), 0, "larger than ever");
	is(mempool_check(pool), 0, "check");
	mempool_destroy(pool);
}

/*
 * Where a tool watches (VARIANT=asan; memcheck in tests/sanitize) what rests is hidden. Whoever gets it
 * may write to all of it, and it is freed once, whichever way it comes and goes.
 */
TEST(elements_that_rest_are_hidden_and_come_back)
{
	machine_start(M64 " sanitize=1 init_on_free=1");
	for (int i = 0; i < 50; i++)
		rests_and_comes_back(mempool_create_kmalloc_pool(2, SIZE));
	machine_stop();
	is(kmem_misuse_count(), 0, "nothing to report");
}

TEST(embedded_pools)
{
	mempool_t pool;
	struct kmem_cache *c;

	machine_start(M64);
	c = kmem_cache_create("elements", SIZE, 0, 0, NULL);
	is(mempool_init_slab_pool(&pool, 3, c), 0, "slab");
	is(pool.curr_nr, 3);
	mempool_exit(&pool);
	mempool_exit(&pool);
	is(mempool_init_kmalloc_pool(&pool, 3, 100), 0, "kmalloc");
	mempool_exit(&pool);
	is(mempool_init_kvmalloc_pool(&pool, 3, 100), 0, "kvmalloc");
	mempool_exit(&pool);
	is(mempool_init_page_pool(&pool, 3, 1), 0, "pages");
	mempool_exit(&pool);
	is(kmem_cache_destroy(c), 0, "no object is left");
	machine_stop();
}

/* An area wants a mask that blocks, so the first, gentle try has none, and the reserve serves. */
TEST(areas_are_elements_too)
{
	const size_t size = KMALLOC_MAX_SIZE + 1;
	mempool_t *pool;
	char *el[2];

	machine_start(M64 " slab_debug=P");
	pool = mempool_create_kvmalloc_pool(1, size);
	ok(pool != NULL, "created");
	el[0] = mempool_alloc(pool, GFP_KERNEL);
	is(pool->curr_nr, 0, "from the reserve");
	el[1] = mempool_alloc(pool, GFP_KERNEL);
	ok(el[0] && el[1] && el[0] != el[1], "the second one is made");
	for (int i = 0; i < 2; i++) {
		memset(el[i], i, size);
		mempool_free(el[i], pool);
	}
	is(mempool_check(pool), 0, "check");
	mempool_destroy(pool);
	is(kmem_misuse_count(), 0, "nothing to report");
	machine_stop();
}

TEST(highmem_pages_are_elements_too)
{
	struct page *page;
	mempool_t *pool;

	machine_start("mem=1G zones=i386 nr_cpus=1 slab_debug=P");
	pool = mempool_create_page_pool(2, 0);
	page = mempool_alloc(pool, GFP_HIGHUSER);
	ok(page && !page_address(page), "one without an address");
	mempool_free(mempool_alloc_preallocated(pool), pool);
	mempool_free(page, pool);
	is(mempool_check(pool), 0, "check");
	mempool_destroy(pool);
	machine_stop();
}

static void ctor(void *obj)
{
	(void)obj;
}

TEST(caches_with_a_constructor_are_refused)
{
	struct kmem_cache *c;

	machine_start(M64);
	c = kmem_cache_create("built", SIZE, 0, 0, ctor);
	ok(!mempool_create_slab_pool(2, c), "refused");
	is(log_count("built has a constructor"), 1, "and said why");
	ok(!mempool_create_slab_pool(2, NULL), "no cache at all");
	is(kmem_cache_destroy(c), 0, "nothing is left");
	machine_stop();
}
