/* SPDX-License-Identifier: MIT */
/* mempool: S144 to S154, contexts, and a random walk against a model. */
#include <pthread.h>
#include <sys/time.h>
#include <kmem/context.h>
#include <kmem/lockdep.h>
#include <kmem/mempool.h>
#include "pressure.h"
#include "pool/pool.h"

enum { ELEMENTS = 64, SIZE = 48 };

/* An allocator that does as it is told, and remembers what it was asked. */
static struct source {
	unsigned int budget; /* calls that will succeed */
	unsigned int calls, frees, live;
	gfp_t gfp[8]; /* of the first calls */
} src;

static void *src_alloc(gfp_t gfp, void *data)
{
	struct source *s = data;
	unsigned int nr = __atomic_fetch_add(&s->calls, 1, __ATOMIC_RELAXED);

	if (nr < 8)
		s->gfp[nr] = gfp;
	if (s->budget == 0)
		return NULL;
	s->budget--;
	s->live++;
	return kmalloc(SIZE, GFP_NOWAIT);
}

static void src_free(void *el, void *data)
{
	struct source *s = data;

	s->frees++;
	s->live--;
	kfree(el);
}

static mempool_t *src_pool(int min_nr)
{
	mempool_t *pool;

	memset(&src, 0, sizeof(src));
	src.budget = (unsigned int)min_nr;
	pool = mempool_create(min_nr, src_alloc, src_free, &src);
	src.calls = 0;
	src.budget = 0;
	return pool;
}

static void src_end(mempool_t *pool)
{
	is(mempool_check(pool), 0, "check");
	mempool_destroy(pool);
	is(reports_of(KMEM_MISUSE_MEMPOOL_BUSY), 0, "nothing was out");
	is(src.live, 0, "every element went back to where it came from");
	machine_stop();
}

TEST(S144_creation_holds_what_it_promises_or_nothing)
{
	mempool_t *pool, embedded;

	machine_start(M64);
	pool = src_pool(4);
	ok(pool != NULL, "created");
	is(pool->curr_nr, 4, "four in reserve");
	is(src.live, 4, "four made");
	ok(mempool_is_saturated(pool), "saturated");
	mempool_destroy(pool);
	is(src.frees, 4, "and freed");
	for (unsigned int n = 0; n < 4; n++) {
		memset(&src, 0, sizeof(src));
		src.budget = n;
		ok(!mempool_create(4, src_alloc, src_free, &src), "the %u-th fails", n + 1);
		is(src.live, 0, "all went back");
		is(src.frees, n, "all %u", n);
		src.budget = n;
		is(mempool_init(&embedded, 4, src_alloc, src_free, &src), -12, "embedded too");
		ok(!mempool_initialized(&embedded), "and is none");
		mempool_exit(&embedded);
		is(src.live, 0, "all went back");
	}
	is(src.gfp[0], GFP_KERNEL, "with GFP_KERNEL");
	ok(!mempool_create(-1, src_alloc, src_free, &src), "a number below 0");
	ok(!mempool_create(1, NULL, src_free, &src), "no alloc_fn");
	ok(!mempool_create(1, src_alloc, NULL, &src), "no free_fn");
	machine_stop();
}

TEST(S145_the_reserve_serves_when_alloc_fn_fails)
{
	mempool_t *pool;
	void *el[4];

	machine_start(M64);
	pool = src_pool(4);
	for (int i = 0; i < 4; i++) {
		el[i] = mempool_alloc(pool, GFP_NOWAIT);
		ok(el[i] != NULL, "element %d", i);
		is(pool->curr_nr, 3 - i, "one less in reserve");
	}
	ok(!mempool_alloc(pool, GFP_NOWAIT), "NOWAIT: NULL");
	ok(!mempool_alloc(pool, GFP_ATOMIC), "ATOMIC: NULL");
	ok(!mempool_alloc(pool, __GFP_IO), "as with two passes");
	for (int i = 0; i < 4; i++)
		mempool_free(el[i], pool);
	src_end(pool);
}

TEST(the_reserve_is_last_in_first_out)
{
	mempool_t *pool;
	void *a, *b;

	machine_start(M64);
	pool = src_pool(4);
	a = mempool_alloc(pool, GFP_NOWAIT);
	b = mempool_alloc(pool, GFP_NOWAIT);
	mempool_free(a, pool);
	is_ptr(mempool_alloc(pool, GFP_NOWAIT), a, "the last one in");
	mempool_free(b, pool);
	mempool_free(a, pool);
	src_end(pool);
}

struct sleeper {
	mempool_t *pool;
	void *el;
};

static void *sleep_for_one(void *arg)
{
	struct sleeper *s = arg;

	s->el = mempool_alloc(s->pool, GFP_NOIO);
	return NULL;
}

static void until_waiting(mempool_t *pool, unsigned int nr)
{
	while (__atomic_load_n(&pool->waiters, __ATOMIC_RELAXED) != nr)
		usleep(1000);
	usleep(20000);
}

TEST(S146_a_blocking_request_sleeps_until_one_is_freed)
{
	struct sleeper s[3];
	pthread_t thread[3];
	void *el[4], *last = NULL;

	machine_start(M64);
	s[0].pool = src_pool(4);
	for (int i = 0; i < 4; i++)
		el[i] = mempool_alloc(s[0].pool, GFP_KERNEL);
	for (int i = 0; i < 3; i++) {
		s[i].pool = s[0].pool;
		s[i].el = NULL;
		pthread_create(&thread[i], NULL, sleep_for_one, &s[i]);
	}
	until_waiting(s[0].pool, 3);
	for (int i = 0; i < 3; i++)
		ok(!s[i].el, "it waits");
	for (int i = 0; i < 3; i++) {
		mempool_free(el[i], s[0].pool);
		until_waiting(s[0].pool, 2u - (unsigned int)i);
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(thread[i], NULL);
		ok(s[i].el && s[i].el != last, "and gets one of its own");
		last = s[i].el;
		mempool_free(s[i].el, s[0].pool);
	}
	mempool_free(el[3], s[0].pool);
	is(s[0].pool->waiters, 0, "nobody waits");
	src_end(s[0].pool);
}

TEST(S147_alloc_fn_is_tried_before_the_reserve)
{
	mempool_t *pool;
	void *el;

	machine_start(M64);
	pool = src_pool(4);
	src.budget = 1;
	el = mempool_alloc(pool, GFP_NOWAIT);
	ok(el != NULL, "served");
	is(src.budget, 0, "by alloc_fn");
	is(pool->curr_nr, 4, "and not from the reserve");
	mempool_free(el, pool);
	is(pool->curr_nr, 4, "which stays full");
	is(src.frees, 1, "so it went to free_fn");
	src_end(pool);
}

#define POOL_GFP (__GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN)

static gfp_t gfp_seen(mempool_t *pool, gfp_t gfp, unsigned int nr)
{
	void *el;

	src.calls = 0;
	el = mempool_alloc(pool, gfp);
	ok(el != NULL, "served");
	is(src.calls, nr, "by so many calls");
	mempool_free(el, pool);
	return src.gfp[0];
}

TEST(S148_the_first_mask_neither_waits_nor_writes)
{
	gfp_t expect = (GFP_KERNEL | POOL_GFP) & ~(__GFP_DIRECT_RECLAIM | __GFP_IO);
	struct sleeper s = {NULL, NULL};
	pthread_t thread;
	void *el;

	machine_start(M64);
	s.pool = src_pool(1);
	is(gfp_seen(s.pool, GFP_KERNEL, 1), expect, "GFP_KERNEL");
	is(gfp_seen(s.pool, GFP_NOIO, 1), (GFP_NOIO | POOL_GFP) & ~__GFP_DIRECT_RECLAIM,
	   "GFP_NOIO");
	is(gfp_seen(s.pool, GFP_ATOMIC, 1), GFP_ATOMIC | POOL_GFP, "GFP_ATOMIC");
	is(gfp_seen(s.pool, GFP_KERNEL | __GFP_MEMALLOC, 1), expect | __GFP_MEMALLOC,
	   "the rest stays");
	el = mempool_alloc(s.pool, GFP_ATOMIC);
	src.calls = 0;
	ok(!mempool_alloc(s.pool, GFP_ATOMIC), "a mask that is as gentle as can be");
	is(src.calls, 1, "is tried once");
	src.calls = 0;
	pthread_create(&thread, NULL, sleep_for_one, &s);
	while (__atomic_load_n(&src.calls, __ATOMIC_RELAXED) < 2)
		usleep(1000);
	mempool_free(el, s.pool);
	pthread_join(thread, NULL);
	is(src.gfp[0], (GFP_NOIO | POOL_GFP) & ~__GFP_DIRECT_RECLAIM, "first gently");
	for (unsigned int i = 1; i < src.calls; i++)
		is(src.gfp[i], GFP_NOIO | POOL_GFP, "then with all it may");
	is_ptr(s.el, el, "the freed one");
	src.calls = 0;
	ok(!mempool_alloc(s.pool, __GFP_IO), "does not block, but IO");
	is(src.calls, 2, "is two passes too");
	is(src.gfp[0], POOL_GFP, "first without");
	is(src.gfp[1], POOL_GFP | __GFP_IO, "then with");
	mempool_free(el, s.pool);
	src_end(s.pool);
}

TEST(S149_free_refills_the_reserve_first)
{
	mempool_t *pool;
	void *el[6];

	machine_start(M64);
	pool = src_pool(4);
	src.budget = 2;
	for (int i = 0; i < 6; i++)
		el[i] = mempool_alloc(pool, GFP_NOWAIT);
	is(pool->curr_nr, 0, "two made, four taken");
	for (int i = 0; i < 6; i++) {
		mempool_free(el[i], pool);
		is(pool->curr_nr, i < 4 ? i + 1 : 4, "in reserve after %d", i);
		is(src.frees, i < 4 ? 0 : i - 3, "freed after %d", i);
	}
	src_end(pool);
}

TEST(S150_null_is_nothing)
{
	mempool_t *pool, zeroed;

	machine_start(M64);
	pool = src_pool(1);
	mempool_free(NULL, pool);
	is(pool->curr_nr, 1, "nothing was put");
	mempool_destroy(NULL);
	memset(&zeroed, 0, sizeof(zeroed));
	mempool_exit(&zeroed);
	is(kmem_misuse_count(), 0, "and nothing reported");
	src_end(pool);
}

TEST(S151_resize)
{
	mempool_t *pool;
	void *el;

	machine_start(M64);
	pool = src_pool(4);
	is(mempool_resize(pool, 2), 0, "smaller");
	is(pool->curr_nr, 2, "the surplus");
	is(src.frees, 2, "is freed");
	is(mempool_resize(pool, 2), 0, "the same");
	is(mempool_resize(pool, 0), -22, "nothing");
	is(mempool_resize(pool, -4), -22, "less than nothing");
	is(pool->min_nr, 2, "are refused");
	src.budget = 3;
	is(mempool_resize(pool, 10), 0, "larger, filled in part");
	is(pool->min_nr, 10, "it promises");
	is(pool->curr_nr, 5, "what it can");
	is(mempool_check(pool), 0, "check");
	src.budget = 1;
	el = mempool_alloc(pool, GFP_NOWAIT);
	mempool_free(el, pool);
	is(pool->curr_nr, 6, "frees fill it up");
	src.budget = 100;
	is(mempool_resize(pool, 12, GFP_NOIO), 0, "three arguments");
	is(pool->curr_nr, 12, "filled");
	ok(mempool_resize(pool, 1 << 20) == -12, "no room");
	is(pool->min_nr, 12, "nothing has changed");
	is(reports_of(KMEM_MISUSE_SIZE), 1, "as kmalloc says");
	src_end(pool);
}

TEST(S153_destroy_with_elements_out_is_reported)
{
	mempool_t *pool;
	void *el;

	machine_start(M64);
	pool = src_pool(4);
	el = mempool_alloc(pool, GFP_NOWAIT);
	mempool_destroy(pool);
	is(reports_of(KMEM_MISUSE_MEMPOOL_BUSY), 1, "reported");
	is(log_count("at least 1 of 4 elements out"), 1, "with their number");
	is(src.live, 1, "the rest is freed");
	src_free(el, &src);
	pool = src_pool(4);
	src.budget = 0;
	is(mempool_resize(pool, 8), 0, "what was never made");
	is(pool->curr_nr, 4, "is not there");
	mempool_destroy(pool);
	is(reports_of(KMEM_MISUSE_MEMPOOL_BUSY), 1, "and not out either");
	pool = src_pool(4);
	el = mempool_alloc(pool, GFP_NOWAIT);
	is(mempool_resize(pool, 2), 0, "what is promised no more");
	mempool_free(el, pool);
	mempool_destroy(pool);
	is(reports_of(KMEM_MISUSE_MEMPOOL_BUSY), 1, "is not missed");
	machine_stop();
}

TEST(S154_preallocated_elements_alone)
{
	mempool_t *pool;
	void *el;

	machine_start(M64);
	pool = src_pool(1);
	src.budget = 1;
	el = mempool_alloc_preallocated(pool);
	ok(el != NULL, "from the reserve");
	ok(!mempool_alloc_preallocated(pool), "and no further");
	is(src.calls, 0, "alloc_fn is not asked");
	mempool_free(el, pool);
	src_end(pool);
}

TEST(a_pool_of_none_keeps_one)
{
	mempool_t *pool;
	void *el;

	machine_start(M64);
	memset(&src, 0, sizeof(src));
	src.budget = 1;
	pool = mempool_create(0, src_alloc, src_free, &src);
	is(pool->min_nr, 0, "none promised");
	is(pool->curr_nr, 1, "one kept");
	el = mempool_alloc(pool, GFP_NOWAIT);
	ok(el != NULL, "and handed out");
	ok(!mempool_alloc(pool, GFP_NOWAIT), "once");
	mempool_free(el, pool);
	is(src.frees, 0, "and kept again");
	src_end(pool);
}

/* ---- Contexts ------------------------------------------------------------------------------------- */

TEST(in_atomic_context)
{
	mempool_t *pool;
	void *el;

	machine_start(M64);
	pool = src_pool(1);
	kmem_preempt_disable();
	el = mempool_alloc(pool, GFP_ATOMIC);
	ok(el != NULL, "from the reserve");
	is(kmem_misuse_count(), 0, "not reported");
	ok(!mempool_alloc(pool, GFP_KERNEL), "who would wait");
	is(reports_of(KMEM_MISUSE_GFP_SLEEP_ATOMIC), 1, "is told, and does not");
	mempool_free(el, pool);
	is(mempool_resize(pool, 2), -22, "resize");
	ok(!mempool_create(1, src_alloc, src_free, &src), "create");
	ok(reports_of(KMEM_MISUSE_CONTEXT) >= 1, "are for task context");
	kmem_preempt_enable();
	src_end(pool);
}

/* ---- Locks held over it (S172) --------------------------------------------------------------------- */

static const char lock_class;

static unsigned long some(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return 1000;
}

static unsigned long scan_locks(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	kmem_lock_acquired(&lock_class, "a lock", NULL);
	kmem_lock_released(&lock_class);
	return SHRINK_STOP;
}

/* Served by alloc_fn without effort or not: it is the mask that could reclaim. */
static void element_under_lock(mempool_t *pool, gfp_t gfp)
{
	kmem_lock_acquired(&lock_class, "a lock", NULL);
	mempool_free(mempool_alloc(pool, gfp), pool);
	kmem_lock_released(&lock_class);
}

TEST(a_lock_that_reclaim_takes_held_over_an_allocation)
{
	struct shrinker *s;
	mempool_t *pool;
	unsigned int saved;

	machine_start(M64 " lockdep=1");
	pool = src_pool(1);
	s = shrinker_alloc(0, "locks");
	s->count_objects = some;
	s->scan_objects = scan_locks;
	shrinker_register(s);
	exhaust(GFP_KERNEL);
	give_back_all();
	element_under_lock(pool, GFP_NOFS);
	element_under_lock(pool, GFP_ATOMIC);
	saved = memalloc_nofs_save();
	element_under_lock(pool, GFP_KERNEL);
	memalloc_nofs_restore(saved);
	is(reports_of(KMEM_MISUSE_RECLAIM_RECURSION), 0, "these cannot come back");
	element_under_lock(pool, GFP_KERNEL);
	is(reports_of(KMEM_MISUSE_RECLAIM_RECURSION), 1, "this one could");
	shrinker_free(s);
	src_end(pool);
}

/* The lock is the interrupted task's: what a handler does in the middle of a call on the pool. */
TEST(a_handler_that_cannot_have_the_lock)
{
	mempool_t *pool;
	void *el[4], *two;
	irqflags_t f;

	machine_start(M64);
	pool = src_pool(3);
	for (int i = 0; i < 3; i++)
		el[i] = mempool_alloc(pool, GFP_NOWAIT);
	mempool_fork_lock();
	f = port_irq_save();
	mempool_free(el[0], pool);
	mempool_free(el[1], pool);
	is(pool->curr_nr, 0, "not in reserve");
	is(pool->nr_aside, 2, "but aside");
	two = mempool_alloc(pool, GFP_ATOMIC);
	ok(two == el[0] || two == el[1], "where a handler finds it");
	mempool_free(two, pool);
	mempool_free(el[2], pool);
	is(pool->nr_aside, 3, "all slots");
	is(src.frees, 0, "nothing is freed");
	src.budget = 1;
	el[3] = src_alloc(GFP_NOWAIT, &src);
	mempool_free(el[3], pool);
	is(src.frees, 1, "until there are enough");
	port_irq_restore(f);
	mempool_fork_unlock(false);
	el[0] = mempool_alloc(pool, GFP_NOWAIT);
	is(pool->nr_aside, 0, "the next one takes them in");
	is(pool->curr_nr, 2, "into the reserve");
	mempool_free(el[0], pool);
	src_end(pool);
}

TEST(elements_aside_survive_a_resize)
{
	mempool_t *pool;
	void *el[2];
	irqflags_t f;

	machine_start(M64);
	pool = src_pool(2);
	for (int i = 0; i < 2; i++)
		el[i] = mempool_alloc(pool, GFP_NOWAIT);
	mempool_fork_lock();
	f = port_irq_save();
	for (int i = 0; i < 2; i++)
		mempool_free(el[i], pool);
	port_irq_restore(f);
	mempool_fork_unlock(false);
	is(pool->nr_aside, 2, "aside");
	is(mempool_resize(pool, 50), 0, "more room");
	is(pool->curr_nr, 2, "they have moved along");
	is(pool->nr_aside, 0, "all of them");
	src_end(pool);
}

/* Signals come while the main program uses the pool, and use it too. */
static mempool_t *storm_pool;
static unsigned int storms;

static void on_alarm(int nr)
{
	void *el = mempool_alloc(storm_pool, GFP_ATOMIC), *two;

	(void)nr;
	two = mempool_alloc(storm_pool, GFP_ATOMIC);
	mempool_free(el, storm_pool);
	mempool_free(two, storm_pool);
	storms++;
}

TEST(signals_in_the_middle_of_it)
{
	suseconds_t us = (suseconds_t)(40 * tap_slow());
	struct itimerval every = {{0, us}, {0, us}}, never = {{0, 0}, {0, 0}};
	struct sigaction sa = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	void *el[3];

	machine_start(M64);
	storm_pool = src_pool(4);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	for (unsigned int i = 0; __atomic_load_n(&storms, __ATOMIC_RELAXED) < 2000 || i < 50000;
	     i++) {
		for (unsigned int k = 0; k < 3; k++)
			el[k] = mempool_alloc(storm_pool, GFP_NOWAIT);
		for (unsigned int k = 0; k < 3; k++)
			mempool_free(el[k], storm_pool);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	diag("%u handlers", storms);
	is(storm_pool->curr_nr + (int)storm_pool->nr_aside, 4, "no element is lost");
	src_end(storm_pool);
}

/* ---- fork --------------------------------------------------------------------------------------- */

static bool stop;

static void *in_and_out(void *arg)
{
	mempool_t *pool = arg;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		mempool_free(mempool_alloc_preallocated(pool), pool);
	return NULL;
}

static bool child_is_well(mempool_t *pool)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		void *el = mempool_alloc(pool, GFP_KERNEL);

		mempool_free(el, pool);
		/* What the other thread had in its hands is lost to the child. */
		_exit(el && pool->curr_nr >= 3 && mempool_check(pool) == 0 ? 0 : 1);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

TEST(a_child_finds_every_pool_unlocked)
{
	mempool_t *pool;
	pthread_t thread;
	int well = 0;

	machine_start(M64);
	pool = src_pool(4);
	stop = false;
	pthread_create(&thread, NULL, in_and_out, pool);
	for (int i = 0; i < 100; i++)
		well += child_is_well(pool);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	is(well, 100, "children");
	src_end(pool);
}

/* ---- A random walk against a model ------------------------------------------------------------- */

TEST(a_random_walk_agrees_with_a_model)
{
	void *out[ELEMENTS], *el;
	unsigned int nr = 0;
	int reserve, min = 8;
	mempool_t *pool;

	machine_start(M64);
	pool = src_pool(min);
	reserve = min;
	for (int i = 0; i < 20000; i++) {
		unsigned int what = tap_below(100);
		bool willing = tap_below(2);

		src.budget = willing ? 1000 : 0;
		if (what < 49 && nr < ELEMENTS) {
			el = what < 5 ? mempool_alloc_preallocated(pool)
				      : mempool_alloc(pool, what & 1 ? GFP_ATOMIC : GFP_NOWAIT);
			ok((el != NULL) == (reserve > 0 || (willing && what >= 5)), "step %d", i);
			reserve -= el && (what < 5 || !willing);
			if (el)
				out[nr++] = el;
		} else if (what < 99 && nr) {
			unsigned int k = tap_below(nr);

			mempool_free(out[k], pool);
			out[k] = out[--nr];
			reserve += reserve < min;
		} else if (what == 99) {
			min = 1 + (int)tap_below(20);
			is(mempool_resize(pool, min), 0, "resize");
			reserve = willing || reserve > min ? min : reserve;
		}
		is(pool->curr_nr, reserve, "reserve after step %d", i);
		is(src.live, (unsigned int)reserve + nr, "live after step %d", i);
		if (i % 64 == 0)
			is(mempool_check(pool), 0, "check");
	}
	src.budget = 1000;
	while (nr)
		mempool_free(out[--nr], pool);
	src_end(pool);
}
