/* SPDX-License-Identifier: MIT */
/*
 * The same work again and again, each time with another allocation failing: the n-th once, and all
 * from the n-th on. Whatever fails must fail cleanly: NULL or an error, nothing half-done, nothing
 * lost, and the machine whole afterwards.
 *
 * A "decision" is where the library itself asks whether to fail: every request to the page
 * allocator (slabs' own requests included) and every request for an object.
 */
#include <kmem/fault.h>
#include <kmem/dmapool.h>
#include <kmem/mempool.h>
#include <kmem/percpu.h>
#include "../support.h"
#include "slab/slab.h"

enum { OBJECTS = 60, MACHINES = 3 };

static const char *const machines[MACHINES] = {
	"mem=16M zones=i386 nr_cpus=2",
	"mem=16M zones=flat nr_cpus=1 percpu_pages=0",
	"mem=16M zones=i386 nr_cpus=2 slab_debug=FZPU",
};

static unsigned int refused, served;

static void *counted(void *p)
{
	*(p ? &served : &refused) += 1;
	return p;
}

static void construct(void *obj)
{
	memset(obj, 0x3c, 32);
}

static void work_objects(void)
{
	struct kmem_cache *c = kmem_cache_create("failing", 200, 0, 0, construct);
	void *objs[OBJECTS], *bulk[20];
	int got;

	counted(c);
	if (!c)
		return;
	for (int i = 0; i < OBJECTS; i++)
		objs[i] = counted(kmem_cache_alloc(c, i % 3 ? GFP_KERNEL : GFP_ATOMIC));
	got = kmem_cache_alloc_bulk(c, GFP_KERNEL, 20, bulk);
	if (got != 0 && got != 20)
		ok(0, "bulk gave %d of 20", got);
	kmem_cache_free_bulk(c, (size_t)got, bulk);
	for (int i = 0; i < OBJECTS; i++) {
		if (objs[i])
			kmem_cache_free(c, objs[i]);
	}
	if (kmem_cache_destroy(c))
		ok(0, "an object was lost");
}

static void work_sheaf(void)
{
	struct kmem_cache *c = kmem_cache_create("prefilled", 64, 0, 0, NULL);
	struct slab_sheaf *s;

	if (!counted(c))
		return;
	s = counted(kmem_cache_prefill_sheaf(c, GFP_KERNEL, 40));
	if (s) {
		unsigned int had = kmem_cache_sheaf_size(s);

		if (kmem_cache_refill_sheaf(c, GFP_KERNEL, &s, 100) &&
		    kmem_cache_sheaf_size(s) != had)
			ok(0, "a failed refill changed the sheaf");
		kmem_cache_return_sheaf(c, GFP_KERNEL, s);
	}
	if (kmem_cache_destroy(c))
		ok(0, "an object was lost");
}

static void work_kmalloc(void)
{
	static const size_t sizes[] = {8, 100, 1000, 5000, 8192, 20000, 300000};
	char *p, *q;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		p = counted(kzalloc(sizes[i], GFP_KERNEL));
		if (!p)
			continue;
		memset(p, 0x42, sizes[i]);
		q = counted(krealloc(p, sizes[i] * 2, GFP_KERNEL));
		if ((q ? q : p)[sizes[i] - 1] != 0x42)
			ok(0, "content lost at size %zu", sizes[i]);
		kfree(q ? q : p);
	}
	kfree(counted(kstrdup("a string", GFP_KERNEL)));
	kfree(counted(kasprintf(GFP_ATOMIC, "%d", 42)));
	kfree(counted(kmalloc(300, GFP_KERNEL | GFP_DMA)));
}

static void work_pages(void)
{
	struct page *pages[16] = {NULL}, *page;
	unsigned long n;
	void *exact;

	for (unsigned int order = 0; order < 6; order++) {
		page = counted(
			alloc_pages(order & 1 ? GFP_KERNEL : GFP_ATOMIC | __GFP_COMP, order));
		if (page)
			__free_pages(page, order);
	}
	n = alloc_pages_bulk(GFP_KERNEL, 16, pages);
	for (unsigned long i = 0; i < 16; i++) {
		if (i < n && !pages[i])
			ok(0, "bulk counts a slot it did not fill");
		if (pages[i])
			__free_page(pages[i]);
	}
	exact = counted(alloc_pages_exact(5 * PAGE_SIZE, GFP_KERNEL));
	if (exact)
		free_pages_exact(exact, 5 * PAGE_SIZE);
	page = counted(alloc_contig_pages(1100, GFP_KERNEL, 0, NULL));
	if (page)
		free_contig_range(page_to_pfn(page), 1100);
}

/* Once it is there, a mempool refuses nothing that it has promised. */
static void work_mempool(void)
{
	struct kmem_cache *c = kmem_cache_create("elements", 700, 0, 0, NULL);
	mempool_t *pool;
	void *el[8];
	int rc;

	if (!counted(c))
		return;
	pool = counted(mempool_create_slab_pool(4, c));
	if (pool) {
		for (int i = 0; i < 4; i++) {
			el[i] = counted(mempool_alloc(pool, GFP_KERNEL));
			if (!el[i])
				ok(0, "a promise was broken");
		}
		rc = mempool_resize(pool, 40);
		if (rc ? rc != -12 || pool->min_nr != 4 : pool->min_nr != 40)
			ok(0, "resize: %d and %d promised", rc, pool->min_nr);
		for (int i = 4; i < 8; i++)
			el[i] = counted(mempool_alloc(pool, GFP_ATOMIC));
		for (int i = 0; i < 8; i++)
			mempool_free(el[i], pool);
		if (mempool_check(pool))
			ok(0, "mempool_check");
		mempool_destroy(pool);
	}
	if (kmem_cache_destroy(c))
		ok(0, "an element was lost");
}

static void work_dma_pool(void)
{
	struct dma_pool *pool = dma_pool_create("blocks", (struct device *)&pool, 1500, 4, 0);
	dma_addr_t dma[6];
	void *p[6];

	if (!counted(pool))
		return;
	for (int i = 0; i < 6; i++)
		p[i] = counted(dma_pool_alloc(pool, GFP_KERNEL, &dma[i]));
	for (int i = 0; i < 6; i++) {
		if (p[i])
			dma_pool_free(pool, p[i], dma[i]);
	}
	if (dma_pool_check(pool))
		ok(0, "dma_pool_check");
	dma_pool_destroy(pool);
}

static void work_percpu(void)
{
	void __percpu *p[4];

	for (unsigned int i = 0; i < 4; i++)
		p[i] = counted(__alloc_percpu((size_t)10000 * i + 1, 8));
	for (int i = 0; i < 4; i++)
		free_percpu(p[i]);
}

static void work(void)
{
	work_kmalloc();
	work_objects();
	work_sheaf();
	work_pages();
	work_mempool();
	work_dma_pool();
	work_percpu();
}

static void settle(uint64_t before, const char *how, unsigned int n)
{
	uint64_t after;

	kmem_fault_nth(0);
	fault_setup("");
	failslab_setup("");
	after = pages_free_drained();
	if (after != before)
		ok(0, "%s %u: %lld pages lost", how, n, (long long)(before - after));
	if (kmem_check())
		ok(0, "%s %u: kmem_check", how, n);
	if (kmem_misuse_count())
		ok(0, "%s %u: misuse reported: %s", how, n, support_log);
}

static void fail_in_turn(const char *cmdline)
{
	unsigned int n, last;
	uint64_t before;

	machine_start(cmdline);
	work();
	before = pages_free_drained();
	for (n = 1;; n++) {
		refused = 0;
		kmem_fault_nth((int)n);
		work();
		last = (unsigned int)kmem_fault_nth(0);
		settle(before, "fail_nth", n);
		reports_clear();
		if (last)
			break;
	}
	ok(n > 150, "%u decisions failed in turn, once each", n - 1);
	machine_stop();
}

/* "space" lets so much pass before everything fails, for ever. */
static void fail_from(const char *cmdline)
{
	unsigned int most = 0;
	char text[96];
	uint64_t before;

	machine_start(cmdline);
	work();
	before = pages_free_drained();
	for (unsigned int n = 1; n < 3000; n += 1 + n / 20) {
		refused = 0;
		snprintf(text, sizeof(text),
			 "1,100,%u,-1,min-order=0,ignore-gfp-wait=N,ignore-gfp-highmem=N", n);
		is(fault_setup(text), 0, "injector armed");
		work();
		most = refused > most ? refused : most;
		settle(before, "pages from", n);
		snprintf(text, sizeof(text), "1,100,%u,-1,ignore-gfp-wait=N", n * 16);
		is(kmem_fault_set("failslab", text), 0, "injector armed");
		work();
		settle(before, "objects from", n);
		reports_clear();
	}
	ok(most > 10, "up to %u requests refused in one run", most);
	machine_stop();
}

/* One task and no lock is waited for: where that is slow, one machine says it all. */
static int machines_to_try(void)
{
	return tap_slow() > 4 ? 1 : MACHINES;
}

TEST(each_allocation_fails_once)
{
	for (int i = 0; i < machines_to_try(); i++)
		fail_in_turn(machines[i]);
}

TEST(all_allocations_fail_from_some_point_on)
{
	for (int i = 0; i < machines_to_try(); i++)
		fail_from(machines[i]);
}

TEST(S212_cache_filter)
{
	struct kmem_cache *marked, *plain;

	machine_start("mem=16M failslab=1,100,0,-1,ignore-gfp-wait=N,cache-filter=Y");
	marked = kmem_cache_create("marked", 64, 0, SLAB_FAILSLAB, NULL);
	plain = kmem_cache_create("plain", 64, 0, 0, NULL);
	ok(!kmem_cache_alloc(marked, GFP_KERNEL | __GFP_NOWARN), "the marked cache fails");
	kmem_cache_free(plain, counted(kmem_cache_alloc(plain, GFP_KERNEL)));
	is(served, 1, "the other does not");
	kmem_cache_destroy(marked);
	kmem_cache_destroy(plain);
	machine_stop();
}
