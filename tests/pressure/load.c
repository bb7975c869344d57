/* SPDX-License-Identifier: MIT */
/*
 * Eight threads and a timer's signal on a machine that has a tenth of the memory they want. The
 * threads read blocks through one shared cache; a block that is not there is allocated and filled. One
 * half of the cache goes back through a shrinker, the other through a page provider.
 *
 *	an ordinary request never fails: nearly everything can be given back
 *	an urgent one fails only below the mark of the urgent
 *	no block is ever found torn; the zones add up at the end, and nothing is left
 *
 * The length is counted in operations, LOAD_OPS a thread; no property depends on the clock.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <kmem/shrinker.h>
#include "../support.h"
#include "gfp/gfp.h"

enum {
	THREADS = 8,
	MACHINE_PAGES = 8192, /* 32 MiB, of which 4 are the reserve */
	KEYS = 10 * MACHINE_PAGES,
	SHARDS = 64,
	BURST = 900, /* more than the reserve */
	LEFT = 64,   /* urgent pieces that are left for another signal to free */
	TIMER_US = 300,
};

struct block {
	struct block *next, *older, *newer;
	unsigned int key;
	unsigned char *data; /* a page */
};

/* A hash table and, from old to new, a list. Nobody allocates with the lock held. */
static struct shard {
	pthread_mutex_t lock;
	struct block *bucket[64], *oldest, *newest;
	unsigned long nr;
} shard[SHARDS];

static struct kmem_cache *headers;
static void *left[LEFT];
static unsigned long kernel_failed, torn, hits, misses, by_shrinker, by_provider;
static unsigned long signals, urgent, urgent_failed, urgent_nested, urgent_below_min, urgent_wrong;

static unsigned long load_ops(void)
{
	return tap_env("LOAD_OPS", 240000) / tap_slow();
}

static void count(unsigned long *n)
{
	__atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
}

static uint64_t next_rand(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

/* ---- The cache ------------------------------------------------------------------------------------ */

static void block_fill(struct block *b)
{
	memset(b->data, (int)(b->key * 7), PAGE_SIZE);
	memcpy(b->data, &b->key, sizeof(b->key));
}

static void block_check(const struct block *b)
{
	unsigned char want = (unsigned char)(b->key * 7);

	if (memcmp(b->data, &b->key, sizeof(b->key)) != 0 || b->data[PAGE_SIZE / 2] != want ||
	    b->data[PAGE_SIZE - 1] != want)
		count(&torn);
}

static void block_free(struct block *b)
{
	block_check(b);
	free_page((unsigned long)b->data);
	kmem_cache_free(headers, b);
}

static struct block *block_new(unsigned int key)
{
	struct block *b = kmem_cache_alloc(headers, GFP_KERNEL);
	void *data = (void *)__get_free_page(GFP_KERNEL);

	if (!b || !data) {
		count(&kernel_failed);
		if (b)
			kmem_cache_free(headers, b);
		free_page((unsigned long)data);
		return NULL;
	}
	*b = (struct block){.key = key, .data = data};
	block_fill(b);
	return b;
}

static struct shard *shard_of(unsigned int key)
{
	return &shard[key % SHARDS];
}

static struct block **bucket_of(struct shard *s, unsigned int key)
{
	return &s->bucket[key / SHARDS % 64];
}

static struct block *shard_find(struct shard *s, unsigned int key)
{
	struct block *b = *bucket_of(s, key);

	while (b && b->key != key)
		b = b->next;
	return b;
}

static void shard_add(struct shard *s, struct block *b)
{
	struct block **bucket = bucket_of(s, b->key);

	b->next = *bucket;
	*bucket = b;
	b->older = s->newest;
	if (s->newest)
		s->newest->newer = b;
	else
		s->oldest = b;
	s->newest = b;
	__atomic_store_n(&s->nr, s->nr + 1, __ATOMIC_RELAXED);
}

/* The oldest block, taken out; NULL: there is none. */
static struct block *shard_pop(struct shard *s)
{
	struct block *b = s->oldest, **link;

	if (!b)
		return NULL;
	for (link = bucket_of(s, b->key); *link != b; link = &(*link)->next)
		;
	*link = b->next;
	s->oldest = b->newer;
	if (s->oldest)
		s->oldest->older = NULL;
	else
		s->newest = NULL;
	__atomic_store_n(&s->nr, s->nr - 1, __ATOMIC_RELAXED);
	return b;
}

static bool read_cached(unsigned int key)
{
	struct shard *s = shard_of(key);
	struct block *b;

	pthread_mutex_lock(&s->lock);
	b = shard_find(s, key);
	if (b)
		block_check(b);
	pthread_mutex_unlock(&s->lock);
	return b != NULL;
}

static void read_block(unsigned int key)
{
	struct shard *s = shard_of(key);
	struct block *fresh, *other;

	if (read_cached(key)) {
		count(&hits);
		return;
	}
	count(&misses);
	fresh = block_new(key);
	if (!fresh)
		return;
	pthread_mutex_lock(&s->lock);
	other = shard_find(s, key);
	if (!other)
		shard_add(s, fresh);
	pthread_mutex_unlock(&s->lock);
	if (other)
		block_free(fresh);
}

/* ---- Giving back ---------------------------------------------------------------------------------- */

static unsigned int turn;

/* The even shards are the shrinker's, the odd ones the provider's. */
static unsigned long cached(unsigned int odd)
{
	unsigned long nr = 0;

	for (unsigned int i = odd; i < SHARDS; i += 2)
		nr += __atomic_load_n(&shard[i].nr, __ATOMIC_RELAXED);
	return nr;
}

static unsigned long give_back(unsigned int odd, unsigned long nr)
{
	unsigned long freed = 0;

	for (unsigned int tries = 0; freed < nr && tries < SHARDS; tries++) {
		unsigned int t = __atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED);
		struct shard *s = &shard[(t * 2 + odd) % SHARDS];
		struct block *b = NULL;

		for (unsigned int n = 0; n < 8 && freed < nr; n++) {
			pthread_mutex_lock(&s->lock);
			b = shard_pop(s);
			pthread_mutex_unlock(&s->lock);
			if (!b)
				break;
			block_free(b);
			freed++;
		}
	}
	return freed;
}

static unsigned long on_count(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return cached(0);
}

static unsigned long on_scan(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long freed = give_back(0, sc->nr_to_scan);

	(void)s;
	mm_account_reclaimed_pages(freed);
	__atomic_fetch_add(&by_shrinker, freed, __ATOMIC_RELAXED);
	return freed;
}

static unsigned long on_count_pages(struct kmem_provider *p, int zone)
{
	(void)p;
	return zone == KMEM_ZONE_NORMAL ? cached(1) : 0;
}

static unsigned long on_reclaim(struct kmem_provider *p, int zone, unsigned long nr, int priority,
				gfp_t gfp)
{
	unsigned long freed = give_back(1, nr);

	(void)p;
	(void)zone;
	(void)priority;
	(void)gfp;
	__atomic_fetch_add(&by_provider, freed, __ATOMIC_RELAXED);
	return freed;
}

static struct shrinker shrinker = {
	.count_objects = on_count, .scan_objects = on_scan, .seeks = DEFAULT_SEEKS};
static struct kmem_provider provider = {
	.name = "load", .count_pages = on_count_pages, .reclaim = on_reclaim};

/* ---- Urgent requests ------------------------------------------------------------------------------ */

static const struct zone *normal(void)
{
	return &kmem_machine.zones[KMEM_ZONE_NORMAL];
}

static unsigned long free_now(void)
{
	return __atomic_load_n(&normal()->free, __ATOMIC_RELAXED);
}

/* Where urgent requests stop, and what all other threads may have freed since it was looked at: a list
 * of pages each, and the portion of a reclaim. */
static unsigned long urgent_mark(void)
{
	unsigned long min = normal()->mark[ALLOC_WMARK_MIN];

	return min - min / 2 - (min - min / 2) / 4;
}

static unsigned long others(void)
{
	return THREADS * (normal()->pcp_batch + SWAP_CLUSTER_MAX);
}

/* Where nothing may be waited for, a lock that is busy is a reason too. */
static struct page *urgent_page(void)
{
	unsigned long before = free_now();
	bool nested = sync_nested();
	struct page *page = alloc_page(GFP_ATOMIC | __GFP_NOWARN);
	unsigned long after = free_now();

	count(&urgent);
	if (page) {
		if (before < normal()->mark[ALLOC_WMARK_MIN])
			count(&urgent_below_min);
		return page;
	}
	count(&urgent_failed);
	if (nested)
		count(&urgent_nested);
	else if ((before < after ? before : after) > urgent_mark() + others())
		count(&urgent_wrong);
	return NULL;
}

/* A page for the length of the signal; a piece that a later one frees. */
static void on_timer(int sig)
{
	unsigned int n = (unsigned int)__atomic_fetch_add(&signals, 1, __ATOMIC_RELAXED);
	struct page *page;
	void *piece;

	(void)sig;
	if (n % 2)
		kmem_irq_enter();
	page = urgent_page();
	piece = kmalloc(64 + n % 1900, GFP_ATOMIC | __GFP_NOWARN);
	if (piece)
		memset(piece, 0x5a, 64);
	kfree(__atomic_exchange_n(&left[n % LEFT], piece, __ATOMIC_ACQ_REL));
	if (page)
		__free_page(page);
	if (n % 2)
		kmem_irq_exit();
}

/* As a driver does that cannot wait: a burst into the reserve, and all of it back. */
static void burst(uint64_t *rng)
{
	struct page *page[BURST];
	unsigned int nr = 1 + (unsigned int)(next_rand(rng) % BURST), n = 0;

	while (n < nr && (page[n] = urgent_page()))
		n++;
	while (n)
		__free_page(page[--n]);
}

/* ---- The run ---------------------------------------------------------------------------------------- */

static void *worker(void *arg)
{
	uint64_t rng = tap_seed() + (uintptr_t)arg * 7919 + 1;
	unsigned long ops = load_ops();

	for (unsigned long i = 0; i < ops; i++) {
		uint64_t r = next_rand(&rng);

		/* Half of the reads go to a tenth of the keys. */
		read_block((unsigned int)((r >> 8) % (r & 1 ? KEYS / 10 : KEYS)));
		if (i % 512 == 0)
			burst(&rng);
	}
	return NULL;
}

static void timer_set(int us)
{
	struct itimerval every = {.it_interval.tv_usec = us, .it_value.tv_usec = us};

	setitimer(ITIMER_REAL, &every, NULL);
}

static void start(void)
{
	struct sigaction sa = {.sa_handler = on_timer, .sa_flags = SA_RESTART};

	machine_start("mem=32M zones=flat min_free_kbytes=4096 nr_cpus=4");
	headers = kmem_cache_create("load-header", sizeof(struct block), 0, SLAB_RECLAIM_ACCOUNT,
				    NULL);
	for (unsigned int i = 0; i < SHARDS; i++)
		pthread_mutex_init(&shard[i].lock, NULL);
	is(register_shrinker(&shrinker, "load"), 0);
	is(kmem_provider_register(&provider), 0);
	sigaction(SIGALRM, &sa, NULL);
}

/* Nobody calls back any more, kswapd neither: the figures stand still. */
static void settle(void)
{
	timer_set(0);
	unregister_shrinker(&shrinker);
	kmem_provider_unregister(&provider);
}

static void stop(void)
{
	for (unsigned int i = 0; i < SHARDS; i++) {
		struct block *b;

		while ((b = shard_pop(&shard[i])))
			block_free(b);
	}
	for (unsigned int i = 0; i < LEFT; i++)
		kfree(left[i]);
	is(kmem_cache_destroy(headers), 0);
	machine_stop();
}

TEST(a_tenth_of_the_memory_that_is_wanted)
{
	pthread_t t[THREADS];

	start();
	timer_set(TIMER_US);
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, worker, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	settle();
	diag("%lu hits, %lu misses; given back %lu by the shrinker, %lu by the provider; "
	     "kswapd balanced %lu times, direct reclaim %lu",
	     hits, misses, by_shrinker, by_provider, (unsigned long)events_of(KMEM_EV_pageoutrun),
	     (unsigned long)events_of(KMEM_EV_allocstall_normal));
	diag("%lu signals; %lu urgent requests, %lu below min; %lu failed, %lu of them where "
	     "nothing may be waited for",
	     signals, urgent, urgent_below_min, urgent_failed, urgent_nested);
	is(kernel_failed, 0, "ordinary requests that failed");
	is(urgent_wrong, 0, "urgent requests that failed above their mark");
	is(torn, 0, "blocks that were written to by others");
	ok(misses > MACHINE_PAGES && by_shrinker > 0 && by_provider > 0, "memory was short");
	ok(urgent_below_min > 0, "the reserve was for the urgent");
	ok(urgent_failed > urgent_nested, "and came to its end");
	ok(signals > 0, "signals came");
	stop();
}
