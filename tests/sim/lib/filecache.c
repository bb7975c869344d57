/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <kmem/filecache.h>
#include <kmem/highmem.h>
#include <kmem/kmem.h>
#include <kmem/port.h>
#include "pool/pool.h"
#include "stored.h"
#include "filecache.h"

enum { TASKS = 4, PAGES = 8, OPS = 40, WORDS = PAGE_SIZE / 8 };

/* Of the program's static variables: restored with the machine before each schedule. */
static struct filecache_load {
	struct mem_store store;
	struct kmem_filecache *cache;
	struct kmem_filecache_stat stat;
	uint64_t version[PAGES]; /* what the store has now */
	uint64_t settled[PAGES]; /* nothing older may be found */
	uint64_t again;
	bool failing;
	unsigned char bytes[PAGES * PAGE_SIZE];
} load;

static void store_fill(unsigned int i, uint64_t version)
{
	uint64_t *word = (uint64_t *)(void *)(load.bytes + i * PAGE_SIZE);

	for (unsigned int k = 0; k < WORDS; k++)
		word[k] = (uint64_t)i << 32 | version;
}

/* Each half, for so the store is read, is whole, and no older than what was dropped when it was asked
 * for. Returns what to compare it with later. */
static uint64_t page_verify(const struct page *page, unsigned int i, uint64_t since)
{
	const uint64_t *word = kmap_local_page(page);
	uint64_t seen = word[0] << 32 | (uint32_t)word[WORDS / 2];

	for (unsigned int k = 0; k < WORDS; k++)
		if (word[k] >> 32 != i || word[k] != word[k < WORDS / 2 ? 0 : WORDS / 2])
			sim_fail("page %u, word %u is %llx", i, k, (unsigned long long)word[k]);
	for (unsigned int k = 0; k < WORDS; k += WORDS / 2)
		if ((uint32_t)word[k] < since || (uint32_t)word[k] > load.version[i])
			sim_fail("page %u is of version %u, not %u", i, (uint32_t)word[k],
				 (unsigned int)since);
	kunmap_local(word);
	return seen;
}

/* The page, used for a while; NULL where that may be. */
static struct page *page_get(unsigned int i, gfp_t gfp)
{
	uint64_t since = load.settled[i];
	struct page *page;
	int rc = kmem_filecache_get(load.cache, i, gfp, &page);

	load.again += rc == -11;
	if (rc == 0)
		page_verify(page, i, since);
	else if (!(rc == -11 && !gfpflags_allow_blocking(gfp)) &&
		 !(load.failing && (rc == -5 || rc == -12)))
		sim_fail("page %u: %d", i, rc);
	return page;
}

static void page_use(unsigned int i, gfp_t gfp)
{
	struct page *page = page_get(i, gfp);
	uint64_t seen;

	if (!page)
		return;
	seen = page_verify(page, i, 0);
	port_point();
	if (page_verify(page, i, 0) != seen)
		sim_fail("page %u changed in its user's hands", i);
	put_page(page);
}

static unsigned long take_back(unsigned long nr)
{
	struct port_task *task = port_task();
	unsigned long n = 0;

	task->pf |= PF_MEMALLOC;
	for (int zone = 0; zone < KMEM_NR_ZONES; zone++)
		n += lru_provider.reclaim(&lru_provider, zone, nr, 0, GFP_NOIO);
	task->pf &= ~PF_MEMALLOC;
	return n;
}

/* Another writes to the store, and says so. */
static void page_change(unsigned int i)
{
	uint64_t version = ++load.version[i];

	store_fill(i, version);
	kmem_filecache_drop(load.cache, i * PAGE_SIZE, 1);
	if (load.settled[i] < version)
		load.settled[i] = version;
}

/* -------- Small scenarios ------------------------------------------------------------------------- */

#define MACHINE "mem=2M zones=flat seed=1 nr_cpus=3 kswapd=0 percpu_pages=0 "

static void load_start(const char *cmdline)
{
	mem_store_over(&load.store, load.bytes, sizeof(load.bytes));
	load.store.point = port_point;
	for (unsigned int i = 0; i < PAGES; i++)
		store_fill(i, 0);
	sim_expect(kmem_boot(cmdline) == 0);
	sim_expect(kmem_filecache_create(&load.cache, &load.store.s) == 0);
}

static void setup_empty(void *arg)
{
	(void)arg;
	memset(&load, 0, sizeof(load));
	load_start(MACHINE);
}

static void setup_full(void *arg)
{
	setup_empty(arg);
	page_use(0, GFP_KERNEL);
	page_use(1, GFP_KERNEL);
}

static void setup_failing(void *arg)
{
	setup_empty(arg);
	load.failing = true;
	load.store.nth = 1;
}

static void machine_end(void)
{
	if (kmem_check() != 0)
		sim_fail("kmem_check: %s", sim_messages());
	kmem_filecache_stat(load.cache, &load.stat);
	sim_expect(load.stat.pages + load.stat.reclaimed + load.stat.dropped +
			   load.stat.read_errors <=
		   load.stat.misses);
	load.store.nth = 0;
	load.failing = false;
	for (unsigned int i = 0; i < PAGES; i++)
		page_use(i, GFP_KERNEL);
	kmem_filecache_destroy(load.cache);
	if (kmem_check() != 0 || kmem_misuse_count() != 0 || kmem_shutdown() != 0)
		sim_fail("in the end: %s", sim_messages());
}

static void check(void *arg)
{
	(void)arg;
	machine_end();
}

static void check_read_once(void *arg)
{
	sim_expect(load.store.reads == 1);
	check(arg);
}

static void task_use(unsigned int i, void *arg)
{
	(void)i;
	(void)arg;
	page_use(0, GFP_KERNEL);
}

static void task_look(unsigned int i, void *arg)
{
	(void)arg;
	page_use(0, i ? GFP_NOWAIT : GFP_KERNEL);
}

/* What somebody uses stays in the cache. */
static void task_take_or_use(unsigned int i, void *arg)
{
	struct page *page;

	(void)arg;
	if (i == 0) {
		take_back(2);
		return;
	}
	page = page_get(0, GFP_KERNEL);
	sim_expect(page_get(0, GFP_NOWAIT) == page);
	put_page(page);
	put_page(page);
}

static void task_change_or_use(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0)
		page_change(0);
	else
		page_use(0, GFP_KERNEL);
}

static void task_change_or_take(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0)
		page_change(0);
	else if (i == 1)
		take_back(1);
	else
		page_use(0, GFP_KERNEL);
}

static void task_change(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 2)
		page_use(0, GFP_KERNEL);
	else
		page_change(0);
}

#define SCENE(nm, set, fn, chk, two, three)                                                 \
	{                                                                                   \
		.sc = {.name = nm, .setup = set, .task = fn, .check = chk}, .cpus2 = (two), \
		.cpus3 = (three)                                                            \
	}
const struct named_scenario filecache_scenarios[] = {
	SCENE("read by all", setup_empty, task_use, check_read_once, 1, 1),
	SCENE("read, and looked for", setup_empty, task_look, check_read_once, 2, 1),
	SCENE("read by all, and failing", setup_failing, task_use, check, 1, 1),
	SCENE("taken back and used", setup_full, task_take_or_use, check, 2, 1),
	SCENE("dropped and used", setup_full, task_change_or_use, check, 2, 1),
	SCENE("dropped and read", setup_empty, task_change_or_use, check, 2, 1),
	SCENE("dropped and taken back", setup_full, task_change_or_take, check, 2, 1),
	SCENE("dropped twice", setup_full, task_change, check, 2, 1),
};
const unsigned int nr_filecache_scenarios =
	sizeof(filecache_scenarios) / sizeof(filecache_scenarios[0]);

/* -------- A random load ---------------------------------------------------------------------------- */

static void worker(void *arg)
{
	struct page *kept = NULL;
	uint64_t seen = 0;
	unsigned int nr = 0;

	(void)arg;
	for (unsigned int n = 0; n < OPS; n++) {
		unsigned int i = (unsigned int)(sim_random() % PAGES);

		switch (sim_random() % 10) {
		case 0 ... 3:
			page_use(i, GFP_HIGHUSER | __GFP_NOWARN);
			break;
		case 4 ... 5:
			page_use(i, GFP_NOWAIT);
			break;
		case 6 ... 7:
			take_back(1 + sim_random() % PAGES);
			break;
		case 8:
			page_change(i);
			break;
		default:
			if (kept && page_verify(kept, nr, 0) != seen)
				sim_fail("page %u changed in its user's hands", nr);
			put_page(kept);
			nr = i;
			kept = page_get(i, GFP_HIGHUSER | __GFP_NOWARN);
			seen = kept ? page_verify(kept, nr, 0) : 0;
		}
	}
	put_page(kept);
}

/* What a signal's handler may do: look. */
static void handler(void *arg)
{
	(void)arg;
	if (load.cache)
		page_use((unsigned int)(sim_random() % PAGES), GFP_ATOMIC);
}

static void load_begin(void *arg)
{
	static const char *const machines[] = {
		MACHINE,
		"mem=12M zones=normal:4M,highmem:rest seed=1 nr_cpus=3 kswapd=0",
	};

	load_start(machines[(uintptr_t)arg % 2]);
	load.store.percent = load.failing ? 20 : 0;
}

static void load_end(void *arg)
{
	(void)arg;
	load.store.percent = 0;
	sim_set_refuse((struct sim_plan){SIM_NEVER, 0}, SIM_COMMIT);
	machine_end();
	load.cache = NULL;
}

bool filecache_seed(uint64_t seed, struct filecache_sum *sum)
{
	struct sim_config cfg = stored_config(seed, handler);
	bool good;

	memset(&load, 0, sizeof(load));
	load.failing = seed % 2;
	sim_begin(&cfg);
	good = sim_call(load_begin, (void *)(uintptr_t)(seed / 2)) == 0;
	stored_start(&load.store);
	if (load.failing)
		sim_set_refuse((struct sim_plan){SIM_PERCENT, 50}, SIM_COMMIT);
	for (uintptr_t i = 0; good && i < TASKS; i++)
		sim_spawn((unsigned int)(i % 3), worker, (void *)i, "worker");
	good = good && sim_run() == 0;
	sum->refusals += sim_refusals();
	good = good && sim_call(load_end, NULL) == 0;
	sum->steps += sim_steps();
	sum->hits += load.stat.hits;
	sum->misses += load.stat.misses;
	sum->reclaimed += load.stat.reclaimed;
	sum->dropped += load.stat.dropped;
	sum->failures += load.store.failures;
	sum->again += load.again;
	if (good)
		sim_end();
	return good;
}
