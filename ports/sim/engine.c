/* SPDX-License-Identifier: MIT */
/*
 * The engine: tasks, points, blocking, time, findings.
 *
 *	           sim_run               block: chosen
 *	NONE ----> READY <-----------------------------+
 *	            |  |  lock held       +--> SPIN ---+   ready when the lock's word is 0
 *	            |  +------------------+--> WAIT ---+   ... when woken, or the time is over
 *	            |                     +--> JOIN ---+   ... when all tasks but daemons are done
 *	            +--> DONE
 *
 * One task runs, the others' stacks lie still: a switch is a few instructions. At a point the
 * scheduler may go on, switch, or have the handler called on the running task's stack; when the
 * running task cannot go on, it says who runs. When nobody can run, time jumps to the earliest
 * time-out; when there is none either, that is a deadlock, and the finding tells what each task
 * waits for.
 *
 * A point that the scheduler does not want to be asked at costs one decrement (sim_gap).
 *
 * Mode MASKED models bare metal: between port_irq_save and restore no handler comes (one that was due
 * comes at the restore), and a CPU is left to another task only by blocking, giving way or ending.
 * Mode SIGNAL models threads of a host: handlers and other tasks come in at any point, a task may
 * find itself on another CPU.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine.h"

static struct sim_engine engine;
struct sim_engine *sim_engine = &engine;
struct sim_self *sim_self;
int32_t sim_gap;

static struct sim_world *world;

/* ---- Steps and time -------------------------------------------------------------------------- */

static void steps_settle(void)
{
	world->steps += (uint64_t)((int64_t)world->granted - sim_gap);
	world->granted = sim_gap;
}

static void gap_set(uint32_t gap)
{
	steps_settle();
	sim_gap = gap < SIM_GAP_MAX ? (int32_t)gap : SIM_GAP_MAX;
	world->granted = sim_gap;
}

uint64_t sim_steps(void)
{
	steps_settle();
	return world->steps;
}

uint64_t sim_now_ns(void)
{
	return sim_steps() * SIM_NS_PER_STEP + world->jumped_ns;
}

static bool starved(const struct sim_task *t, uint64_t now)
{
	return t->daemon && t->state != TASK_DONE && now < engine.cfg.starve_ns;
}

/* To the earliest time-out. False: nobody waits for a time. */
static bool time_jump(void)
{
	uint64_t now = sim_now_ns(), first = UINT64_MAX;

	for (unsigned int i = 0; i < world->nr_tasks; i++) {
		const struct sim_task *t = &world->task[i];

		if (starved(t, now) && engine.cfg.starve_ns < first)
			first = engine.cfg.starve_ns;
		else if (t->state == TASK_WAIT && t->deadline < first)
			first = t->deadline;
	}
	if (first == UINT64_MAX)
		return false;
	if (first > now)
		world->jumped_ns += first - now;
	return true;
}

/* ---- Who may run ----------------------------------------------------------------------------- */

static bool task_ready(const struct sim_task *t, uint64_t now)
{
	if (starved(t, now))
		return false;
	switch (t->state) {
	case TASK_READY:
		return true;
	case TASK_SPIN:
		return t->lock->word == 0;
	case TASK_WAIT:
		return t->woken || t->deadline <= now;
	default:
		return false;
	}
}

static bool cpu_free_for(const struct sim_task *t)
{
	const struct sim_task *owner = world->owner[t->self.cpu];

	return engine.cfg.mode == SIM_SIGNAL || !owner || owner == t;
}

/* Tasks but one that could run now, by number. Those that gave way only if give_way says so. */
static unsigned int candidates(struct sim_task *out[], const struct sim_task *except, bool yielded)
{
	uint64_t now = sim_now_ns();
	unsigned int n = 0;

	for (unsigned int i = 1; i < world->nr_tasks; i++) {
		struct sim_task *t = &world->task[i];

		if (t != except && (yielded || !t->yielded) && task_ready(t, now) &&
		    cpu_free_for(t))
			out[n++] = t;
	}
	return n;
}

static void yields_clear(void)
{
	for (unsigned int i = 0; i < world->nr_tasks; i++)
		world->task[i].yielded = false;
}

static bool host_ready(void)
{
	const struct sim_task *host = &world->task[0];

	return host->state == TASK_JOIN ? world->live == 0 : task_ready(host, sim_now_ns());
}

/* As above for a task that cannot go on: in the end those that gave way, then the host. */
static unsigned int successors(struct sim_task *out[], const struct sim_task *self)
{
	unsigned int n = candidates(out, NULL, false);

	if (n)
		return n;
	yields_clear();
	n = candidates(out, self, true);
	if (!n)
		n = candidates(out, NULL, true);
	if (!n && host_ready())
		out[n++] = &world->task[0];
	return n;
}

/* ---- Switching ------------------------------------------------------------------------------- */

static void switch_to(struct sim_task *to)
{
	struct sim_task *from = sim_cur();

	if (engine.cfg.log != SIM_LOG_OFF)
		sim_log("%llu switch %u %u cpu %u\n", (unsigned long long)sim_steps(), from->nr,
			to->nr, to->self.cpu);
	world->switches++;
	to->yielded = false;
	world->owner[to->self.cpu] = to;
	sim_self = &to->self;
	sim_switch(&from->sp, to->sp);
}

static void livelock_look(void)
{
	if (world->steps > engine.cfg.max_steps)
		sim_fail("livelock: no end after %llu steps", (unsigned long long)world->steps);
}

/* The running task's state says what it waits for; returns when that has come. */
void sim_block(void)
{
	struct sim_task *self = sim_cur(), *next[SIM_MAX_TASKS], *to;
	struct sim_sched *s = engine.cfg.sched;
	unsigned int n;

	if (self->state != TASK_SPIN && world->owner[self->self.cpu] == self)
		world->owner[self->self.cpu] = NULL;
	world->steps++;
	livelock_look();
	for (n = successors(next, self); n == 0; n = successors(next, self)) {
		if (!time_jump())
			sim_fail("deadlock: no task can run and no time-out is set");
	}
	to = next[n == 1 || world->quiet ? 0 : s->block(s, n)];
	if (to != self)
		switch_to(to);
	self->state = TASK_READY;
	world->owner[self->self.cpu] = self;
}

/* ---- Points ---------------------------------------------------------------------------------- */

static bool handler_possible(const struct sim_task *t)
{
	const struct sim_config *cfg = &engine.cfg;

	if (!cfg->irq || t->nr == 0 || t->irq_hold)
		return false;
	if (cfg->irq_max && world->injections >= cfg->irq_max)
		return false;
	if (cfg->mode == SIM_MASKED)
		return t->self.task.crit == 0 && t->handlers == 0;
	return t->handlers < SIM_MAX_HANDLERS;
}

static void handler_run(struct sim_task *t)
{
	struct port_task before = t->self.task;

	if (engine.cfg.log != SIM_LOG_OFF)
		sim_log("%llu handler %u\n", (unsigned long long)sim_steps(), t->nr);
	t->handlers++;
	world->injections++;
	engine.cfg.irq(engine.cfg.irq_arg);
	t->handlers--;
	if (before.preempt != t->self.task.preempt || before.crit != t->self.task.crit ||
	    before.held != t->self.task.held || before.pf != t->self.task.pf ||
	    before.rcu != t->self.task.rcu)
		sim_fail("a handler left task %u with other counts than it found", t->nr);
}

void sim_irq_deliver(void)
{
	struct sim_task *t = sim_cur();

	if (!handler_possible(t))
		return;
	t->self.irq_pending = false;
	handler_run(t);
}

/* One that cannot come now: where sections mask it waits for the section's end. */
static void handler_due(struct sim_task *t)
{
	if (handler_possible(t))
		handler_run(t);
	else if (engine.cfg.mode == SIM_MASKED && engine.cfg.irq && t->nr)
		t->self.irq_pending = true;
}

static void task_migrate(struct sim_task *t)
{
	const struct sim_config *cfg = &engine.cfg;

	if (!cfg->migrate_every || cfg->mode != SIM_SIGNAL || t->nr == 0)
		return;
	if (sim_mix(&world->rand_sched) % cfg->migrate_every == 0)
		t->self.cpu = (unsigned int)(sim_mix(&world->rand_sched) % world->nr_cpus);
}

void sim_point_slow(void)
{
	struct sim_task *self = sim_cur(), *other[SIM_MAX_TASKS];
	struct sim_sched *s = engine.cfg.sched;
	unsigned int n, choice;
	bool irq;

	gap_set(SIM_GAP_MAX);
	if (world->quiet || self->nr == 0)
		return;
	livelock_look();
	n = candidates(other, self, false);
	irq = handler_possible(self);
	/* In mode MASKED one of the same CPU is no candidate: the running task owns it. */
	choice = n || irq || engine.cfg.irq ? s->point(s, n, irq) : 0;
	gap_set(s->gap(s));
	if (n == 0)
		yields_clear();
	if (choice > n)
		handler_due(self);
	else if (choice)
		switch_to(other[choice - 1]);
	task_migrate(self);
}

/* ---- Tasks ----------------------------------------------------------------------------------- */

static void task_entry(void)
{
	struct sim_task *t = sim_cur();

	t->fn(t->arg);
	if (t->self.task.crit || t->self.task.held)
		sim_fail("task %u ended inside a section (depth %u, held %#x)", t->nr,
			 t->self.task.crit, t->self.task.held);
	t->state = TASK_DONE;
	if (!t->daemon)
		world->live--;
	sim_block();
	abort(); /* nobody chooses a task that is done */
}

static struct sim_task *task_slot(void)
{
	for (unsigned int i = 1; i < world->nr_tasks; i++) {
		if (world->task[i].state == TASK_DONE)
			return &world->task[i];
	}
	return world->nr_tasks < SIM_MAX_TASKS ? &world->task[world->nr_tasks++] : NULL;
}

int sim_spawn_as(unsigned int cpu, void (*fn)(void *), void *arg, const char *name, bool daemon)
{
	struct sim_task *t = task_slot();
	unsigned int nr;

	if (!t)
		return -1;
	nr = (unsigned int)(t - world->task);
	memset(t, 0, sizeof(*t));
	t->nr = nr;
	t->self.id = nr + 1;
	t->self.cpu = cpu;
	t->fn = fn;
	t->arg = arg;
	t->daemon = daemon;
	t->state = TASK_READY;
	snprintf(t->name, sizeof(t->name), "%s", name ? name : "task");
	sim_stack_init(&t->sp, sim_stack_of(nr), SIM_STACK_BYTES, task_entry);
	if (!daemon)
		world->live++;
	return (int)nr;
}

int sim_spawn(unsigned int cpu, void (*fn)(void *), void *arg, const char *name)
{
	return sim_spawn_as(cpu, fn, arg, name, false);
}

static int run(bool quiet)
{
	struct sim_task *host = &world->task[0];

	if (engine.failed)
		return 1;
	world->quiet = quiet;
	gap_set(quiet ? (uint32_t)SIM_GAP_MAX : engine.cfg.sched->gap(engine.cfg.sched));
	engine.in_tasks = 1;
	if (sigsetjmp(engine.crash, 1) == 0) {
		host->state = TASK_JOIN;
		sim_block();
	}
	engine.in_tasks = 0;
	sim_self = &host->self;
	host->state = TASK_READY;
	gap_set(SIM_GAP_MAX);
	return engine.failed;
}

int sim_run(void)
{
	return run(false);
}

int sim_call(void (*fn)(void *), void *arg)
{
	if (sim_spawn(0, fn, arg, "call") < 0)
		sim_fail("no room for another task");
	return run(true);
}

/* ---- Findings -------------------------------------------------------------------------------- */

static size_t finding_add(size_t at, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static size_t finding_add(size_t at, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(engine.finding + at, sizeof(engine.finding) - at, fmt, ap);
	va_end(ap);
	at += n > 0 ? (size_t)n : 0;
	return at < sizeof(engine.finding) ? at : sizeof(engine.finding) - 1;
}

static size_t finding_task(size_t at, const struct sim_task *t)
{
	static const char *const names[] = {"none",   "runs or could run", "spins on a lock",
					    "sleeps", "waits for all",	   "has ended"};

	at = finding_add(at, "\n  task %u (%s) cpu %u: %s, section %u, handlers %u", t->nr, t->name,
			 t->self.cpu, names[t->state], t->self.task.crit, t->handlers);
	if (t->state == TASK_SPIN)
		at = finding_add(at, ", the lock is held by task %d", (int)t->lock->word - 1);
	if (t->state == TASK_WAIT && t->deadline != UINT64_MAX)
		at = finding_add(at, ", until %llu ns", (unsigned long long)t->deadline);
	return at;
}

static void finding_end(size_t at)
{
	at = finding_add(at, "\n  at step %llu, task %u",
			 (unsigned long long)(world->steps + (uint64_t)(world->granted - sim_gap)),
			 sim_cur()->nr);
	for (unsigned int i = 0; i < world->nr_tasks; i++)
		at = finding_task(at, &world->task[i]);
	engine.failed = true;
}

void sim_fail(const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!engine.failed) {
		va_start(ap, fmt);
		n = vsnprintf(engine.finding, sizeof(engine.finding) / 2, fmt, ap);
		va_end(ap);
		finding_end(strlen(engine.finding));
		(void)n;
	}
	if (engine.in_tasks)
		siglongjmp(engine.crash, 1);
	fprintf(stderr, "simulator: %s\n%s", engine.finding, engine.messages);
	abort();
}

const char *sim_finding(void)
{
	return engine.failed ? engine.finding : NULL;
}

/* Crashes of a task are findings of its run. */
static void crashed(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (engine.in_tasks)
		sim_fail("signal %d (%s) at address %p", sig, strsignal(sig), info->si_addr);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void crashes_catch(void)
{
	static const int sigs[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
	enum { BYTES = 64 << 10 };
	static void *stack;
	stack_t ss = {.ss_size = BYTES};
	struct sigaction sa = {.sa_sigaction = crashed,
			       .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};

	if (!stack)
		stack = malloc(BYTES);
	if (!stack)
		abort();
	ss.ss_sp = stack;
	sigaltstack(&ss, NULL);
	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		sigaction(sigs[i], &sa, NULL);
}

/* ---- Worlds ---------------------------------------------------------------------------------- */

static void config_defaults(struct sim_config *cfg)
{
	if (!cfg->nr_cpus)
		cfg->nr_cpus = 2;
	if (!cfg->sched)
		cfg->sched = sim_random_sched();
	if (!cfg->max_steps)
		cfg->max_steps = 50000000;
	if (!cfg->refuse_what)
		cfg->refuse_what = SIM_COMMIT;
}

static void world_start(const struct sim_config *cfg)
{
	struct sim_task *host;
	uint64_t seed = cfg->seed;

	engine.cfg = *cfg;
	config_defaults(&engine.cfg);
	world = sim_world;
	host = &world->task[0];
	host->state = TASK_READY;
	host->self.id = 1;
	world->nr_tasks = 1;
	snprintf(host->name, sizeof(host->name), "host");
	sim_self = &host->self;
	world->nr_cpus = engine.cfg.nr_cpus;
	world->rand_port = sim_mix(&seed);
	world->rand_load = sim_mix(&seed);
	world->rand_sched = sim_mix(&seed);
	world->rand_refuse = sim_mix(&seed);
	world->granted = 0;
	sim_gap = 0;
	gap_set(SIM_GAP_MAX);
	engine.begun = true;
}

void sim_begin(const struct sim_config *cfg)
{
	sim_memory_own();
	sim_memory_reset();
	crashes_catch();
	engine.failed = false;
	engine.messages_len = 0;
	engine.messages[0] = '\0';
	engine.hash = 0xcbf29ce484222325ull;
	engine.text_len = 0;
	world_start(cfg);
}

void sim_end(void)
{
	static const struct sim_config none;

	sim_memory_reset();
	world_start(&none);
}

/* Programs that know nothing of the simulator are a world with the host alone. */
__attribute__((constructor)) void sim_engine_start(void)
{
	static const struct sim_config none;

	sim_memory_init();
	world_start(&none);
}

/* ---- What tests ask -------------------------------------------------------------------------- */

uint64_t sim_switches(void)
{
	return world->switches;
}
uint64_t sim_injections(void)
{
	return world->injections;
}
uint64_t sim_refusable_calls(void)
{
	return world->refusable;
}
uint64_t sim_refusals(void)
{
	return world->refusals;
}
unsigned int sim_task_nr(void)
{
	return sim_cur()->nr;
}
bool sim_in_handler(void)
{
	return sim_cur()->handlers != 0;
}
uint64_t sim_random(void)
{
	return sim_mix(&world->rand_load);
}
void sim_irq_hold(bool on)
{
	sim_cur()->irq_hold += on ? 1u : -1u;
}
