/* SPDX-License-Identifier: MIT */
/* Two tasks at once, of which one looks at what the other changes. ThreadSanitizer sees what has no order. */
#include <pthread.h>
#include <sched.h>
#include <kmem/highmem.h>
#include <kmem/lru.h>
#include <kmem/vmalloc.h>
#include "../support.h"

#define SMALL "mem=64M nr_cpus=2 kswapd=0"
enum { RUN = 6, FIRST = 2, BLOCKS = 3000, RETRY = 20000, PAGES = 65536 };

static bool over;

static bool is_over(void)
{
	return __atomic_load_n(&over, __ATOMIC_RELAXED);
}

static void pair(void *(*one)(void *), void *(*other)(void *))
{
	pthread_t t[2];

	__atomic_store_n(&over, false, __ATOMIC_RELAXED);
	pthread_create(&t[0], NULL, one, (void *)0);
	pthread_create(&t[1], NULL, other, (void *)1);
	pthread_join(t[0], NULL);
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	pthread_join(t[1], NULL);
}

static void pair_on(const char *cmdline, void *(*one)(void *), void *(*other)(void *))
{
	machine_start(cmdline);
	pair(one, other);
	machine_stop();
}

static unsigned int times(unsigned int n)
{
	return n / tap_slow();
}

/* ---- Two parts of one run --------------------------------------------------------------------------- */

static struct page *run;
static unsigned int met;

/* Until both are here; soon after each other they go on. */
static void meet(void)
{
	unsigned int turn = __atomic_fetch_add(&met, 1, __ATOMIC_SEQ_CST) / 2;

	for (int i = 0; __atomic_load_n(&met, __ATOMIC_SEQ_CST) / 2 == turn; i++)
		if (i > RETRY)
			sched_yield();
}

static void *frees_a_part(void *second)
{
	for (unsigned int i = 0; i < times(20000); i++) {
		if (!second)
			run = alloc_contig_pages(RUN, GFP_KERNEL, 0, NULL);
		meet();
		for (volatile unsigned int wait = second ? 0 : i % 128; wait > 0; wait--)
			; /* one of these times it is at the same time */
		if (second)
			free_contig_range(page_to_pfn(run) + FIRST, RUN - FIRST);
		else
			free_contig_range(page_to_pfn(run), FIRST);
		meet();
	}
	return NULL;
}

TEST(parts_of_a_run_are_freed_by_whoever_has_them)
{
	machine_start(SMALL);
	met = 0;
	pair(frees_a_part, frees_a_part);
	is(kmem_misuse_count(), 0, "each was in use");
	machine_stop();
}

/* ---- Walks over the frames of others ------------------------------------------------------------------ */

static void *takes_and_frees(void *arg)
{
	static const gfp_t types[3] = {GFP_KERNEL, GFP_KERNEL | __GFP_MOVABLE,
				       GFP_KERNEL | __GFP_RECLAIMABLE};
	static _Thread_local struct page *block[BLOCKS];
	static _Thread_local unsigned int order[BLOCKS];
	unsigned int seed = (unsigned int)(uintptr_t)arg + 1;

	for (unsigned int i = 0; i < times(60000); i++) {
		int k = rand_r(&seed) % BLOCKS;

		if (block[k]) {
			__free_pages(block[k], order[k]);
			block[k] = NULL;
			continue;
		}
		order[k] = (unsigned int)rand_r(&seed) % 3;
		block[k] = alloc_pages(types[(i / 1000 + (unsigned int)rand_r(&seed) % 2) % 3] |
					       __GFP_NOWARN | __GFP_NORETRY,
				       order[k]);
	}
	for (int k = 0; k < BLOCKS; k++) {
		if (block[k])
			__free_pages(block[k], order[k]);
		block[k] = NULL;
	}
	return NULL;
}

TEST(who_claims_a_page_block_looks_at_what_others_have_of_it)
{
	pair_on("mem=32M nr_cpus=2 mobility=1 percpu_pages=0 kswapd=0", takes_and_frees,
		takes_and_frees);
}

static void *wants_high_orders(void *arg)
{
	(void)arg;
	while (!is_over()) {
		struct page *p = alloc_pages(GFP_ATOMIC | __GFP_NOWARN, 2);

		if (p)
			__free_pages(p, 2);
	}
	return NULL;
}

static void *takes_all(void *arg)
{
	static struct page *all[PAGES];

	for (unsigned int i = 0; i < times(3); i++) {
		unsigned int n = 0;

		while (n < PAGES && (all[n] = alloc_page(GFP_KERNEL | __GFP_RETRY_MAYFAIL |
							 __GFP_NOWARN)) != NULL)
			n++;
		while (n > 0)
			__free_page(all[--n]);
	}
	return arg;
}

TEST(the_reserve_for_high_orders_comes_and_goes)
{
	pair_on("mem=256M nr_cpus=2 highatomic=1 percpu_pages=0 kswapd=0", takes_all,
		wants_high_orders);
}

/* ---- What is changed while it is gone by ---------------------------------------------------------------- */

static void *changes_marks(void *arg)
{
	for (unsigned int i = 0; i < times(500); i++)
		(void)kmem_sysctl("min_free_kbytes", i & 1 ? "512" : "600");
	return arg;
}

static void *extends_runs(void *arg)
{
	while (!is_over()) {
		struct page *p = alloc_contig_pages(3, GFP_KERNEL, 0, NULL);

		if (!p)
			continue;
		(void)contig_resize(p, 5);
		free_contig_range(page_to_pfn(p), contig_nr_pages(p));
	}
	return arg;
}

TEST(marks_change_while_runs_are_extended)
{
	pair_on("mem=64M nr_cpus=2 percpu_pages=0 kswapd=0", changes_marks, extends_runs);
}

static void *boots(void *arg)
{
	(void)kmem_boot(SMALL);
	return arg;
}

static unsigned long nothing(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return 0;
}

static struct shrinker idle = {.count_objects = nothing, .scan_objects = nothing, .seeks = 2};

static void *registers(void *arg)
{
	(void)register_shrinker(&idle, "idle");
	return arg;
}

TEST(two_boot)
{
	pair(boots, boots);
	ok(kmem_booted(), "one did");
	ok(!strcmp(kmem_boot_error(), "") ||
		   !strcmp(kmem_boot_error(), "the machine is already running"),
	   "%s", kmem_boot_error());
	kmem_shutdown();
}

TEST(a_shrinker_is_registered_while_the_machine_boots)
{
	pair(boots, registers);
	ok(kmem_booted());
	unregister_shrinker(&idle);
	kmem_shutdown();
}

/* ---- A page's flags --------------------------------------------------------------------------------------- */

static struct page *shared, *asked;

static bool keeps(struct kmem_lru_owner *o, struct page *page, gfp_t gfp)
{
	(void)o;
	(void)page;
	(void)gfp;
	return false;
}

static struct kmem_lru_owner owner = {.name = "owner", .release = keeps};

static void *lists(void *arg)
{
	for (unsigned int i = 0; i < times(3000); i++) {
		kmem_lru_add(shared, &owner, NULL, false);
		kmem_lru_del(shared);
	}
	return arg;
}

static void *asks(void *arg)
{
	unsigned int compound = 0;

	while (!is_over()) {
		get_page(asked);
		compound += (unsigned int)PageCompound(asked);
		put_page(asked);
	}
	return (void *)(uintptr_t)(compound && arg);
}

TEST(a_page_is_asked_while_it_goes_on_a_list)
{
	machine_start(SMALL);
	is(kmem_lru_owner_register(&owner), 0);
	shared = asked = alloc_page(GFP_KERNEL);
	pair(lists, asks);
	__free_page(shared);
	kmem_lru_owner_unregister(&owner);
	machine_stop();
}

static void *maps(void *arg)
{
	struct page *pages[2] = {shared, asked};

	for (unsigned int i = 0; i < times(3000); i++)
		vunmap(vmap(pages, 2, VM_MAP, PAGE_KERNEL));
	return arg;
}

TEST(a_page_is_asked_while_it_is_mapped)
{
	machine_start(SMALL);
	shared = alloc_pages(GFP_KERNEL | __GFP_COMP, 1);
	asked = pfn_to_page(page_to_pfn(shared) + 1);
	pair(maps, asks);
	__free_pages(shared, 1);
	machine_stop();
}
