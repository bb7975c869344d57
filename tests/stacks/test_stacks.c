/* SPDX-License-Identifier: MIT */
/*
 * The per-CPU stacks of this port under everything that may come between their instructions: other
 * tasks of the CPU, moves to another CPU, signals, and other CPUs that take the sheaf away. Tokens go
 * through the stacks of all CPUs; each has one owner at a time, and none is lost.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "support.h"
#include "sync/sync.h"

enum {
	TOKENS = 96,
	CAP = 30,
	BLOCK = 256,
	HAND = 24,
	WORKERS = 4,
	ROUNDS = 2000000,
	HANDLER_US = 50
};

/* Of one worker. A slow machine has fewer, and more of its time goes by between two signals. */
static unsigned int rounds(void)
{
	return ROUNDS / tap_slow();
}

struct token {
	uint32_t held; /* 1: somebody has it in hand */
};

static struct token tokens[TOKENS];
static u32 off;
static uint32_t finished, faults;
static uint64_t moves, drains, handled, popped, many;

static void fault_if(bool wrong)
{
	if (wrong)
		__atomic_fetch_add(&faults, 1, __ATOMIC_SEQ_CST);
}

static bool token_mine(struct token *t)
{
	return t >= tokens && t < tokens + TOKENS &&
	       __atomic_exchange_n(&t->held, 1, __ATOMIC_SEQ_CST) == 0;
}

/* Each verb that may be meant: a step's, and in turns a handler's. */
static void *stack_pop(unsigned int how)
{
	struct port_stack *first = port_stack_first(off);

	return how % 4 == 0 || port_hit_never() ? port_stack_pop(off)
	       : how % 4 == 1			? port_hit_pop(first)
						: port_task_pop(first);
}

static bool stack_push(unsigned int how, void *p)
{
	struct port_stack *first = port_stack_first(off);

	return how % 4 == 0 || port_hit_never() ? port_stack_push(off, p)
	       : how % 4 == 1			? port_hit_push(first, p)
						: port_task_push(first, p);
}

static struct token *token_pop(unsigned int how)
{
	struct token *t = stack_pop(how);

	if (t) {
		fault_if(!token_mine(t));
		__atomic_fetch_add(&popped, 1, __ATOMIC_RELAXED);
	}
	return t;
}

static bool token_push(unsigned int how, struct token *t)
{
	__atomic_store_n(&t->held, 0, __ATOMIC_SEQ_CST);
	if (stack_push(how, t))
		return true;
	fault_if(!token_mine(t));
	return false;
}

static void move_to(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) == 0)
		__atomic_fetch_add(&moves, 1, __ATOMIC_RELAXED);
}

static _Thread_local struct token *handler_hand;

/* Has at most one in hand, whose thread waits for it at the end. */
static void handler(int sig)
{
	unsigned int how = (unsigned int)__atomic_fetch_add(&handled, 1, __ATOMIC_RELAXED);

	(void)sig;
	kmem_irq_enter();
	if (!handler_hand)
		handler_hand = token_pop(how);
	else if (token_push(how, handler_hand))
		handler_hand = NULL;
	kmem_irq_exit();
}

static timer_t timer_start(void)
{
	struct sigevent ev = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
	struct timespec every = {.tv_nsec = HANDLER_US * 1000L * (long)tap_slow()};
	struct itimerspec when = {.it_interval = every, .it_value = every};
	timer_t timer;

	ev._sigev_un._tid = gettid();
	if (timer_create(CLOCK_MONOTONIC, &ev, &timer) || timer_settime(timer, 0, &when, NULL))
		abort();
	return timer;
}

struct worker {
	unsigned int seed;
	struct token *hand[HAND + 1]; /* and the handler's */
	unsigned int n;
};

static void pop_many(struct worker *w)
{
	void **hand = (void **)(void *)&w->hand[w->n];
	size_t n = port_hit_pop_many(port_stack_first(off), hand, HAND - w->n);

	for (size_t i = 0; i < n; i++)
		fault_if(!token_mine(hand[i]));
	__atomic_fetch_add(&many, n, __ATOMIC_RELAXED);
	w->n += (unsigned int)n;
}

/* The oldest ones first. */
static void push_many(struct worker *w)
{
	size_t n;

	for (unsigned int i = 0; i < w->n; i++)
		__atomic_store_n(&w->hand[i]->held, 0, __ATOMIC_SEQ_CST);
	n = port_hit_push_many(port_stack_first(off), (void **)(void *)w->hand, w->n);
	w->n -= (unsigned int)n;
	memmove(w->hand, w->hand + n, w->n * sizeof(w->hand[0]));
	for (unsigned int i = 0; i < w->n; i++)
		fault_if(!token_mine(w->hand[i]));
}

static void worker_step(struct worker *w)
{
	unsigned int r = (unsigned int)rand_r(&w->seed) >> 8;

	if (r % 512 == 0)
		move_to(r / 512 % port_ncpu());
	if (r % 64 == 1 && w->n < HAND) {
		pop_many(w);
	} else if (r % 64 == 2 && w->n > 0) {
		push_many(w);
	} else if ((r & 1) && w->n < HAND) {
		w->hand[w->n] = token_pop(r >> 6);
		w->n += w->hand[w->n] != NULL;
	} else if (w->n > 0) {
		w->n -= token_push(r >> 6, w->hand[w->n - 1]);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	timer_t timer = timer_start();

	port_task_set(0);
	for (unsigned int i = 0, n = rounds(); i < n; i++)
		worker_step(w);
	timer_delete(timer);
	if (handler_hand)
		w->hand[w->n++] = handler_hand;
	return NULL;
}

static void sheaf_is_whole(const struct sheaf *s)
{
	fault_if(s->n > s->cap);
	for (u32 i = 0; i < s->n; i++) {
		struct token *t = s->slot[i];

		fault_if(t < tokens || t >= tokens + TOKENS || t->held);
		for (u32 j = 0; j < i; j++)
			fault_if(s->slot[j] == t);
	}
}

/* Takes sheaves of any CPU away, looks at them without haste, and gives them to any other. */
static void *drainer(void *arg)
{
	unsigned int seed = *(unsigned int *)arg, cpu = 0;

	while (!__atomic_load_n(&finished, __ATOMIC_ACQUIRE)) {
		struct sheaf *s =
			rand_r(&seed) & 1 ? port_stack_drain(off, cpu) : port_stack_take(off, cpu);

		if (s) {
			drains++;
			sheaf_is_whole(s);
			sched_yield();
			sheaf_is_whole(s);
			while (!port_stack_put(off, cpu, s))
				cpu = (cpu + 1) % port_ncpu();
		}
		cpu = (cpu + 1) % port_ncpu();
	}
	return NULL;
}

static void stacks_start(void)
{
	static unsigned char blocks[KMEM_MAX_CPUS][BLOCK] __attribute__((aligned(BLOCK)));
	struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART};

	sigaction(SIGUSR1, &sa, NULL);
	is(kmem_boot("mem=16M atomic_stack=0"), 0, "boot");
	is(sheaf_block(CAP), BLOCK, "bytes of a sheaf's block");
	off = percpu_alloc(sizeof(struct port_stack));
	for (unsigned int cpu = 0; cpu < port_ncpu(); cpu++) {
		struct sheaf *s = sheaf_in(blocks[cpu], CAP);

		*s = (struct sheaf){.cap = CAP};
		port_stack_init(off, cpu, CAP);
		ok(port_stack_put(off, cpu, s), "CPU %u has a sheaf", cpu);
	}
}

/* Tokens in all stacks; the sheaves go with them. */
static unsigned int stacks_end(void)
{
	unsigned int n = 0;

	for (unsigned int cpu = 0; cpu < port_ncpu(); cpu++) {
		struct sheaf *s = port_stack_drain(off, cpu);

		if (s) {
			sheaf_is_whole(s);
			n += s->n;
		}
	}
	percpu_free(off, sizeof(struct port_stack));
	is(kmem_shutdown(), 0, "leaks");
	return n;
}

TEST(each_token_has_one_owner_and_none_is_lost)
{
	static struct worker workers[WORKERS];
	pthread_t threads[WORKERS], other;
	unsigned int seed = (unsigned int)tap_seed(), n = 0;

	stacks_start();
	diag("%s", port_rseq_cpus ? "restartable sequences" : "trylocks");
	for (unsigned int i = 0; i < TOKENS; i++)
		tokens[i].held = 1;
	for (unsigned int w = 0; w < WORKERS; w++) {
		workers[w] = (struct worker){.seed = seed + w};
		while (workers[w].n < TOKENS / WORKERS)
			workers[w].hand[workers[w].n++] = &tokens[n++];
	}
	pthread_create(&other, NULL, drainer, &seed);
	for (unsigned int w = 0; w < WORKERS; w++)
		pthread_create(&threads[w], NULL, work, &workers[w]);
	n = 0;
	for (unsigned int w = 0; w < WORKERS; w++) {
		pthread_join(threads[w], NULL);
		n += workers[w].n;
	}
	__atomic_store_n(&finished, 1, __ATOMIC_RELEASE);
	pthread_join(other, NULL);
	is(n + stacks_end(), TOKENS, "tokens");
	is(faults, 0, "faults");
	ok(popped > rounds() / 4 && moves && drains && handled,
	   "%llu pops, %llu moves, %llu drains, %llu handlers", (unsigned long long)popped,
	   (unsigned long long)moves, (unsigned long long)drains, (unsigned long long)handled);
	diag("%llu pops, %llu of many, %llu moves, %llu drains, %llu handlers",
	     (unsigned long long)popped, (unsigned long long)many, (unsigned long long)moves,
	     (unsigned long long)drains, (unsigned long long)handled);
}

/* A hit may be refused for no reason, but not always. */
static bool hits_are(bool wanted)
{
	struct port_stack *first = port_stack_first(off);
	void *p = NULL;

	for (int i = 0; !p && i < 100; i++)
		p = port_task_pop(first);
	if (!p)
		return !wanted;
	while (!port_stack_push(off, p))
		;
	return wanted;
}

static void *hits_of_a_new_task(void *arg)
{
	struct port_stack *first = port_stack_first(off);

	(void)arg;
	fault_if(port_rseq_cpus && port_task_pop(first));
	port_task_set(0);
	fault_if(!hits_are(!port_hit_never()));
	return NULL;
}

TEST(a_hit_heeds_the_word_of_its_task)
{
	bool hits;
	pthread_t thread;

	faults = 0;
	stacks_start();
	hits = !port_hit_never();
	port_task_set(0);
	for (unsigned int cpu = 0; cpu < port_ncpu(); cpu++) {
		move_to(cpu);
		ok(port_stack_push(off, &tokens[cpu]), "CPU %u has a token", cpu);
		ok(hits_are(hits));
		kmem_preempt_disable();
		ok(hits_are(false), "preemption is off");
		kmem_irq_enter();
		ok(hits_are(false) && !port_task_push(port_stack_first(off), &tokens[0]));
		kmem_irq_exit();
		ok(hits_are(false), "still");
		kmem_preempt_enable();
		ok(hits_are(hits), "on");
	}
	pthread_create(&thread, NULL, hits_of_a_new_task, NULL);
	pthread_join(thread, NULL);
	is(faults, 0, "faults of another task");
	for (unsigned int cpu = 0; cpu < port_ncpu(); cpu++) {
		move_to(cpu);
		ok(port_stack_pop(off) == &tokens[cpu]);
	}
	is(stacks_end(), 0, "tokens left");
}

/* On each CPU of the host, also where the machine has none of that number. */
static void machine_lives(const char *line)
{
	struct kmem_cache *c;
	unsigned int cpus = (unsigned int)sysconf(_SC_NPROCESSORS_CONF);
	void *p[100];

	is(kmem_boot(line), 0, "%s: %s", line, kmem_boot_error());
	c = kmem_cache_create("lives", 80, 0, 0, NULL);
	for (unsigned int cpu = 0; c && cpu < cpus; cpu++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set) != 0)
			continue;
		for (int i = 0; i < 100; i++)
			p[i] = i % 2 ? kmalloc(80, GFP_KERNEL) : kmem_cache_alloc(c, GFP_KERNEL);
		for (int i = 0; i < 100; i++) {
			if (i % 2)
				kfree(p[i]);
			else
				kmem_cache_free(c, p[i]);
		}
	}
	is(kmem_cache_destroy(c), 0);
	is(kmem_check(), 0, "%s", line);
	is(kmem_shutdown(), 0);
}

/* What a task was told on one machine about its sequences it goes on to believe on the next. */
TEST(machines_follow_each_other_with_sequences_and_without_them)
{
	machine_lives("mem=64M");
	machine_lives("mem=64M nr_cpus=1");
	machine_lives("mem=64M nr_cpus=256");
	machine_lives("mem=64M nr_cpus=1");
	machine_lives("mem=64M");
}

/*
 * The kind is chosen at start, by what the C library tells; so it takes another process. Its results
 * are none of this program's: they are shown as remarks, and only where it failed.
 */
TEST(without_sequences_the_same_holds)
{
	char *argv[] = {program_invocation_name, "each_token", NULL};
	FILE *out = tmpfile();
	int status = -1;
	char line[256];
	pid_t child;

	setenv("GLIBC_TUNABLES", "glibc.pthread.rseq=0", 1);
	child = fork();
	if (child == 0) {
		dup2(fileno(out), STDOUT_FILENO);
		dup2(fileno(out), STDERR_FILENO);
		execv("/proc/self/exe", argv);
		_exit(127);
	}
	ok(waitpid(child, &status, 0) == child && status == 0, "status %#x", (unsigned int)status);
	rewind(out);
	while (status && fgets(line, sizeof(line), out))
		diag("%.*s", (int)strcspn(line, "\n"), line);
	fclose(out);
}
