/* SPDX-License-Identifier: MIT */
/*
 * The simulator itself, on toys: what it must find it finds, what is right it passes. A search that
 * has never found anything proves nothing about what it passes.
 */
#include <kmem/port.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "sim.h"
#include "tap.h"

static struct sim_config plain(void)
{
	return (struct sim_config){.seed = 1, .nr_cpus = 3, .mode = SIM_SIGNAL};
}

static void search(const struct sim_scenario *sc, unsigned int preemptions,
		   struct sim_search_result *r)
{
	struct sim_config cfg = plain();
	struct sim_search_limit limit = {.preemptions = preemptions};

	sim_search(sc, &cfg, &limit, r);
	diag("%s at %u preemptions: %llu schedules of up to %u choices%s%.80s", sc->name,
	     preemptions, (unsigned long long)r->schedules, r->points, *r->finding ? ": " : "",
	     r->finding);
}

/* ---- A counter ----------------------------------------------------------------------------------- */

static unsigned int counter;

static void counter_zero(void *arg)
{
	(void)arg;
	counter = 0;
}

static void count_broken(unsigned int i, void *arg)
{
	unsigned int seen;

	(void)i;
	(void)arg;
	port_point();
	seen = counter;
	port_point();
	counter = seen + 1;
}

static void count_right(unsigned int i, void *arg)
{
	(void)i;
	(void)arg;
	for (int k = 0; k < 3; k++) {
		port_point();
		counter++;
	}
}

static void counter_is(void *arg)
{
	sim_expect(counter == *(unsigned int *)arg);
}

TEST(a_lost_update_takes_one_preemption_to_find)
{
	unsigned int want = 2;
	struct sim_scenario sc = {"lost update", 2, counter_zero, count_broken, counter_is, &want};
	struct sim_search_result r, again;
	struct sim_config cfg = plain();

	search(&sc, 0, &r);
	ok(r.complete && !*r.finding);
	search(&sc, 1, &r);
	ok(!r.complete && *r.finding);
	sim_replay(&sc, &cfg, r.schedule, &again);
	is_str(again.finding, r.finding, "the replay of \"%s\"", r.schedule);
}

TEST(all_schedules_of_a_correct_counter_pass)
{
	unsigned int want = 9;
	struct sim_scenario sc = {"counter", 3, counter_zero, count_right, counter_is, &want};
	struct sim_search_result r;

	search(&sc, 3, &r);
	ok(r.complete && !*r.finding, "%s", r.finding);
	ok(r.schedules > 100);
}

/* ---- A stack with the ABA fault ------------------------------------------------------------------ */

static int next_of[3], top; /* cells 0..2, -1: none */

static void aba_setup(void *arg)
{
	(void)arg;
	top = 0;
	next_of[0] = 1;
	next_of[1] = 2;
	next_of[2] = -1;
}

static int aba_pop(void)
{
	for (;;) {
		int seen, next;

		port_point();
		seen = top;
		if (seen < 0)
			return -1;
		port_point();
		next = next_of[seen];
		port_point();
		if (top == seen) {
			top = next;
			return seen;
		}
	}
}

static void aba_push(int cell)
{
	port_point();
	next_of[cell] = top;
	port_point();
	top = cell;
}

static int popped, kept;

static void aba_task(unsigned int i, void *arg)
{
	int first;

	(void)arg;
	if (i == 0) {
		popped = aba_pop();
		return;
	}
	first = aba_pop();
	kept = aba_pop();
	aba_push(first);
}

/* What task 1 keeps must be nowhere else. */
static void aba_check(void *arg)
{
	(void)arg;
	sim_expect(kept != popped);
	for (int c = top; c >= 0; c = next_of[c])
		sim_expect(c != kept);
}

TEST(aba_is_found)
{
	struct sim_scenario sc = {"aba", 2, aba_setup, aba_task, aba_check, NULL};
	struct sim_search_result r;

	search(&sc, 0, &r);
	ok(r.complete && !*r.finding, "%s", r.finding);
	search(&sc, 1, &r);
	ok(*r.finding);
}

/* ---- Locks and waiting --------------------------------------------------------------------------- */

static port_spin_t lock[2];
static uint32_t inside;

static void locks_setup(void *arg)
{
	(void)arg;
	lock[0].word = lock[1].word = 0;
	inside = 0;
}

static void lock_both(unsigned int i, void *arg)
{
	unsigned int first = *(bool *)arg ? i % 2 : 0;

	port_point();
	port_spin_lock(&lock[first]);
	port_point();
	port_spin_lock(&lock[!first]);
	sim_expect(inside++ == 0);
	port_point();
	inside--;
	port_spin_unlock(&lock[!first]);
	port_spin_unlock(&lock[first]);
}

TEST(locks_exclude_and_crossed_locks_deadlock)
{
	bool crossed = false;
	struct sim_scenario sc = {"locks", 3, locks_setup, lock_both, NULL, &crossed};
	struct sim_search_result r;

	search(&sc, 3, &r);
	ok(r.complete && !*r.finding, "%s", r.finding);
	crossed = true;
	search(&sc, 3, &r);
	ok(strstr(r.finding, "deadlock"), "%s", r.finding);
	ok(strstr(r.finding, "held by task"), "%s", r.finding);
}

static uint32_t event;

/* Looks, then sleeps on what it thinks it saw: the signal in between is lost. */
static void wakeup_broken(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0) {
		port_point();
		if (event == 0) {
			port_point();
			port_wait(&event, event, UINT64_MAX);
		}
		return;
	}
	port_point();
	event = 1;
	port_wake(&event, UINT32_MAX);
}

static void wakeup_right(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0) {
		for (;;) {
			port_point();
			if (event)
				return;
			port_wait(&event, 0, UINT64_MAX);
		}
	}
	port_point();
	event = 1;
	port_wake(&event, UINT32_MAX);
}

static void event_zero(void *arg)
{
	(void)arg;
	event = 0;
}

TEST(a_lost_wakeup_is_a_deadlock)
{
	struct sim_scenario bad = {"wake-up", 2, event_zero, wakeup_broken, NULL, NULL};
	struct sim_scenario good = {"wake-up", 2, event_zero, wakeup_right, NULL, NULL};
	struct sim_search_result r;

	search(&bad, 2, &r);
	ok(strstr(r.finding, "deadlock"), "%s", r.finding);
	search(&good, 3, &r);
	ok(r.complete && !*r.finding, "%s", r.finding);
}

static void sleep_an_hour(void *arg)
{
	uint64_t begin = port_now_ns();
	uint32_t word = 0;

	port_wait(&word, 0, 3600ull * 1000000000);
	*(uint64_t *)arg = port_now_ns() - begin;
}

TEST(time_is_virtual)
{
	struct sim_config cfg = plain();
	uint64_t slept = 0;

	sim_begin(&cfg);
	sim_spawn(1, sleep_an_hour, &slept, "sleeper");
	is(sim_run(), 0, "%s", sim_finding());
	ok(slept >= 3600ull * 1000000000 && slept < 3601ull * 1000000000);
	sim_end();
}

/* ---- Handlers ------------------------------------------------------------------------------------- */

static void take_lock(void)
{
	unsigned long f = port_irq_save();

	port_point();
	port_spin_lock(&lock[0]);
	port_point();
	port_spin_unlock(&lock[0]);
	port_irq_restore(f);
}

static void handler_locks(void *arg)
{
	(void)arg;
	take_lock();
}

static void task_locks(unsigned int i, void *arg)
{
	(void)i;
	(void)arg;
	take_lock();
	port_point();
	take_lock();
}

TEST(a_handler_may_take_locks_only_where_sections_mask)
{
	struct sim_scenario sc = {"handler", 2, locks_setup, task_locks, NULL, NULL};
	struct sim_config cfg = plain();
	struct sim_search_limit limit = {.preemptions = 2, .handlers = true};
	struct sim_search_result r;

	cfg.irq = handler_locks;
	cfg.irq_max = 2;
	sim_search(&sc, &cfg, &limit, &r);
	ok(strstr(r.finding, "very context it interrupted"), "%s", r.finding);
	cfg.mode = SIM_MASKED;
	sim_search(&sc, &cfg, &limit, &r);
	ok(r.complete && !*r.finding, "%s", r.finding);
	diag("masked: %llu schedules", (unsigned long long)r.schedules);
}

static unsigned int handled;

static void handler_counts(void *arg)
{
	(void)arg;
	handled++;
}

static void long_section(void *arg)
{
	unsigned long f = port_irq_save();

	for (int i = 0; i < 1000; i++)
		port_point();
	*(unsigned int *)arg = handled;
	port_irq_restore(f);
}

TEST(a_masked_handler_comes_when_the_section_ends)
{
	struct sim_config cfg = plain();
	unsigned int within = 99;

	cfg.mode = SIM_MASKED;
	cfg.irq = handler_counts;
	cfg.irq_every = 10;
	sim_begin(&cfg);
	handled = 0;
	sim_spawn(0, long_section, &within, "section");
	is(sim_run(), 0, "%s", sim_finding());
	is(within, 0);
	is(handled, 1);
	sim_end();
}

/* ---- Crashes, refusals ---------------------------------------------------------------------------- */

static void crash(void *arg)
{
	port_point();
	*(volatile int *)arg = 1;
}

TEST(a_crash_is_a_finding_and_the_next_world_is_sound)
{
	struct sim_config cfg = plain();
	uint64_t slept = 0;

	sim_begin(&cfg);
	sim_spawn(0, crash, NULL, "crash");
	is(sim_run(), 1);
	ok(strstr(sim_finding(), "signal 11"), "%s", sim_finding());
	sim_begin(&cfg);
	sim_spawn(1, sleep_an_hour, &slept, "sleeper");
	is(sim_run(), 0, "%s", sim_finding());
	sim_end();
}

TEST(refusals_follow_the_plan)
{
	struct port_plan plan = {.mem_bytes = 1 << 20, .lowmem_bytes = 1 << 20};
	struct sim_config cfg = plain();
	int refused = 0;

	ok(sim_plan_parse("every:3", &cfg.refuse));
	ok(!sim_plan_parse("sometimes", &cfg.refuse));
	ok(!sim_plan_parse("nth:x", &cfg.refuse));
	ok(sim_plan_parse("every:3", &cfg.refuse));
	sim_begin(&cfg);
	is(port_start(&plan), 0);
	for (unsigned long i = 0; i < 9; i++)
		refused += port_commit(i, 1) == -12;
	is(refused, 3);
	is(sim_refusals(), 3);
	port_stop();
	sim_end();
}

TEST(backing_is_kept_account_of)
{
	struct port_plan plan = {.mem_bytes = 1 << 20, .lowmem_bytes = 1 << 20};
	struct sim_config cfg = plain();
	unsigned char *low;

	cfg.dirty = true;
	sim_begin(&cfg);
	is(port_start(&plan), 0);
	low = port_lowmem();
	is(port_commit(3, 2), 0);
	is(port_commit(3, 2), 0, "again");
	memset(low + 3 * 4096, 0x77, 4096);
	port_decommit(3, 1);
	is(port_commit(3, 1), 0);
	is(low[3 * 4096], 0xa5, "contents are lost");
	cfg.dirty = false;
	port_stop();
	sim_begin(&cfg);
	is(port_start(&plan), 0);
	is(port_commit(3, 1), 1, "reads as zero");
	is(low[3 * 4096], 0);
	port_stop();
	sim_end();
}

/* ---- The machine's own properties ------------------------------------------------------------------- */

static void walk(void *arg)
{
	for (unsigned int i = 0; i < 300; i++) {
		port_point();
		if (i % 50 == 0)
			port_relax();
		sim_log("task %u at %u with %llx\n", sim_task_nr(), i,
			(unsigned long long)port_random64());
	}
	(void)arg;
}

static uint64_t log_of(uint64_t seed)
{
	struct sim_config cfg = plain();

	cfg.seed = seed;
	cfg.preempt_every = 5;
	cfg.migrate_every = 4;
	cfg.log = SIM_LOG_HASH;
	cfg.irq = handler_counts;
	cfg.irq_every = 40;
	sim_begin(&cfg);
	for (unsigned int i = 0; i < 3; i++)
		sim_spawn(i, walk, NULL, "walker");
	if (sim_run() != 0)
		return 0;
	return sim_log_hash();
}

TEST(same_seed_same_run)
{
	uint64_t first = log_of(7);

	ok(first != 0);
	is(log_of(7), first);
	ok(log_of(8) != first);
	is(log_of(7), first);
	sim_end();
}

/* Writes to a frame and ends in the middle of it all. */
static int child_that_crashes(void)
{
	struct port_plan plan = {.mem_bytes = 8 << 20, .lowmem_bytes = 8 << 20};
	struct sim_config cfg = plain();
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		sim_begin(&cfg);
		if (port_start(&plan) != 0 || port_commit(0, 1024) < 0)
			_exit(1);
		if (*(int *)port_lowmem() != 0)
			_exit(2);
		*(int *)port_lowmem() = 1;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

TEST(what_a_process_left_is_not_in_the_next_ones_frames)
{
	is(child_that_crashes(), 0);
	is(child_that_crashes(), 0);
}

static void points(void *arg)
{
	for (unsigned long i = *(unsigned long *)arg; i; i--)
		port_point();
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

TEST(switches_are_cheap)
{
	struct sim_config cfg = plain();
	unsigned long n = 500000;
	double begin;

	cfg.preempt_every = 1;
	sim_begin(&cfg);
	for (unsigned int i = 0; i < 3; i++)
		sim_spawn(i, points, &n, "points");
	begin = seconds();
	is(sim_run(), 0, "%s", sim_finding());
	diag("%.1f million switches a second", (double)sim_switches() / (seconds() - begin) / 1e6);
	ok(sim_switches() > 500000);
	sim_end();
}

TEST(worlds_are_cheap)
{
	struct port_plan plan = {.mem_bytes = 8 << 20, .lowmem_bytes = 8 << 20};
	struct sim_config cfg = plain();
	double begin = seconds();
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		sim_begin(&cfg);
		if (port_start(&plan) != 0 || !port_meta(65536, false) || port_commit(0, 1024) < 0)
			break;
		*(int *)port_lowmem() = 1;
		port_stop();
	}
	is(i, 1000);
	diag("%.0f worlds a second", i / (seconds() - begin));
	sim_end();
}
