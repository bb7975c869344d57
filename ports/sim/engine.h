/* SPDX-License-Identifier: MIT */
/*
 * What the files of the simulator share. State is of two kinds: the world, which lies at a fixed
 * address, is part of a snapshot and starts from zero; and the engine, which outlives worlds.
 */
#pragma once
#include <kmem/port.h>
#include <setjmp.h>
#include "sim.h"

enum sim_state { TASK_NONE, TASK_READY, TASK_SPIN, TASK_WAIT, TASK_JOIN, TASK_DONE };

enum {
	SIM_STACK_BYTES = 256 << 10,
	SIM_STACK_GUARD = 64 << 10,
	SIM_NAME_MAX = 16,
	SIM_FINDING_MAX = 2048,
	SIM_MESSAGES_MAX = 8192,
	SIM_GAP_MAX = 1 << 20, /* so that a livelock is noticed */
};

struct sim_task {
	struct sim_self self; /* first: sim_self points here */
	void *sp;	      /* of a task that is switched out */
	enum sim_state state;
	unsigned int nr, handlers, irq_hold;
	bool daemon, yielded, woken;
	port_spin_t *lock;
	uint32_t *word;
	uint64_t deadline, since;
	void (*fn)(void *);
	void *arg;
	char name[SIM_NAME_MAX];
};

enum { SIM_WINDOW_SLOTS = 256 };

struct sim_world {
	struct sim_task task[SIM_MAX_TASKS];
	unsigned int nr_tasks, live;	      /* live: tasks, not daemons, that have not ended */
	struct sim_task *owner[SIM_MAX_CPUS]; /* MASKED: who has the CPU until it blocks */
	bool quiet;			      /* the scheduler is not asked at points */
	uint64_t steps, jumped_ns, switches, injections, waits;
	int32_t granted; /* what sim_gap was set to last */
	uint64_t rand_port, rand_load, rand_sched, rand_refuse;
	uint64_t refusable, refusals;
	/* The port's own. */
	bool started, used; /* used: by a machine that has stopped; its traces are to be cleared */
	unsigned int nr_cpus, next_cpu;
	uint64_t mem_bytes, low_bytes;
	size_t meta_used;
	uint32_t window[SIM_WINDOW_SLOTS]; /* the frame in each, plus one; 0: none */
	uint64_t vmaps_used;
};

struct sim_engine {
	struct sim_config cfg;
	bool begun, failed;
	bool restored; /* the world is thrown away for a snapshot after this run */
	char finding[SIM_FINDING_MAX];
	char messages[SIM_MESSAGES_MAX];
	size_t messages_len;
	uint64_t hash;
	char *text;
	size_t text_len, text_cap;
	sigjmp_buf crash;
	uint32_t window_shown[SIM_WINDOW_SLOTS]; /* what the host maps, as window of the world */
	uint64_t low_mapped;			 /* bytes of the direct map that are mapped now */
	uint64_t ram_most, meta_most;		 /* most bytes any world has had */
	volatile int in_tasks;			 /* a crash now is a finding of the world's */
};

extern struct sim_world *const sim_world;
extern struct sim_engine *sim_engine;

static inline struct sim_task *sim_cur(void)
{
	return (struct sim_task *)(void *)sim_self;
}
static inline uint64_t sim_mix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* switch.c */
void sim_stack_init(void **sp, void *base, size_t bytes, void (*entry)(void));
void sim_switch(void **from, void *to);

/* engine.c */
void sim_engine_start(void);
void sim_block(void);
uint64_t sim_now_ns(void);
/* May the host refuse this call? Counts it; true: refuse. */
bool sim_refuse(enum sim_refusable what);
int sim_spawn_as(unsigned int cpu, void (*fn)(void *), void *arg, const char *name, bool daemon);

/* memory.c */
void sim_memory_init(void); /* once a process: maps everything */
void sim_memory_own(void);  /* a child of fork: frames that it shares with nobody; before a reset */
void sim_memory_reset(void); /* all zero again, what was touched at least */
/* After a restore the windows show what they did when the snapshot was taken. Areas must not have been
 * mapped then: they are not looked after. */
void sim_windows_restore(void);
void *sim_stack_of(unsigned int task);
extern unsigned char *const sim_commit_map; /* a bit for each frame: it is backed */

struct sim_region {
	unsigned char *base;
	size_t bytes;
};
enum { REGION_WORLD, REGION_COMMIT, REGION_META, REGION_RAM, SIM_REGIONS };
/* Where the world lies but for the stacks. */
void sim_regions(struct sim_region r[SIM_REGIONS]);
/* One byte a page, bit 0: something was written there, or may have been. */
unsigned char *sim_resident(const struct sim_region *r);

/* snapshot.c */
bool sim_snapshot_possible(void);
/* The static variables alone: what the library was before the world. */
void sim_statics_keep(void);
void sim_statics_return(void);
void sim_snapshot_take(void);
void sim_snapshot_restore(void);
