/* SPDX-License-Identifier: MIT */
/*
 * Every call of the port that may refuse is made to refuse, in turn, once and for good. The library
 * then says so by NULL or a negative errno and has changed nothing: all of what was handed out can be
 * given back, nothing leaks, the machine's invariants hold, and it starts again.
 */
#include <kmem/kmem.h>
#include "sim.h"
#include "tap.h"

enum { THINGS = 64, CLASSES = 12, ORDERS = 9 }; /* a large part of 24 MiB, with two zones */

static const char *const machines[] = {
	"mem=24M zones=dma:4M,normal:rest nr_cpus=2 seed=1",
	"mem=24M zones=flat nr_cpus=2 seed=1 percpu_pages=0",
	"mem=24M zones=dma:4M,normal:8M,highmem:rest nr_cpus=2 seed=1",
};

struct fixture {
	const char *cmdline;
	struct sim_plan plan;
	bool booted;
	int boot_rc;
	unsigned int refused; /* allocations that gave NULL */
	unsigned int got;
	uint64_t calls; /* that could have been refused */
};

static void *count(struct fixture *f, void *p)
{
	if (p)
		f->got++;
	else
		f->refused++;
	return p;
}

static void use_caches(struct fixture *f)
{
	struct kmem_cache *c[3];
	void *obj[3][THINGS];

	for (int i = 0; i < 3; i++) {
		c[i] = count(f, kmem_cache_create("mine", 100u << i, 0, SLAB_NO_MERGE, NULL));
		for (int k = 0; k < THINGS; k++)
			obj[i][k] =
				c[i] ? count(f, kmem_cache_alloc(c[i], GFP_KERNEL | __GFP_NOWARN))
				     : NULL;
	}
	for (int i = 0; i < 3; i++) {
		for (int k = 0; k < THINGS; k++) {
			if (obj[i][k])
				kmem_cache_free(c[i], obj[i][k]);
		}
		sim_expect(!c[i] || kmem_cache_destroy(c[i]) == 0);
	}
}

static void use_kmalloc(struct fixture *f)
{
	void *p[CLASSES], *grown;

	for (unsigned int i = 0; i < CLASSES; i++)
		p[i] = count(f, kmalloc((size_t)16 << (i * 3 / 2), GFP_KERNEL | __GFP_NOWARN));
	for (unsigned int i = 0; i < CLASSES; i++) {
		grown = p[i] ? krealloc(p[i], (size_t)48 << i, GFP_KERNEL | __GFP_NOWARN) : NULL;
		kfree(grown ? grown : p[i]);
	}
}

static void use_pages(struct fixture *f)
{
	struct page *page[ORDERS][3], *run;

	for (unsigned int o = 0; o < ORDERS; o++) {
		page[o][0] = count(f, alloc_pages(GFP_KERNEL | __GFP_NOWARN, o));
		page[o][1] = count(f, alloc_pages(GFP_ATOMIC | __GFP_NOWARN, o));
		page[o][2] = count(f, alloc_pages(GFP_HIGHUSER | __GFP_NOWARN | __GFP_ZERO, o));
	}
	run = count(f, alloc_contig_pages(300, GFP_KERNEL | __GFP_NOWARN, 0, NULL));
	if (run)
		free_contig_range(page_to_pfn(run), 300);
	for (unsigned int o = 0; o < ORDERS; o++) {
		for (int k = 0; k < 3; k++) {
			if (page[o][k])
				__free_pages(page[o][k], o);
		}
	}
}

static void sound(const char *when)
{
	if (kmem_check() != 0)
		sim_fail("kmem_check %s: %s", when, sim_messages());
	if (kmem_misuse_count() != 0)
		sim_fail("misuse %s: %s", when, sim_messages());
}

static void body(void *arg)
{
	struct fixture *f = arg;
	struct sim_plan never = {SIM_NEVER, 0};

	sim_set_refuse(f->plan, SIM_ALL);
	f->boot_rc = kmem_boot(f->cmdline);
	f->booted = f->boot_rc == 0;
	if (f->booted) {
		for (int round = 0; round < 2; round++) {
			use_caches(f);
			use_kmalloc(f);
			use_pages(f);
			sound("after a refusal");
		}
		kmem_drain();
		sound("after kmem_drain");
		if (kmem_shutdown() != 0)
			sim_fail("leaks: %s", sim_messages());
	} else {
		sim_expect(f->boot_rc == -12 && !kmem_booted());
		sim_expect(kmem_boot_error()[0] != '\0');
		sim_expect(kmalloc(8, GFP_KERNEL | __GFP_NOWARN) == NULL);
	}
	sim_expect(!kmem_booted());
	f->calls = sim_refusable_calls();
	f->refused = 0;
	sim_set_refuse(never, SIM_ALL);
	if (kmem_boot(f->cmdline) != 0)
		sim_fail("it does not start again: %s", kmem_boot_error());
	use_caches(f);
	use_kmalloc(f);
	use_pages(f);
	sim_expect(f->refused == 0);
	sound("in the machine after");
	sim_expect(kmem_shutdown() == 0);
}

static bool run(struct fixture *f, enum sim_mode mode, bool no_meta)
{
	struct sim_config cfg = {.seed = 1, .nr_cpus = 2, .mode = mode, .no_meta = no_meta};

	sim_begin(&cfg);
	if (sim_call(body, f) != 0) {
		ok(false, "%s, plan %d:%llu: %s", f->cmdline, (int)f->plan.kind,
		   (unsigned long long)f->plan.n, sim_finding());
		return false;
	}
	sim_end();
	return true;
}

static bool all_in_turn(const char *cmdline, bool no_meta)
{
	struct fixture good = {.cmdline = cmdline, .plan = {SIM_NEVER, 0}};
	unsigned int boots = 0, noticed = 0;

	if (!run(&good, SIM_SIGNAL, no_meta))
		return false;
	ok(good.booted && good.calls > 3, "%llu calls", (unsigned long long)good.calls);
	for (uint64_t n = 1; n <= good.calls; n++) {
		struct fixture once = {.cmdline = cmdline, .plan = {SIM_NTH, n}};
		struct fixture ever = {.cmdline = cmdline, .plan = {SIM_FROM, n}};

		if (!run(&once, SIM_SIGNAL, no_meta) || !run(&ever, SIM_MASKED, no_meta))
			return false;
		boots += (unsigned int)!once.booted + (unsigned int)!ever.booted;
		noticed += once.booted && once.got < good.got;
		noticed += ever.booted && ever.got < good.got;
	}
	diag("%s%s: %llu calls, %u boots refused, %u runs with allocations refused", cmdline,
	     no_meta ? " (no tables)" : "", (unsigned long long)good.calls, boots, noticed);
	return ok(boots > 0) && ok(noticed > 0);
}

TEST(every_refusal_in_turn)
{
	for (unsigned int i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (!all_in_turn(machines[i], false))
			return; /* a machine is left running */
}

TEST(every_refusal_in_turn_without_tables_from_the_port)
{
	all_in_turn(machines[0], true);
}
