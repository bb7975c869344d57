/* SPDX-License-Identifier: MIT */
/*
 * The calls that are interrupted, and how each is brought onto the path it is there for. A victim's
 * run is the call alone, so that nothing but the library is stepped through.
 *
 * Sheaves of class 2k and of the cache "step" hold fourteen objects, and a slab sixteen or a few more,
 * so every way of an object is a few operations long.
 */
#include <string.h>
#include <kmem/shrinker.h>
#include "parts.h"

enum { SAME = 1200, MANY = 40 };
#define PLAIN	"mem=4M zones=flat nr_cpus=2 seed=1 atomic_stack=0"
#define NO_PCP	"mem=4M zones=flat nr_cpus=1 percpu_pages=0 seed=1 atomic_stack=0"
#define ZONES	"mem=12M zones=dma:2M,normal:rest nr_cpus=2 seed=1 atomic_stack=0"
#define GROUPED "mem=12M zones=flat nr_cpus=1 mobility=1 seed=1 atomic_stack=0"
#define HIGH	"mem=6M zones=normal:4M,highmem:rest nr_cpus=2 seed=1 atomic_stack=0"

/* ---- States of a cache ---------------------------------------------------------------------------- */

static struct kmem_cache *cache_of(enum kind kind)
{
	struct kmem_cache *c = kmem_machine.caches;

	if (kind == OF_CACHE)
		return s.cache;
	while (strcmp(c->name, "kmalloc-2k") != 0)
		c = c->next;
	return c;
}

/* Of this CPU's sheaf: how many it holds, and how many more it could. */
static u32 resting(u32 off)
{
	u32 n;

	(void)port_stack_peek(off, port_cpu(), &n);
	return n;
}

static u32 room(u32 off)
{
	u32 n;
	const struct sheaf *sheaf = port_stack_peek(off, port_cpu(), &n);

	return sheaf ? sheaf->cap - n : 0;
}

static void get(enum kind kind, unsigned int n)
{
	size_t size = kind == OF_CACHE ? 1500 : SAME;

	while (n--)
		own(&s.task, kind, block_alloc(kind, size, GFP_KERNEL), size);
}

static void put(unsigned int n)
{
	while (n--)
		block_free(disown_last(&s.task));
}

static bool sheaves_empty(enum kind kind)
{
	struct kmem_cache *c = cache_of(kind);

	return !resting(c->main_off) && !resting(c->spare_off) && !c->nr_full;
}

/* Everything is with the task: the next allocation needs a new slab (slabs: all of them full). */
static void exhaust(enum kind kind, bool slabs)
{
	struct kmem_cache *c = cache_of(kind);

	do
		get(kind, 1);
	while (!sheaves_empty(kind) || (slabs && c->partial.nr));
}

/* As many objects as n sheaves hold. */
static unsigned int sheaves(enum kind kind, unsigned int n)
{
	return n * cache_of(kind)->sheaf_cap;
}

/* As many as rest on this CPU and in the barn. */
static unsigned int all_sheaves(enum kind kind)
{
	return sheaves(kind, cache_of(kind)->barn_max + 2);
}

/* Rests n objects on this CPU and in the barn, none of them in slabs. */
static void rest(enum kind kind, unsigned int n)
{
	get(kind, n + 2);
	exhaust(kind, true);
	put(n);
}

static void in_of(enum kind kind)
{
	s.in = disown_kind(&s.task, kind, 0);
}

/* ---- Slabs: allocation ---------------------------------------------------------------------------- */

static void alloc_run(void)
{
	s.out = kmalloc(SAME, GFP_KERNEL);
}
static void cache_alloc_run(void)
{
	s.out = kmem_cache_alloc(s.cache, GFP_KERNEL);
}
#define BOTH(name, body)                                    \
	static void name##_prepare(enum kind kind)          \
	{                                                   \
		s.in.size = kind == OF_CACHE ? 1500 : SAME; \
		body                                        \
	}                                                   \
	static void name##_kmalloc(void)                    \
	{                                                   \
		name##_prepare(OF_KMALLOC);                 \
	}                                                   \
	static void name##_cache(void)                      \
	{                                                   \
		name##_prepare(OF_CACHE);                   \
	}

BOTH(hit, rest(kind, 3);)
BOTH(spare, rest(kind, sheaves(kind, 2)); get(kind, sheaves(kind, 1));)
BOTH(barn, rest(kind, sheaves(kind, 3)); get(kind, sheaves(kind, 2));)
BOTH(partial, rest(kind, 0); put(5); kmem_cache_shrink(cache_of(kind));)
BOTH(refill, get(kind, 50); exhaust(kind, false);)
BOTH(new_slab, rest(kind, 0);)

/* ---- Slabs: free ---------------------------------------------------------------------------------- */

static void free_run(void)
{
	kfree(s.in.p);
}
static void cache_free_run(void)
{
	kmem_cache_free(s.cache, s.in.p);
}
static void nothing(void)
{
}

BOTH(free_hit, rest(kind, 2); in_of(kind);)
BOTH(free_swap, rest(kind, sheaves(kind, 1)); in_of(kind);)
BOTH(free_barn, rest(kind, sheaves(kind, 2)); in_of(kind);)
BOTH(free_flush, rest(kind, all_sheaves(kind)); in_of(kind);)
BOTH(free_new_sheaf, rest(kind, 0); kmem_cache_shrink(cache_of(kind)); in_of(kind);)

static void free_many_run(void)
{
	for (unsigned int i = 0; i < s.nr_in; i++)
		kmem_cache_free(s.cache, s.in_many[i].p);
}

/* The cache has enough empty slabs: those that these leave empty are given back. */
static void discard(void)
{
	get(OF_CACHE, 200);
	exhaust(OF_CACHE, true);
	put(s.task.n - 14);
	s.nr_in = 14;
	for (unsigned int i = 0; i < s.nr_in; i++)
		s.in_many[i] = disown_last(&s.task);
}

static void shrink_prepare(void)
{
	get(OF_CACHE, 60);
	put(45);
}
static void shrink_run(void)
{
	kmem_cache_shrink(s.cache);
}

static void drain_run(void)
{
	kmem_drain();
}
static void trim_run(void)
{
	kmem_trim();
}
static void reap_run(void)
{
	kmem_cache_reap();
}

static void bulk_alloc(void)
{
	rest(OF_CACHE, 4);
	s.in.size = 1500;
}
static void bulk_alloc_run(void)
{
	s.nr_out = (unsigned int)kmem_cache_alloc_bulk(s.cache, GFP_KERNEL, MANY, s.out_many);
}
static void bulk_free(void)
{
	get(OF_CACHE, 60);
	for (unsigned int i = 0; i < MANY; i++)
		s.out_many[i] = disown_last(&s.task).p;
	s.in.size = 1500;
}
static void bulk_free_run(void)
{
	kmem_cache_free_bulk(s.cache, MANY, s.out_many);
}

static void create_run(void)
{
	s.made = kmem_cache_create("made", 333, 0, 0, NULL);
}
static void create_done(void)
{
	if (!s.made)
		step_finding("no cache was made");
	kmem_cache_destroy(s.made);
}
static void destroy(void)
{
	void *p;

	s.made = kmem_cache_create("made", 333, 0, 0, NULL);
	p = kmem_cache_alloc(s.made, GFP_KERNEL);
	kmem_cache_free(s.made, p);
}
static void destroy_run(void)
{
	kmem_cache_destroy(s.made);
}

static void ctor_run(void)
{
	s.out = kmem_cache_alloc(s.ctor, GFP_KERNEL);
}
static void ctor_size(void)
{
	s.in.size = 2100; /* a slab holds more than a sheaf takes: others see what is left */
}
static void debug_size(void)
{
	s.in.size = 400;
}
static void debug_run(void)
{
	s.out = kmem_cache_alloc(s.debug, GFP_KERNEL);
}
static void debug_free_prepare(void)
{
	own(&s.task, OF_DEBUG, kmem_cache_alloc(s.debug, GFP_KERNEL), 400);
	s.in = disown_last(&s.task);
}
static void debug_free_run(void)
{
	kmem_cache_free(s.debug, s.in.p);
}
static void rcu_shrink(void)
{
	for (unsigned int i = 0; i < 30; i++)
		own(&s.task, OF_RCU, kmem_cache_alloc(s.rcu, GFP_KERNEL), 900);
	put(30);
}
static void rcu_shrink_run(void)
{
	kmem_cache_shrink(s.rcu);
}
static void sheaf_run(void)
{
	s.sheaf = kmem_cache_prefill_sheaf(s.cache, GFP_KERNEL, 9);
	kmem_cache_return_sheaf(s.cache, GFP_KERNEL, s.sheaf);
}

/* ---- Pages ------------------------------------------------------------------------------------------ */

static void page_hit(void)
{
	own(&s.task, OF_PAGE, alloc_page(GFP_KERNEL), PAGE_SIZE);
	put(1);
	s.in.size = PAGE_SIZE;
}
static void page_refill(void)
{
	pcp_drain_lists();
	s.in.size = PAGE_SIZE;
}
static void page_run(void)
{
	s.out = alloc_page(GFP_KERNEL);
}
static void order4(void)
{
	s.in.size = PAGE_SIZE << 4;
}
static void order4_run(void)
{
	s.out = alloc_pages(GFP_KERNEL, 4);
}
static void order4_free(void)
{
	s.in = (struct block){alloc_pages(GFP_KERNEL, 4), PAGE_SIZE << 4, OF_PAGE};
}
static void order4_free_run(void)
{
	__free_pages(s.in.p, 4);
}
static void pages_take(unsigned int n)
{
	while (n--)
		own(&s.task, OF_PAGE, alloc_page(GFP_KERNEL), PAGE_SIZE);
}
static void page_free_hit(void)
{
	pages_take(1);
	s.in = disown_last(&s.task);
}
static void page_free_run(void)
{
	__free_page(s.in.p);
}
static void page_spill(void)
{
	struct zone *z;

	pages_take(40);
	s.in = disown_last(&s.task);
	z = &kmem_machine.zones[page_zonenum(s.in.p)];
	do
		put(1);
	while (room(z->pcp_off[0]));
}
static void page_cold_run(void)
{
	free_pages_cold(s.in.p, 0);
}
static void page_cold_alloc_run(void)
{
	s.out = alloc_pages(GFP_KERNEL | __GFP_COLD, 0);
}
static void pages_bulk(void)
{
	page_hit();
	memset(s.out_many, 0, sizeof(s.out_many));
}
static void pages_bulk_run(void)
{
	s.nr_out = (unsigned int)alloc_pages_bulk(GFP_KERNEL, 24, (struct page **)s.out_many);
}
static void drain_pages_prepare(void)
{
	pages_take(30);
	put(12);
}
static void drain_pages_run(void)
{
	drain_all_pages();
}
static void dma_run(void)
{
	s.out = alloc_pages(GFP_KERNEL | __GFP_DMA, 0);
}

/* A reference more than the owner's: the head stays. */
static void tails(void)
{
	s.in = (struct block){alloc_pages(GFP_KERNEL, 3), PAGE_SIZE << 3, OF_PAGE};
	get_page(s.in.p);
}
static void tails_done(void)
{
	put_page(s.in.p);
}
static void tails_run(void)
{
	__free_pages(s.in.p, 3);
}
static void exact_run(void)
{
	s.out = alloc_pages_exact(5 * PAGE_SIZE, GFP_KERNEL);
}
static void exact_done(void)
{
	free_pages_exact(s.out, 5 * PAGE_SIZE);
	s.out = NULL;
}
static void run_size(void)
{
	s.in.size = 20 * PAGE_SIZE;
}
static void run_run(void)
{
	s.out = alloc_contig_pages(20, GFP_KERNEL, 0, NULL);
}
static void run_free(void)
{
	s.in = (struct block){alloc_contig_pages(20, GFP_KERNEL, 0, NULL), 20 * PAGE_SIZE, OF_RUN};
}
static void run_free_run(void)
{
	free_contig_range(page_to_pfn(s.in.p), 20);
}
static void run_resize_run(void)
{
	contig_resize(s.in.p, 30);
	contig_resize(s.in.p, 7);
}
static void run_resize_done(void)
{
	own(&s.task, OF_RUN, s.in.p, 7 * PAGE_SIZE);
}

static void large_size(void)
{
	s.in.size = 3 * PAGE_SIZE;
}
static void large_run(void)
{
	s.out = kmalloc(3 * PAGE_SIZE, GFP_KERNEL);
}
static void large_free(void)
{
	s.in = (struct block){kmalloc(9 * PAGE_SIZE, GFP_KERNEL), 9 * PAGE_SIZE, OF_KMALLOC};
}
static void zero_size(void)
{
	s.in.size = 100;
}
static void zero_run(void)
{
	s.out = kzalloc(100, GFP_KERNEL);
}
static void krealloc_prepare(void)
{
	get(OF_KMALLOC, 1);
	s.in = disown_last(&s.task);
	s.in.size = 4000;
}
static void krealloc_run(void)
{
	s.out = krealloc(s.in.p, 4000, GFP_KERNEL);
}

/* ---- Short of memory --------------------------------------------------------------------------------- */

static unsigned long provider_count(struct kmem_provider *p, int zone)
{
	(void)p;
	return zone == KMEM_ZONE_NORMAL ? s.nr_reclaimable : 0;
}

static unsigned long provider_reclaim(struct kmem_provider *p, int zone, unsigned long nr,
				      int priority, gfp_t gfp)
{
	unsigned long done = 0;

	(void)p;
	(void)zone;
	(void)priority;
	(void)gfp;
	for (; done < nr && s.nr_reclaimable; done++)
		__free_pages(s.reclaimable[--s.nr_reclaimable], 0);
	return done;
}

static struct kmem_provider provider = {
	.name = "step",
	.count_pages = provider_count,
	.reclaim = provider_reclaim,
};

/* All but what the provider will give back is taken, down to the mark. */
static void tight(void)
{
	const gfp_t gfp = GFP_NOWAIT | __GFP_NOWARN;

	kmem_provider_register(&provider);
	while (s.nr_reclaimable < 40) {
		struct page *page = alloc_page(gfp);

		if (!page)
			step_finding("no page for the provider");
		s.reclaimable[s.nr_reclaimable++] = page;
	}
	for (;;) {
		struct page *page = alloc_page(gfp);

		if (!page)
			break;
		own(&s.task, OF_PAGE, page, PAGE_SIZE);
	}
	drain_all_pages();
	for (;;) {
		struct page *page = alloc_page(gfp);

		if (!page)
			break;
		own(&s.task, OF_PAGE, page, PAGE_SIZE);
	}
	kswapd_reset(); /* as in a fork's child: whoever may can make it */
	s.tight = true;
	s.in.size = PAGE_SIZE;
}

static void tight_page_done(void)
{
	own(&s.task, OF_PAGE, s.out, PAGE_SIZE);
	s.tight = false;
	kmem_provider_unregister(&provider);
}
static void tight_kmalloc_run(void)
{
	s.out = kmalloc(3000, GFP_KERNEL);
}
static void tight_kmalloc_done(void)
{
	own(&s.task, OF_KMALLOC, s.out, 3000);
	s.tight = false;
	kmem_provider_unregister(&provider);
}

/* ---- Handlers as victims, and what they have left behind ---------------------------------------------- */

static irqflags_t section;
static struct lock *held;

static struct lock *zone_lock_of_all(void)
{
	return &kmem_machine.zones[KMEM_ZONE_NORMAL].lock;
}

/* From here to nested_done() the task is a handler that has interrupted a holder of the lock. */
static void nested_in(struct lock *l)
{
	held = l;
	section = lock_take(l);
}
static void nested_out(void)
{
	if (held)
		lock_release(held, section);
	held = NULL;
}
static void nested_order4_free(void)
{
	order4_free();
	nested_in(zone_lock_of_all());
}
static void nested_node_free(void)
{
	debug_free_prepare();
	nested_in(&s.debug->node);
}
static void nested_node_alloc(void)
{
	nested_in(&s.debug->node);
}
static void nested_debug_done(void)
{
	nested_out();
	own(&s.task, OF_DEBUG, s.out, 400);
}
static void nested_flush(void)
{
	free_flush_cache();
	nested_in(&s.cache->node);
}
static void nested_run_free(void)
{
	run_free();
	nested_in(zone_lock_of_all());
}
static void debug_nowait_run(void)
{
	s.out = kmem_cache_alloc(s.debug, GFP_ATOMIC);
}

/* What handlers left is taken in by the victim: blocks of a zone, objects of a cache. */
static void deferred(void)
{
	struct page *page[3];

	for (unsigned int i = 0; i < 3; i++)
		page[i] = alloc_pages(GFP_KERNEL, 4);
	nested_in(zone_lock_of_all());
	for (unsigned int i = 0; i < 3; i++)
		__free_pages(page[i], 4);
	nested_out();
	order4();
}
static void dirty(void)
{
	for (unsigned int i = 0; i < 30; i++)
		own(&s.task, OF_DEBUG, kmem_cache_alloc(s.debug, GFP_KERNEL), 400);
	nested_in(&s.debug->node);
	put(25);
	own(&s.task, OF_DEBUG, kmem_cache_alloc(s.debug, GFP_ATOMIC), 400);
	nested_out();
	s.in.size = 400;
}

/* ---- The malloc face ---------------------------------------------------------------------------------- */

static void face_size(void)
{
	s.in.size = 1300;
}
static void face_run(void)
{
	s.out = face_malloc(1300);
}
static void face_free_prepare(void)
{
	s.in = (struct block){face_malloc(1300), 1300, OF_FACE};
}
static void face_free_run(void)
{
	face_free(s.in.p);
}
static void face_large_size(void)
{
	s.in.size = 5 * PAGE_SIZE;
}
static void face_large_run(void)
{
	s.out = face_malloc(5 * PAGE_SIZE);
}
static void face_large_free(void)
{
	s.in = (struct block){face_malloc(5 * PAGE_SIZE), 5 * PAGE_SIZE, OF_FACE};
}
static void face_realloc_prepare(void)
{
	s.in = (struct block){face_malloc(1300), 5000, OF_FACE};
}
static void face_realloc_run(void)
{
	s.out = face_realloc(s.in.p, 5000);
}
static void face_realloc_large(void)
{
	s.in = (struct block){face_malloc(5 * PAGE_SIZE), 40 * PAGE_SIZE, OF_FACE};
}
static void face_realloc_large_run(void)
{
	s.out = face_realloc(s.in.p, 40 * PAGE_SIZE);
}
static void face_calloc_run(void)
{
	s.out = face_calloc(13, 100);
}
static void face_aligned(void)
{
	s.in.size = 20000;
}
static void face_aligned_run(void)
{
	s.out = face_aligned_alloc(16384, 20000);
}

#define TWICE(name, prep, run)                                                                  \
	{"slab", "kmalloc: " name, PLAIN, prep##_kmalloc, run##_run, NULL, OF_KMALLOC},         \
	{                                                                                       \
		"cache", "cache: " name, PLAIN, prep##_cache, cache_##run##_run, NULL, OF_CACHE \
	}
#define TWICE_FREE(name, prep)                                                              \
	{"slab", "kfree: " name, PLAIN, prep##_kmalloc, free_run, nothing, NR_KINDS},       \
	{                                                                                   \
		"cache", "cache free: " name, PLAIN, prep##_cache, cache_free_run, nothing, \
			NR_KINDS                                                            \
	}

/* clang-format off */
const struct victim victims[] = {
	TWICE("hit", hit, alloc),
	TWICE("the spare sheaf", spare, alloc),
	TWICE("a sheaf of the barn", barn, alloc),
	TWICE("a new sheaf from slabs", partial, alloc),
	TWICE("a sheaf refilled from slabs", refill, alloc),
	TWICE("a new slab", new_slab, alloc),
	TWICE_FREE("hit", free_hit),
	TWICE_FREE("swap with the spare", free_swap),
	TWICE_FREE("a full sheaf to the barn", free_barn),
	TWICE_FREE("a full sheaf to the slabs", free_flush),
	TWICE_FREE("a new sheaf", free_new_sheaf),
	{"slab", "kzalloc", PLAIN, zero_size, zero_run, NULL, OF_KMALLOC},
	{"slab", "krealloc", PLAIN, krealloc_prepare, krealloc_run, NULL, OF_KMALLOC},
	{"slab", "constructors", PLAIN, ctor_size, ctor_run, NULL, OF_CTOR},
	{"slab", "debug: alloc", PLAIN, debug_size, debug_run, NULL, OF_DEBUG},
	{"slab", "debug: free", PLAIN, debug_free_prepare, debug_free_run, nothing, NR_KINDS},
	{"cache", "without per-CPU pages: new slab", NO_PCP, new_slab_cache, cache_alloc_run, NULL, OF_CACHE},
	{"cache", "without per-CPU pages: free", NO_PCP, free_flush_cache, cache_free_run, nothing, NR_KINDS},
	{"long", "slabs given back", PLAIN, discard, free_many_run, nothing, NR_KINDS},
	{"long", "bulk alloc", PLAIN, bulk_alloc, bulk_alloc_run, nothing, OF_CACHE},
	{"long", "bulk free", PLAIN, bulk_free, bulk_free_run, nothing, NR_KINDS},
	{"long", "prefilled sheaf", PLAIN, nothing, sheaf_run, nothing, NR_KINDS},
	{"long", "kmem_cache_shrink", PLAIN, shrink_prepare, shrink_run, nothing, NR_KINDS},
	{"long", "shrink with RCU", PLAIN, rcu_shrink, rcu_shrink_run, nothing, NR_KINDS},
	{"long", "cache created", PLAIN, nothing, create_run, create_done, NR_KINDS},
	{"long", "cache destroyed", PLAIN, destroy, destroy_run, nothing, NR_KINDS},
	{"whole", "kmem_drain", PLAIN, shrink_prepare, drain_run, nothing, NR_KINDS},
	{"whole", "kmem_cache_reap", PLAIN, shrink_prepare, reap_run, nothing, NR_KINDS},
	{"whole", "kmem_trim", ZONES, shrink_prepare, trim_run, nothing, NR_KINDS},
	{"pages", "page: hit", PLAIN, page_hit, page_run, NULL, OF_PAGE},
	{"pages", "page: list refilled", PLAIN, page_refill, page_run, NULL, OF_PAGE},
	{"pages", "page: no lists", NO_PCP, page_refill, page_run, NULL, OF_PAGE},
	{"pages", "page: mobility groups", GROUPED, page_refill, page_run, NULL, OF_PAGE},
	{"pages", "page: cold", PLAIN, page_refill, page_cold_alloc_run, NULL, OF_PAGE},
	{"pages", "page: DMA", ZONES, page_refill, dma_run, NULL, OF_PAGE},
	{"pages", "order 4: split", PLAIN, order4, order4_run, NULL, OF_PAGE},
	{"pages", "order 4: merge", PLAIN, order4_free, order4_free_run, nothing, NR_KINDS},
	{"pages", "page free: hit", PLAIN, page_free_hit, page_free_run, nothing, NR_KINDS},
	{"pages", "page free: spill", PLAIN, page_spill, page_free_run, nothing, NR_KINDS},
	{"pages", "page free: cold", PLAIN, page_spill, page_cold_run, nothing, NR_KINDS},
	{"pages", "page free: no lists", NO_PCP, page_free_hit, page_free_run, nothing, NR_KINDS},
	{"pages", "free with a second reference", PLAIN, tails, tails_run, tails_done, NR_KINDS},
	{"pages", "pages in bulk", PLAIN, pages_bulk, pages_bulk_run, nothing, OF_PAGE},
	{"pages", "lists drained", PLAIN, drain_pages_prepare, drain_pages_run, nothing, NR_KINDS},
	{"pages", "exact", PLAIN, nothing, exact_run, exact_done, NR_KINDS},
	{"pages", "large kmalloc", PLAIN, large_size, large_run, NULL, OF_KMALLOC},
	{"pages", "large kfree", PLAIN, large_free, free_run, nothing, NR_KINDS},
	{"pages", "run", PLAIN, run_size, run_run, NULL, OF_RUN},
	{"pages", "run freed", PLAIN, run_free, run_free_run, nothing, NR_KINDS},
	{"pages", "run resized", PLAIN, run_free, run_resize_run, run_resize_done, NR_KINDS},
	{"tight", "page: reclaims", PLAIN, tight, page_run, tight_page_done, NR_KINDS},
	{"tight", "kmalloc: reclaims", PLAIN, tight, tight_kmalloc_run, tight_kmalloc_done, NR_KINDS},
	{"nested", "block deferred", PLAIN, nested_order4_free, order4_free_run, nested_out, NR_KINDS},
	{"nested", "run deferred", PLAIN, nested_run_free, run_free_run, nested_out, NR_KINDS},
	{"nested", "object noted", PLAIN, nested_node_free, debug_free_run, nested_out, NR_KINDS},
	{"nested", "sheaf noted", PLAIN, nested_flush, cache_free_run, nested_out, NR_KINDS},
	{"nested", "slab noted", PLAIN, nested_node_alloc, debug_nowait_run, nested_debug_done, NR_KINDS},
	{"nested", "blocks taken in", PLAIN, deferred, order4_run, NULL, OF_PAGE},
	{"nested", "objects taken in", PLAIN, dirty, debug_run, NULL, OF_DEBUG},
	{"pools", "mempool_alloc", PLAIN, pool_size, pool_run, NULL, OF_POOL},
	{"pools", "mempool_alloc: of the reserve", PLAIN, pool_size, pool_reserve_run, NULL, OF_POOL},
	{"pools", "mempool_free", PLAIN, pool_free_prepare, pool_free_run, nothing, NR_KINDS},
	{"pools", "mempool_free: refills", PLAIN, pool_refill_prepare, pool_free_run, nothing, NR_KINDS},
	{"pools", "mempool_resize: more", PLAIN, pool_resize_prepare, pool_grow_run, nothing, NR_KINDS},
	{"pools", "mempool_resize: fewer", PLAIN, pool_resize_prepare, pool_shrink_run, nothing, NR_KINDS},
	{"pools", "kmap_local", HIGH, high_prepare, high_run, high_done, NR_KINDS},
	{"pools", "kmap_local: hardened", HIGH " hardened=1", high_prepare, high_run, high_done, NR_KINDS},
	{"pools", "pages copied and cleared", HIGH, high_prepare, high_copy_run, high_done, NR_KINDS},
	{"malloc", "malloc", PLAIN, face_size, face_run, NULL, OF_FACE},
	{"malloc", "free", PLAIN, face_free_prepare, face_free_run, nothing, NR_KINDS},
	{"malloc", "malloc of a run", PLAIN, face_large_size, face_large_run, NULL, OF_FACE},
	{"malloc", "free of a run", PLAIN, face_large_free, face_free_run, nothing, NR_KINDS},
	{"malloc", "realloc", PLAIN, face_realloc_prepare, face_realloc_run, NULL, OF_FACE},
	{"malloc", "realloc of a run", PLAIN, face_realloc_large, face_realloc_large_run, NULL, OF_FACE},
	{"malloc", "calloc", PLAIN, face_size, face_calloc_run, NULL, OF_FACE},
	{"malloc", "aligned_alloc", PLAIN, face_aligned, face_aligned_run, NULL, OF_FACE},
};
/* clang-format on */
const unsigned int nr_victims = sizeof(victims) / sizeof(victims[0]);
