/* SPDX-License-Identifier: MIT */
#include <kmem/highmem.h>
#include <kmem/kmem.h>
#include <kmem/port.h>
#include <kmem/vmalloc.h>
#include <stdlib.h>
#include <string.h>
#include "windows.h"

#define MACHINE "mem=4M zones=normal:3M,highmem:rest seed=1 nr_cpus=3 "

enum { TASKS = 3, PAGES = 4 };

/* Static variables are restored with the machine before each schedule. */
static struct page *pages[PAGES];
static char *area;

/* ---- kmap: every page says who it is ------------------------------------------------------------- */

static void mark(unsigned int i)
{
	unsigned int *p = kmap_local_page(pages[i]);

	p[0] = i + 100;
	kunmap_local(p);
}

static void setup_slots(const char *cmdline)
{
	sim_expect(kmem_boot(cmdline) == 0);
	for (unsigned int i = 0; i < PAGES; i++) {
		pages[i] = alloc_page(GFP_HIGHUSER);
		sim_expect(pages[i] && PageHighMem(pages[i]));
		mark(i);
	}
}

static void setup_one(void *arg)
{
	(void)arg;
	setup_slots(MACHINE "kmap_slots=1");
}

static void setup_two(void *arg)
{
	(void)arg;
	setup_slots(MACHINE "kmap_slots=2");
}

static void setup_hard(void *arg)
{
	(void)arg;
	setup_slots(MACHINE "kmap_slots=1 hardened=1");
}

static void setup_hard_two(void *arg)
{
	(void)arg;
	setup_slots(MACHINE "kmap_slots=2 hardened=1");
}

static void setup_held(void *arg)
{
	setup_one(arg);
	sim_expect(kmap(pages[0]) != NULL);
}

static void finish(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < PAGES; i++) {
		sim_expect(page_address(pages[i]) == NULL);
		__free_page(pages[i]);
	}
	sim_expect(port_task()->kmap == 0 && kmem_misuse_count() == 0);
	if (kmem_check() != 0 || kmem_shutdown() != 0)
		sim_fail("machine: %s", sim_messages());
}

static unsigned int *map(unsigned int i)
{
	unsigned int *p = kmap(pages[i]);

	sim_expect(p && p[0] == i + 100 && page_address(pages[i]) == (void *)p);
	return p;
}

static void use(unsigned int i)
{
	unsigned int *p = map(i);

	port_point();
	sim_expect(p[0] == i + 100 && page_address(pages[i]) == (void *)p);
	kunmap(pages[i]);
}

/* A page each. */
static void task_use(unsigned int i, void *arg)
{
	(void)arg;
	use(i);
}

/* All the same one. */
static void task_same(unsigned int i, void *arg)
{
	(void)i;
	(void)arg;
	use(1);
}

/* The last of them uses the first one's page. */
static void task_share(unsigned int i, void *arg)
{
	(void)arg;
	use(i == 2 ? 0 : i);
}

/* The one that all wait for comes back. */
static void task_release(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0)
		kunmap(pages[0]);
	else
		use(1);
}

static void task_flush(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0)
		kmap_flush_unused();
	else
		use(i - 1);
}

static void task_local(unsigned int i, void *arg)
{
	unsigned int *p = kmap_local_page(pages[i]), *q = kmap_local_page(pages[3]);

	(void)arg;
	port_point();
	sim_expect(p[0] == i + 100 && q[0] == 103);
	kunmap_local(q);
	sim_expect(kmap_to_page(p) == pages[i]);
	kunmap_local(p);
}

/* ---- Areas ------------------------------------------------------------------------------------------ */

static void setup_areas(void *arg)
{
	(void)arg;
	sim_expect(kmem_boot("mem=2M zones=flat seed=1 nr_cpus=3 percpu_pages=0") == 0);
	area = NULL;
}

static void finish_areas(void *arg)
{
	(void)arg;
	if (kmem_check() != 0 || kmem_shutdown() != 0)
		sim_fail("machine: %s", sim_messages());
}

static void task_area(unsigned int i, void *arg)
{
	char *p = vmalloc(5000);

	(void)arg;
	sim_expect(p && vmalloc_to_page(p) && !vmalloc_to_page(p + 8192));
	p[0] = (char)i;
	p[4999] = (char)(i + 1);
	port_point();
	sim_expect(p[0] == (char)i && p[4999] == (char)(i + 1));
	vfree(p);
}

/* One frees, as an interrupt would, what the others take in. */
static void task_deferred(unsigned int i, void *arg)
{
	char *p = vmalloc(100);

	(void)arg;
	sim_expect(p);
	if (i == 0)
		kmem_irq_enter();
	vfree(p);
	if (i == 0)
		kmem_irq_exit();
}

/* Of two frees of one area one is right. */
static void task_twice(unsigned int i, void *arg)
{
	char *none = NULL;

	(void)arg;
	if (i == 0) {
		char *p = vmalloc(100);

		__atomic_store_n(&area, p, __ATOMIC_RELEASE);
	}
	port_point();
	vfree(__atomic_exchange_n(&area, none, __ATOMIC_ACQ_REL));
}

static void finish_twice(void *arg)
{
	vfree(area);
	finish_areas(arg);
}

const struct named_scenario window_scenarios[] = {
	{{"kmap: one slot, a page each", 0, setup_one, task_use, finish, NULL}, 2, 1, 1},
	{{"kmap: two slots", 0, setup_two, task_share, finish, NULL}, 2, 1, 1},
	{{"kmap: waiting for the one that is held", 0, setup_held, task_release, finish, NULL},
	 3,
	 2,
	 1},
	{{"kmap: flushed meanwhile", 0, setup_one, task_flush, finish, NULL}, 2, 1, 1},
	{{"kmap: unmapped at once", 0, setup_hard, task_use, finish, NULL}, 2, 1, 1},
	{{"kmap: one page unmapped at once", 0, setup_hard_two, task_same, finish, NULL}, 2, 1, 1},
	{{"kmap_local: nested", 0, setup_two, task_local, finish, NULL}, 2, 1, 1},
	{{"areas: made and freed", 0, setup_areas, task_area, finish_areas, NULL}, 1, 0, 0},
	{{"areas: freed later", 0, setup_areas, task_deferred, finish_areas, NULL}, 1, 0, 0},
	{{"areas: handed over", 0, setup_areas, task_twice, finish_twice, NULL}, 2, 1, 0},
};
const unsigned int nr_window_scenarios = sizeof(window_scenarios) / sizeof(window_scenarios[0]);

/* A handler maps what it likes, and leaves all as it was. */
static void handler(void *arg)
{
	unsigned int *p = kmap_atomic(pages[2]), *q = kmap_atomic(pages[0]);

	(void)arg;
	sim_expect(p[0] == 102 && q[0] == 100);
	kunmap_atomic(q);
	kunmap_atomic(p);
}

void window_search(const struct named_scenario *s, unsigned int cpus, unsigned int preemptions,
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

/* ---- A random load ----------------------------------------------------------------------------------- */

enum { ROUNDS = 40, LOAD_PAGES = 8, AREAS = 3, CPUS_MAX = 6 };

struct window_load {
	struct page *page[LOAD_PAGES];
	unsigned int cpus;
	struct window_sum sum;
};

static void load_begin(void *arg)
{
	struct window_load *l = arg;

	sim_expect(kmem_boot("mem=8M zones=normal:6M,highmem:rest seed=1 kmap_slots=3") == 0);
	for (unsigned int i = 0; i < LOAD_PAGES; i++) {
		unsigned int *p;

		l->page[i] = alloc_page(GFP_HIGHUSER);
		sim_expect(l->page[i]);
		p = kmap_local_page(l->page[i]);
		p[0] = i;
		p[1] = 0;
		kunmap_local(p);
	}
}

static void load_kmap(struct window_load *l)
{
	unsigned int i = (unsigned int)(sim_random() % LOAD_PAGES), *p = kmap(l->page[i]), *q;

	sim_expect(p && p[0] == i);
	__atomic_fetch_add(&p[1], 1, __ATOMIC_RELAXED);
	q = kmap_local_page(l->page[(i + 1) % LOAD_PAGES]);
	port_point();
	sim_expect(p[0] == i && q[0] == (i + 1) % LOAD_PAGES);
	kunmap_local(q);
	kunmap(l->page[i]);
	l->sum.maps++;
}

static void load_area(struct window_load *l, char **areas)
{
	char **a = &areas[sim_random() % AREAS];
	size_t size = 4 + (size_t)(sim_random() % 60000);

	if (!*a) {
		*a = __vmalloc(size, GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY);
		if (*a)
			memset(*a, (int)(uintptr_t)(*a) >> 12, 4);
		*(*a ? &l->sum.areas : &l->sum.refused) += 1;
		return;
	}
	sim_expect((*a)[3] == (char)((int)(uintptr_t)(*a) >> 12));
	if (sim_random() % 3 == 0) {
		kmem_irq_enter();
		vfree(*a);
		kmem_irq_exit();
	} else {
		vfree(*a);
	}
	*a = NULL;
}

static void load_task(void *arg)
{
	struct window_load *l = arg;
	char *areas[AREAS] = {NULL};

	for (unsigned int i = 0; i < ROUNDS; i++) {
		if (sim_random() % 2)
			load_kmap(l);
		else
			load_area(l, areas);
	}
	for (unsigned int i = 0; i < AREAS; i++)
		vfree(areas[i]);
}

static void load_handler(void *arg)
{
	struct window_load *l = arg;
	unsigned int i = (unsigned int)(sim_random() % LOAD_PAGES), *p;

	if (!l->page[i])
		return;
	p = kmap_atomic(l->page[i]);
	sim_expect(p[0] == i);
	kunmap_atomic(p);
}

static void load_end(void *arg)
{
	struct window_load *l = arg;
	uint64_t sum = 0;

	sim_set_refuse((struct sim_plan){SIM_NEVER, 0}, SIM_COMMIT);
	for (unsigned int i = 0; i < LOAD_PAGES; i++) {
		unsigned int *p = kmap_local_page(l->page[i]);

		sum += p[1];
		kunmap_local(p);
		__free_page(l->page[i]);
	}
	sim_expect(sum == l->sum.maps && kmem_misuse_count() == 0);
	kmem_drain();
	if (kmem_check() != 0 || kmem_shutdown() != 0)
		sim_fail("machine: %s", sim_messages());
}

bool window_seed(uint64_t seed, struct window_sum *sum)
{
	struct window_load *l = calloc(1, sizeof(*l));
	struct sim_config cfg = {.seed = seed, .irq = load_handler};
	bool good;

	if (!l)
		abort();
	l->cpus = 2 + (unsigned int)(seed % 5);
	cfg.irq_arg = l;
	cfg.nr_cpus = l->cpus;
	cfg.mode = seed % 4 ? SIM_SIGNAL : SIM_MASKED;
	cfg.preempt_every = 5 + (uint32_t)(seed % 40);
	cfg.irq_every = 20 + (uint32_t)(seed % 100);
	cfg.no_spawn = cfg.mode == SIM_MASKED;
	sim_begin(&cfg);
	good = sim_call(load_begin, l) == 0;
	sim_set_refuse((struct sim_plan){SIM_PERCENT, 20}, SIM_VMAP | SIM_COMMIT);
	for (unsigned int i = 0; good && i < l->cpus; i++)
		sim_spawn(i, load_task, l, "user");
	good = good && sim_run() == 0 && sim_call(load_end, l) == 0;
	sum->steps += sim_steps();
	sum->injections += sim_injections();
	sum->maps += l->sum.maps;
	sum->areas += l->sum.areas;
	sum->refused += l->sum.refused;
	if (good)
		sim_end();
	free(l);
	return good;
}
