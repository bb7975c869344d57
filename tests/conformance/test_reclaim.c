/* SPDX-License-Identifier: MIT */
/* Shrinkers and direct reclaim: semantics 7.2, 7.3, 7.5; statements S155..S162, S167. */
#include <pthread.h>
#include "pressure.h"

/* ---- A shrinker that does as it is told -------------------------------------------------------- */

struct cache {
	struct shrinker s;
	unsigned long holds;	   /* what count_objects says */
	unsigned long scans, last; /* calls of scan_objects; nr_to_scan of the last */
	unsigned long asked;	   /* objects, in all calls */
	unsigned long answer;	   /* SHRINK_STOP, or how many it says it freed */
	gfp_t gfp;
	unsigned int task_flags;
};

static unsigned long cache_count(struct shrinker *s, struct shrink_control *sc)
{
	is(sc->nid, 0, "node");
	return ((struct cache *)(void *)s)->holds;
}

static unsigned long cache_scan(struct shrinker *s, struct shrink_control *sc)
{
	struct cache *c = (struct cache *)(void *)s;

	is(sc->nr_scanned, sc->nr_to_scan, "preset");
	c->scans++;
	c->last = sc->nr_to_scan;
	c->asked += sc->nr_to_scan;
	c->gfp = sc->gfp_mask;
	c->task_flags = kmem_task_flags();
	return c->answer;
}

static void cache_start(struct cache *c, unsigned long holds, int seeks)
{
	memset(c, 0, sizeof(*c));
	c->s.count_objects = cache_count;
	c->s.scan_objects = cache_scan;
	c->s.seeks = seeks;
	c->holds = holds;
	is(register_shrinker(&c->s, "test-%s", "cache"), 0, "register");
}

/* All shrinkers once, at one priority, as a task that reclaims. */
static void scan_at(int priority)
{
	struct reclaim r = {.gfp = GFP_KERNEL, .class = KMEM_ZONE_NORMAL, .priority = priority};
	unsigned int saved = memalloc_noreclaim_save();

	shrinkers_scan(&r);
	memalloc_noreclaim_restore(saved);
}

TEST(S155_the_table)
{
	static const struct {
		unsigned long holds;
		int seeks, priority;
		unsigned long scans, asked, deferred;
	} row[] = {
		{1000, 2, 12, 0, 0, 0},		{1000, 2, 3, 1, 128, 122},
		{1000, 2, 0, 15, 15 * 128, 80}, {50, 2, 0, 1, 100, 0},
		{1000, 0, 12, 3, 3 * 128, 116},
	};

	machine_start(M64);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct cache c;

		cache_start(&c, row[i].holds, row[i].seeks);
		scan_at(row[i].priority);
		is(c.scans, row[i].scans, "row %zu: calls", i);
		is(c.asked, row[i].asked, "row %zu: objects", i);
		is(c.s.nr_deferred, row[i].deferred, "row %zu: deferred", i);
		unregister_shrinker(&c.s);
	}
	is(events_of(KMEM_EV_slabs_scanned), 128 + 15 * 128 + 100 + 3 * 128, "slabs_scanned");
	machine_stop();
}

/* As a kernel was seen to do it, in its own trace. */
TEST(S155_figures_of_a_kernel)
{
	struct cache c;

	machine_start(M64);
	cache_start(&c, 1122, DEFAULT_SEEKS);
	c.s.batch = 1024;
	c.s.nr_deferred = 1218;
	scan_at(10);
	is(c.s.nr_deferred, 1220, "priority 10");
	scan_at(9);
	is(c.s.nr_deferred, 1224, "priority 9");
	scan_at(8);
	is(c.s.nr_deferred, 1232, "priority 8");
	is(c.scans, 0, "no scan");
	unregister_shrinker(&c.s);
	machine_stop();
}

TEST(S156_stop_ends_this_shrinker_and_defers_the_rest)
{
	struct cache stops, goes;

	machine_start(M64);
	cache_start(&stops, 1000, 2);
	stops.answer = SHRINK_STOP;
	cache_start(&goes, 1000, 2);
	scan_at(0);
	is(stops.scans, 1, "asked once");
	is(stops.s.nr_deferred, 2000, "all of it is put off");
	is(goes.scans, 15, "the other one goes on");
	is(events_of(KMEM_EV_slabs_scanned), 15 * 128, "what was refused is not counted");
	stops.answer = 0;
	stops.asked = 0;
	scan_at(12);
	is(stops.asked, 0, "at priority 12 little of that is due");
	scan_at(3);
	is(stops.asked, 3 * 128, "at 3 an eighth of it");
	unregister_shrinker(&stops.s);
	unregister_shrinker(&goes.s);
	machine_stop();
}

TEST(S157_nothing_to_free_is_not_scanned)
{
	struct cache none, empty;

	machine_start(M64);
	cache_start(&none, 0, 2);
	none.s.nr_deferred = 77;
	cache_start(&empty, SHRINK_EMPTY, 2);
	for (int priority = DEF_PRIORITY; priority >= 0; priority--)
		scan_at(priority);
	is(none.scans + empty.scans, 0, "scans");
	is(none.s.nr_deferred, 77, "what was put off stays");
	unregister_shrinker(&none.s);
	unregister_shrinker(&empty.s);
	machine_stop();
}

TEST(S158_deferred_is_at_most_twice_the_freeable)
{
	struct cache c;

	machine_start(M64);
	cache_start(&c, 100, 1);
	c.answer = SHRINK_STOP;
	for (int i = 0; i < 10; i++) {
		scan_at(0);
		ok(c.s.nr_deferred <= 200, "deferred %lu", c.s.nr_deferred);
	}
	is(c.s.nr_deferred, 200, "and comes to it");
	c.holds = 10;
	scan_at(12);
	is(c.s.nr_deferred, 20, "of what there is now");
	unregister_shrinker(&c.s);
	machine_stop();
}

TEST(S159_shrinkers_see_the_mask_of_the_requester)
{
	unsigned int saved;
	struct cache c;

	m64_exhausted();
	cache_start(&c, 1000, 2);
	ok(!alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN), "NULL");
	is(c.gfp, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN, "the caller's");
	ok(c.task_flags & PF_MEMALLOC, "PF_MEMALLOC inside");
	saved = memalloc_nofs_save();
	ok(!alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN), "NULL");
	is(c.gfp, GFP_NOFS | __GFP_NORETRY | __GFP_NOWARN, "after scopes");
	memalloc_nofs_restore(saved);
	unregister_shrinker(&c.s);
	m64_end();
}

static unsigned long inside;
static unsigned long scan_allocates(struct shrinker *s, struct shrink_control *sc)
{
	struct page *page;

	(void)s;
	(void)sc;
	is(++inside, 1, "not entered again");
	page = alloc_page(GFP_KERNEL | __GFP_NOWARN);
	ok(page != NULL, "out of the reserves");
	if (page)
		__free_page(page);
	inside--;
	return SHRINK_STOP;
}

TEST(S160_requests_in_a_scan_do_not_reclaim)
{
	unsigned long before;
	struct cache c;

	m64_exhausted();
	cache_start(&c, 1000, 2);
	c.s.scan_objects = scan_allocates;
	before = rounds();
	ok(!alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN), "NULL");
	is(rounds() - before, 1, "one reclaim, and none inside");
	unregister_shrinker(&c.s);
	m64_end();
}

/* ---- A shrinker over a real cache --------------------------------------------------------------- */

struct objects {
	struct shrinker s;
	struct kmem_cache *cache;
	struct object {
		struct object *next;
	} * list;
	unsigned long nr, scans;
};

static unsigned long objects_count(struct shrinker *s, struct shrink_control *sc)
{
	(void)sc;
	return ((struct objects *)s->private_data)->nr;
}

static unsigned long objects_scan(struct shrinker *s, struct shrink_control *sc)
{
	struct objects *o = s->private_data;
	unsigned long freed = 0;

	o->scans++;
	for (; freed < sc->nr_to_scan && o->list; freed++) {
		struct object *first = o->list;

		o->list = first->next;
		o->nr--;
		kmem_cache_free(o->cache, first);
	}
	return freed;
}

static void objects_fill(struct objects *o, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		struct object *first = kmem_cache_alloc(o->cache, GFP_KERNEL);

		ok(first != NULL, "object %lu", i);
		first->next = o->list;
		o->list = first;
		o->nr++;
	}
}

static void objects_start(struct objects *o, unsigned int size)
{
	memset(o, 0, sizeof(*o));
	o->cache = kmem_cache_create("objects", size, NULL, SLAB_RECLAIM_ACCOUNT | SLAB_NO_MERGE);
	o->s.count_objects = objects_count;
	o->s.scan_objects = objects_scan;
	o->s.seeks = DEFAULT_SEEKS;
	o->s.private_data = o;
}

static void objects_end(struct objects *o)
{
	struct shrink_control sc = {.nr_to_scan = ~0ul};

	unregister_shrinker(&o->s);
	objects_scan(&o->s, &sc);
	is(kmem_cache_destroy(o->cache), 0, "destroy");
}

TEST(S161_slab_pages_freed_in_a_scan_are_progress)
{
	struct objects o;
	struct page *page;

	machine_start(M64);
	kmem_set_oom_handler(on_oom, NULL);
	objects_start(&o, 1024);
	objects_fill(&o, 8000);
	exhaust(GFP_KERNEL);
	is(register_shrinker(&o.s, "objects"), 0, "register");
	reports_clear();
	ok(kmem_machine.zones[KMEM_ZONE_NORMAL].slab_reclaimable >= 2000 - 2 * 192,
	   "counted as reclaimable: %lu", kmem_machine.zones[KMEM_ZONE_NORMAL].slab_reclaimable);
	/* Nothing else can give anything back: each of these is served by the shrinker. */
	for (int i = 0; i < 500; i++) {
		page = alloc_page(GFP_KERNEL);
		ok(page != NULL, "page %d", i);
		held[nr_held++] = page;
	}
	is(oom_calls, 0, "nobody was killed");
	ok(o.nr < 8000 - 500, "objects left: %lu", o.nr);
	objects_end(&o);
	is(kmem_machine.zones[KMEM_ZONE_NORMAL].slab_reclaimable +
		   kmem_machine.zones[KMEM_ZONE_DMA].slab_reclaimable,
	   kmem_stat_get()->nr_slab_reclaimable, "the zones' counts add up");
	m64_end();
}

static unsigned long pages_scan(struct shrinker *s, struct shrink_control *sc)
{
	struct objects *o = s->private_data;

	o->scans++;
	if (o->nr < sc->nr_to_scan)
		return SHRINK_STOP;
	o->nr -= sc->nr_to_scan;
	give_back(sc->nr_to_scan);
	mm_account_reclaimed_pages(sc->nr_to_scan);
	return sc->nr_to_scan;
}

TEST(S161_other_pages_are_progress_when_told)
{
	struct objects o = {.s = {.count_objects = objects_count,
				  .scan_objects = pages_scan,
				  .seeks = DEFAULT_SEEKS,
				  .private_data = &o},
			    .nr = 1000};

	m64_exhausted();
	is(register_shrinker(&o.s, "pages"), 0, "register");
	is(reclaim_direct(GFP_KERNEL, 0, KMEM_ZONE_NORMAL), 128, "pages");
	is(o.nr, 1000 - 128, "left");
	unregister_shrinker(&o.s);
	m64_end();
}

static unsigned long gives_some(struct kmem_provider *p, int zone, unsigned long nr, int priority,
				gfp_t gfp)
{
	struct told *t = (struct told *)(void *)p;

	(void)zone;
	(void)priority;
	(void)gfp;
	t->asked++;
	t->in += nr;
	give_back(nr);
	return nr;
}

TEST(S162_direct_reclaim_stops_at_32_pages)
{
	static struct told t;
	struct cache c;

	m64_exhausted();
	told_start(&t, 1000);
	t.p.reclaim = gives_some;
	cache_start(&c, 1000, 2);
	/* 1000 >> 9 to 5: 26 are not enough, and 31 more are. */
	is(reclaim_direct(GFP_KERNEL, 0, KMEM_ZONE_NORMAL), 1 + 3 + 7 + 15 + 31, "pages");
	is(t.in, 1 + 3 + 7 + 15 + 31, "asked for");
	is(t.asked, 5, "calls");
	is(events_of(KMEM_EV_pgsteal_direct), 57, "pgsteal_direct");
	is(events_of(KMEM_EV_pgscan_direct), 57, "pgscan_direct");
	is(c.scans, 0, "shrinkers had little to do up to priority 5");
	is(c.s.nr_deferred, 4 * (1 + 3 + 7 + 15 + 31) / 2, "it is put off");
	unregister_shrinker(&c.s);
	kmem_provider_unregister(&t.p);
	m64_end();
}

/* ---- Coming and going -------------------------------------------------------------------------- */

static unsigned int entered, left, may_leave = 1;
static unsigned long scan_slow(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	__atomic_store_n(&entered, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&may_leave, __ATOMIC_SEQ_CST))
		usleep(100);
	usleep(50000);
	__atomic_store_n(&left, 1, __ATOMIC_SEQ_CST);
	return SHRINK_STOP;
}

static void *one_noretry(void *arg)
{
	*(struct page **)arg = alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	return NULL;
}

static unsigned long many(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return 100000;
}

TEST(S167_free_waits_for_a_running_scan)
{
	struct shrinker *s, *other;
	struct page *page;
	pthread_t thread;

	machine_start(M64);
	s = shrinker_alloc(0, "slow-%d", 7);
	other = shrinker_alloc(SHRINKER_NUMA_AWARE, "other");
	ok(s && other, "alloc");
	ok(!strcmp(s->name, "slow-7") && s->seeks == DEFAULT_SEEKS, "%s", s->name);
	s->count_objects = many;
	s->scan_objects = scan_slow;
	*other = *s;
	shrinker_register(s);
	exhaust(GFP_KERNEL);
	entered = 0;
	left = 0;
	may_leave = 0;
	pthread_create(&thread, NULL, one_noretry, &page);
	while (!__atomic_load_n(&entered, __ATOMIC_SEQ_CST))
		usleep(100);
	shrinker_register(other);
	shrinker_free(other);
	is(__atomic_load_n(&left, __ATOMIC_SEQ_CST), 0, "another one is not waited for");
	__atomic_store_n(&may_leave, 1, __ATOMIC_SEQ_CST);
	shrinker_free(s);
	is(__atomic_load_n(&left, __ATOMIC_SEQ_CST), 1, "this one is");
	pthread_join(thread, NULL);
	if (page)
		__free_page(page);
	m64_end();
}

TEST(shrinkers_that_are_not_whole_or_twice_are_misuse)
{
	struct cache c;
	struct shrinker bad = {.count_objects = many};

	machine_start(M64);
	cache_start(&c, 1, 2);
	is(register_shrinker(&c.s, "again"), -22, "twice");
	is(register_shrinker(&bad, "bad"), -22, "no scan_objects");
	is(reports_of(KMEM_MISUSE_SHRINKER), 2, "reports");
	unregister_shrinker(&c.s);
	unregister_shrinker(&c.s);
	unregister_shrinker(&bad);
	unregister_shrinker(NULL);
	shrinker_free(NULL);
	shrinker_free(shrinker_alloc(0, "never registered"));
	is(reports_of(KMEM_MISUSE_SHRINKER), 2, "unregistering is quiet");
	machine_stop();
}

TEST(a_machine_that_stops_forgets_its_shrinkers)
{
	struct cache c;

	machine_start(M64);
	cache_start(&c, 1000, 2);
	machine_stop();
	machine_start(M64);
	exhaust(GFP_KERNEL);
	is(c.scans, 0, "not asked");
	is(register_shrinker(&c.s, "again"), 0, "registered anew");
	unregister_shrinker(&c.s);
	m64_end();
}

/* ---- The out-of-memory notifiers ------------------------------------------------------------------ */

static char chain[16];
static unsigned long chain_len, chain_frees;
static int chain_answer;

static int on_chain(struct notifier_block *nb, unsigned long action, void *data)
{
	is(action, 0, "action");
	ok(!(kmem_task_flags() & PF_MEMALLOC), "not as PF_MEMALLOC");
	chain[chain_len++ % (sizeof(chain) - 1)] = (char)('a' + nb->priority);
	if (chain_frees) {
		give_back(chain_frees);
		*(unsigned long *)data += chain_frees;
		chain_frees = 0;
	}
	return chain_answer;
}

static struct notifier_block links[] = {
	{.notifier_call = on_chain, .priority = 1},
	{.notifier_call = on_chain, .priority = 2},
	{.notifier_call = on_chain, .priority = 0},
};

static void chain_start(void)
{
	m64_exhausted();
	kmem_set_oom_handler(on_oom, NULL);
	for (int i = 0; i < 3; i++)
		is(register_oom_notifier(&links[i]), 0, "register");
	is(register_oom_notifier(&links[0]), -22, "twice");
	is(register_oom_notifier(NULL), -22, "nothing");
}

static void chain_end(void)
{
	for (int i = 0; i < 3; i++)
		is(unregister_oom_notifier(&links[i]), 0, "unregister");
	is(unregister_oom_notifier(&links[0]), 0, "quiet");
	m64_end();
}

TEST(S47_notifiers_are_asked_before_the_handler)
{
	chain_start();
	ok(!alloc_page(GFP_KERNEL | __GFP_NOWARN), "NULL");
	ok(!strcmp(chain, "cba"), "by priority: %s", chain);
	is(oom_calls, 1, "then the handler");
	chain_answer = NOTIFY_STOP;
	ok(!alloc_page(GFP_KERNEL | __GFP_NOWARN), "NULL");
	ok(!strcmp(chain, "cbac"), "the first ends the chain: %s", chain);
	is(oom_calls, 2, "which does not save from the handler");
	is(unregister_oom_notifier(&links[1]), 0, "nobody stands on it any more");
	is(register_oom_notifier(&links[1]), 0, "and back");
	chain_end();
}

TEST(S64_pages_that_a_notifier_freed_mean_try_again)
{
	static struct told t;
	struct page *page;

	chain_start();
	told_start(&t, 1);
	chain_frees = 100;
	page = alloc_page(GFP_KERNEL);
	ok(page != NULL, "served");
	is(oom_calls, 0, "nobody was killed");
	is(events_of(KMEM_EV_oom_kill), 0, "nor counted");
	is(t.asked, 17, "rounds before");
	if (page)
		__free_page(page);
	kmem_provider_unregister(&t.p);
	chain_end();
}

TEST(S53_notifiers_are_asked_without_FS_too)
{
	unsigned long limit = 20;
	struct page *page;

	chain_start();
	kmem_set_livelock_guard(on_round, &limit);
	ok(!alloc_page(GFP_NOFS | __GFP_NOWARN), "stopped by the guard");
	is(chain_len, 3 * 20, "each round");
	is(oom_calls, 0, "the handler was not");
	chain_frees = 100;
	page = alloc_page(GFP_NOFS);
	ok(page != NULL, "served");
	if (page)
		__free_page(page);
	chain_end();
}
