// SPDX-License-Identifier: MIT
/* Locks exclude, waits end, and what a lock checker would find ends the program. */
#include "env_test.h"
#include <linux/completion.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/semaphore.h>
#include <linux/seqlock.h>
#include <linux/wait.h>

enum { TASKS = 4, ROUNDS = 3000 };

/* Plain variables: ThreadSanitizer says if a lock did not order them. */
static struct {
	long a, b;
} pair;
static unsigned int torn, readers, ready;

static DEFINE_SPINLOCK(spin);
static DEFINE_MUTEX(mutex);
static DECLARE_RWSEM(rwsem);
static DEFINE_RWLOCK(rwlock);
static DEFINE_SEQLOCK(seqlock);
static struct semaphore sem = {1};

static void bump(void)
{
	pair.a++;
	pair.b++;
}

static int with_spin(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		unsigned long flags;

		spin_lock_irqsave(&spin, flags);
		bump();
		spin_unlock_irqrestore(&spin, flags);
	}
	return 0;
}

static int with_mutex(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		mutex_lock(&mutex);
		bump();
		mutex_unlock(&mutex);
	}
	return 0;
}

static int with_semaphore(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		down(&sem);
		bump();
		up(&sem);
	}
	return 0;
}

static int with_rwsem(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		if ((i + (int)(intptr_t)arg) % 4) {
			down_read(&rwsem);
			if (pair.a != pair.b)
				add_one(&torn);
			up_read(&rwsem);
		} else {
			down_write(&rwsem);
			bump();
			downgrade_write(&rwsem);
			if (pair.a != pair.b)
				add_one(&torn);
			up_read(&rwsem);
		}
	}
	return 0;
}

static int with_rwlock(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		if ((i + (int)(intptr_t)arg) % 4) {
			read_lock(&rwlock);
			if (pair.a != pair.b)
				add_one(&torn);
			read_unlock(&rwlock);
		} else {
			write_lock_bh(&rwlock);
			bump();
			write_unlock_bh(&rwlock);
		}
	}
	return 0;
}

static int with_seqlock(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		long a, b;
		unsigned int seq;

		if ((i + (int)(intptr_t)arg) % 4 == 0) {
			write_seqlock(&seqlock);
			bump();
			write_sequnlock(&seqlock);
			continue;
		}
		do {
			seq = read_seqbegin(&seqlock);
			a = pair.a;
			b = pair.b;
		} while (read_seqretry(&seqlock, seq));
		if (a != b)
			add_one(&torn);
	}
	return 0;
}

static void storm(int (*fn)(void *), long expect)
{
	struct task_struct *t[TASKS];

	env_begin();
	for (int i = 0; i < TASKS; i++)
		t[i] = run(fn, (void *)(intptr_t)i, "storm/");
	for (int i = 0; i < TASKS; i++)
		is(kthread_stop(t[i]), 0);
	is(pair.a, expect);
	is(pair.b, expect);
	is(now_is(&torn), 0);
	env_end();
}

TEST(a_spinlock_excludes)
{
	storm(with_spin, TASKS * ROUNDS);
}

TEST(a_mutex_excludes)
{
	storm(with_mutex, TASKS * ROUNDS);
}

TEST(a_semaphore_of_one_excludes)
{
	storm(with_semaphore, TASKS * ROUNDS);
}

TEST(a_rwsem_shows_readers_whole_states)
{
	storm(with_rwsem, TASKS * ROUNDS / 4);
}

TEST(a_rwlock_shows_readers_whole_states)
{
	storm(with_rwlock, TASKS * ROUNDS / 4);
}

TEST(a_seqlock_shows_readers_whole_states)
{
	storm(with_seqlock, TASKS * ROUNDS / 4);
}

static int hold_read(void *arg)
{
	(void)arg;
	down_read(&rwsem);
	add_one(&readers);
	until_at_least(&ready, 1);
	up_read(&rwsem);
	return 0;
}

TEST(readers_of_a_rwsem_share_it)
{
	struct task_struct *t[2];

	env_begin();
	for (int i = 0; i < 2; i++)
		t[i] = run(hold_read, NULL, "reader");
	until_at_least(&readers, 2); /* both are inside at once */
	ok(!down_write_trylock(&rwsem));
	ok(down_read_trylock(&rwsem));
	up_read(&rwsem);
	add_one(&ready);
	for (int i = 0; i < 2; i++)
		kthread_stop(t[i]);
	ok(down_write_trylock(&rwsem));
	ok(!down_read_trylock(&rwsem));
	up_write(&rwsem);
	env_end();
}

/* ---- Waiting ------------------------------------------------------------------------------------ */

static DECLARE_COMPLETION(done);
static DECLARE_WAIT_QUEUE_HEAD(queue);
static unsigned int woken, condition;

static int wait_done(void *arg)
{
	(void)arg;
	wait_for_completion(&done);
	add_one(&woken);
	return 0;
}

TEST(a_completion_wakes_one_or_all)
{
	struct task_struct *t[TASKS];

	env_begin();
	is(wait_for_completion_timeout(&done, 1), 0, "nobody completed it");
	for (int i = 0; i < TASKS; i++)
		t[i] = run(wait_done, NULL, "waiter");
	complete(&done);
	until_at_least(&woken, 1);
	kmem_env_sleep_ns(5000000);
	is(now_is(&woken), 1);
	complete_all(&done);
	for (int i = 0; i < TASKS; i++)
		kthread_stop(t[i]);
	is(now_is(&woken), TASKS);
	ok(completion_done(&done));
	ok(wait_for_completion_timeout(&done, 1) > 0);
	env_end();
}

static int wait_condition(void *exclusive)
{
	add_one(&ready);
	if (exclusive)
		wait_event_interruptible_exclusive(queue, now_is(&condition) > now_is(&woken));
	else
		wait_event(queue, now_is(&condition));
	add_one(&woken);
	return 0;
}

TEST(a_wait_ends_with_its_condition)
{
	long left;
	struct task_struct *t[TASKS];

	env_begin();
	left = wait_event_timeout(queue, now_is(&condition), 1);
	is(left, 0);
	for (int i = 0; i < TASKS; i++)
		t[i] = run(wait_condition, NULL, "waiter");
	until_at_least(&ready, TASKS);
	wake_up_all(&queue);
	kmem_env_sleep_ns(2000000);
	is(now_is(&woken), 0, "woken without it they sleep on");
	add_one(&condition);
	wake_up_all(&queue);
	for (int i = 0; i < TASKS; i++)
		kthread_stop(t[i]);
	ok(!waitqueue_active(&queue));
	left = wait_event_timeout(queue, now_is(&condition), 1);
	ok(left > 0);
	env_end();
}

static int sleep_exclusively(void *arg)
{
	DEFINE_WAIT(entry);

	(void)arg;
	prepare_to_wait_exclusive(&queue, &entry, TASK_UNINTERRUPTIBLE);
	add_one(&ready);
	schedule();
	finish_wait(&queue, &entry);
	add_one(&woken);
	return 0;
}

TEST(a_wake_up_wakes_one_exclusive_waiter)
{
	struct task_struct *t[TASKS];

	env_begin();
	for (int i = 0; i < TASKS; i++)
		t[i] = run(sleep_exclusively, NULL, "waiter");
	until_at_least(&ready, TASKS);
	for (unsigned int i = 1; i <= TASKS; i++) {
		is(__wake_up(&queue, TASK_NORMAL, 1, NULL), 1);
		until_at_least(&woken, i);
		is(now_is(&woken), i);
	}
	for (int i = 0; i < TASKS; i++)
		kthread_stop(t[i]);
	env_end();
}

TEST(a_wake_up_between_the_state_and_the_sleep_is_not_lost)
{
	env_begin();
	set_current_state(TASK_UNINTERRUPTIBLE);
	is(wake_up_process(current), 1);
	schedule(); /* would never return */
	set_current_state(TASK_INTERRUPTIBLE);
	is(schedule_timeout(1), 0);
	is(get_current_state(), TASK_RUNNING);
	env_end();
}

static int parked(void *arg)
{
	while (!kthread_should_stop()) {
		if (kthread_should_park())
			kthread_parkme();
		add_one(arg);
		kmem_env_sleep_ns(100000);
	}
	return 42;
}

TEST(a_kthread_begins_when_woken_parks_and_returns_its_code)
{
	struct task_struct *t;
	unsigned int turns = 0, seen;

	env_begin();
	t = kthread_create(parked, &turns, "parked");
	kmem_env_sleep_ns(2000000);
	is(now_is(&turns), 0);
	wake_up_process(t);
	until_at_least(&turns, 1);
	kthread_park(t);
	seen = now_is(&turns);
	kmem_env_sleep_ns(2000000);
	is(now_is(&turns), seen);
	kthread_unpark(t);
	until_at_least(&turns, seen + 1);
	is(kthread_stop(t), 42);
	t = kthread_create(parked, &turns, "never");
	is(kthread_stop(t), -4, "-EINTR: it was never woken");
	env_end();
}

/* ---- Misuse ------------------------------------------------------------------------------------- */

static void lock_twice(void *arg)
{
	(void)arg;
	spin_lock(&spin);
	spin_lock(&spin);
}

static void mutex_twice(void *arg)
{
	(void)arg;
	mutex_lock(&mutex);
	mutex_lock(&mutex);
}

static void unlock_free(void *arg)
{
	(void)arg;
	mutex_unlock(&mutex);
}

static void write_twice(void *arg)
{
	(void)arg;
	down_write(&rwsem);
	down_write(&rwsem);
}

TEST(recursion_and_foreign_unlocks_end_the_program)
{
	dies_saying(lock_twice, NULL, "spinlock recursion");
	dies_saying(mutex_twice, NULL, "mutex recursion");
	dies_saying(unlock_free, NULL, "does not hold it");
	dies_saying(write_twice, NULL, "rw_semaphore recursion");
}

TEST(sleeping_under_a_spinlock_is_reported)
{
	env_begin();
	spin_lock(&spin);
	mutex_lock(&mutex);
	mutex_unlock(&mutex);
	spin_unlock(&spin);
	is(kmem_env_stop(), 1);
}
