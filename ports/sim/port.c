/* SPDX-License-Identifier: MIT */
/* The port's verbs but for memory: CPUs, tasks, waiting, time, the messages. */
#include <stdio.h>
#include <string.h>
#include "engine.h"
#include "../common/untooled.h"

enum { TIMED_OUT_STEP_NS = 1000 };

unsigned int port_ncpu(void)
{
	return sim_world->nr_cpus;
}

/* ---- Locks and waiting ------------------------------------------------------------------------ */

void sim_spin_wait(port_spin_t *l)
{
	struct sim_task *t = sim_cur();

	if (l->word == t->self.id)
		sim_fail(
			"deadlock: task %u spins on a lock held by the very context it interrupted",
			t->nr);
	t->state = TASK_SPIN;
	t->lock = l;
	sim_block();
}

void sim_spin_broken(port_spin_t *l)
{
	sim_fail("task %u releases a lock whose word is %u", sim_cur()->nr, l->word);
}

/* A sleeper is woken by port_wake and time alone: a lost wake-up stays lost, and is found. */
void port_wait(uint32_t *word, uint32_t seen, uint64_t ns)
{
	struct sim_task *t = sim_cur();
	uint64_t now;

	port_point();
	if (t->self.task.crit || t->handlers)
		sim_fail("task %u sleeps inside a section or handler", t->nr);
	if (__atomic_load_n(word, __ATOMIC_ACQUIRE) != seen)
		return;
	now = sim_now_ns();
	t->word = word;
	t->woken = false;
	t->since = sim_world->waits++;
	t->deadline = ns > UINT64_MAX - now ? UINT64_MAX : now + ns;
	t->state = TASK_WAIT;
	sim_log("wait %u\n", t->nr);
	sim_block();
	t->word = NULL;
}

/* Of those that sleep on the word, the one that has slept longest. */
static struct sim_task *longest_sleeper(const uint32_t *word)
{
	struct sim_task *first = NULL;

	for (unsigned int i = 0; i < sim_world->nr_tasks; i++) {
		struct sim_task *t = &sim_world->task[i];

		if (t->state == TASK_WAIT && t->word == word && !t->woken &&
		    (!first || t->since < first->since))
			first = t;
	}
	return first;
}

void port_wake(uint32_t *word, unsigned int n)
{
	struct sim_task *t;

	port_point();
	for (t = longest_sleeper(word); t && n; t = longest_sleeper(word), n--) {
		t->woken = true;
		sim_log("wake %u\n", t->nr);
	}
}

/* Gives way until all others that can run had a turn, and lets a little time go by. */
void port_relax(void)
{
	struct sim_task *t = sim_cur();

	port_point();
	if (t->handlers && sim_engine->cfg.mode == SIM_MASKED)
		sim_fail("task %u gives way in a handler", t->nr);
	sim_world->jumped_ns += TIMED_OUT_STEP_NS;
	t->yielded = true;
	t->state = TASK_READY;
	sim_block();
}

/* Spawned tasks are daemons: nobody waits for their end. They go to the CPUs in turn. */
int port_spawn(void (*fn)(void *), void *arg, const char *name)
{
	unsigned int cpu;

	port_point();
	if (sim_engine->cfg.no_spawn || sim_refuse(SIM_SPAWN))
		return -38;
	cpu = sim_world->next_cpu++ % sim_world->nr_cpus;
	sim_log("spawn %s cpu %u\n", name, cpu);
	return sim_spawn_as(cpu, fn, arg, name, true) < 0 ? -38 : 0;
}

/*
 * The portable stack verbs hold the stack's trylock from begin to end, and whoever took a sheaf out
 * held it too. So nobody is inside a verb that began before and could still see that sheaf.
 */
void port_fence_cpu(unsigned int cpu)
{
	(void)cpu;
	port_point();
}

/* A world has no processes. */
void port_set_fork_hooks(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
	(void)prepare;
	(void)parent;
	(void)child;
}

/* ---- The rest ---------------------------------------------------------------------------------- */

uint64_t port_now_ns(void)
{
	port_point();
	return sim_now_ns();
}

uint64_t port_random64(void)
{
	return sim_mix(&sim_world->rand_port);
}

void port_log(int level, const char *text, size_t len)
{
	struct sim_engine *e = sim_engine;
	size_t room = sizeof(e->messages) - 1;

	if (e->cfg.verbose || !e->in_tasks)
		fwrite(text, 1, len, stderr);
	sim_log("log %d %.*s", level, (int)len, text);
	if (len > room / 2)
		len = room / 2;
	if (e->messages_len + len > room) {
		/* The newer half stays. */
		memmove(e->messages, e->messages + e->messages_len / 2,
			e->messages_len - e->messages_len / 2);
		e->messages_len -= e->messages_len / 2;
	}
	memcpy(e->messages + e->messages_len, text, len);
	e->messages_len += len;
	e->messages[e->messages_len] = '\0';
}

const char *sim_messages(void)
{
	return sim_engine->messages;
}

void port_panic(const char *msg)
{
	sim_fail("panic: %s", msg);
}

/* Code addresses differ from process to process, so reports of a run name none. */
unsigned int port_backtrace(void **pc, unsigned int max)
{
	(void)pc;
	(void)max;
	return 0;
}

const char *port_comm(void)
{
	return sim_cur()->name;
}

int port_pid(void)
{
	return (int)sim_cur()->nr + 1;
}

const char *port_cmdline(void)
{
	return NULL;
}

extern const char __executable_start[] __attribute__((weak));
extern char __data_start[] __attribute__((weak));

bool port_rodata(const void *p)
{
	uintptr_t at = (uintptr_t)p;

	return at >= (uintptr_t)__executable_start && at < (uintptr_t)__data_start;
}

size_t port_symbol(const void *pc, char *buf, size_t len)
{
	int n = snprintf(buf, len, "%p", (void *)(uintptr_t)pc);

	return n > 0 ? (size_t)n : 0;
}
