/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <kmem/kmem.h>
#include <kmem/lru.h>
#include <kmem/port.h>
#include <kmem/swap.h>
#include "pool/pool.h"
#include "stored.h"
#include "swap.h"

enum { TASKS = 4, SHARED = 6, OWN = 4, OPS = 40, SLOTS = 16, WORDS = PAGE_SIZE / 8 };

struct item {
	struct kmem_swap_page *h;
	uint64_t value; /* of every word; 0: not written yet */
};

/* Of the program's static variables: restored with the machine before each schedule. */
static struct swap_load {
	struct mem_store area;
	struct item shared[SHARED], own[TASKS][OWN];
	uint64_t last, maps, offs, in, out;
	bool failing;
	unsigned char bytes[4 * SLOTS * PAGE_SIZE];
} load;

/* Between two points nothing happens: look and write are one. */
static void item_use(struct item *it, bool write)
{
	uint64_t *word;
	void *p;
	int rc = kmem_swap_map(it->h, GFP_HIGHUSER | __GFP_NOWARN, &p);

	if (rc) {
		if (!load.failing || (rc != -5 && rc != -28))
			sim_fail("a map failed: %d", rc);
		return;
	}
	load.maps++;
	word = p;
	for (unsigned int i = 0; it->value && i < WORDS; i++)
		if (word[i] != it->value)
			sim_fail("word %u is %llx, not %llx", i, (unsigned long long)word[i],
				 (unsigned long long)it->value);
	if (write || !it->value) {
		it->value = ++load.last;
		for (unsigned int i = 0; i < WORDS; i++)
			word[i] = it->value;
		write = true;
	}
	port_point();
	kmem_swap_unmap(it->h, p, write);
}

static void item_new(struct item *it)
{
	it->value = 0;
	it->h = kmem_swap_alloc(GFP_HIGHUSER);
	sim_expect(it->h);
	item_use(it, true);
}

static void item_end(struct item *it)
{
	kmem_swap_free(it->h);
	it->h = NULL;
}

/* What a task does that is short of memory. */
static void push_out(unsigned long nr)
{
	struct port_task *task = port_task();

	task->pf |= PF_MEMALLOC;
	for (int zone = 0; zone < KMEM_NR_ZONES; zone++)
		lru_provider.reclaim(&lru_provider, zone, nr, 0, GFP_KERNEL);
	task->pf &= ~PF_MEMALLOC;
}

/* -------- Small scenarios ------------------------------------------------------------------------- */

#define MACHINE "mem=2M zones=flat seed=1 nr_cpus=3 kswapd=0 percpu_pages=0 "

static void setup(unsigned int items)
{
	memset(&load, 0, sizeof(load));
	mem_store_over(&load.area, load.bytes, SLOTS * PAGE_SIZE);
	load.area.point = port_point;
	sim_expect(kmem_boot(MACHINE) == 0);
	sim_expect(kmem_swapon(&load.area.s) == 0);
	for (unsigned int i = 0; i < items; i++)
		item_new(&load.shared[i]);
}

static void setup_in(void *arg)
{
	(void)arg;
	setup(2);
}

static void setup_out(void *arg)
{
	(void)arg;
	setup(2);
	push_out(SHARED);
	sim_expect(!kmem_swap_resident(load.shared[0].h));
}

/* In memory, clean, with a slot. */
static void setup_clean(void *arg)
{
	setup_out(arg);
	item_use(&load.shared[0], false);
}

static void items_end(struct item *it, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (!it[i].h)
			continue;
		item_use(&it[i], false);
		item_end(&it[i]);
	}
}

static void machine_end(void)
{
	if (kmem_check() != 0)
		sim_fail("kmem_check: %s", sim_messages());
	items_end(load.shared, SHARED);
	for (unsigned int t = 0; t < TASKS; t++)
		items_end(load.own[t], OWN);
	if (kmem_stat_get()->swap_free != kmem_stat_get()->swap_total)
		sim_fail("a slot is lost");
	if (load.area.s.size && kmem_stat_get()->swap_total)
		sim_expect(kmem_swapoff() == 0);
	if (kmem_check() != 0 || kmem_misuse_count() != 0 || kmem_shutdown() != 0)
		sim_fail("in the end: %s", sim_messages());
}

static void check(void *arg)
{
	(void)arg;
	machine_end();
}

static void task_out_or_write(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0)
		push_out(1);
	else
		item_use(&load.shared[0], true);
}

static void task_out_or_free(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0)
		push_out(1);
	else
		item_end(&load.shared[i - 1]);
}

static void task_read(unsigned int i, void *arg)
{
	(void)i;
	(void)arg;
	item_use(&load.shared[0], false);
}

static void task_out(unsigned int i, void *arg)
{
	(void)i;
	(void)arg;
	push_out(1);
}

static void task_off_or_write(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0)
		sim_expect(kmem_swapoff() == 0);
	else
		item_use(&load.shared[0], true);
}

static void task_off_or_out(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0)
		sim_expect(kmem_swapoff() == 0);
	else
		push_out(1);
}

static void task_off_or_free(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0)
		sim_expect(kmem_swapoff() == 0);
	else
		item_end(&load.shared[i - 1]);
}

static void task_off_or_new(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0)
		sim_expect(kmem_swapoff() == 0);
	else
		item_new(&load.shared[1 + i]);
}

#define SCENE(nm, set, fn, two, three)                                                        \
	{                                                                                     \
		.sc = {.name = nm, .setup = set, .task = fn, .check = check}, .cpus2 = (two), \
		.cpus3 = (three)                                                              \
	}
const struct named_scenario swap_scenarios[] = {
	SCENE("written out and written to", setup_in, task_out_or_write, 2, 1),
	SCENE("released and written to", setup_clean, task_out_or_write, 2, 1),
	SCENE("written out and freed", setup_in, task_out_or_free, 2, 1),
	SCENE("released and freed", setup_clean, task_out_or_free, 2, 1),
	SCENE("brought in by all", setup_out, task_read, 2, 1),
	SCENE("brought out by all", setup_in, task_out, 2, 1),
	SCENE("swapoff and a write", setup_out, task_off_or_write, 2, 1),
	SCENE("swapoff and out", setup_clean, task_off_or_out, 2, 1),
	SCENE("swapoff and a new page", setup_in, task_off_or_new, 2, 1),
	SCENE("swapoff and freed", setup_clean, task_off_or_free, 2, 1),
};
const unsigned int nr_swap_scenarios = sizeof(swap_scenarios) / sizeof(swap_scenarios[0]);

/* -------- A random load ---------------------------------------------------------------------------- */

static void toggle_area(void)
{
	int rc = kmem_swapoff();

	load.offs += rc == 0;
	if (rc && rc != -22 && !(load.failing && (rc == -5 || rc == -28)))
		sim_fail("swapoff: %d", rc);
	rc = kmem_swapon(&load.area.s);
	if (rc && rc != -16)
		sim_fail("swapon: %d", rc);
}

static void worker(void *arg)
{
	struct item *own = load.own[(uintptr_t)arg];

	for (unsigned int n = 0; n < OPS; n++) {
		struct item *it = &own[sim_random() % OWN];

		switch (sim_random() % 10) {
		case 0 ... 2:
			item_use(&load.shared[sim_random() % SHARED], sim_random() % 2);
			break;
		case 3 ... 6:
			push_out(1 + sim_random() % 8);
			break;
		case 7 ... 8:
			if (!it->h)
				item_new(it);
			else if (sim_random() % 3)
				item_use(it, sim_random() % 2);
			else
				item_end(it);
			break;
		default:
			if (sim_random() % 4 == 0)
				toggle_area();
			else
				kmem_swap_in(load.shared[sim_random() % SHARED].h, GFP_HIGHUSER);
		}
	}
}

static void handler(void *arg)
{
	void *p = kmalloc(1 + sim_random() % 300, GFP_ATOMIC | __GFP_NOWARN);

	(void)arg;
	kfree(p);
}

static void load_begin(void *arg)
{
	static const char *const machines[] = {
		MACHINE,
		"mem=3M zones=normal:2M,highmem:rest seed=1 nr_cpus=3 kswapd=0",
	};

	sim_expect(kmem_boot(machines[(uintptr_t)arg % 2]) == 0);
	sim_expect(kmem_swapon(&load.area.s) == 0);
	for (unsigned int i = 0; i < SHARED; i++)
		item_new(&load.shared[i]);
	load.area.percent = load.failing ? 20 : 0;
}

static void load_end(void *arg)
{
	const struct kmem_stat *st = kmem_stat_get();

	(void)arg;
	load.area.percent = 0;
	load.failing = false;
	load.in += kmem_stat_events(st, KMEM_EV_pswpin);
	load.out += kmem_stat_events(st, KMEM_EV_pswpout);
	machine_end();
}

bool swap_seed(uint64_t seed, struct swap_sum *sum)
{
	struct sim_config cfg = stored_config(seed, handler);
	bool good;

	memset(&load, 0, sizeof(load));
	/* The smallest area is full before all are out. */
	mem_store_over(&load.area, load.bytes, (seed % 5 ? 4 * SLOTS : SLOTS / 4) * PAGE_SIZE);
	stored_start(&load.area);
	load.area.error = seed % 2 ? -5 : -28;
	load.failing = seed % 2;
	sim_begin(&cfg);
	good = sim_call(load_begin, (void *)(uintptr_t)(seed / 2)) == 0;
	for (uintptr_t i = 0; i < TASKS; i++)
		sim_spawn((unsigned int)(i % 3), worker, (void *)i, "worker");
	good = good && sim_run() == 0 && sim_call(load_end, NULL) == 0;
	sum->steps += sim_steps();
	sum->in += load.in;
	sum->out += load.out;
	sum->failures += load.area.failures;
	sum->maps += load.maps;
	sum->offs += load.offs;
	if (good)
		sim_end();
	return good;
}
