/* SPDX-License-Identifier: MIT */
/*
 * Random operations against the naive reference of model.h, on several machines. 12 million in all
 * in a release build, a tenth of that in a checking one, and less where TAP_SLOW says so; MODEL_OPS
 * changes it, TAP_SEED repeats a run.
 */
#include "../support.h"
#include <build_config.h>
#include "model.h"

enum { TIGHT_OPS = 100000, TIGHT_LONGER = 10 };

static struct model model;

static unsigned long model_ops(void)
{
	const char *env = getenv("MODEL_OPS");

	return env ? strtoul(env, NULL, 0) : (KMEM_DEBUG ? 200000 : 2000000) / tap_slow();
}

static void quiet(int level, const char *text, size_t len, void *arg)
{
	(void)level;
	(void)text;
	(void)len;
	(void)arg;
}

/*
 * tight: memory must run out at times, or the test has not tested that: a run goes on until it has.
 * Short runs need not.
 */
static void run_model(const char *cmdline, unsigned long ops, bool tight)
{
	unsigned long longest = tight && ops >= TIGHT_OPS ? TIGHT_LONGER * ops : ops;
	unsigned long every = ops < 100000 ? ops / 5 + 1 : 20000;
	uint64_t seed = tap_seed();

	machine_start(cmdline);
	kmem_set_log(quiet, NULL);
	ok(model_start(&model, seed), "reference ready");
	for (unsigned long i = 0; i < (model.failed ? ops : longest) && !model.broken; i++) {
		model_step(&model);
		if (i % every == 0 && kmem_check()) {
			kmem_set_log(NULL, NULL);
			MODEL_FAIL(&model, "op %lu: kmem_check found %d faults", i, kmem_check());
		}
	}
	kmem_set_log(support_on_log, NULL);
	if (!model.broken)
		model_finish(&model);
	ok(!model.broken, "seed %llu, %lu operations, %lu refused, %lu misuses: %s",
	   (unsigned long long)seed, model.ops, model.failed, model.misuses,
	   model.broken ? model.why : "as the reference says");
	ok(model.failed > 0 || longest == ops, "memory ran out at times");
	machine_stop();
}

TEST(model_i386_with_highmem)
{
	run_model("mem=1G zones=i386 nr_cpus=2", model_ops(), false);
}

TEST(model_tight)
{
	run_model("mem=18M zones=i386 nr_cpus=4", model_ops(), true);
}

TEST(model_tight_without_percpu_lists)
{
	run_model("mem=18M zones=i386 nr_cpus=1 percpu_pages=0", model_ops(), true);
}

TEST(model_flat_debug)
{
	run_model("mem=48M zones=flat slab_debug=FZPU", model_ops() / 2, false);
}

TEST(model_x86_64_poisoned)
{
	run_model("mem=64M zones=x86_64 init_on_alloc=1 init_on_free=1", model_ops() / 2, false);
}

TEST(model_mobility)
{
	run_model("mem=64M zones=flat mobility=1 highatomic=1", model_ops(), false);
}

TEST(model_hardened)
{
	run_model("mem=64M zones=x86_64 hardened=1", model_ops(), false);
}
