/* SPDX-License-Identifier: MIT */
/*
 * Several threads allocate in every way there is, and each has a timer of its own (SIGEV_THREAD_ID) whose
 * handler, at any instruction of that, does the same. Not something POSIX allows; something this
 * library does. Every block carries its owner's stamp over its whole length until it is freed, so a
 * byte with two owners is seen by one of them.
 *
 * STORM_OPS: operations of all threads together; else a few seconds.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum { THREADS = 4, TASK_SLOTS = 200, HANDLER_SLOTS = 32, SECONDS = 2 };

struct block {
	unsigned char *p, stamp;
	size_t size;
};

struct side { /* the thread's, or its handler's */
	struct block *slot;
	unsigned int nr;
	uint64_t rng;
	unsigned long ops, refused, torn;
};

struct thread {
	struct block task[TASK_SLOTS], handler[HANDLER_SLOTS];
	struct side of_task, of_handler;
	unsigned long handled;
	timer_t timer;
};

static _Thread_local struct thread *self;
static struct thread threads[THREADS];
static unsigned long ops_each;
static time_t end;

static uint32_t below(struct side *s, uint32_t n)
{
	s->rng ^= s->rng << 13;
	s->rng ^= s->rng >> 7;
	s->rng ^= s->rng << 17;
	return (uint32_t)((s->rng >> 33) % n);
}

static size_t some_size(struct side *s)
{
	switch (below(s, 16)) {
	case 0:
		return 5000 + below(s, 200000);
	case 1:
		return below(s, 5000);
	default:
		return below(s, 600);
	}
}

static int is_filled(const unsigned char *p, unsigned char with, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (p[i] != with)
			return 0;
	return 1;
}

static void take(struct side *s, struct block *b, void *p, size_t size)
{
	b->p = p;
	b->size = size;
	b->stamp = (unsigned char)(1 + below(s, 255));
	if (p)
		memset(p, b->stamp, size);
	else
		s->refused++;
}

static void drop(struct side *s, struct block *b)
{
	s->torn += !is_filled(b->p, b->stamp, b->size);
	free(b->p);
	b->p = NULL;
}

static void get(struct side *s, struct block *b)
{
	size_t size = some_size(s), align = (size_t)16 << below(s, 9);
	void *p = NULL;

	switch (below(s, 6)) {
	case 0:
		p = calloc(1 + size / 8, 8);
		s->torn += p && !is_filled(p, 0, size);
		break;
	case 1:
		p = memalign(align, size);
		s->torn += ((uintptr_t)p & (align - 1)) != 0;
		break;
	case 2:
		if (posix_memalign(&p, align, size) != 0)
			p = NULL;
		s->torn += ((uintptr_t)p & (align - 1)) != 0;
		break;
	case 3:
		p = realloc(NULL, size);
		break;
	default:
		p = malloc(size);
	}
	take(s, b, p, size);
}

static void again(struct side *s, struct block *b)
{
	size_t size = 1 + some_size(s), both = size < b->size ? size : b->size;
	unsigned char *p = realloc(b->p, size);

	if (!p) {
		s->refused++;
		return;
	}
	s->torn += !is_filled(p, b->stamp, both) || malloc_usable_size(p) < size;
	take(s, b, p, size);
}

static void one_op(struct side *s)
{
	struct block *b = &s->slot[below(s, s->nr)];

	s->ops++;
	if (!b->p)
		get(s, b);
	else if (below(s, 5) == 0)
		again(s, b);
	else
		drop(s, b);
}

static void timer_again(struct thread *t)
{
	struct itimerspec at = {.it_value = {0, 30000 + (long)below(&t->of_handler, 120000)}};

	timer_settime(t->timer, 0, &at, NULL);
}

static void on_timer(int sig)
{
	int saved = errno;

	(void)sig;
	if (self) {
		self->handled++;
		for (unsigned int n = 1 + below(&self->of_handler, 6); n; n--)
			one_op(&self->of_handler);
		timer_again(self);
	}
	errno = saved;
}

static void *thread_main(void *arg)
{
	struct thread *t = arg;
	struct sigevent ev = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};

	ev.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &ev, &t->timer) != 0)
		return NULL;
	self = t;
	timer_again(t);
	while (ops_each ? t->of_task.ops < ops_each : time(NULL) < end)
		for (unsigned int i = 0; i < 256; i++)
			one_op(&t->of_task);
	timer_delete(t->timer);
	self = NULL; /* one that is under way finds nobody */
	for (unsigned int i = 0; i < TASK_SLOTS; i++)
		if (t->task[i].p)
			drop(&t->of_task, &t->task[i]);
	for (unsigned int i = 0; i < HANDLER_SLOTS; i++)
		if (t->handler[i].p)
			drop(&t->of_handler, &t->handler[i]);
	return NULL;
}

int main(void)
{
	const char *ops = getenv("STORM_OPS");
	struct sigaction sa = {.sa_handler = on_timer, .sa_flags = SA_RESTART};
	unsigned long done = 0, handled = 0, in_handlers = 0, refused = 0, refused_there = 0,
		      torn = 0;
	pthread_t id[THREADS];

	ops_each = ops ? strtoul(ops, NULL, 0) / THREADS : 0;
	end = time(NULL) + SECONDS;
	sigaction(SIGRTMIN, &sa, NULL);
	for (unsigned int i = 0; i < THREADS; i++) {
		struct thread *t = &threads[i];
		uint64_t seed = ((uint64_t)time(NULL) << 20 | (uint64_t)getpid() << 2 | i) * 2 + 1;

		t->of_task = (struct side){.slot = t->task, .nr = TASK_SLOTS, .rng = seed};
		t->of_handler = (struct side){
			.slot = t->handler, .nr = HANDLER_SLOTS, .rng = seed ^ 0x5deece66d};
		pthread_create(&id[i], NULL, thread_main, t);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_join(id[i], NULL);
		done += threads[i].of_task.ops;
		in_handlers += threads[i].of_handler.ops;
		handled += threads[i].handled;
		refused += threads[i].of_task.refused;
		refused_there += threads[i].of_handler.refused;
		torn += threads[i].of_task.torn + threads[i].of_handler.torn;
	}
	printf("%lu operations of threads, %lu of %lu handlers; refused %lu and %lu; %lu torn\n",
	       done, in_handlers, handled, refused, refused_there, torn);
	return torn || refused || handled < 100 || refused_there > in_handlers / 10;
}
