/* SPDX-License-Identifier: MIT */
/*
 * A storm of signals: each of several threads does every kind of operation and has a timer of its own
 * (SIGEV_THREAD_ID), of 40 to 200 microseconds, whose handler does one of many shapes, with GFP_ATOMIC
 * or GFP_NOWAIT. Every block is stamped over its whole length by its owner, task or handler, from
 * birth to death, so a byte with two owners is seen by one of them; kmem_check() sees the rest.
 *
 * STORM_OPS: operations of all threads together, 100,000,000 in make soak. Without it each test lasts
 * a few seconds. Refused are requests of handlers that got nothing while the zone was far above its
 * marks: single pages and objects of at most a page are never to be among them.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <kmem/highmem.h>
#include <kmem/mempool.h>
#include "../support.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum { STORMERS = 3, TASK_SLOTS = 192, HANDLER_SLOTS = 24, SECONDS = 4, MARGIN = 256 };
enum { POOL_SIZE = 600 };
enum kind { KMALLOC, CACHE, CTOR, PAGE, ORDER2, LARGE, RUN, POOL, HIGH, KINDS };

struct block {
	void *p; /* address of the memory; HIGH: the page */
	size_t size;
	enum kind kind;
	unsigned char stamp;
};

struct stormer {
	struct block task[TASK_SLOTS], handler[HANDLER_SLOTS];
	uint64_t task_rng, handler_rng;
	unsigned long ops, handled, small, small_refused, other, other_refused, torn;
	timer_t timer;
	pid_t tid;
};

static struct kmem_cache *cache, *ctor_cache;
static mempool_t *pool;
static _Thread_local struct stormer *self __attribute__((tls_model("initial-exec")));
static struct stormer stormers[STORMERS];
static unsigned long ops_each;
static time_t end;

static uint64_t next_rand(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static uint32_t below(uint64_t *s, uint32_t n)
{
	return (uint32_t)((next_rand(s) >> 33) % n);
}

static void construct(void *p)
{
	memset(p, 0xc7, 300);
}

/* In a window of the task's or the handler's own, if it has no address. */
static unsigned char *block_map(const struct block *b)
{
	return b->kind == HIGH ? kmap_local_page(b->p) : b->p;
}

static void block_unmap(const struct block *b, unsigned char *p)
{
	if (b->kind == HIGH)
		kunmap_local(p);
}

static void block_stamp(const struct block *b)
{
	unsigned char *p = block_map(b);

	memset(p, b->stamp, b->size);
	block_unmap(b, p);
}

/* Not in the handler's way: mem* of the C library are safe there. */
static bool whole(const struct block *b)
{
	unsigned char *p = block_map(b);
	size_t i = 0;

	while (i < b->size && p[i] == b->stamp)
		i++;
	block_unmap(b, p);
	return i == b->size;
}

static void *memory_get(enum kind kind, size_t size, gfp_t gfp)
{
	struct page *page;

	switch (kind) {
	case KMALLOC:
	case LARGE:
		return kmalloc(size, gfp);
	case CACHE:
		return kmem_cache_alloc(cache, gfp);
	case CTOR:
		return kmem_cache_alloc(ctor_cache, gfp);
	case RUN:
		page = alloc_contig_pages(size >> PAGE_SHIFT, gfp, 0, NULL);
		return page ? page_address(page) : NULL;
	case POOL:
		return mempool_alloc(pool, gfp);
	case HIGH:
		return alloc_page(gfp | __GFP_HIGHMEM);
	default:
		return (void *)__get_free_pages(gfp, kind == PAGE ? 0 : 2);
	}
}

static void memory_put(const struct block *b)
{
	switch (b->kind) {
	case KMALLOC:
	case LARGE:
		kfree(b->p);
		break;
	case CACHE:
		kmem_cache_free(cache, b->p);
		break;
	case CTOR:
		kmem_cache_free(ctor_cache, b->p);
		break;
	case RUN:
		free_contig_range(page_to_pfn(virt_to_page(b->p)), b->size >> PAGE_SHIFT);
		break;
	case POOL:
		mempool_free(b->p, pool);
		break;
	case HIGH:
		__free_page(b->p);
		break;
	default:
		free_pages((unsigned long)b->p, b->kind == PAGE ? 0 : 2);
	}
}

static void block_end(struct block *b)
{
	self->torn += !whole(b);
	if (b->kind == CTOR)
		construct(b->p);
	memory_put(b);
	b->p = NULL;
}

static size_t size_of(enum kind kind, uint64_t *rng)
{
	static const size_t fixed[KINDS] = {
		[CACHE] = 120,	    [CTOR] = 300,      [PAGE] = PAGE_SIZE, [ORDER2] = 4 * PAGE_SIZE,
		[POOL] = POOL_SIZE, [HIGH] = PAGE_SIZE};

	if (kind == KMALLOC)
		return 1 + below(rng, below(rng, 4) ? 700 : PAGE_SIZE);
	if (kind == LARGE)
		return 9000 + below(rng, 30000);
	if (kind == RUN)
		return (size_t)(1 + below(rng, 7)) << PAGE_SHIFT;
	return fixed[kind];
}

static bool plenty(void)
{
	const struct kmem_stat *st = kmem_stat_get();

	for (int z = 0; z < KMEM_NR_ZONES; z++) {
		const struct kmem_stat_zone *zone = &st->zone[z];
		uint64_t free = __atomic_load_n(&zone->free, __ATOMIC_RELAXED);

		if (free > __atomic_load_n(&zone->high, __ATOMIC_RELAXED) + MARGIN)
			return true;
	}
	return false;
}

static void block_new(struct block *b, enum kind kind, gfp_t gfp, uint64_t *rng)
{
	size_t size = size_of(kind, rng);

	b->p = memory_get(kind, size, gfp | __GFP_NOWARN);
	if (!b->p)
		return;
	if (kind == CTOR)
		self->torn += *(unsigned char *)b->p != 0xc7;
	b->kind = kind;
	b->size = size;
	b->stamp = (unsigned char)next_rand(rng);
	block_stamp(b);
}

/* ---- The handler ------------------------------------------------------------------------------------ */

static void handler_alloc(struct block *b, enum kind kind, gfp_t gfp)
{
	bool small = kind <= PAGE, rich = plenty();

	if (b->p)
		block_end(b);
	block_new(b, kind, gfp, &self->handler_rng);
	if (small)
		self->small++;
	else
		self->other++;
	if (!b->p && rich)
		(*(small ? &self->small_refused : &self->other_refused))++;
}

static void handler_krealloc(struct block *b)
{
	unsigned char *p;

	if (!b->p || b->kind != KMALLOC) {
		handler_alloc(b, KMALLOC, GFP_ATOMIC);
		return;
	}
	p = krealloc(b->p, b->size + 400, GFP_ATOMIC | __GFP_NOWARN);
	if (!p)
		return;
	b->p = p;
	self->torn += !whole(b);
	b->size += 400;
	memset(p, b->stamp, b->size);
}

static void handler_shape(unsigned int shape)
{
	struct block *slot = self->handler;
	uint64_t *rng = &self->handler_rng;
	void *p[6];

	switch (shape) {
	case 0: /* a burst of allocations */
		for (unsigned int i = 0; i < 6; i++)
			handler_alloc(&slot[below(rng, HANDLER_SLOTS)], KMALLOC, GFP_ATOMIC);
		break;
	case 1: /* a burst of frees */
		for (unsigned int i = 0; i < HANDLER_SLOTS; i++)
			if (slot[i].p)
				block_end(&slot[i]);
		break;
	case 2:
		handler_krealloc(&slot[below(rng, HANDLER_SLOTS)]);
		break;
	case 3:
		if (kmem_cache_alloc_bulk(cache, GFP_ATOMIC | __GFP_NOWARN, 6, p))
			kmem_cache_free_bulk(cache, 6, p);
		break;
	case 4:
		kmem_irq_enter();
		handler_alloc(&slot[below(rng, HANDLER_SLOTS)], PAGE, GFP_ATOMIC);
		kmem_irq_exit();
		break;
	case 5:
		p[0] = kzalloc(2000, GFP_NOWAIT | __GFP_NOWARN);
		for (unsigned int i = 0; p[0] && i < 2000; i++)
			self->torn += ((unsigned char *)p[0])[i] != 0;
		kfree(p[0]);
		break;
	case 6: /* out of the reserve, which others refill */
		p[0] = mempool_alloc_preallocated(pool);
		if (p[0])
			memset(p[0], 0x5e, POOL_SIZE);
		mempool_free(p[0], pool);
		break;
	default: /* one allocation, and often one free before it */
		handler_alloc(&slot[below(rng, HANDLER_SLOTS)], (enum kind)below(rng, KINDS),
			      below(rng, 2) ? GFP_ATOMIC : GFP_NOWAIT);
	}
}

static void timer_again(struct stormer *s)
{
	struct itimerspec at = {.it_value = {0, 40000 + (long)below(&s->handler_rng, 160000)}};

	timer_settime(s->timer, 0, &at, NULL);
}

static void on_timer(int sig)
{
	int saved = errno;

	(void)sig;
	if (self) {
		self->handled++;
		handler_shape(below(&self->handler_rng, 15));
		timer_again(self);
	}
	errno = saved;
}

/* ---- The tasks -------------------------------------------------------------------------------------- */

static void task_odd_job(void)
{
	switch (below(&self->task_rng, 7)) {
	case 0:
		kmem_cache_shrink(cache);
		break;
	case 1:
		kmem_drain();
		break;
	case 2:
		drain_all_pages();
		break;
	case 3:
		kmem_cache_reap();
		break;
	case 4:
		kmem_trim();
		break;
	case 5:
		mempool_resize(pool, 1 + (int)below(&self->task_rng, 20));
		break;
	default: {
		struct kmem_cache *c = kmem_cache_create("storm-made", 200, 0, 0, NULL);
		void *p = c ? kmem_cache_alloc(c, GFP_KERNEL) : NULL;

		if (p)
			kmem_cache_free(c, p);
		kmem_cache_destroy(c);
	}
	}
}

static void *storm_thread(void *arg)
{
	struct stormer *s = arg;
	struct sigevent ev = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};

	s->task_rng = tap_seed() * 2 + 1 + (uint64_t)(s - stormers) * 7919;
	s->handler_rng = s->task_rng ^ 0x5deece66dull;
	ev.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &ev, &s->timer) != 0)
		return NULL;
	self = s;
	timer_again(s);
	for (; ops_each ? s->ops < ops_each : time(NULL) < end; s->ops += 256) {
		for (unsigned int i = 0; i < 256; i++) {
			struct block *b = &s->task[below(&s->task_rng, TASK_SLOTS)];

			if (b->p)
				block_end(b);
			else
				block_new(b, (enum kind)below(&s->task_rng, KINDS), GFP_KERNEL,
					  &s->task_rng);
		}
		if (below(&s->task_rng, 16) == 0)
			task_odd_job();
	}
	timer_delete(s->timer);
	for (unsigned int i = 0; i < TASK_SLOTS; i++)
		if (s->task[i].p)
			block_end(&s->task[i]);
	for (unsigned int i = 0; i < HANDLER_SLOTS; i++)
		if (s->handler[i].p)
			block_end(&s->handler[i]);
	return NULL;
}

/* per_mille: of a handler's small requests, so many may be refused. */
static void storm(const char *cmdline, unsigned long per_mille)
{
	const char *ops = getenv("STORM_OPS");
	struct sigaction sa = {.sa_handler = on_timer, .sa_flags = SA_RESTART};
	struct stormer sum = {0};
	pthread_t t[STORMERS];

	machine_start(cmdline);
	cache = kmem_cache_create("storm", 120, 0, 0, NULL);
	ctor_cache = kmem_cache_create("storm-ctor", 300, 0, 0, construct);
	pool = mempool_create_kmalloc_pool(8, POOL_SIZE);
	sigaction(SIGRTMIN, &sa, NULL);
	ops_each = ops ? strtoul(ops, NULL, 0) / STORMERS : 0;
	end = time(NULL) + SECONDS;
	for (unsigned int i = 0; i < STORMERS; i++)
		pthread_create(&t[i], NULL, storm_thread, &stormers[i]);
	for (unsigned int i = 0; i < STORMERS; i++) {
		pthread_join(t[i], NULL);
		sum.ops += stormers[i].ops;
		sum.handled += stormers[i].handled;
		sum.small += stormers[i].small;
		sum.small_refused += stormers[i].small_refused;
		sum.other += stormers[i].other;
		sum.other_refused += stormers[i].other_refused;
		sum.torn += stormers[i].torn;
	}
	diag("%lu operations, %lu signals; refused in plenty: %lu of %lu small requests, %lu of "
	     "%lu larger ones",
	     sum.ops, sum.handled, sum.small_refused, sum.small, sum.other_refused, sum.other);
	ok(sum.handled > 100, "%lu signals", sum.handled);
	is(sum.torn, 0, "blocks with two owners");
	/* And a few where a run is short. */
	ok(sum.small_refused * 1000 <= sum.small * per_mille + 10000, "%lu of %lu refused",
	   sum.small_refused, sum.small);
	is(mempool_check(pool), 0, "the pool");
	ok(mempool_is_saturated(pool), "%d elements in reserve of %d", pool->curr_nr, pool->min_nr);
	mempool_destroy(pool);
	is(kmem_cache_destroy(cache), 0, "destroy");
	is(kmem_cache_destroy(ctor_cache), 0, "destroy");
	machine_stop();
}

TEST(threads_in_a_storm_of_signals)
{
	storm("mem=128M zones=x86_64", 1);
}

TEST(threads_in_a_storm_of_signals_without_percpu_lists)
{
	storm("mem=128M zones=normal:112M,highmem:rest percpu_pages=0 hardened=1", 1000);
}

/* There are no sheaves: each request needs the cache's lock, whose holder may be off the CPU. */
TEST(threads_in_a_storm_of_signals_with_debugging)
{
	storm("mem=128M zones=normal:112M,highmem:rest slab_debug=FZP nr_cpus=4", 50);
}
