/* SPDX-License-Identifier: MIT */
/*
 * A random load on a small machine in the simulator: every CPU allocates and frees through the whole
 * public interface, passes objects to the others, shrinks, drains, creates and destroys caches, while
 * handlers do the same with GFP_ATOMIC. An oracle outside the machine knows who owns every eight
 * bytes, so that nothing is handed out twice.
 *
 * All of it follows from the configuration: the same one gives the same run.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "sim.h"

struct load_config {
	uint64_t seed;
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
	char finding[2560]; /* empty: none */
};

/* 0, or 1 with a finding. */
int load_run(const struct load_config *cfg, struct load_result *r);
/* The command that repeats a run. */
void load_command(const struct load_config *cfg, char *buf, size_t len);
