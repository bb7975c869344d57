/* SPDX-License-Identifier: MIT */
#include <kmem/dmapool.h>
#include <kmem/kmem.h>
#include <kmem/mempool.h>
#include <kmem/percpu.h>
#include <kmem/port.h>
#include <stdlib.h>
#include <string.h>
#include "pools.h"

#define MACHINE	 "mem=2M zones=flat seed=1 nr_cpus=3 "
#define SECOND	 1000000000ull
#define NOT_HELD 0

enum { ELEMENTS = 16, TASKS_MAX = 3 };

/* Static variables are restored with the machine before each schedule. */
static struct element {
	unsigned int owner; /* task + 1 */
	bool made;
} elements[ELEMENTS];
static unsigned int left; /* how often alloc_fn is willing */
static mempool_t pool;
static struct element *held[TASKS_MAX];

/* ---- Elements: made and unmade, each with one owner ----------------------------------------------- */

static void *element_alloc(gfp_t gfp, void *data)
{
	(void)gfp;
	(void)data;
	port_point();
	if (left == 0)
		return NULL;
	left--;
	for (unsigned int i = 0; i < ELEMENTS; i++) {
		if (!elements[i].made) {
			elements[i].made = true;
			return &elements[i];
		}
	}
	return NULL;
}

static void element_free(void *el, void *data)
{
	struct element *e = el;

	(void)data;
	port_point();
	sim_expect(e->made && e->owner == NOT_HELD);
	e->made = false;
}

static unsigned int elements_made(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < ELEMENTS; i++)
		n += elements[i].made;
	return n;
}

static struct element *own(struct element *e, unsigned int owner)
{
	if (!e)
		return NULL;
	sim_expect(e->made && e->owner == NOT_HELD);
	e->owner = owner;
	return e;
}

static void give(struct element **e, unsigned int owner)
{
	struct element *was = *e;

	*e = NULL;
	if (!was)
		return;
	sim_expect(was->owner == owner);
	was->owner = NOT_HELD;
	mempool_free(was, &pool);
}

static void take(unsigned int i, gfp_t gfp)
{
	held[i] = own(mempool_alloc(&pool, gfp), i + 1);
}

/* ---- Scenarios ------------------------------------------------------------------------------------ */

static void setup(int min_nr, bool others_hold)
{
	sim_expect(kmem_boot(MACHINE) == 0);
	left = (unsigned int)min_nr;
	sim_expect(mempool_init(&pool, min_nr, element_alloc, element_free, NULL) == 0);
	for (int i = 0; others_hold && i < min_nr; i++)
		take((unsigned int)i, GFP_NOWAIT);
	sim_expect(left == 0);
}

static void setup_one_held(void *arg)
{
	(void)arg;
	setup(1, true);
}

static void setup_one(void *arg)
{
	(void)arg;
	setup(1, false);
}

static void setup_two_held(void *arg)
{
	(void)arg;
	setup(2, true);
}

/* Task 0 frees what the others wait for; each of them passes it on. */
static void task_wait(unsigned int i, void *arg)
{
	(void)arg;
	if (i)
		take(i, GFP_KERNEL);
	give(&held[i], i + 1);
}

/* The others keep what they get: one from the reserve, one from alloc_fn, which is willing now. */
static void task_keep(unsigned int i, void *arg)
{
	(void)arg;
	if (i) {
		take(i, GFP_KERNEL);
		return;
	}
	left = 1;
	give(&held[0], 1);
}

static void task_in_turn(unsigned int i, void *arg)
{
	(void)arg;
	take(i, GFP_KERNEL);
	give(&held[i], i + 1);
}

static void task_swap(unsigned int i, void *arg)
{
	(void)arg;
	if (held[i])
		give(&held[i], i + 1);
	take(i, GFP_KERNEL);
	give(&held[i], i + 1);
}

static void task_resize(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0)
		sim_expect(mempool_resize(&pool, 3) == 0);
	else
		give(&held[i], i + 1);
	give(&held[i], i + 1);
}

static void task_smaller(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0)
		sim_expect(mempool_resize(&pool, 1) == 0);
	give(&held[i], i + 1);
	take(i, GFP_NOWAIT);
}

/* Frees what task 0 was going to, or takes one and frees it. */
static void mempool_handler(void)
{
	struct element *e;

	if (held[0]) {
		give(&held[0], 1);
		return;
	}
	e = own(mempool_alloc(&pool, GFP_ATOMIC), 100);
	give(&e, 100);
}

static void check_machine(void)
{
	if (kmem_check() != 0 || kmem_shutdown() != 0)
		sim_fail("machine: %s", sim_messages());
	if (kmem_misuse_count() != 0)
		sim_fail("misuse: %s", sim_messages());
}

static void check(void *arg)
{
	(void)arg;
	if (port_now_ns() > SECOND)
		sim_fail("somebody has slept for longer than it takes: a lost wake-up");
	for (unsigned int i = 0; i < TASKS_MAX; i++)
		give(&held[i], i + 1);
	sim_expect(pool.waiters == 0);
	sim_expect(pool.curr_nr + (int)pool.nr_aside >=
		   (pool.made < pool.min_nr ? pool.made : pool.min_nr));
	sim_expect((int)elements_made() == pool.curr_nr + (int)pool.nr_aside);
	if (mempool_check(&pool) != 0)
		sim_fail("mempool_check: %s", sim_messages());
	mempool_exit(&pool);
	sim_expect(elements_made() == 0);
	check_machine();
}

/* ---- DMA pools: two blocks a page ------------------------------------------------------------------- */

enum { BLOCK = 2048, HANDLERS_BYTE = 100 };

struct device {
	int nothing;
};
static struct device device;
static struct dma_pool *dma_pool;
static struct dma_block {
	unsigned char *p;
	dma_addr_t dma;
} block[TASKS_MAX], handlers_block;

static void block_take(struct dma_block *b, unsigned int byte)
{
	b->p = dma_pool_alloc(dma_pool, GFP_ATOMIC | __GFP_NOWARN, &b->dma);
	if (b->p)
		memset(b->p, (int)byte, BLOCK);
}

static void block_give(struct dma_block *b, unsigned int byte)
{
	struct dma_block was = *b;

	b->p = NULL;
	for (unsigned int i = 0; was.p && i < BLOCK; i += BLOCK / 8)
		sim_expect(was.p[i] == byte);
	if (was.p)
		dma_pool_free(dma_pool, was.p, was.dma);
}

static void dma_setup(void *arg)
{
	(void)arg;
	sim_expect(kmem_boot(MACHINE) == 0);
	dma_pool = dma_pool_create("scene", &device, BLOCK, 0, 0);
	sim_expect(dma_pool);
	for (unsigned int i = 0; i < TASKS_MAX; i++)
		block_take(&block[i], i + 1);
}

static void dma_task(unsigned int i, void *arg)
{
	(void)arg;
	block_give(&block[i], i + 1);
	block_take(&block[i], i + 1);
}

static void dma_handler(void)
{
	block_give(&handlers_block, HANDLERS_BYTE);
	block_take(&handlers_block, HANDLERS_BYTE);
}

static void dma_check(void *arg)
{
	(void)arg;
	sim_expect(dma_pool_check(dma_pool) == 0);
	for (unsigned int i = 0; i < TASKS_MAX; i++)
		block_give(&block[i], i + 1);
	block_give(&handlers_block, HANDLERS_BYTE);
	sim_expect(dma_pool_check(dma_pool) == 0);
	dma_pool_destroy(dma_pool);
	check_machine();
}

/* ---- Per-CPU objects --------------------------------------------------------------------------------- */

static unsigned int __percpu *object[TASKS_MAX], *handlers_object;

static unsigned int __percpu *object_take(unsigned int value)
{
	unsigned int __percpu *p = alloc_percpu_gfp(unsigned int, GFP_ATOMIC | __GFP_NOWARN);
	unsigned int cpu;

	for (cpu = 0; p && cpu < 3; cpu++) {
		sim_expect(*per_cpu_ptr(p, cpu) == 0);
		*per_cpu_ptr(p, cpu) = value;
	}
	return p;
}

static void object_give(unsigned int __percpu **p, unsigned int value)
{
	unsigned int __percpu *was = *p;

	*p = NULL;
	for (unsigned int cpu = 0; was && cpu < 3; cpu++)
		sim_expect(*per_cpu_ptr(was, cpu) == value);
	free_percpu(was);
}

static void percpu_setup(void *arg)
{
	(void)arg;
	sim_expect(kmem_boot(MACHINE) == 0);
	free_percpu(alloc_percpu(unsigned int));
	for (unsigned int i = 0; i < TASKS_MAX; i++)
		object[i] = object_take(i + 1);
	handlers_object = object_take(HANDLERS_BYTE);
	sim_expect(handlers_object);
}

static void percpu_task(unsigned int i, void *arg)
{
	(void)arg;
	object_give(&object[i], i + 1);
	object[i] = object_take(i + 1);
}

static void percpu_handler(void)
{
	object_give(&handlers_object, HANDLERS_BYTE);
	handlers_object = object_take(HANDLERS_BYTE);
}

static void percpu_check(void *arg)
{
	(void)arg;
	if (kmem_percpu_check() != 0)
		sim_fail("per-CPU memory: %s", sim_messages());
	for (unsigned int i = 0; i < TASKS_MAX; i++)
		object_give(&object[i], i + 1);
	object_give(&handlers_object, HANDLERS_BYTE);
	check_machine();
}

static void handler(void *arg)
{
	(void)arg;
	if (dma_pool)
		dma_handler();
	else if (mempool_initialized(&pool))
		mempool_handler();
	else
		percpu_handler();
}

/* Bounds: preemptions with 2 CPUs, with 3, and with 2 and a handler (0: not run). */
const struct named_scenario pool_scenarios[] = {
	{{"mempool: wait for a free", 0, setup_one_held, task_wait, check, NULL}, 4, 2, 3},
	{{"mempool: an element each", 0, setup_one_held, task_keep, check, NULL}, 4, 2, 3},
	{{"mempool: in turn", 0, setup_one, task_in_turn, check, NULL}, 4, 2, 3},
	{{"mempool: free, then wait", 0, setup_two_held, task_swap, check, NULL}, 3, 2, 2},
	{{"mempool: larger", 0, setup_two_held, task_resize, check, NULL}, 2, 0, 2},
	{{"dma_pool: free and alloc", 0, dma_setup, dma_task, dma_check, NULL}, 3, 2, 2},
	{{"per-CPU: free and alloc", 0, percpu_setup, percpu_task, percpu_check, NULL}, 2, 1, 2},
	{{"mempool: smaller", 0, setup_two_held, task_smaller, check, NULL}, 2, 1, 2},
};
const unsigned int nr_pool_scenarios = sizeof(pool_scenarios) / sizeof(pool_scenarios[0]);

void pool_search(const struct named_scenario *s, unsigned int cpus, unsigned int preemptions,
		 bool handlers, enum sim_mode mode, struct sim_search_result *r)
{
	struct sim_scenario sc = s->sc;
	struct sim_config cfg = {.seed = 1, .nr_cpus = 3, .mode = mode};
	struct sim_search_limit limit = {.preemptions = preemptions, .handlers = handlers};

	sc.nr_tasks = cpus;
	cfg.irq = handlers ? handler : NULL;
	cfg.irq_max = 1;
	sim_search(&sc, &cfg, &limit, r);
}

/* ---- A random load -------------------------------------------------------------------------------- */

enum { CPUS_MAX = 6, ROUNDS = 60, SIZE = 200, HOGS = 400 };

/* In the host's memory: no part of the machine. */
struct mempool_load {
	mempool_t *pool;
	struct kmem_cache *cache;
	unsigned int cpus, unwilling; /* percent */
	void *submitted[CPUS_MAX];    /* elements that a handler may complete */
	uint32_t live, number;
	void *hog[HOGS];
	struct mempool_sum sum;
};

static void *load_alloc(gfp_t gfp, void *data)
{
	struct mempool_load *l = data;
	void *el = NULL;

	if (sim_random() % 100 >= l->unwilling)
		el = kmem_cache_alloc(l->cache, gfp);
	if (el)
		l->live++;
	else
		l->sum.refused++;
	return el;
}

static void load_free(void *el, void *data)
{
	struct mempool_load *l = data;

	l->live--;
	kmem_cache_free(l->cache, el);
}

/* All of an element says whose it is. */
static void *stamp(struct mempool_load *l, void *el)
{
	unsigned char byte = (unsigned char)(1 + l->number++ % 90); /* no poison */

	if (el) {
		memset(el, byte, SIZE);
		l->sum.elements++;
	}
	return el;
}

static void stamped(const void *el)
{
	const unsigned char *p = el;

	for (unsigned int i = 1; i < SIZE; i++)
		sim_expect(p[i] == p[0]);
}

static void complete(struct mempool_load *l, void *el)
{
	if (!el)
		return;
	stamped(el);
	mempool_free(el, l->pool);
}

static void *submitted_take(struct mempool_load *l, unsigned int cpu)
{
	void *el = l->submitted[cpu];

	l->submitted[cpu] = NULL;
	return el;
}

/* What a device's interrupt does: completes requests, and now and then makes one of its own. */
static void load_handler(void *arg)
{
	struct mempool_load *l = arg;
	void *el;

	if (!l->pool)
		return;
	for (uint64_t n = sim_random() % 3; n; n--)
		complete(l, submitted_take(l, (unsigned int)(sim_random() % l->cpus)));
	l->sum.aside += l->pool->nr_aside != 0;
	el = stamp(l, mempool_alloc(l->pool, GFP_ATOMIC));
	complete(l, el);
}

static void *wait_for_one(struct mempool_load *l)
{
	uint64_t before = port_now_ns();
	void *el = mempool_alloc(l->pool, sim_random() % 2 ? GFP_KERNEL : GFP_NOIO);

	sim_expect(el);
	if (port_now_ns() - before > SECOND)
		sim_fail("a wait of %llu ms: a lost wake-up",
			 (unsigned long long)((port_now_ns() - before) / 1000000));
	return stamp(l, el);
}

struct load_task {
	struct mempool_load *l;
	unsigned int nr;
};

static void load_task(void *arg)
{
	struct load_task *t = arg;
	struct mempool_load *l = t->l;
	void *el;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		/* What is waited for must come back: nobody waits with an element in hand. */
		complete(l, submitted_take(l, t->nr));
		el = sim_random() % 4 ? wait_for_one(l)
				      : stamp(l, mempool_alloc_preallocated(l->pool));
		if (el && sim_random() % 2)
			l->submitted[t->nr] = el;
		else
			complete(l, el);
	}
	complete(l, submitted_take(l, t->nr));
}

static void load_resizer(void *arg)
{
	struct mempool_load *l = arg;

	for (unsigned int i = 0; i < ROUNDS / 10; i++) {
		int err = mempool_resize(l->pool, 1 + (int)(sim_random() % 6));

		sim_expect(err == 0 || err == -12);
		for (unsigned int k = 0; k < 20; k++)
			port_relax();
	}
}

static void load_begin(void *arg)
{
	struct mempool_load *l = arg;
	unsigned int unwilling = l->unwilling;

	sim_expect(kmem_boot("mem=4M zones=flat seed=1") == 0);
	l->cache = kmem_cache_create("elements", SIZE, 0, SLAB_NO_MERGE, NULL);
	l->unwilling = 0;
	l->pool = mempool_create(1 + (int)(sim_random() % 4), load_alloc, load_free, l);
	l->unwilling = unwilling;
	sim_expect(l->cache && l->pool);
}

static void load_end(void *arg)
{
	struct mempool_load *l = arg;
	mempool_t *was = l->pool;

	sim_expect(mempool_check(was) == 0 && was->waiters == 0);
	sim_expect(l->live == (uint32_t)was->curr_nr + was->nr_aside);
	l->pool = NULL;
	mempool_destroy(was);
	sim_expect(l->live == 0 && kmem_misuse_count() == 0);
	sim_expect(kmem_cache_destroy(l->cache) == 0);
	if (kmem_check() != 0 || kmem_shutdown() != 0)
		sim_fail("machine: %s", sim_messages());
}

static void load_shape(struct mempool_load *l, struct sim_config *cfg, uint64_t seed)
{
	static const unsigned int unwilling[] = {100, 60, 0};

	l->cpus = 2 + (unsigned int)(seed % 5);
	l->unwilling = unwilling[seed % 3];
	cfg->seed = seed;
	cfg->nr_cpus = l->cpus;
	cfg->mode = seed % 4 ? SIM_SIGNAL : SIM_MASKED;
	cfg->preempt_every = 5 + (uint32_t)(seed % 40);
	cfg->irq_every = 20 + (uint32_t)(seed % 100);
	cfg->irq = load_handler;
	cfg->irq_arg = l;
	cfg->no_spawn = cfg->mode == SIM_MASKED;
}

static bool load_tasks(struct mempool_load *l)
{
	struct load_task t[CPUS_MAX];

	for (unsigned int i = 0; i < l->cpus; i++) {
		t[i] = (struct load_task){l, i};
		sim_spawn(i, load_task, &t[i], "user");
	}
	if (l->unwilling == 60)
		sim_spawn(0, load_resizer, l, "resizer");
	return sim_run() == 0;
}

bool mempool_seed(uint64_t seed, struct mempool_sum *sum)
{
	struct mempool_load *l = calloc(1, sizeof(*l));
	struct sim_config cfg = {0};
	bool good;

	if (!l)
		abort();
	load_shape(l, &cfg, seed);
	sim_begin(&cfg);
	good = sim_call(load_begin, l) == 0;
	sim_set_refuse((struct sim_plan){SIM_PERCENT, 50}, SIM_COMMIT);
	good = good && load_tasks(l) && sim_call(load_end, l) == 0;
	sum->steps += sim_steps();
	sum->injections += sim_injections();
	sum->elements += l->sum.elements;
	sum->refused += l->sum.refused;
	sum->aside += l->sum.aside;
	if (good)
		sim_end();
	free(l);
	return good;
}
