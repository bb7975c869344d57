/* SPDX-License-Identifier: MIT */
/*
 * A load on a machine that is too small for it: all CPUs want more than there is, of every urgency,
 * under scopes, while kswapd is late, providers and shrinkers come and go, pages are sacrificed to
 * the out-of-memory handler, and handlers take from the reserves.
 *
 * What is expected, besides what every load expects (owner.h, kmem_check):
 *
 *	an ordinary small request gets memory while there is enough that is sure to be given back
 *	an urgent one fails only where its own mark allows no more
 *	one that may not fail gets through, since everybody frees in the end; so does one to a mempool
 *	whatever the guard had to end was reported; nobody is left asleep
 */
#include <kmem/kmem.h>
#include <kmem/mempool.h>
#include <stdio.h>
#include <string.h>
#include "gfp/gfp.h"
#include "givers.h"
#include "load.h"

enum { OWN_MAX = 96, SMALL = 24, PHASES = 2, CACHES = 3, ORDER_MAX = 4 };
enum { QUIET_NS = 300000000 };

struct pressure {
	struct load_base base; /* first */
	struct owners owners;
	struct givers givers;
	struct kmem_cache *cache[CACHES];
	mempool_t *pool; /* of single pages */
	struct thing own[SIM_MAX_CPUS][OWN_MAX], small[SMALL];
	unsigned int slots;   /* of own[], each task's */
	unsigned int running; /* workers that have not ended */
	unsigned int waiting; /* tasks whose request may not fail */
	unsigned long misuses;
	uint64_t by_reserve; /* urgent requests that failed undisturbed */
};

static const unsigned int cache_size[CACHES] = {64, 700, 2000};

static uint64_t below(uint64_t n)
{
	return sim_random() % n;
}

/* ---- What may fail when --------------------------------------------------------------------------- */

static bool is_ordinary(gfp_t gfp)
{
	return (gfp & GFP_KERNEL) == GFP_KERNEL && !(gfp & (__GFP_NORETRY | __GFP_RETRY_MAYFAIL)) &&
	       !(kmem_task_flags() & (PF_MEMALLOC_NOFS | PF_MEMALLOC_NOIO));
}

/* With that many pages to be had, one try after the other passes the min mark. */
static unsigned long sure_enough(const struct zone *z)
{
	return z->mark[ALLOC_WMARK_MIN] + z->reserve[KMEM_ZONE_NORMAL];
}

static void ordinary_refused(const struct request *r, const struct thing *t)
{
	for_each_zone (z) {
		if (z->managed && z->index <= KMEM_ZONE_NORMAL &&
		    r->least[z->index] > sure_enough(z))
			sim_fail("%#x for %zu bytes is refused%s; at least %lu pages of zone %s "
				 "could have been given back all the time, min is %lu, free %lu",
				 r->gfp, t->size, r->stuck ? " by the guard" : "",
				 r->least[z->index], z->name, z->mark[ALLOC_WMARK_MIN], z->free);
	}
}

/* A single page, nobody came in between: the counts are those the request has seen. */
static void urgent_refused(struct pressure *p, gfp_t gfp)
{
	unsigned long min;

	for_each_zone (z) {
		if (!z->managed || z->index > KMEM_ZONE_NORMAL)
			continue;
		min = z->mark[ALLOC_WMARK_MIN];
		if (gfp & __GFP_HIGH) {
			min -= min / 2;
			min -= min / 4;
		}
		if (z->free > min + z->reserve[KMEM_ZONE_NORMAL])
			sim_fail("%#x is refused with %lu pages of zone %s free; its mark is %lu",
				 gfp, z->free, z->name, min + z->reserve[KMEM_ZONE_NORMAL]);
	}
	p->by_reserve++;
}

/* ---- Requests --------------------------------------------------------------------------------------- */

static uint64_t disturbances(void)
{
	return sim_switches() + sim_injections() + sim_refusals();
}

static unsigned char *allocate(struct pressure *p, const struct thing *t, gfp_t gfp)
{
	struct page *page;

	if (t->kind == KMALLOC)
		return kmalloc(t->size, gfp);
	if (t->kind == OBJECT)
		return kmem_cache_alloc(p->cache[t->cache], gfp);
	page = alloc_pages(gfp, t->order);
	return page ? page_address(page) : NULL;
}

static void refused(struct pressure *p, const struct thing *t, const struct request *r,
		    uint64_t undisturbed)
{
	bool nested = sim_in_handler();

	p->base.failed++;
	sim_log("none %#x %zu\n", r->gfp, t->size);
	if (r->gfp & __GFP_NOFAIL)
		sim_fail("NOFAIL of %zu bytes is refused", t->size);
	if (is_ordinary(r->gfp) && t->size <= PAGE_SIZE && !sim_refusals())
		ordinary_refused(r, t);
	if (!(r->gfp & __GFP_DIRECT_RECLAIM) && t->kind == PAGES && t->order == 0 && !nested &&
	    disturbances() == undisturbed)
		urgent_refused(p, r->gfp);
}

static bool ask(struct pressure *p, struct thing *t, gfp_t gfp)
{
	struct request nested = {.gfp = gfp}, *r = &nested;
	uint64_t before;

	if (!sim_in_handler())
		r = request_begin(&p->givers, gfp);
	before = disturbances();
	t->p = allocate(p, t, gfp);
	if (!t->p) {
		refused(p, t, r, before);
		t->kind = NOTHING;
	} else {
		thing_born(&p->owners, t);
		p->base.allocs++;
	}
	request_end(r);
	return t->p != NULL;
}

static void put(struct pressure *p, struct thing *t)
{
	struct thing old = *t;

	t->kind = NOTHING;
	if (old.kind == NOTHING)
		return;
	thing_dies(&p->owners, &old);
	if (old.kind == PAGES)
		__free_pages(virt_to_page(old.p), old.order);
	else
		kfree(old.p);
}

static struct thing some_thing(void)
{
	uint64_t what = below(8);

	if (what < 2)
		return (struct thing){.kind = KMALLOC, .size = 8 + (size_t)below(5000)};
	if (what < 4) {
		unsigned int c = (unsigned int)below(CACHES);

		return (struct thing){.kind = OBJECT, .size = cache_size[c], .cache = c};
	}
	if (what < 7)
		return (struct thing){.kind = PAGES, .size = PAGE_SIZE};
	what = 1 + below(ORDER_MAX - 1);
	return (struct thing){
		.kind = PAGES, .size = PAGE_SIZE << what, .order = (unsigned int)what};
}

static gfp_t some_gfp(void)
{
	static const gfp_t masks[] = {
		GFP_KERNEL,
		GFP_KERNEL,
		GFP_KERNEL,
		GFP_KERNEL,
		GFP_NOFS,
		GFP_NOIO,
		GFP_ATOMIC,
		GFP_NOWAIT,
		GFP_KERNEL | __GFP_NORETRY,
		GFP_KERNEL | __GFP_RETRY_MAYFAIL,
	};

	if (sim_in_handler())
		return GFP_ATOMIC | __GFP_NOWARN;
	return masks[below(sizeof(masks) / sizeof(masks[0]))] | __GFP_NOWARN;
}

/* ---- A worker ----------------------------------------------------------------------------------------- */

struct worker {
	struct pressure *p;
	unsigned int nr;
};

static void put_all(struct pressure *p, unsigned int nr)
{
	for (unsigned int i = 0; i < p->slots; i++)
		put(p, &p->own[nr][i]);
}

static void get(struct pressure *p, struct thing *slot)
{
	struct thing t = some_thing();

	if (ask(p, &t, some_gfp()))
		*slot = t;
}

/* A few wait without end; the others get to their end, and free what they have. Those who wait keep a
 * third, so that this and what lies with the givers, who may be out of reach, is not all there is. */
static void get_surely(struct pressure *p, unsigned int nr)
{
	unsigned int order = (unsigned int)below(2);
	struct thing t = {.kind = PAGES, .size = PAGE_SIZE << order, .order = order};

	if (p->waiting > p->base.cfg.cpus / 8)
		return;
	p->waiting++;
	for (unsigned int i = 0; i < p->slots; i++) {
		if (i % 3 != 1)
			put(p, &p->own[nr][i]);
	}
	if (ask(p, &t, (below(2) ? GFP_KERNEL : GFP_NOFS) | __GFP_NOFAIL | __GFP_NOWARN))
		p->own[nr][0] = t;
	p->waiting--;
}

static void get_scoped(struct pressure *p, struct thing *slot)
{
	bool io = below(2);
	unsigned int saved = io ? memalloc_noio_save() : memalloc_nofs_save();

	get(p, slot);
	if (io)
		memalloc_noio_restore(saved);
	else
		memalloc_nofs_restore(saved);
}

/* A page for somebody who would give it back. */
static void cache_page(struct pressure *p)
{
	struct thing t = {.kind = PAGES, .size = PAGE_SIZE};
	uint64_t whose = below(NR_GIVERS + 2);

	if (!ask(p, &t, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN))
		return;
	if (whose == NR_GIVERS + 1
		    ? sacrifice_take(&p->givers, &t)
		    : giver_take(&p->givers, (enum giver_kind)(whose % NR_GIVERS), &t))
		return;
	put(p, &t);
}

/* An object for one of the shrinkers. */
static void cache_object(struct pressure *p)
{
	struct thing t = {.kind = OBJECT, .size = cache_size[1], .cache = 1};

	if (ask(p, &t, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN) &&
	    !larder_take(&p->givers, (enum larder_kind)below(NR_LARDERS), &t))
		put(p, &t);
}

/* An element for a while, in which memory is needed too: with a mask that blocks it always comes. */
static void use_element(struct pressure *p, struct thing *slot)
{
	struct thing t = {.kind = PAGES, .size = PAGE_SIZE};
	struct page *page = mempool_alloc(p->pool, below(2) ? GFP_NOIO : GFP_KERNEL);

	if (!page)
		sim_fail("a mempool gave nothing to a request that may wait");
	t.p = page_address(page);
	thing_born(&p->owners, &t);
	put(p, slot);
	get(p, slot);
	thing_dies(&p->owners, &t);
	mempool_free(page, p->pool);
}

static void exchange(struct thing *a, struct thing *b)
{
	struct thing t = *a;

	*a = *b;
	*b = t;
}

static void rare(struct pressure *p, unsigned int nr)
{
	switch (below(8)) {
	case 0:
		kmem_cache_shrink(p->cache[below(CACHES)]);
		break;
	case 1:
		drain_all_pages();
		break;
	case 2:
		put_all(p, nr);
		break;
	case 3:
	case 4:
		get_surely(p, nr);
		break;
	case 5:
		use_element(p, &p->own[nr][0]);
		break;
	case 6:
		larder_storm(&p->givers);
		break;
	default:
		giver_storm(&p->givers);
		break;
	}
}

static void step(struct pressure *p, unsigned int nr)
{
	struct thing *slot = &p->own[nr][below(p->slots)];
	uint64_t what = below(32);

	if (what < 2)
		rare(p, nr);
	else if (what < 6)
		cache_page(p);
	else if (what < 8)
		cache_object(p);
	else if (what < 10 && (slot->kind == NOTHING || slot->kind == KMALLOC))
		exchange(&p->small[below(SMALL)], slot);
	else if (slot->kind != NOTHING && what < 24)
		put(p, slot);
	else if (slot->kind == NOTHING && what < 12)
		get_scoped(p, slot);
	else if (slot->kind == NOTHING)
		get(p, slot);
}

/* Up to the first refusal: from then on every step is one at the edge. */
static void fill(struct pressure *p, unsigned int nr)
{
	for (unsigned int i = 0; i < p->slots; i++) {
		get(p, &p->own[nr][i]);
		if (p->own[nr][i].kind == NOTHING)
			break;
	}
}

/* It begins with a pause, in which kswapd falls asleep for good. */
static void worker_main(void *arg)
{
	struct worker *w = arg;
	uint32_t word = 0;

	port_wait(&word, 0, QUIET_NS);
	fill(w->p, w->nr);
	for (unsigned int i = 0; i < w->p->base.cfg.ops / PHASES; i++)
		step(w->p, w->nr);
	put_all(w->p, w->nr);
	w->p->running--;
}

/* The embedding's idle loop: where there are no threads it is late, and in some runs with kswapd's own
 * it contends with that. */
static void idle_main(void *arg)
{
	struct pressure *p = arg;
	bool late = p->base.cfg.mode == SIM_MASKED;
	uint32_t word = 0;

	while (p->running && (late || p->base.cfg.seed % 8 < 2)) {
		kmem_kswapd_run();
		port_wait(&word, 0, 1 + below(late ? 20000000 : 100000));
	}
}

/* Takes a page or two, changes what lies on the table of small things. */
static void handler(void *arg)
{
	struct pressure *p = arg;
	bool told = p->base.cfg.mode == SIM_MASKED || below(2);
	struct thing mine = {.kind = NOTHING}, page = {.kind = PAGES, .size = PAGE_SIZE};

	if (told)
		kmem_irq_enter();
	ask(p, &page, some_gfp());
	exchange(&p->small[below(SMALL)], &mine);
	put(p, &mine);
	mine = (struct thing){.kind = KMALLOC, .size = 8 + (size_t)below(1000)};
	if (ask(p, &mine, some_gfp()))
		exchange(&p->small[below(SMALL)], &mine);
	put(p, &mine);
	put(p, &page);
	if (told)
		kmem_irq_exit();
}

/* ---- A run ---------------------------------------------------------------------------------------------- */

static void start(void *arg)
{
	static const char *const machines[] = {
		"mem=1M zones=flat",
		"mem=2M zones=flat",
		"mem=2M zones=dma:512K,normal:rest",
		"mem=1M zones=flat percpu_pages=0",
		"mem=3M zones=dma:1M,normal:rest slab_nomerge",
		"mem=2M zones=flat slab_debug=FZP,press-700",
	};
	/* The second one is backed when it is needed, or the host refuses. */
	static const char two_sections[] = "mem=5M zones=dma:512K,normal:rest";
	struct pressure *p = arg;
	char line[200];

	snprintf(line, sizeof(line), "%s nr_cpus=%u seed=%llu",
		 p->base.cfg.refuse.kind == SIM_NEVER
			 ? machines[below(sizeof(machines) / sizeof(machines[0]))]
			 : two_sections,
		 p->base.cfg.cpus, (unsigned long long)p->base.cfg.seed + 1);
	sim_log("boot %s\n", line);
	if (kmem_boot(line) != 0)
		sim_fail("kmem_boot(%s): %s", line, kmem_boot_error());
	p->owners.low = phys_to_virt(0);
	p->misuses = kmem_misuse_count();
	p->slots = p->base.cfg.cpus > 8 ? 24 : OWN_MAX;
	p->pool = mempool_create_page_pool(2, 0);
	sim_expect(p->pool);
	givers_start(&p->givers, &p->owners, below(3) != 0);
	for (unsigned int i = 0; i < CACHES; i++) {
		char name[KMEM_NAME_MAX];

		snprintf(name, sizeof(name), "press-%u", cache_size[i]);
		p->cache[i] = kmem_cache_create(name, cache_size[i], 0,
						i == 1 ? SLAB_RECLAIM_ACCOUNT : 0, NULL);
		sim_expect(p->cache[i]);
	}
}

static void check(void *arg)
{
	struct pressure *p = arg;

	if (kmem_check() != 0)
		sim_fail("kmem_check: %s", sim_messages());
	if (kmem_misuse_count() != p->misuses)
		sim_fail("misuse reported: %s", sim_messages());
}

static void end(void *arg)
{
	struct pressure *p = arg;
	unsigned long leaks;

	for (unsigned int i = 0; i < SMALL; i++)
		put(p, &p->small[i]);
	givers_empty(&p->givers);
	mempool_destroy(p->pool);
	check(p);
	for (unsigned int i = 0; i < CACHES; i++) {
		if (kmem_cache_destroy(p->cache[i]) != 0)
			sim_fail("%s: objects are left", kmem_cache_name(p->cache[i]));
	}
	leaks = kmem_shutdown();
	if (leaks)
		sim_fail("%lu leaks: %s", leaks, sim_messages());
	kmem_set_log(NULL, NULL);
}

static bool phases(void *arg)
{
	struct pressure *p = arg;
	struct worker w[SIM_MAX_CPUS];

	if (sim_call(start, p) != 0)
		return false;
	sim_set_refuse(p->base.cfg.refuse, SIM_COMMIT | SIM_META | SIM_VMAP);
	for (unsigned int phase = 0; phase < PHASES; phase++) {
		for (unsigned int i = 0; i < p->base.cfg.cpus; i++) {
			w[i] = (struct worker){p, i};
			sim_spawn(i, worker_main, &w[i], "worker");
		}
		p->running = p->base.cfg.cpus;
		sim_spawn(0, idle_main, p, "idle");
		if (sim_run() != 0 || sim_call(check, p) != 0)
			return false;
	}
	return sim_call(end, p) == 0;
}

static void result(void *arg, struct load_result *r)
{
	const struct pressure *p = arg;

	r->asked = p->givers.asked;
	r->given = p->givers.given;
	r->scanned = p->givers.scanned;
	r->ooms = p->givers.ooms;
	r->storms = p->givers.storms;
	r->stuck = p->givers.stuck;
	r->patient = p->givers.patient;
	r->by_reserve = p->by_reserve;
}

const struct load_kind load_pressure = {sizeof(struct pressure), phases, handler, result};
