/* SPDX-License-Identifier: MIT */
/*
 * A random load on a small machine in the simulator: every CPU allocates and frees through the whole
 * public interface, passes objects to the others, shrinks, drains, creates and destroys caches, while
 * handlers do the same with GFP_ATOMIC. An oracle outside the machine knows who owns every eight
 * bytes, so that nothing is handed out twice.
 *
 * All of it follows from the configuration: the same one gives the same run. Of the kinds of load one
 * has memory enough (load.c); the other is about what happens when there is none (pressure.c).
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "sim.h"

struct load_config {
	uint64_t seed;
	bool pressure; /* the load of pressure.c */
	unsigned int cpus;
	unsigned int ops;      /* of each CPU */
	uint32_t preempt, irq; /* mean points between two of them; 0: chosen by the seed */
	bool no_preempt, no_irq;
	bool mode_given;
	enum sim_mode mode; /* unless given, chosen by the seed */
	struct sim_plan refuse;
	enum sim_log log;
	bool verbose;
};

struct load_result {
	uint64_t steps, switches, injections, allocs, failed, refusals, hash;
	/* Under pressure: providers asked, pages they gave, objects scanned, calls for the last resort, those who
	 * came or went, requests that the guard ended, urgent ones that failed at their mark, and ones
	 * that may not fail and waited long. */
	uint64_t asked, given, scanned, ooms, storms, stuck, by_reserve, patient;
	char finding[2560]; /* empty: none */
};

/* 0, or 1 with a finding. */
int load_run(const struct load_config *cfg, struct load_result *r);
/* The command that repeats a run. */
void load_command(const struct load_config *cfg, char *buf, size_t len);

/* What a kind of load is to load_run. Its state begins with a struct load_base. */
struct load_base {
	struct load_config cfg;
	uint64_t allocs, failed;
};
struct load_kind {
	size_t size;
	bool (*phases)(void *state); /* the whole run; false: there is a finding */
	void (*handler)(void *state);
	void (*result)(void *state, struct load_result *r); /* NULL: nothing to add */
};
extern const struct load_kind load_pressure;
