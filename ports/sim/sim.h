/* SPDX-License-Identifier: MIT */
/*
 * The simulator: N virtual CPUs in one thread of the host, in virtual time, under a scheduler that
 * the test chooses. The same configuration gives the same run, byte for byte, addresses included.
 *
 * Glossary
 *	task	a coroutine with a stack of its own, on a virtual CPU
 *	host	task 0: the thread that called sim_begin(); the tests. It runs undisturbed
 *	point	a place where the scheduler may act: every port call, every access to shared memory
 *	step	the time from one point to the next; virtual time is counted in steps
 *	daemon	a task nobody waits for: what the library itself spawned
 *	finding	what a run must not do: a panic, a deadlock, a crash, a failed expectation. It ends
 *		the run at once
 *
 *	sim_begin(&cfg);			a world of its own, all memory zero
 *	sim_spawn(0, writer, &x, "writer");	tasks do not start yet
 *	sim_spawn(1, reader, &x, "reader");
 *	if (sim_run() != 0)			all of them to their end, under cfg.sched
 *		puts(sim_finding());
 *	sim_end();
 *
 * What the scheduler decides, a struct sim_sched says; there are two: a random one, and the search
 * that walks all schedules with at most n preemptions (search.c). Findings are kept outside the
 * world, so is everything in memory of the host's own malloc; static variables of the program belong
 * to the world and are restored with it where snapshots are taken (sim_search).
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SIM_MAX_CPUS = 32,
	SIM_MAX_TASKS = 64,
	SIM_NS_PER_STEP = 50,
	SIM_MAX_HANDLERS = 2, /* depth of handlers on one task, in mode SIGNAL */
};

/* What asynchronous entry is like. */
enum sim_mode {
	SIM_MASKED, /* bare metal: port_irq_save excludes handlers; tasks of a CPU take turns only
		     * when one blocks */
	SIM_SIGNAL, /* posix: it marks the section only; handlers and other tasks come in anywhere */
};

/* Which calls of a kind the host refuses. */
enum sim_plan_kind { SIM_NEVER, SIM_NTH, SIM_EVERY, SIM_FROM, SIM_PERCENT };
struct sim_plan {
	enum sim_plan_kind kind;
	uint64_t n;
};
/* Verbs of the port that may refuse, as bits of sim_config.refuse_what. */
enum sim_refusable {
	SIM_START = 1,
	SIM_META = 2,
	SIM_COMMIT = 4,
	SIM_VMAP = 8,
	SIM_SPAWN = 16,
	SIM_ALL = 31,
};

enum sim_log { SIM_LOG_OFF, SIM_LOG_HASH, SIM_LOG_TEXT };

struct sim_sched;
struct sim_config {
	uint64_t seed;
	unsigned int nr_cpus; /* where the command line says nothing; 0: 2 */
	enum sim_mode mode;
	struct sim_sched *sched; /* NULL: the random one */
	/* The random scheduler: mean number of points between two of its acts; 0: none of them. */
	uint32_t preempt_every, irq_every;
	uint64_t starve_ns;	/* daemons do not run before */
	uint32_t migrate_every; /* SIGNAL: acts between two moves of the task to another CPU */
	bool no_spawn;		/* port_spawn says -ENOSYS, as on bare metal */
	bool no_meta;		/* port_meta always refuses: tables come out of the ranges */
	bool dirty;		/* committed frames hold garbage where they were used before */
	bool verbose;		/* the library's messages go to stderr as they come */
	void (*irq)(void *arg); /* the handler that is injected */
	void *irq_arg;
	uint32_t irq_max; /* injections in a run; 0: any number */
	struct sim_plan refuse;
	uint32_t refuse_what; /* enum sim_refusable; 0: commits */
	uint64_t max_steps;   /* more than that is a livelock; 0: 50 million */
	enum sim_log log;
};

/*
 * What decides. Options of point(): 0 goes on, 1..others switches to one of the other tasks that
 * could run, others + 1 injects the handler where irq says that is possible. Options of block():
 * which of n tasks runs. gap(): points the scheduler need not be asked about.
 */
struct sim_sched {
	unsigned int (*point)(struct sim_sched *s, unsigned int others, bool irq);
	unsigned int (*block)(struct sim_sched *s, unsigned int n);
	uint32_t (*gap)(struct sim_sched *s);
};

/* ---- A run ---------------------------------------------------------------------------------- */

/* Starts a world. Ends the one before. */
void sim_begin(const struct sim_config *cfg);
/* Forgets the world, but not its log and finding. The library must be down, or it is as if the power
 * had failed. */
void sim_end(void);
/* Number of the task, or -1: there are too many. Daemons are not waited for. */
int sim_spawn(unsigned int cpu, void (*fn)(void *), void *arg, const char *name);
/* Runs until all tasks but daemons have ended: 0, or 1 with a finding. */
int sim_run(void);
/* Runs fn as a task of CPU 0, undisturbed, to its end: 0, or 1 with a finding. */
int sim_call(void (*fn)(void *), void *arg);
/* Text of the first finding since sim_begin(), with the state of all tasks; NULL: none. */
const char *sim_finding(void);
/* In a task: ends the run with a finding. From the host: says it and aborts. */
void sim_fail(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
#define sim_expect(e)                                                           \
	do {                                                                    \
		if (!(e))                                                       \
			sim_fail("%s:%d: expected %s", __FILE__, __LINE__, #e); \
	} while (0)

uint64_t sim_steps(void);
uint64_t sim_switches(void);
uint64_t sim_injections(void);
uint64_t sim_refusable_calls(void); /* calls so far that refuse_what covers */
uint64_t sim_refusals(void);
void sim_set_refuse(struct sim_plan plan, uint32_t what); /* from now on; counts anew */
unsigned int sim_task_nr(void);
bool sim_in_handler(void);
uint64_t sim_random(void); /* the world's own sequence, for workloads */
/* Points a handler may be injected at are held off; nests. */
void sim_irq_hold(bool on);

/* "never", "nth:5", "every:3", "from:10", "percent:20". False: none of these. */
bool sim_plan_parse(const char *text, struct sim_plan *plan);

/* ---- The log -------------------------------------------------------------------------------- */

void sim_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
uint64_t sim_log_hash(void); /* FNV-1a of all text since sim_begin() */
const char *sim_log_text(size_t *len);
/* The last messages of the library, for a finding. */
const char *sim_messages(void);

/* ---- Schedulers ------------------------------------------------------------------------------ */

struct sim_sched *sim_random_sched(void);

/* One scenario of a search: tasks 0..nr_tasks-1 run task(i) on CPU i at once. */
struct sim_scenario {
	const char *name;
	unsigned int nr_tasks;
	void (*setup)(void *arg); /* once, undisturbed */
	void (*task)(unsigned int i, void *arg);
	void (*check)(void *arg); /* after each schedule, undisturbed */
	void *arg;
};
struct sim_search_result {
	uint64_t schedules;
	unsigned int points; /* most choices in one schedule */
	bool complete;	     /* every schedule within the bound was run */
	char finding[2048];  /* empty: none */
	char schedule[1024]; /* the choices that led to it, for sim_replay() */
};
struct sim_search_limit {
	unsigned int preemptions;
	uint64_t max_schedules; /* 0: no limit */
	bool handlers;		/* a handler may be injected too; costs a preemption */
};
/* Every schedule of the scenario with at most that many preemptions, until one has a finding. */
void sim_search(const struct sim_scenario *sc, const struct sim_config *cfg,
		const struct sim_search_limit *limit, struct sim_search_result *r);
/* Runs the one schedule that a search reported. */
void sim_replay(const struct sim_scenario *sc, const struct sim_config *cfg, const char *schedule,
		struct sim_search_result *r);
