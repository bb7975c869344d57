/* SPDX-License-Identifier: MIT */
/* The naive reference of tests/model in the simulator: with handlers coming in anywhere, and with
 * commits refused. MODEL_OPS changes the length; a finding prints seed and mode. */
#include "sim.h"
#include "tap.h"
#include "../model/model.h"

static struct model *model; /* in the host's memory */
static const char *model_cmdline;
static unsigned long model_length;

static void on_irq(void *arg)
{
	void *p = kmalloc(8 + sim_random() % 600, GFP_ATOMIC | __GFP_NOWARN);

	(void)arg;
	if (p)
		memset(p, 0xa5, 8);
	kfree(p);
}

/* The walk is for quiescent moments: no handler in the middle of it. */
static void check_quietly(unsigned long i)
{
	sim_irq_hold(true);
	if (kmem_check())
		sim_fail("op %lu: kmem_check", i);
	sim_irq_hold(false);
}

static void body(void *arg)
{
	(void)arg;
	sim_irq_hold(true);
	if (kmem_boot(model_cmdline))
		sim_fail("boot: %s", kmem_boot_error());
	if (!model_start(model, sim_random()))
		sim_fail("the reference could not be made");
	sim_irq_hold(false);
	model->max_live = 600;
	for (unsigned long i = 0; i < model_length && !model->broken; i++) {
		model_step(model);
		if (i % 4000 == 0)
			check_quietly(i);
	}
	sim_irq_hold(true);
	if (!model->broken)
		model_finish(model);
	if (model->broken)
		sim_fail("%s", model->why);
	if (kmem_check() || kmem_shutdown())
		sim_fail("faults or leaks at the end");
}

static void run(const char *cmdline, enum sim_mode mode, struct sim_plan refuse)
{
	uint64_t first = tap_rand() >> 8;
	int bad = 0;

	model_cmdline = cmdline;
	model_length = getenv("MODEL_OPS") ? strtoul(getenv("MODEL_OPS"), NULL, 0) : 20000;
	model = calloc(1, sizeof(*model));
	for (uint64_t seed = first; !bad && seed < first + 5; seed++) {
		struct sim_config cfg = {
			.seed = seed,
			.mode = mode,
			.preempt_every = 50,
			.irq_every = 300,
			.migrate_every = mode == SIM_SIGNAL ? 20 : 0,
			.irq = on_irq,
			.refuse = refuse,
			.max_steps = UINT64_MAX,
		};

		sim_begin(&cfg);
		sim_spawn(0, body, NULL, "model");
		bad = sim_run();
		ok(bad == 0, "seed %llu mode %d: %lu operations, %lu refused, %s",
		   (unsigned long long)seed, mode, model->ops, model->failed,
		   sim_finding() ? sim_finding() : "as the reference says");
		diag("%lu operations, %lu refused, %llu steps, %llu handlers", model->ops,
		     model->failed, (unsigned long long)sim_steps(),
		     (unsigned long long)sim_injections());
		sim_end();
	}
	free(model);
}

TEST(model_with_handlers_masked)
{
	run("mem=8M zones=i386 nr_cpus=4", SIM_MASKED, (struct sim_plan){SIM_NEVER, 0});
}

TEST(model_with_handlers_anywhere)
{
	run("mem=8M zones=flat nr_cpus=4", SIM_SIGNAL, (struct sim_plan){SIM_NEVER, 0});
}

TEST(model_with_commits_refused)
{
	run("mem=16M zones=flat nr_cpus=2", SIM_SIGNAL, (struct sim_plan){SIM_PERCENT, 20});
}
