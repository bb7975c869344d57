/* SPDX-License-Identifier: MIT */
/*
 * The check of locks under every schedule: whatever the order of the two halves, and however many
 * tasks make them at once, the class is reported exactly once (S172); handlers that take locks in
 * between leave the task's own as they were.
 */
#include <kmem/kmem.h>
#include <kmem/port.h>
#include "reclaim/reclaim.h"
#include "sim.h"
#include "tap.h"

/* Of the world: restored before each schedule. */
static unsigned int reports;
static const char inode_class, page_class, handler_class[8];

static void on_misuse(enum kmem_misuse code, const void *addr, void *arg)
{
	(void)arg;
	sim_expect(code == KMEM_MISUSE_RECLAIM_RECURSION && addr == &inode_class);
	reports++;
}

static void boot(void *arg)
{
	(void)arg;
	sim_expect(kmem_boot("mem=8M zones=flat nr_cpus=3 lockdep=1") == 0);
	kmem_set_misuse_hook(on_misuse, NULL);
}

static void halt(void *arg)
{
	(void)arg;
	sim_expect(kmem_shutdown() == 0);
}

static void request(const void *class, gfp_t gfp)
{
	kmem_lock_acquired(class, "a lock", NULL);
	might_alloc(gfp);
	kmem_lock_released(class);
}

static void in_reclaim(const void *class)
{
	bool was = lockdep_reclaim_enter(true);

	kmem_lock_acquired(class, "a lock", NULL);
	kmem_lock_released(class);
	lockdep_reclaim_leave(was);
}

static void one_half_each(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 1) {
		in_reclaim(&inode_class);
		return;
	}
	request(&page_class, GFP_KERNEL);
	request(&inode_class, i ? GFP_KERNEL : GFP_NOFS);
	request(&inode_class, GFP_KERNEL);
}

static void one_report(void *arg)
{
	(void)arg;
	sim_expect(reports == 1);
	sim_expect(!port_task()->preempt && !port_task()->lock_class[0]);
}

TEST(S172_one_report_under_every_schedule)
{
	struct sim_scenario sc = {"halves", 3, boot, one_half_each, one_report, NULL};
	struct sim_config cfg = {.seed = 1, .nr_cpus = 3, .mode = SIM_SIGNAL};
	struct sim_search_limit limit = {.preemptions = 2};
	struct sim_search_result r;

	sim_search(&sc, &cfg, &limit, &r);
	diag("%llu schedules of up to %u choices", (unsigned long long)r.schedules, r.points);
	ok(!*r.finding, "%s; schedule %s", r.finding, r.schedule);
	ok(r.complete && r.schedules > 100, "all of them");
}

/* ---- Handlers ------------------------------------------------------------------------------------- */

static void handler(void *arg)
{
	const char *mine = &handler_class[sim_random() % 8];

	(void)arg;
	kmem_irq_enter();
	kmem_lock_acquired(mine, "a handler's", NULL);
	kmem_lock_acquired(mine, "a handler's", NULL);
	kmem_lock_released(mine);
	kmem_lock_released(mine);
	kmem_irq_exit();
}

static void worker(void *arg)
{
	(void)arg;
	for (unsigned int n = 0; n < 50; n++) {
		kmem_lock_acquired(&page_class, "page lock", NULL);
		request(&inode_class, GFP_NOFS);
		kmem_lock_acquired(&inode_class, "inode lock", NULL);
		kmem_lock_released(&page_class);
		sim_expect(port_task()->lock_class[0] && !port_task()->lock_class[1]);
		kmem_lock_released(&inode_class);
		sim_expect(!port_task()->preempt && !port_task()->lock_class[0]);
	}
}

TEST(handlers_leave_the_tasks_locks_alone)
{
	uint64_t handlers = 0;

	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct sim_config cfg = {
			.seed = seed,
			.nr_cpus = 3,
			.mode = seed % 2 ? SIM_SIGNAL : SIM_MASKED,
			.preempt_every = 5,
			.irq_every = 7,
			.irq = handler,
		};
		bool good;

		sim_begin(&cfg);
		good = sim_call(boot, NULL) == 0;
		for (unsigned int cpu = 0; good && cpu < 3; cpu++)
			sim_spawn(cpu, worker, NULL, "worker");
		good = good && sim_run() == 0 && sim_call(halt, NULL) == 0;
		handlers += sim_injections();
		ok(good, "seed %llu: %s", (unsigned long long)seed, good ? "" : sim_finding());
		sim_end();
	}
	diag("200 seeds, %llu handlers", (unsigned long long)handlers);
	ok(handlers > 1000, "handlers ran");
}
