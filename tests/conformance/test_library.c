/* SPDX-License-Identifier: MIT */
/* What holds for every call: statements S215, S216, S218. */
#include <malloc.h>
#include "../support.h"

static void work(void)
{
	struct kmem_cache *c = kmem_cache_create("work", 300, 0, 0, NULL);
	void *objs[500];

	for (int i = 0; i < 500; i++)
		objs[i] = i % 2 ? kmem_cache_alloc(c, GFP_KERNEL)
				: kmalloc(1 + (size_t)i * 40, GFP_KERNEL);
	for (int i = 0; i < 500; i++) {
		if (i % 2)
			kmem_cache_free(c, objs[i]);
		else
			kfree(objs[i]);
	}
	kmem_cache_destroy(c);
}

/* The host's allocator is not asked; the freestanding archives' symbols say it of the rest. */
TEST(S215_the_hosts_malloc_is_never_asked)
{
	size_t before, after;

	machine_start("mem=64M zones=i386");
	before = mallinfo2().uordblks;
	work();
	kmem_drain();
	(void)!kmem_check();
	after = mallinfo2().uordblks;
	is(after, before, "bytes of the host's heap in use");
	machine_stop();
}

TEST(S216_each_misuse_reaches_the_hook_with_its_own_code)
{
	struct kmem_cache *a, *b;
	struct page *page;
	char on_stack[64];
	char *volatile stack = on_stack;
	char *p;

	machine_start("mem=64M zones=i386");
	a = kmem_cache_create("a", 64, 0, 0, NULL);
	b = kmem_cache_create("b", 64, 0, 0, NULL);
	p = kmem_cache_alloc(a, GFP_KERNEL);
	page = alloc_pages(GFP_KERNEL, 2);
	kfree(stack);
	kfree(p + 8);
	kmem_cache_free(a, NULL);
	kmem_cache_free(b, p);
	__free_pages(page, 1);
	__free_pages(page, 2);
	__free_pages(page, 2);
	kfree(kmalloc(10, GFP_KERNEL | __GFP_HIGHMEM));
	is(reports_of(KMEM_MISUSE_SLAB_FOREIGN), 1, "foreign");
	is(reports_of(KMEM_MISUSE_SLAB_INTERIOR), 1, "interior");
	is(reports_of(KMEM_MISUSE_SLAB_NULL), 1, "NULL");
	is(reports_of(KMEM_MISUSE_SLAB_WRONG_CACHE), 1, "wrong cache");
	is(reports_of(KMEM_MISUSE_PAGE_WRONG_ORDER), 1, "wrong order");
	is(reports_of(KMEM_MISUSE_PAGE_DOUBLE_FREE), 1, "double free");
	is(reports_of(KMEM_MISUSE_GFP_UNEXPECTED), 1, "highmem");
	is(kmem_misuse_count(), 7, "and counted");
	kmem_cache_destroy(a);
	kmem_cache_destroy(b);
	machine_stop();
}

static bool stop_at_five(gfp_t gfp, unsigned int order, unsigned long rounds, void *arg)
{
	(void)arg;
	return gfp & __GFP_NOFAIL && order == 0 && rounds >= 5;
}

TEST(S218_a_stuck_loop_ends_with_a_diagnosis)
{
	unsigned long list = 0, p;

	machine_start("mem=16M zones=flat nr_cpus=1 percpu_pages=0");
	kmem_set_livelock_guard(stop_at_five, NULL);
	while ((p = __get_free_page(GFP_ATOMIC | __GFP_NOWARN)) != 0) {
		*(unsigned long *)p = list;
		list = p;
	}
	kmem_task_set_flags(PF_MEMALLOC, 0);
	while ((p = __get_free_page(GFP_KERNEL | __GFP_NOWARN)) != 0) {
		*(unsigned long *)p = list;
		list = p;
	}
	kmem_task_set_flags(0, PF_MEMALLOC);
	ok(!alloc_page(GFP_KERNEL | __GFP_NOFAIL), "ended");
	is(log_count("kmem: livelock: order:0"), 1, "flags and order");
	is(log_count("5 rounds"), 1, "rounds");
	ok(log_count("Node 0 Normal free:0kB") >= 1, "and the zone");
	while (list) {
		p = *(unsigned long *)list;
		free_page(list);
		list = p;
	}
	machine_stop();
}
