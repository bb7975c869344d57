/* SPDX-License-Identifier: MIT */
/*
 * kswapd and the throttle: semantics 7.4, 7.5; statements S159, S163..S166. Most of it by
 * kmem_kswapd_run() on the machine without the task, one balance at a time.
 */
#include <dirent.h>
#include <pthread.h>
#include <sys/wait.h>
#include "pressure.h"

#define WITH_TASK "mem=64M zones=i386 nr_cpus=2 percpu_pages=0"

/* ---- A provider over held[] ---------------------------------------------------------------------- */

struct pool {
	struct kmem_provider p;
	unsigned long claims; /* pages it says it has; in held[] there are others' too */
	unsigned long calls, asked;
	int first, last; /* priorities */
	gfp_t gfp;
	unsigned int task_flags;
};

static unsigned long pool_count(struct kmem_provider *p, int zone)
{
	struct pool *pool = (struct pool *)(void *)p;

	return zone == KMEM_ZONE_NORMAL ? __atomic_load_n(&pool->claims, __ATOMIC_RELAXED) : 0;
}

static unsigned long pool_gives(struct kmem_provider *p, int zone, unsigned long nr, int priority,
				gfp_t gfp)
{
	struct pool *pool = (struct pool *)(void *)p;

	(void)zone;
	if (pool->calls++ == 0)
		pool->first = priority;
	pool->last = priority;
	pool->asked += nr;
	pool->gfp = gfp;
	pool->task_flags = kmem_task_flags();
	give_back(nr);
	__atomic_fetch_sub(&pool->claims, nr, __ATOMIC_RELAXED);
	return nr;
}

static unsigned long pool_keeps(struct kmem_provider *p, int zone, unsigned long nr, int priority,
				gfp_t gfp)
{
	struct pool *pool = (struct pool *)(void *)p;

	(void)zone;
	(void)gfp;
	if (pool->calls++ == 0)
		pool->first = priority;
	pool->last = priority;
	pool->asked += nr;
	return 0;
}

static void pool_start(struct pool *pool, unsigned long claims)
{
	memset(pool, 0, sizeof(*pool));
	pool->p.name = "pool";
	pool->p.count_pages = pool_count;
	pool->p.reclaim = pool_gives;
	pool->claims = claims;
	is(kmem_provider_register(&pool->p), 0, "register");
}

/* give_back() begins at the end: those that are chosen lie there. */
static void held_last(bool (*chosen)(const struct page *))
{
	unsigned long n = nr_held;

	for (unsigned long i = 0; i < n;) {
		struct page *page = held[i];

		if (!chosen(page)) {
			i++;
			continue;
		}
		held[i] = held[--n];
		held[n] = page;
	}
}

static bool is_normal(const struct page *page)
{
	return page_zonenum(page) == KMEM_ZONE_NORMAL;
}

/* M64 with nothing left for an ordinary request, and nobody has been woken. */
static void start_low(const char *cmdline)
{
	machine_start(cmdline);
	exhaust(GFP_KERNEL);
	held_last(is_normal);
	reports_clear();
}

/* Wakes kswapd, and no more. */
static void wake(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages(gfp | __GFP_KSWAPD_RECLAIM | __GFP_NOWARN, order);

	if (page)
		__free_pages(page, order);
}

static unsigned long normal_high(void)
{
	return kmem_machine.zones[KMEM_ZONE_NORMAL].mark[ALLOC_WMARK_HIGH];
}

TEST(S163_one_zone_above_high_is_enough)
{
	static struct pool pool;

	start_low(M64);
	pool_start(&pool, 8000);
	ok(!kmem_kswapd_run(), "nobody wants anything");
	wake(GFP_NOWAIT, 0);
	ok(kmem_kswapd_run(), "one balance");
	ok(zone_free_now(KMEM_ZONE_NORMAL) > normal_high(), "Normal is above high");
	ok(zone_free_now(KMEM_ZONE_DMA) < 144, "DMA is not");
	is(pool.first, 12, "gently at first");
	ok(pool.asked < 2 * (normal_high() + 96), "and no more than it must: %lu", pool.asked);
	ok(!kmem_kswapd_run(), "that was all");
	is(events_of(KMEM_EV_pageoutrun), 1, "pageoutrun");
	is(events_of(KMEM_EV_pgscan_kswapd), pool.asked, "pgscan_kswapd");
	is(events_of(KMEM_EV_pgsteal_kswapd), pool.asked, "pgsteal_kswapd");
	is(rounds(), 1, "direct reclaims, of when the machine was exhausted");
	kmem_set_kswapd_wake(on_wake, NULL);
	wake(GFP_NOWAIT, 0);
	is(wakes, 0, "a node that is balanced is not woken");
	kmem_provider_unregister(&pool.p);
	m64_end();
}

static gfp_t seen_mask;
static unsigned long count_some(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return 1000;
}

static unsigned long scan_notes(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	seen_mask = sc->gfp_mask;
	return SHRINK_STOP;
}

TEST(S159_kswapd_asks_with_gfp_kernel)
{
	struct shrinker s = {.count_objects = count_some, .scan_objects = scan_notes, .seeks = 2};
	unsigned int before = kmem_task_flags();
	static struct pool pool;

	start_low(M64);
	pool_start(&pool, 8000);
	pool.p.reclaim = pool_gives;
	is(register_shrinker(&s, "notes"), 0, "register");
	wake(GFP_ATOMIC, 0);
	/* Little enough that shrinkers come to their turn. */
	pool.claims = 300;
	ok(kmem_kswapd_run(), "run");
	is(pool.gfp, GFP_KERNEL, "providers");
	is(seen_mask, GFP_KERNEL, "shrinkers");
	is(pool.task_flags & (PF_MEMALLOC | PF_KTHREAD), PF_MEMALLOC | PF_KTHREAD, "inside");
	is(kmem_task_flags(), before, "and after");
	unregister_shrinker(&s);
	kmem_provider_unregister(&pool.p);
	m64_end();
}

TEST(S164_sixteen_fruitless_runs_silence_the_wakes)
{
	static struct pool pool;
	unsigned long runs = 0;

	start_low(M64);
	kmem_set_kswapd_wake(on_wake, NULL);
	pool_start(&pool, 8000);
	pool.p.reclaim = pool_keeps;
	kmem_drain();
	exhaust(GFP_KERNEL);
	wake(GFP_NOWAIT, 0);
	/* What is not granted is wanted still. */
	while (runs < 100 && kmem_kswapd_run())
		runs++;
	is(runs, 16, "runs");
	is(events_of(KMEM_EV_pageoutrun), 16, "pageoutrun");
	is(events_of(KMEM_EV_kswapd_high_wmark_hit_quickly), 15, "each but the last began another");
	is(pool.first, 12, "from priority 12");
	is(pool.last, 1, "to 1");
	wakes = 0;
	wake(GFP_NOWAIT, 0);
	is(wakes, 0, "the hook is not called");
	ok(!kmem_kswapd_run(), "nor anything wanted");
	/* Progress of a direct reclaim ends it. */
	pool.p.reclaim = pool_gives;
	is(reclaim_direct(GFP_KERNEL, 0, KMEM_ZONE_NORMAL) >= 32, 1, "direct reclaim");
	take(GFP_NOWAIT & ~__GFP_KSWAPD_RECLAIM, HELD_MAX);
	wake(GFP_NOWAIT, 0);
	ok(wakes >= 1, "woken again");
	ok(kmem_kswapd_run(), "and it runs");
	kmem_provider_unregister(&pool.p);
	m64_end();
}

TEST(S164_a_free_above_high_ends_the_silence_too)
{
	static struct pool pool;

	start_low(M64);
	kmem_set_kswapd_wake(on_wake, NULL);
	pool_start(&pool, 8000);
	pool.p.reclaim = pool_keeps;
	kmem_drain();
	exhaust(GFP_KERNEL);
	wake(GFP_NOWAIT, 0);
	while (kmem_kswapd_run())
		;
	wakes = 0;
	wake(GFP_NOWAIT, 0);
	is(wakes, 0, "silent");
	give_back(50);
	exhaust(GFP_KERNEL & ~__GFP_DIRECT_RECLAIM);
	wake(GFP_NOWAIT, 0);
	is(wakes, 0, "below high it makes no difference");
	give_back(500);
	take(GFP_NOWAIT & ~__GFP_KSWAPD_RECLAIM, HELD_MAX);
	wake(GFP_NOWAIT, 0);
	ok(wakes >= 1, "a zone was above high in between");
	kmem_provider_unregister(&pool.p);
	m64_end();
}

static bool is_odd(const struct page *page)
{
	return page_to_pfn(page) & 1;
}

TEST(S165_for_an_order_twice_its_pages_are_enough)
{
	static struct pool pool;

	/* Every second page can come back: no block of order 1 comes of it. */
	machine_start("mem=64M zones=flat nr_cpus=1 percpu_pages=0 kswapd=0");
	take((GFP_NOWAIT | __GFP_MEMALLOC) & ~__GFP_KSWAPD_RECLAIM, HELD_MAX);
	is(zone_free_now(KMEM_ZONE_NORMAL), 0, "all is taken");
	held_last(is_odd);
	give_back(200);
	pool_start(&pool, 4000);
	wake(GFP_NOWAIT, 3);
	ok(kmem_kswapd_run(), "run");
	ok(zone_free_now(KMEM_ZONE_NORMAL) > normal_high(), "balanced for order 0");
	ok(pool.asked >= 2 << 3, "twice 2^3 pages at least: %lu", pool.asked);
	ok(pool.asked < 1000, "and not all there were, for order 3: %lu", pool.asked);
	ok(!alloc_pages(GFP_NOWAIT & ~__GFP_KSWAPD_RECLAIM, 1), "of which there is none");
	ok(!kmem_kswapd_run(), "that was all");
	kmem_provider_unregister(&pool.p);
	m64_end();
}

/* ---- The task ------------------------------------------------------------------------------------ */

/* A sanitizer does not like threads in a fork's child. */
__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "die_after_fork=0";
}

static bool is_kswapd(const char *task)
{
	char path[300], name[16] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%s/comm", task);
	f = fopen(path, "r");
	if (!f)
		return false;
	if (!fgets(name, sizeof(name), f))
		name[0] = '\0';
	fclose(f);
	return !strcmp(name, "kswapd0\n");
}

static unsigned int nr_kswapds(void)
{
	DIR *d = opendir("/proc/self/task");
	unsigned int n = 0;

	for (struct dirent *e; d && (e = readdir(d));)
		n += is_kswapd(e->d_name);
	if (d)
		closedir(d);
	return n;
}

static bool within_seconds(bool (*is_so)(void))
{
	for (int i = 0; i < 20000 && !is_so(); i++)
		usleep(1000);
	return is_so();
}

static bool normal_is_high(void)
{
	return __atomic_load_n(&kmem_machine.zones[KMEM_ZONE_NORMAL].free, __ATOMIC_RELAXED) >
	       normal_high();
}

static bool no_task(void)
{
	return nr_kswapds() == 0;
}

static bool one_task(void)
{
	return nr_kswapds() == 1;
}

TEST(the_task_starts_when_there_is_somebody_to_ask)
{
	static struct pool pool;

	start_low(WITH_TASK);
	wake(GFP_NOWAIT, 0);
	ok(no_task(), "nobody to ask: no task");
	pool_start(&pool, 8000);
	ok(within_seconds(one_task), "a task of its own, for who registers");
	wake(GFP_NOWAIT, 0);
	ok(within_seconds(normal_is_high), "it works");
	ok(events_of(KMEM_EV_pageoutrun) >= 1, "pageoutrun");
	kmem_provider_unregister(&pool.p);
	m64_end();
	ok(within_seconds(no_task), "and ends with the machine");
}

TEST(a_wake_in_the_nap_is_counted)
{
	static struct pool pool;
	uint64_t before;

	start_low(WITH_TASK);
	pool_start(&pool, 4000);
	wake(GFP_NOWAIT, 0);
	ok(within_seconds(normal_is_high), "first balance");
	before = events_of(KMEM_EV_kswapd_low_wmark_hit_quickly);
	/* Over and over below low, within the tenth of a second that it naps after a balance. */
	for (int i = 0; i < 100 && before == events_of(KMEM_EV_kswapd_low_wmark_hit_quickly); i++) {
		kswapd_hold(); /* held[] is both's */
		exhaust(GFP_NOWAIT);
		pool.claims = 4000;
		kswapd_let();
		wake(GFP_NOWAIT, 0);
		ok(within_seconds(normal_is_high), "balanced again");
	}
	ok(before < events_of(KMEM_EV_kswapd_low_wmark_hit_quickly), "low_wmark_hit_quickly");
	kmem_provider_unregister(&pool.p);
	m64_end();
}

/* Only a request that may block: one that may not could be a signal handler's. */
TEST(a_fork_s_child_starts_its_own)
{
	static struct pool pool;
	int status = -1;
	pid_t child;

	start_low(WITH_TASK);
	pool_start(&pool, 8000);
	wake(GFP_NOWAIT, 0);
	ok(within_seconds(normal_is_high), "in the parent");
	kswapd_hold(); /* not in the middle of held[] */
	kswapd_let();
	child = fork();
	if (child == 0) {
		bool good = no_task();

		exhaust(GFP_NOWAIT & ~__GFP_KSWAPD_RECLAIM);
		pool.claims = 8000;
		wake(GFP_NOWAIT, 0);
		kmem_irq_enter();
		wake(GFP_ATOMIC, 0);
		kmem_irq_exit();
		usleep(10000);
		good = good && no_task();
		wake(GFP_KERNEL, 0);
		good = good && within_seconds(normal_is_high) && within_seconds(one_task);
		kmem_provider_unregister(&pool.p);
		give_back_all();
		good = good && kmem_check() == 0 && kmem_shutdown() == 0;
		_exit(good && within_seconds(no_task) ? 0 : 1);
	}
	is(waitpid(child, &status, 0), child, "wait");
	is(status, 0, "in the child");
	kmem_provider_unregister(&pool.p);
	m64_end();
}

/* ---- The throttle -------------------------------------------------------------------------------- */

static uint32_t gate; /* 0: nothing is given, and kswapd is held up inside the provider */
static pthread_mutex_t held_lock = PTHREAD_MUTEX_INITIALIZER;

static unsigned long pool_waits(struct kmem_provider *p, int zone, unsigned long nr, int priority,
				gfp_t gfp)
{
	struct pool *pool = (struct pool *)(void *)p;

	(void)zone;
	(void)priority;
	(void)gfp;
	while (!__atomic_load_n(&gate, __ATOMIC_ACQUIRE)) {
		if (!(kmem_task_flags() & PF_KTHREAD))
			return 0;
		usleep(1000);
	}
	pthread_mutex_lock(&held_lock);
	give_back(nr);
	pthread_mutex_unlock(&held_lock);
	__atomic_fetch_sub(&pool->claims, nr, __ATOMIC_RELAXED);
	return nr;
}

static bool is_throttled(void)
{
	return events_of(KMEM_EV_pgscan_direct_throttle) != 0;
}

struct request {
	gfp_t gfp;
	unsigned int flags;
	struct page *page;
	uint32_t done;
};

static void *one_request(void *arg)
{
	struct request *r = arg;

	kmem_task_set_flags(r->flags, 0);
	r->page = alloc_page(r->gfp | __GFP_NOWARN);
	__atomic_store_n(&r->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* Below half of the reserves, and kswapd at work, which the gate holds up. */
static void start_starved(struct pool *pool)
{
	start_low(WITH_TASK);
	take((GFP_ATOMIC) & ~__GFP_KSWAPD_RECLAIM, HELD_MAX);
	take((GFP_ATOMIC | __GFP_DMA) & ~__GFP_KSWAPD_RECLAIM, HELD_MAX);
	ok(zone_free_now(KMEM_ZONE_NORMAL) <= 96, "half of Normal's min");
	__atomic_store_n(&gate, 0, __ATOMIC_RELAXED);
	pool_start(pool, 8000);
	pool->p.reclaim = pool_waits;
}

static void end_starved(struct pool *pool)
{
	__atomic_store_n(&gate, 1, __ATOMIC_RELEASE);
	ok(within_seconds(normal_is_high), "kswapd has filled it up");
	kmem_provider_unregister(&pool->p);
	m64_end();
}

TEST(S166_with_FS_until_kswapd_has_restored_the_reserve)
{
	struct request r = {.gfp = GFP_KERNEL};
	static struct pool pool;
	pthread_t thread;

	start_starved(&pool);
	pthread_create(&thread, NULL, one_request, &r);
	ok(within_seconds(is_throttled), "throttled");
	usleep(20000);
	ok(!__atomic_load_n(&r.done, __ATOMIC_ACQUIRE), "still");
	__atomic_store_n(&gate, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	is(events_of(KMEM_EV_pgscan_direct_throttle), 1, "pgscan_direct_throttle");
	/* Half of the reserve ends the wait; the one round of NORETRY may still come before the whole. */
	ok(within_seconds(normal_is_high), "restored");
	if (!r.page)
		one_request(&r);
	ok(r.page != NULL, "and then served");
	if (r.page)
		__free_page(r.page);
	end_starved(&pool);
}

TEST(S166_without_FS_for_a_second_at_most)
{
	struct request r = {.gfp = GFP_NOFS | __GFP_NORETRY};
	static struct pool pool;
	pthread_t thread;

	start_starved(&pool);
	pthread_create(&thread, NULL, one_request, &r);
	pthread_join(thread, NULL);
	is(events_of(KMEM_EV_pgscan_direct_throttle), 1, "throttled");
	ok(!r.page, "and not served: kswapd is held up still");
	end_starved(&pool);
}

TEST(S166_kernel_threads_and_victims_are_not)
{
	static const unsigned int flags[] = {PF_KTHREAD, PF_KMEM_OOM_VICTIM};
	static struct pool pool;
	pthread_t thread;

	start_starved(&pool);
	wake(GFP_NOWAIT, 0);
	for (int i = 0; i < 2; i++) {
		struct request r = {.gfp = GFP_KERNEL | __GFP_NORETRY, .flags = flags[i]};

		/* A provider that is asked by such a thread takes it for kswapd. */
		__atomic_store_n(&gate, (uint32_t)(i == 0), __ATOMIC_RELEASE);
		pthread_create(&thread, NULL, one_request, &r);
		pthread_join(thread, NULL);
		if (r.page)
			__free_page(r.page);
	}
	is(events_of(KMEM_EV_pgscan_direct_throttle), 0, "pgscan_direct_throttle");
	end_starved(&pool);
}

TEST(S166_without_kswapd_nobody_waits_for_it)
{
	struct request r = {.gfp = GFP_KERNEL};
	static struct pool pool;

	machine_start(M64);
	exhaust(GFP_KERNEL);
	take(GFP_ATOMIC & ~__GFP_KSWAPD_RECLAIM, HELD_MAX);
	pool_start(&pool, 8000);
	pool.p.reclaim = pool_keeps;
	one_request(&r);
	ok(!r.page, "NULL");
	is(events_of(KMEM_EV_pgscan_direct_throttle), 0, "not throttled");
	kmem_provider_unregister(&pool.p);
	m64_end();
}
