/* SPDX-License-Identifier: MIT */
/* What the loads over a store in memory share: it gives way inside and fails at random, and they run
 * under the same schedules. */
#pragma once
#include <kmem/port.h>
#include "../../store.h"
#include "scenarios.h"

/* A device takes its time, and others run meanwhile. */
static inline void stored_point(void)
{
	port_point();
	port_relax();
}

static inline uint32_t stored_random(void)
{
	return (uint32_t)sim_random();
}

static inline void stored_start(struct mem_store *s)
{
	s->point = stored_point;
	s->random = stored_random;
}

static inline struct sim_config stored_config(uint64_t seed, void (*irq)(void *arg))
{
	return (struct sim_config){
		.seed = seed,
		.nr_cpus = 3,
		.mode = seed % 3 ? SIM_SIGNAL : SIM_MASKED,
		.preempt_every = 5 + (uint32_t)(seed % 60),
		.irq_every = seed % 4 ? 400 : 0,
		.irq = irq,
	};
}

static inline void stored_search(const struct named_scenario *s, unsigned int cpus,
				 unsigned int preemptions, struct sim_search_result *r)
{
	struct sim_scenario sc = s->sc;
	struct sim_config cfg = {.seed = 1, .nr_cpus = 3, .mode = SIM_SIGNAL};
	struct sim_search_limit limit = {.preemptions = preemptions};

	sc.nr_tasks = cpus;
	sim_search(&sc, &cfg, &limit, r);
}
