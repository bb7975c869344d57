/* SPDX-License-Identifier: MIT */
/*
 * CPUs, tasks, waiting, fork. A task is a thread; its word lies in the thread's static TLS block, so
 * reaching it never allocates, not even the first time and not in a signal handler.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "posix.h"

/* The longest pause between two looks at a lock, in pauses of the CPU; all of them are twice that: 5 to
 * 40 microseconds, about what it costs to sleep and be woken. */
enum { SPINS = 256, SPAWN_MAX = 8, STACK_BYTES = 256 << 10 };

_Thread_local struct port_task port_task_self;
unsigned int port_nr_cpus = 1;
ptrdiff_t port_rseq_offset;
unsigned int port_rseq_cpus;
/* 0: there is one CPU, and who holds a lock runs only while nobody spins. */
static int spins = SPINS;
#if PORT_RSEQ
static struct kmem_hit_seq nowhere = {.cpu_id = UINT32_MAX};
_Thread_local struct kmem_hit_task kmem_hit_task_v1 = {&nowhere, {.cpu_id = UINT32_MAX}};
void *port_stack_nothing[2][STACK_BLOCK] __attribute__((aligned(sizeof(void *) * STACK_BLOCK)));
#endif

/* ---- CPUs ----------------------------------------------------------------------------------- */

/* One more than the highest CPU the process may run on, and how many these are. A later change of that
 * set is harmless: numbers from beyond are folded (port_cpu), and two CPUs of one number share their
 * stacks. */
static unsigned int cpus_of_host(unsigned int *nr)
{
	unsigned long mask[KMEM_MAX_CPUS * 4 / (8 * sizeof(long))] = {0};
	const unsigned int word_bits = 8 * sizeof(long);
	long bytes = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);
	unsigned int top = 0;

	*nr = 0;
	for (unsigned int cpu = 0; bytes > 0 && cpu < (unsigned int)bytes * 8; cpu++) {
		if (mask[cpu / word_bits] >> (cpu % word_bits) & 1) {
			top = cpu + 1;
			(*nr)++;
		}
	}
	return top == 0 ? 1 : top > KMEM_MAX_CPUS ? KMEM_MAX_CPUS : top;
}

static bool membarrier(int cmd, unsigned int flags, unsigned int cpu)
{
	return syscall(SYS_membarrier, cmd, flags, cpu) == 0;
}

/*
 * Restartable sequences are used if the C library has registered its threads (glibc's tunable
 * glibc.pthread.rseq may forbid it), if other CPUs can be fenced, and if every CPU of the host has a
 * stack of its own: a machine of fewer CPUs folds their numbers, and needs locks.
 */
static unsigned int rseq_cpus(unsigned int nr, unsigned int host)
{
	bool usable = PORT_RSEQ && __rseq_size && nr >= host &&
		      membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0) &&
		      membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0, 0);

	return usable ? nr : 0;
}

void port_cpus_start(unsigned int nr)
{
	int saved = errno;
	unsigned int count, host = cpus_of_host(&count);

	port_nr_cpus = nr ? nr : host;
	port_rseq_offset = __rseq_offset;
	port_rseq_cpus = rseq_cpus(port_nr_cpus, host);
	__atomic_store_n(&spins, count == 1 ? 0 : SPINS, __ATOMIC_RELAXED);
	errno = saved;
}

unsigned int port_ncpu(void)
{
	return port_nr_cpus;
}

unsigned int port_cpu_slow(void)
{
	int saved = errno, cpu = sched_getcpu();

	errno = saved;
	return cpu < 0 ? 0 : (unsigned int)cpu;
}

#ifdef PORT_COUNT_OWN
/* Without sequences, or on a CPU that the machine has not. */
void port_count_slow(uint64_t *first, size_t stride, uint64_t n)
{
	if (!port_rseq_cpus)
		(void)count_atomic(first, stride, n);
	else
		__atomic_fetch_add(count_of(first, stride, port_nr_cpus), n, __ATOMIC_RELAXED);
}
#endif

/* Running on the CPU does what the fence does: whoever was inside a sequence there is aborted. A host
 * that refuses both cannot keep the promise, and nothing may go on without it. */
static void fence_by_moving(unsigned int cpu)
{
	cpu_set_t here, there;

	CPU_ZERO(&there);
	CPU_SET(cpu, &there);
	if (sched_getaffinity(0, sizeof(here), &here) != 0)
		port_panic("a CPU cannot be fenced: membarrier and sched_getaffinity are refused");
	/* A CPU that is not allowed to the process runs none of its threads. */
	if (sched_setaffinity(0, sizeof(there), &there) == 0)
		(void)sched_setaffinity(0, sizeof(here), &here);
	else if (errno != EINVAL)
		port_panic("a CPU cannot be fenced: membarrier and sched_setaffinity are refused");
}

/*
 * Sequences on the CPU that were begun before are over or aborted when the host says so.
 *
 * The trylocks of the other kind of stacks need less: whoever takes a stack out of use does so under
 * its lock (drain), and there is no verb left to wait for. What is left is to make the others see, at
 * their next verb, what was stored before: the barrier on all CPUs if the host has one, else this
 * CPU's own, which the stacks' acquiring exchange pairs with.
 */
void port_fence_cpu(unsigned int cpu)
{
	int saved = errno;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (port_rseq_cpus) {
		if (!membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, MEMBARRIER_CMD_FLAG_CPU,
				cpu))
			fence_by_moving(cpu);
	} else if (!membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) && errno == EPERM &&
		   membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0)) {
		(void)membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
	}
	errno = saved;
}

/* ---- Waiting -------------------------------------------------------------------------------- */

/* The kernel's old time of the native word size, which SYS_futex takes. */
struct futex_time {
	long sec, nsec;
};

static void futex_wait(uint32_t *word, uint32_t seen, const struct futex_time *t)
{
	(void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, t, NULL, 0);
}

static void cpu_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/*
 * Looks at the lock, and writes only to take it, after pauses that double. Each look takes the lock's line
 * away from who holds it, and with each change of hands all lines of what it guards move as well.
 */
static bool spin_take(port_spin_t *l, uint32_t state)
{
	int most = __atomic_load_n(&spins, __ATOMIC_RELAXED);

	for (int pauses = 1; pauses <= most; pauses *= 2) {
		uint32_t seen = 0;

		for (int i = 0; i < pauses; i++)
			cpu_pause();
		if (__atomic_load_n(&l->word, __ATOMIC_RELAXED) == 0 &&
		    __atomic_compare_exchange_n(&l->word, &seen, state, false, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return true;
	}
	return false;
}

/*
 * A short spin, since sections are short; then state 2 tells the holder that somebody sleeps. Who was
 * woken spins again: the lock is likely held by one who took it meanwhile, for as short a time, and to
 * sleep for that would cost both another call of the host's. But he takes it as state 2, since others
 * may be asleep, of whom nobody else knows.
 */
void port_spin_lock_slow(port_spin_t *l)
{
	uint32_t state = 1;
	int saved = errno;

	while (!spin_take(l, state)) {
		state = 2;
		/* Acquire pairs with the release of unlock. */
		if (__atomic_exchange_n(&l->word, 2u, __ATOMIC_ACQUIRE) == 0)
			break;
		futex_wait(&l->word, 2, NULL);
	}
	errno = saved;
}

void port_spin_wake(port_spin_t *l)
{
	port_wake(&l->word, 1);
}

void port_wait(uint32_t *word, uint32_t seen, uint64_t ns)
{
	const uint64_t second = 1000000000;
	struct futex_time t;
	int saved = errno;

	t.sec = ns / second > INT_MAX ? INT_MAX : (long)(ns / second);
	t.nsec = (long)(ns % second);
	futex_wait(word, seen, ns == UINT64_MAX ? NULL : &t);
	errno = saved;
}

void port_wake(uint32_t *word, unsigned int n)
{
	int saved = errno;

	(void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n > INT_MAX ? INT_MAX : (int)n, NULL,
		      NULL, 0);
	errno = saved;
}

void port_relax(void)
{
	int saved = errno;

	sched_yield();
	errno = saved;
}

/* ---- Threads -------------------------------------------------------------------------------- */

/* What a thread starts with: a slot of a table, since nothing may be allocated for it here. */
static struct spawn {
	uint32_t taken;
	void (*fn)(void *);
	void *arg;
	char name[16];
} spawns[SPAWN_MAX];

static struct spawn *spawn_claim(void)
{
	for (int i = 0; i < SPAWN_MAX; i++)
		if (__atomic_exchange_n(&spawns[i].taken, 1u, __ATOMIC_ACQUIRE) == 0)
			return &spawns[i];
	return NULL;
}

static void spawn_release(struct spawn *s)
{
	__atomic_store_n(&s->taken, 0u, __ATOMIC_RELEASE); /* pairs with spawn_claim */
}

static void *spawn_main(void *p)
{
	struct spawn *s = p;
	void (*fn)(void *) = s->fn;
	void *arg = s->arg;

	prctl(PR_SET_NAME, s->name, 0, 0, 0);
	spawn_release(s);
	fn(arg);
	return NULL;
}

/* A small stack, as address space may be limited; the host's own size if that is too small for it. */
static int spawn_thread(struct spawn *s)
{
	pthread_attr_t attr;
	pthread_t thread;
	int rc;

	if (pthread_attr_init(&attr) != 0)
		return -PORT_ENOSYS;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	rc = pthread_create(&thread, &attr, spawn_main, s);
	if (rc == EINVAL) {
		pthread_attr_destroy(&attr);
		if (pthread_attr_init(&attr) != 0)
			return -PORT_ENOSYS;
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
		rc = pthread_create(&thread, &attr, spawn_main, s);
	}
	pthread_attr_destroy(&attr);
	return rc ? -PORT_ENOSYS : 0;
}

/* The program's signals are for the program's threads: ours is born with all of them blocked. */
int port_spawn(void (*fn)(void *), void *arg, const char *name)
{
	struct spawn *s = spawn_claim();
	int saved = errno, rc = -PORT_ENOSYS;
	sigset_t all, before;
	size_t n = 0;

	if (!s)
		return -PORT_ENOSYS;
	s->fn = fn;
	s->arg = arg;
	for (; n + 1 < sizeof(s->name) && name[n]; n++)
		s->name[n] = name[n];
	s->name[n] = '\0';
	sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before) == 0) {
		rc = spawn_thread(s);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	if (rc)
		spawn_release(s);
	errno = saved;
	return rc;
}

/* ---- fork ----------------------------------------------------------------------------------- */

static struct {
	void (*prepare)(void), (*parent)(void), (*child)(void);
} fork_hooks;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void fork_prepare(void)
{
	if (fork_hooks.prepare)
		fork_hooks.prepare();
}

static void fork_parent(void)
{
	if (fork_hooks.parent)
		fork_hooks.parent();
}

static void fork_child(void)
{
	port_stat_after_fork();
	if (fork_hooks.child)
		fork_hooks.child();
}

static void fork_register(void)
{
	pthread_atfork(fork_prepare, fork_parent, fork_child);
}

/* The host keeps its own list for ever, so it gets ours once, and the hooks change behind it. */
void port_set_fork_hooks(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
	int saved = errno;

	fork_hooks.prepare = prepare;
	fork_hooks.parent = parent;
	fork_hooks.child = child;
	pthread_once(&fork_once, fork_register);
	errno = saved;
}
