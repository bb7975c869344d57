/* SPDX-License-Identifier: MIT */
/* sync: locks and their ranks, per-CPU areas, grace periods, hooks, rate limits. */
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include "sync/sync.h"
#include "tap.h"

enum { THREADS = 4, ROUNDS = 20000 };

static void threads_run(void *(*fn)(void *))
{
	pthread_t t[THREADS];

	for (intptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, fn, (void *)i))
			abort();
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
}

/* ---- Locks ---------------------------------------------------------------------------------- */

static struct lock counter_lock;
static unsigned long counter, tries_won;

static void *count_up(void *arg)
{
	irqflags_t flags;

	for (int i = 0; i < ROUNDS; i++) {
		if ((i + (int)(intptr_t)arg) % 3 == 0) {
			if (!lock_take_or_try(&counter_lock, true, &flags))
				continue;
			tries_won++;
		} else {
			flags = lock_take(&counter_lock);
		}
		counter++;
		lock_release(&counter_lock, flags);
	}
	return NULL;
}

TEST(a_lock_excludes)
{
	unsigned long takes = 0;

	for (int t = 0; t < THREADS; t++)
		for (int i = 0; i < ROUNDS; i++)
			takes += (i + t) % 3 != 0;
	lock_init(&counter_lock, RANK_ZONE);
	threads_run(count_up);
	is(counter, takes + tries_won, "increments lost");
	is(counter_lock.spin.word, 0);
	ok(!sync_nested() && port_task()->held == 0);
}

TEST(a_trylock_never_waits_and_leaves_no_trace)
{
	struct lock l;
	irqflags_t outer, inner;

	lock_init(&l, RANK_LEAF);
	outer = lock_take(&l);
	ok(sync_nested(), "a lock held is a section");
	ok(!lock_take_or_try(&l, true, &inner), "taken twice");
	lock_release(&l, outer);
	ok(!sync_nested());
	ok(lock_try(&l, &inner));
	lock_release(&l, inner);
	lock_reset(&l);
	is(port_task()->held, 0);
}

/* How a child that does this to locks ends: the signal, or 0. */
static int fate(void (*fn)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		close(2);
		fn();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void take_two(enum lock_rank first, enum lock_rank second)
{
	struct lock a, b;
	irqflags_t fa, fb;

	lock_init(&a, first);
	lock_init(&b, second);
	fa = lock_take(&a);
	fb = lock_take(&b);
	lock_release(&b, fb);
	lock_release(&a, fa);
}

static void in_order(void)
{
	take_two(RANK_BOOT, RANK_LEAF);
	take_two(RANK_NODE, RANK_ZONE);
}
static void out_of_order(void)
{
	take_two(RANK_ZONE, RANK_NODE);
}
static void two_leaves(void)
{
	take_two(RANK_LEAF, RANK_LEAF);
}
static void two_nodes(void)
{
	take_two(RANK_NODE, RANK_NODE);
}
static void tried_then_taken(void)
{
	struct lock a, b;
	irqflags_t fa, fb;

	lock_init(&a, RANK_LEAF);
	lock_init(&b, RANK_ZONE);
	if (!lock_try(&a, &fa))
		_exit(1);
	fb = lock_take(&b); /* ranks below what a try holds */
	lock_release(&b, fb);
	lock_release(&a, fa);
}
static void tried_out_of_order(void)
{
	struct lock a, b;
	irqflags_t fa, fb;

	lock_init(&a, RANK_LEAF);
	lock_init(&b, RANK_NODE);
	fa = lock_take(&a);
	if (lock_try(&b, &fb))
		lock_release(&b, fb);
	lock_release(&a, fa);
}
static void fork_takes_many(void)
{
	struct lock a, b;

	lock_init(&a, RANK_NODE);
	lock_init(&b, RANK_NODE);
	lock_fork_take(&a);
	lock_fork_take(&b);
	lock_fork_drop(&b);
	lock_fork_drop(&a);
}

TEST(debug_builds_die_on_a_wrong_order)
{
	if (!KMEM_DEBUG)
		skip_loudly("ranks are checked in debug builds");
	is(fate(in_order), 0);
	is(fate(out_of_order), SIGABRT);
	is(fate(two_leaves), SIGABRT);
	is(fate(two_nodes), SIGABRT);
	is(fate(tried_then_taken), SIGABRT);
	is(fate(tried_out_of_order), 0);
	is(fate(fork_takes_many), 0);
}

/* ---- Per-CPU areas -------------------------------------------------------------------------- */

enum { CPUS = 3, SHIFT = 14 };
static unsigned char areas[(1 + CPUS) << SHIFT] __attribute__((aligned(64)));

static void areas_start(void)
{
	kmem_machine.nr_cpus = CPUS;
	percpu_init(areas + (1 << SHIFT), SHIFT);
}

TEST(before_boot_the_stack_at_offset_zero_is_empty)
{
	int x;

	ok(port_stack_pop(PERCPU_NONE) == NULL);
	ok(!port_stack_push(PERCPU_NONE, &x));
	ok(port_stack_take(PERCPU_NONE, KMEM_MAX_CPUS - 1) == NULL);
}

TEST(offsets_are_whole_units_and_never_zero)
{
	u32 a, b, c;

	areas_start();
	a = percpu_alloc(1);
	b = percpu_alloc(PERCPU_UNIT + 1);
	c = percpu_alloc(PERCPU_UNIT);
	is(a, PERCPU_UNIT);
	is(b, 2 * PERCPU_UNIT);
	is(c, 4 * PERCPU_UNIT);
	percpu_free(b, PERCPU_UNIT + 1);
	is(percpu_alloc(2 * PERCPU_UNIT), b, "first fit");
	is_ptr(percpu_ptr(c, 2), areas + (3 << SHIFT) + c);
	is_ptr(percpu_first(c), areas + (1 << SHIFT) + c, "nobody's is before it");
	is(percpu_alloc(0), PERCPU_NONE);
	is(percpu_alloc((size_t)1 << SHIFT), PERCPU_NONE, "offset 0 is never part of it");
	is(percpu_alloc(((size_t)1 << SHIFT) - 5 * PERCPU_UNIT), 5 * PERCPU_UNIT, "the rest");
	is(percpu_alloc(1), PERCPU_NONE, "full");
	percpu_exit();
}

static void *percpu_hammer(void *arg)
{
	u32 seed = (u32)(intptr_t)arg + 1;

	for (int i = 0; i < 2000; i++) {
		size_t bytes;
		u32 off;

		seed = seed * 1664525 + 1013904223;
		bytes = 1 + (seed >> 16) % 700;
		off = percpu_alloc(bytes);
		if (off == PERCPU_NONE)
			continue;
		for (unsigned int area = 0; area <= CPUS; area++) {
			unsigned char *p = areas + off + (area << SHIFT);

			for (size_t b = 0; b < bytes; b++)
				if (p[b])
					counter++;
			memset(p, (int)(intptr_t)arg + 1, bytes);
		}
		for (unsigned int area = 0; area <= CPUS; area++)
			for (size_t b = 0; b < bytes; b++)
				if (areas[off + (u32)(area << SHIFT) + b] != (int)(intptr_t)arg + 1)
					counter++;
		percpu_free(off, bytes);
	}
	return NULL;
}

TEST(areas_are_zeroed_and_have_one_owner)
{
	areas_start();
	counter = 0;
	threads_run(percpu_hammer);
	is(counter, 0, "bytes that were not ours");
	is(percpu_alloc(((size_t)1 << SHIFT) - PERCPU_UNIT), PERCPU_UNIT, "all came back");
	percpu_exit();
}

/* ---- Grace periods -------------------------------------------------------------------------- */

TEST(a_grace_period_waits_for_sections_begun_before_it)
{
	struct rcu_cookie c;

	ok(rcu_elapsed(rcu_start()), "nobody reads");
	rcu_read_enter();
	c = rcu_start();
	for (int i = 0; i < 10; i++)
		ok(!rcu_elapsed(c), "a section is open");
	rcu_read_enter();
	rcu_read_leave();
	ok(!rcu_elapsed(c), "an inner section's end is not the outer one's");
	rcu_read_leave();
	ok(rcu_elapsed(c));
	ok(rcu_elapsed(c), "and it stays so");
	kmem_synchronize_rcu();
}

TEST(a_cookie_taken_while_a_period_runs_waits_for_the_next)
{
	struct rcu_cookie early, late;

	rcu_read_enter();
	early = rcu_start();
	ok(!rcu_elapsed(early), "begun, and held up");
	late = rcu_start();
	ok(late.gp > early.gp);
	rcu_read_leave();
	ok(rcu_elapsed(late));
	ok(rcu_elapsed(early));
}

TEST(after_a_reset_only_this_tasks_section_counts)
{
	struct rcu_cookie c;

	rcu_read_enter();
	c = rcu_start();
	ok(!rcu_elapsed(c));
	rcu_reset();
	ok(!rcu_elapsed(c), "ours is still open");
	rcu_read_leave();
	ok(rcu_elapsed(c));
}

struct thing {
	u32 alive;
	u32 pad[15];
};
enum { THINGS = 8 };
static struct thing things[THINGS];
static struct thing *shown;
static u32 stop, early_frees, readers_seen;

static void on_timer(int sig)
{
	struct thing *t;

	(void)sig;
	rcu_read_enter();
	t = __atomic_load_n(&shown, __ATOMIC_ACQUIRE);
	if (!__atomic_load_n(&t->alive, __ATOMIC_RELAXED))
		__atomic_fetch_add(&early_frees, 1u, __ATOMIC_RELAXED);
	rcu_read_leave();
}

static void *rcu_reader(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		struct thing *t;

		rcu_read_enter();
		t = __atomic_load_n(&shown, __ATOMIC_ACQUIRE);
		for (int i = 0; i < 20; i++) {
			if (!__atomic_load_n(&t->alive, __ATOMIC_RELAXED))
				__atomic_fetch_add(&early_frees, 1u, __ATOMIC_RELAXED);
			if (i == 10)
				sched_yield();
		}
		rcu_read_leave();
		__atomic_fetch_add(&readers_seen, 1u, __ATOMIC_RELAXED);
	}
	return NULL;
}

static unsigned int replace_for(unsigned int ms)
{
	u64 end = port_now_ns() + (u64)ms * 1000000;
	unsigned int n = 0, next = 1;

	for (; port_now_ns() < end; n++, next = (next + 1) % THINGS) {
		struct thing *old = shown;

		__atomic_store_n(&things[next].alive, 1u, __ATOMIC_RELAXED);
		__atomic_store_n(&shown, &things[next], __ATOMIC_RELEASE);
		kmem_synchronize_rcu();
		__atomic_store_n(&old->alive, 0u, __ATOMIC_RELAXED);
	}
	return n;
}

TEST(no_reader_sees_an_object_freed)
{
	struct sigaction act = {.sa_handler = on_timer, .sa_flags = SA_RESTART};
	struct itimerval every = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};
	pthread_t t[THREADS];
	unsigned int n;

	things[0].alive = 1;
	shown = &things[0];
	port_nr_cpus = 2; /* counters of more than one CPU, as after a boot */
	sigaction(SIGALRM, &act, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, rcu_reader, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	n = replace_for(700);
	setitimer(ITIMER_REAL, &never, NULL);
	__atomic_store_n(&stop, 1u, __ATOMIC_RELAXED);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	is(early_frees, 0, "objects freed under a reader, in %u periods", n);
	ok(n > 0 && readers_seen > 0, "%u periods, %u sections", n, readers_seen);
	diag("%u grace periods, %u sections", n, readers_seen);
}

/* ---- Reports -------------------------------------------------------------------------------- */

static char seen[1024];
static size_t seen_len;
static unsigned int seen_codes;
static const void *seen_addr;

static void on_log(int level, const char *text, size_t len, void *arg)
{
	(void)level;
	is_ptr(arg, &seen_len);
	if (seen_len + len < sizeof(seen)) {
		memcpy(seen + seen_len, text, len);
		seen_len += len;
	}
}

static void on_misuse(enum kmem_misuse code, const void *addr, void *arg)
{
	is_ptr(arg, &seen_codes);
	seen_codes = (unsigned int)code;
	seen_addr = addr;
}

TEST(a_report_ends_its_line_once)
{
	kmem_set_log(on_log, &seen_len);
	report(KMEM_LOG_INFO, "a %d", 1);
	report(KMEM_LOG_INFO, "b\n");
	is_str(seen, "a 1\nb\n");
	kmem_set_log(NULL, NULL);
}

TEST(a_report_too_long_is_cut_at_a_line_end)
{
	kmem_set_log(on_log, &seen_len);
	report(KMEM_LOG_INFO, "%0999d", 7);
	ok(seen_len > 400 && seen_len <= 512, "%zu", seen_len);
	is(seen[seen_len - 1], '\n');
	kmem_set_log(NULL, NULL);
}

TEST(misuse_is_counted_told_and_printed)
{
	static struct kmem_stat stat;
	unsigned long before = kmem_misuse_count();
	int x;

	kmem_machine.stat = &stat;
	kmem_set_log(on_log, &seen_len);
	kmem_set_misuse_hook(on_misuse, &seen_codes);
	report_misuse(KMEM_MISUSE_SLAB_NULL, &x, "kmem_cache_free: %s", "no cache");
	is(kmem_misuse_count(), before + 1);
	is(stat.misuses, 1);
	is(seen_codes, KMEM_MISUSE_SLAB_NULL);
	is_ptr(seen_addr, &x);
	ok(strncmp(seen, "kmem_cache_free: no cache\nCall Trace:\n", 38) == 0, "%s", seen);
	ok(strstr(seen, " [<"), "no stack in: %s", seen);
	kmem_set_log(NULL, NULL);
	kmem_set_misuse_hook(NULL, NULL);
}

TEST(a_rate_limit_lets_its_burst_through_in_each_interval)
{
	struct ratelimit rl = {.interval_ms = 60000, .burst = 3};
	struct timespec wait = {0, 60000000};
	unsigned int n = 0;

	for (int i = 0; i < 10; i++)
		n += ratelimit_ok(&rl);
	is(n, 3);
	is(rl.missed, 7);
	rl.interval_ms = 50;
	nanosleep(&wait, NULL);
	ok(ratelimit_ok(&rl), "a new interval");
}
