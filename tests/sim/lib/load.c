/* SPDX-License-Identifier: MIT */
#include <kmem/kmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "load.h"
#include "owner.h"

enum {
	SLOTS = 48,  /* live things of a task */
	SHARED = 32, /* things on their way from one task to another, or to a handler */
	PHASES = 2,  /* the machine is checked after each */
	CACHES = 5,
	BULK = 40,
	ORDER_MAX = 4,
	STARVE_NS = 400000000, /* longer than most runs */
};

/* Of the host's memory: no part of the machine, and no point lies between two accesses. */
struct load {
	struct load_base base; /* first */
	struct kmem_cache *cache[CACHES];
	struct thing own[SIM_MAX_CPUS][SLOTS], shared[SHARED];
	struct owners owners;
	unsigned long misuses; /* of earlier runs */
};

static const unsigned int cache_size[CACHES] = {24, 72, 200, 1000, 4096};

static uint64_t below(uint64_t n)
{
	return sim_random() % n;
}

/* ---- Things ------------------------------------------------------------------------------------------ */

static bool born(struct load *l, struct thing *t)
{
	if (!t->p) {
		l->base.failed++;
		t->kind = NOTHING;
		sim_log("none\n");
		return false;
	}
	thing_born(&l->owners, t);
	l->base.allocs++;
	return true;
}

/* ---- Single operations --------------------------------------------------------------------------- */

static gfp_t some_gfp(void)
{
	static const gfp_t tasks[] = {GFP_KERNEL, GFP_KERNEL, GFP_NOFS, GFP_NOWAIT, GFP_ATOMIC};

	if (sim_in_handler())
		return GFP_ATOMIC | __GFP_NOWARN;
	return tasks[below(sizeof(tasks) / sizeof(tasks[0]))] | __GFP_NOWARN | __GFP_NORETRY;
}

static struct thing get_kmalloc(void)
{
	size_t size = 8 + (size_t)below(below(16) ? 500 : 20000);
	struct thing t = {.kind = KMALLOC, .size = size};

	t.p = below(4) ? kmalloc(size, some_gfp()) : kzalloc(size, some_gfp());
	return t;
}

static struct thing get_object(struct load *l)
{
	unsigned int c = (unsigned int)below(CACHES);
	struct thing t = {.kind = OBJECT, .size = cache_size[c], .cache = c};

	t.p = kmem_cache_alloc(l->cache[c], some_gfp());
	return t;
}

static struct thing get_pages(void)
{
	unsigned int order = below(3) ? 0 : (unsigned int)below(ORDER_MAX);
	struct thing t = {.kind = PAGES, .size = PAGE_SIZE << order, .order = order};
	struct page *page = alloc_pages(some_gfp(), order);

	t.p = page ? page_address(page) : NULL;
	return t;
}

static bool get(struct load *l, struct thing *out)
{
	uint64_t what = below(8);
	struct thing t = what < 3 ? get_kmalloc() : what < 7 ? get_object(l) : get_pages();

	if (!born(l, &t))
		return false;
	*out = t;
	return true;
}

static void put(struct load *l, struct thing *t)
{
	struct thing old = *t;

	t->kind = NOTHING;
	if (old.kind == NOTHING)
		return;
	thing_dies(&l->owners, &old);
	if (old.kind == PAGES)
		__free_pages(virt_to_page(old.p), old.order);
	else if (old.kind == OBJECT && below(4))
		kmem_cache_free(l->cache[old.cache], old.p);
	else
		kfree(old.p);
}

/* The slot is empty meanwhile: a handler may come. */
static void resize(struct load *l, struct thing *t)
{
	struct thing old = *t, new = *t;

	if (old.kind != KMALLOC)
		return;
	t->kind = NOTHING;
	new.size = 8 + (size_t)below(700);
	thing_dies(&l->owners, &old);
	new.p = krealloc(old.p, new.size, some_gfp());
	if (!new.p) {
		thing_revived(&l->owners, &old);
		*t = old;
		return;
	}
	if (memcmp(new.p, &old.id, sizeof(old.id)) != 0)
		sim_fail("krealloc lost the contents of thing %u", old.id);
	if (born(l, &new))
		*t = new;
}

static void bulk(struct load *l)
{
	unsigned int c = (unsigned int)below(CACHES);
	int n = 1 + (int)below(BULK);
	struct thing t[BULK];
	void *p[BULK];

	if (kmem_cache_alloc_bulk(l->cache[c], some_gfp(), (size_t)n, p) != n)
		return;
	for (int i = 0; i < n; i++) {
		t[i] = (struct thing){.kind = OBJECT, .p = p[i], .size = cache_size[c], .cache = c};
		born(l, &t[i]);
	}
	for (int i = 0; i < n; i++)
		thing_dies(&l->owners, &t[i]);
	kmem_cache_free_bulk(l->cache[c], (size_t)n, p);
}

static void exchange_at(struct thing *place, struct thing *mine)
{
	struct thing t = *place;

	*place = *mine;
	*mine = t;
}

static void exchange(struct load *l, struct thing *mine)
{
	exchange_at(&l->shared[below(SHARED)], mine);
}

static void own_cache(struct load *l)
{
	char name[KMEM_NAME_MAX];
	struct kmem_cache *c;
	struct thing t = {.kind = OBJECT, .size = 100};

	snprintf(name, sizeof(name), "own-%u", sim_task_nr());
	c = kmem_cache_create(name, 100, 0, below(2) ? SLAB_NO_MERGE : SLAB_HWCACHE_ALIGN, NULL);
	if (!c)
		return;
	t.p = kmem_cache_alloc(c, some_gfp());
	if (born(l, &t)) {
		thing_dies(&l->owners, &t);
		kmem_cache_free(c, t.p);
	}
	if (kmem_cache_destroy(c) != 0)
		sim_fail("a cache without objects could not be destroyed");
}

static void rare(struct load *l)
{
	struct kmem_cache *c = l->cache[below(CACHES)];

	switch (below(8)) {
	case 0:
		kmem_cache_shrink(c);
		break;
	case 1:
		kmem_drain();
		break;
	case 2:
		drain_all_pages();
		break;
	case 3:
		kmem_cache_reap();
		break;
	case 4:
		own_cache(l);
		break;
	case 5:
		kmem_synchronize_rcu();
		break;
	default:
		bulk(l);
		break;
	}
}

static void step(struct load *l, struct thing *slot)
{
	uint64_t what = below(64);

	if (what == 0)
		rare(l);
	else if (what < 6)
		resize(l, slot);
	else if (what < 20)
		exchange(l, slot);
	else if (what < 24 && slot->kind == OBJECT)
		put(l, slot);
	else if (slot->kind == NOTHING)
		get(l, slot);
	else
		put(l, slot);
}

/* ---- Tasks and the handler ------------------------------------------------------------------------ */

struct worker {
	struct load *load;
	unsigned int nr, ops;
};

/* A read section: nothing in it may wait for a grace period. */
static void read_section(struct load *l, struct thing *slot)
{
	kmem_rcu_read_lock();
	exchange(l, slot);
	if (below(2))
		put(l, slot);
	kmem_rcu_read_unlock();
}

static void worker_main(void *arg)
{
	struct worker *w = arg;
	struct thing *own = w->load->own[w->nr];

	for (unsigned int i = 0; i < w->ops; i++) {
		if (below(32) == 0)
			read_section(w->load, &own[below(SLOTS)]);
		else
			step(w->load, &own[below(SLOTS)]);
	}
}

/* Its things it has from, and leaves on, the shared table; one place at a time, held by no one. */
static void handler(void *arg)
{
	struct load *l = arg;
	bool told = l->base.cfg.mode == SIM_MASKED || below(2);
	struct thing mine = {.kind = NOTHING};

	if (told)
		kmem_irq_enter();
	for (uint64_t n = 1 + below(4); n; n--) {
		exchange(l, &mine);
		if (mine.kind == NOTHING)
			get(l, &mine);
		else
			put(l, &mine);
	}
	for (unsigned int i = 0; i < SHARED && mine.kind != NOTHING; i++) {
		if (l->shared[i].kind == NOTHING)
			exchange_at(&l->shared[i], &mine);
	}
	put(l, &mine);
	if (told)
		kmem_irq_exit();
}

/* ---- A run ----------------------------------------------------------------------------------------- */

static void constructor(void *obj)
{
	memset(obj, 0x11, 8);
}

static void load_boot(void *arg)
{
	static const char *const machines[] = {
		"mem=8M zones=flat",
		"mem=8M zones=dma:1M,normal:rest",
		"mem=8M zones=dma:1M,dma32:2M,normal:rest",
		"mem=8M zones=flat percpu_pages=0",
		"mem=6M zones=flat slab_nomerge init_on_alloc=1 init_on_free=1",
		"mem=8M zones=flat slab_debug=FZP,load-200",
	};
	struct load *l = arg;
	char line[200];

	snprintf(line, sizeof(line), "%s nr_cpus=%u seed=%llu",
		 machines[below(sizeof(machines) / sizeof(machines[0]))], l->base.cfg.cpus,
		 (unsigned long long)l->base.cfg.seed + 1);
	sim_log("boot %s\n", line);
	if (kmem_boot(line) != 0)
		sim_fail("kmem_boot(%s): %s", line, kmem_boot_error());
	l->owners.low = phys_to_virt(0);
	l->misuses = kmem_misuse_count();
	for (unsigned int i = 0; i < CACHES; i++) {
		char name[KMEM_NAME_MAX];

		snprintf(name, sizeof(name), "load-%u", cache_size[i]);
		l->cache[i] =
			kmem_cache_create(name, cache_size[i], 0, i == 1 ? SLAB_TYPESAFE_BY_RCU : 0,
					  i == 2 ? constructor : NULL);
		sim_expect(l->cache[i]);
	}
}

static void load_check(void *arg)
{
	struct load *l = arg;
	int faults = kmem_check();

	if (faults)
		sim_fail("kmem_check: %d faults: %s", faults, sim_messages());
	if (kmem_misuse_count() != l->misuses)
		sim_fail("misuse reported: %s", sim_messages());
}

static void load_end(void *arg)
{
	struct load *l = arg;
	unsigned long leaks;

	for (unsigned int i = 0; i < l->base.cfg.cpus; i++) {
		for (unsigned int k = 0; k < SLOTS; k++)
			put(l, &l->own[i][k]);
	}
	for (unsigned int k = 0; k < SHARED; k++)
		put(l, &l->shared[k]);
	load_check(l);
	for (unsigned int i = 0; i < CACHES; i++) {
		if (kmem_cache_destroy(l->cache[i]) != 0)
			sim_fail("%s: objects are left: %s", kmem_cache_name(l->cache[i]),
				 sim_messages());
	}
	leaks = kmem_shutdown();
	if (leaks)
		sim_fail("%lu leaks: %s", leaks, sim_messages());
}

static bool load_phases(void *arg)
{
	struct load *l = arg;
	struct worker w[SIM_MAX_CPUS];

	if (sim_call(load_boot, l) != 0)
		return false;
	sim_set_refuse(l->base.cfg.refuse, SIM_COMMIT | SIM_META | SIM_VMAP);
	for (unsigned int phase = 0; phase < PHASES; phase++) {
		for (unsigned int i = 0; i < l->base.cfg.cpus; i++) {
			w[i] = (struct worker){l, i, l->base.cfg.ops / PHASES};
			sim_spawn(i, worker_main, &w[i], "worker");
		}
		if (sim_run() != 0 || sim_call(load_check, l) != 0)
			return false;
	}
	return sim_call(load_end, l) == 0;
}

/* What the configuration leaves open the seed decides. */
static void load_choices(struct load_config *cfg)
{
	static const uint32_t preempt[] = {2, 8, 30, 150}, irq[] = {40, 200, 1000};
	/* There a handler takes longer, and more than every tenth leaves no time for the tasks. */
	const uint32_t longer = cfg->pressure ? 20 : 1;
	uint64_t s = cfg->seed;

	if (!cfg->cpus)
		cfg->cpus = 4;
	if (!cfg->ops)
		cfg->ops = 200;
	if (!cfg->preempt && !cfg->no_preempt)
		cfg->preempt = preempt[s % 4];
	if (!cfg->irq && !cfg->no_irq)
		cfg->irq = irq[s / 4 % 3] * longer;
	if (!cfg->mode_given)
		cfg->mode = s / 12 % 2 ? SIM_SIGNAL : SIM_MASKED;
}

static const struct load_kind plain = {sizeof(struct load), load_phases, handler, NULL};

int load_run(const struct load_config *given, struct load_result *r)
{
	const struct load_kind *kind = given->pressure ? &load_pressure : &plain;
	struct load_base *l = calloc(1, kind->size);
	struct sim_config cfg;

	if (!l)
		abort();
	l->cfg = *given;
	load_choices(&l->cfg);
	cfg = (struct sim_config){
		.seed = l->cfg.seed,
		.nr_cpus = l->cfg.cpus,
		.mode = l->cfg.mode,
		.preempt_every = l->cfg.preempt,
		.irq_every = l->cfg.irq,
		.migrate_every = l->cfg.mode == SIM_SIGNAL && l->cfg.seed % 3 == 0 ? 8 : 0,
		.starve_ns = l->cfg.pressure && l->cfg.seed % 4 == 1 ? STARVE_NS : 0,
		.dirty = l->cfg.seed % 5 == 0,
		.no_meta = l->cfg.seed % 7 == 0 && l->cfg.cpus <= 4,
		.no_spawn = l->cfg.mode == SIM_MASKED,
		.irq = kind->handler,
		.irq_arg = l,
		.log = l->cfg.log,
		.verbose = l->cfg.verbose,
	};
	memset(r, 0, sizeof(*r));
	sim_begin(&cfg);
	if (!kind->phases(l))
		snprintf(r->finding, sizeof(r->finding), "%s", sim_finding());
	r->steps = sim_steps();
	r->switches = sim_switches();
	r->injections = sim_injections();
	r->refusals = sim_refusals();
	r->allocs = l->allocs;
	r->failed = l->failed;
	if (kind->result)
		kind->result(l, r);
	r->hash = sim_log_hash();
	sim_end();
	free(l);
	return *r->finding != 0;
}

static const char *plan_name(enum sim_plan_kind kind)
{
	static const char *const names[] = {"never", "nth", "every", "from", "percent"};

	return names[kind];
}

void load_command(const struct load_config *given, char *buf, size_t len)
{
	struct load_config c = *given;
	int n;

	load_choices(&c);
	n = snprintf(buf, len,
		     "kmem sim%s --seed=%llu --cpus=%u --ops=%u --preempt=%u --irq=%u --mode=%s",
		     c.pressure ? " --pressure" : "", (unsigned long long)c.seed, c.cpus, c.ops,
		     c.preempt, c.irq, c.mode == SIM_MASKED ? "masked" : "signal");
	if (n > 0 && (size_t)n < len && c.refuse.kind != SIM_NEVER)
		snprintf(buf + n, len - (size_t)n, " --commit-fail=%s:%llu",
			 plan_name(c.refuse.kind), (unsigned long long)c.refuse.n);
}
