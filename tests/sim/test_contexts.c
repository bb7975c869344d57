/* SPDX-License-Identifier: MIT */
/*
 * Calls that would sleep, from several tasks and the handlers that interrupt them anywhere, in the word
 * and its stack as well: one report a second of the world's time, whoever comes first; every task's
 * word is its own again; the same seed says the same.
 */
#include <string.h>
#include <kmem/kmem.h>
#include <kmem/port.h>
#include "sim.h"
#include "tap.h"

enum { TASKS = 3, NAPS = 40, NAP_NS = 100000000 };

static unsigned int reports, torn;

static void on_misuse(enum kmem_misuse code, const void *addr, void *arg)
{
	(void)addr;
	(void)arg;
	sim_expect(code == KMEM_MISUSE_CONTEXT);
	reports++;
}

static void boot(void *arg)
{
	(void)arg;
	sim_expect(kmem_boot("mem=8M zones=flat nr_cpus=3 atomic_stack=1") == 0);
	kmem_set_misuse_hook(on_misuse, NULL);
}

static void halt(void *arg)
{
	(void)arg;
	sim_expect(kmem_shutdown() == 0);
}

/* Whose section it is: the outermost one's, and of nobody before. */
static void expect_site(uintptr_t want)
{
	const struct port_task *task = port_task();

	torn += task->atomic_stack[0] != want || task->atomic_stack[1] != 0;
}

static void handler(void *arg)
{
	(void)arg;
	kmem_irq_enter();
	might_sleep();
	kmem_irq_exit();
}

static void worker(void *arg)
{
	uint32_t word = 0;

	(void)arg;
	for (unsigned int n = 0; n < NAPS; n++) {
		uintptr_t site;

		kmem_preempt_disable();
		site = port_task()->atomic_stack[0];
		local_bh_disable();
		might_sleep();
		local_bh_enable();
		expect_site(site);
		kmem_preempt_enable();
		sim_expect(!port_task()->preempt);
		port_wait(&word, 0, NAP_NS);
	}
}

static uint64_t one_world(uint64_t seed, uint64_t *handlers)
{
	struct sim_config cfg = {
		.seed = seed,
		.nr_cpus = TASKS,
		.mode = seed % 2 ? SIM_SIGNAL : SIM_MASKED,
		.preempt_every = 5,
		.irq_every = 7,
		.irq = handler,
	};
	uint64_t hash;
	bool good;

	reports = 0;
	sim_begin(&cfg);
	good = sim_call(boot, NULL) == 0;
	for (unsigned int cpu = 0; good && cpu < TASKS; cpu++)
		sim_spawn(cpu, worker, NULL, "worker");
	good = good && sim_run() == 0 && sim_call(halt, NULL) == 0;
	*handlers += sim_injections();
	hash = sim_log_hash();
	ok(good, "seed %llu: %s", (unsigned long long)seed, good ? "" : sim_finding());
	/* Two places ask, each with a limit of its own. */
	ok(reports >= 4 && reports <= 2 * (NAPS / 10 + 2), "%u reports in 4 seconds", reports);
	ok(strstr(sim_messages(), "BUG: sleeping function called from invalid context at "),
	   "in the kernel's words");
	ok(!strstr(sim_messages(), "[<"), "and no address, which differ from run to run");
	sim_end();
	return hash;
}

TEST(S168_once_a_second_whoever_asks)
{
	uint64_t handlers = 0;

	for (uint64_t seed = 1; seed <= 100; seed++) {
		uint64_t hash = one_world(seed, &handlers);

		if (seed % 10 == 0)
			ok(one_world(seed, &handlers) == hash, "the same again");
	}
	diag("110 worlds, %llu handlers", (unsigned long long)handlers);
	is(torn, 0, "the place that is remembered is the outermost's");
	ok(handlers > 1000, "handlers ran");
}
