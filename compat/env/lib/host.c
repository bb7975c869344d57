// SPDX-License-Identifier: MIT
/*
 * What the environment asks of the host: a word to sleep on (futex), clocks, random numbers, threads.
 *
 * jiffies are the monotonic clock since the program began, in ticks of HZ, from minus five minutes on.
 */
#include "internal.h"
#include <errno.h>
#include <linux/jiffies.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_PRIVATE = 129, RELAXES = 64 };
#define NS_PER_S 1000000000ull

#ifdef SYS_futex_time64
/* 32-bit hosts: the call that takes 64-bit seconds. */
#define FUTEX_CALL SYS_futex_time64
#else
#define FUTEX_CALL SYS_futex
#endif
struct futex_time {
	int64_t s, ns;
};

unsigned int kmem_env_fence_word;

void kmem_env_wait(const unsigned int *word, unsigned int seen, uint64_t ns)
{
	struct futex_time t = {.s = (int64_t)(ns / NS_PER_S), .ns = (int64_t)(ns % NS_PER_S)};

	syscall(FUTEX_CALL, word, FUTEX_WAIT_PRIVATE, seen, ns == UINT64_MAX ? NULL : &t, NULL, 0);
}

void kmem_env_wake(const unsigned int *word, int nr)
{
	syscall(FUTEX_CALL, word, FUTEX_WAKE_PRIVATE, nr, NULL, NULL, 0);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t kmem_env_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t kmem_env_real_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

void kmem_env_sleep_ns(uint64_t ns)
{
	struct timespec ts = {.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};

	while (nanosleep(&ts, &ts) != 0 && errno == EINTR)
		;
}

/* One turn of a loop that waits for another task: now and then that task needs our CPU. */
void kmem_env_relax(void)
{
	static __thread unsigned int turns;

	if (++turns % RELAXES == 0)
		sched_yield();
}

unsigned long kmem_env_jiffies(void)
{
	static uint64_t began;
	uint64_t from = __atomic_load_n(&began, __ATOMIC_RELAXED), now = kmem_env_now_ns();

	if (!from) {
		__atomic_compare_exchange_n(&began, &from, now, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED);
		from = __atomic_load_n(&began, __ATOMIC_RELAXED);
	}
	return INITIAL_JIFFIES + (unsigned long)((now - from) / (uint64_t)TICK_NSEC);
}

/* ---- Random numbers: the host's, or splitmix64 from a given number ------------------------------ */

static uint64_t seed_state;
static bool seeded;

unsigned int env_seed_set(const char *text)
{
	seed_state = strtoull(text, NULL, 0);
	seeded = true;
	return 0;
}

static uint64_t seed_next(void)
{
	uint64_t z = __atomic_add_fetch(&seed_state, 0x9e3779b97f4a7c15ull, __ATOMIC_RELAXED);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

void kmem_env_random(void *buf, size_t len)
{
	unsigned char *at = buf;

	if (!seeded) {
		static unsigned int once;

		/* One question to the host; a sequence from it, which is cheap enough for loops. */
		if (!__atomic_load_n(&once, __ATOMIC_ACQUIRE)) {
			uint64_t start = 0;

			if (getrandom(&start, sizeof(start), 0) != sizeof(start))
				start = kmem_env_now_ns();
			__atomic_fetch_add(&seed_state, start, __ATOMIC_RELAXED);
			__atomic_store_n(&once, 1, __ATOMIC_RELEASE);
		}
	}
	while (len) {
		uint64_t v = seed_next();
		size_t n = len < sizeof(v) ? len : sizeof(v);

		__builtin_memcpy(at, &v, n);
		at += n;
		len -= n;
	}
}

/* ---- Threads and memory ------------------------------------------------------------------------- */

void env_thread(void *(*fn)(void *), void *arg, const char *name)
{
	pthread_attr_t attr;
	sigset_t all, before;
	pthread_t thread;
	int err;

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&thread, &attr, fn, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (err)
		panic("no thread for %s: error %d\n", name, err);
}

void *env_zalloc(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		panic("the host has no %lu bytes for the environment\n", (unsigned long)size);
	return p;
}
