/* SPDX-License-Identifier: MIT */
/* Zone hooks: each range is populated once before it is handed out, and released once. */
#include <pthread.h>
#include <kmem/vmalloc.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../conformance/pressure.h"

enum { SECTION = 4 << 20, SECTIONS_MAX = 64 };

struct range {
	void *addr;
	size_t bytes;
	unsigned long pfn;
	bool live;
};

static struct hooked {
	struct range range[SECTIONS_MAX];
	unsigned int nr, populates, releases, refusals;
	unsigned int refuse_nth; /* the n-th populate refuses; 0: none */
	bool refuse_all;
	bool slow;   /* takes a while */
	bool greedy; /* allocates inside */
	unsigned int inside, inside_max, got_inside;
	pthread_mutex_t lock;
} h = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int populate(void *addr, size_t bytes, unsigned long pfn, void *arg)
{
	bool refuse;

	pthread_mutex_lock(&h.lock);
	h.populates++;
	h.inside++;
	h.inside_max = h.inside > h.inside_max ? h.inside : h.inside_max;
	refuse = h.refuse_all || h.populates == h.refuse_nth;
	h.refusals += refuse;
	if (!refuse)
		h.range[h.nr++] = (struct range){addr, bytes, pfn, true};
	pthread_mutex_unlock(&h.lock);
	if (arg != &h)
		refuse = true;
	if (h.greedy) {
		void *p = kmalloc(100, GFP_DMA | __GFP_NOWARN);

		h.got_inside += p != NULL;
		kfree(p);
	}
	if (h.slow)
		usleep(20000);
	pthread_mutex_lock(&h.lock);
	h.inside--;
	pthread_mutex_unlock(&h.lock);
	return refuse ? -1 : 0;
}

static void release(void *addr, size_t bytes, unsigned long pfn, void *arg)
{
	unsigned int found = 0;

	(void)arg;
	h.releases++;
	for (unsigned int i = 0; i < h.nr; i++) {
		struct range *r = &h.range[i];

		if (!r->live || r->addr != addr || r->bytes != bytes || r->pfn != pfn)
			continue;
		r->live = false;
		found++;
	}
	is(found, 1, "pfn %#lx was populated, and once", pfn);
}

static const struct kmem_zone_ops ops = {populate, release};

static unsigned int ranges_live(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < h.nr; i++)
		n += h.range[i].live;
	return n;
}

static void start(int zone, const char *cmdline)
{
	is(kmem_zone_set_ops(zone, &ops, &h), 0, "set");
	machine_start(cmdline);
}

static void stop(void)
{
	machine_stop();
	is(ranges_live(), 0, "all released at shutdown");
	is(h.releases, h.nr, "and once each");
}

static bool populated(const void *p)
{
	bool found = false;

	pthread_mutex_lock(&h.lock);
	for (unsigned int i = 0; i < h.nr; i++) {
		const struct range *r = &h.range[i];

		found = found || (r->live && (uintptr_t)p - (uintptr_t)r->addr < r->bytes);
	}
	pthread_mutex_unlock(&h.lock);
	return found;
}

#define SMALL "mem=64M zones=i386 nr_cpus=2 percpu_pages=0"

TEST(what_is_handed_out_is_populated_and_nothing_else_is)
{
	void *p[4];

	start(KMEM_ZONE_DMA, SMALL);
	is(h.populates, 0, "a zone nobody has used");
	kfree(kmalloc(100, GFP_KERNEL));
	is(h.populates, 0, "another zone's use");
	for (int i = 0; i < 4; i++) {
		p[i] = kmalloc(1 << 20, GFP_KERNEL | GFP_DMA);
		ok(p[i] && populated(p[i]), "block %d", i);
		memset(p[i], 0x5a, 1 << 20);
	}
	ok(h.nr >= 1 && h.nr <= 2, "%u ranges", h.nr);
	is(h.range[0].bytes % SECTION, 0);
	for (int i = 0; i < 4; i++)
		kfree(p[i]);
	is(h.releases, 0, "free memory stays populated");
	stop();
}

TEST(trim_releases_and_the_next_use_populates_again)
{
	void *p;

	start(KMEM_ZONE_DMA, SMALL);
	p = kmalloc(3 << 20, GFP_KERNEL | GFP_DMA);
	ok(populated(p));
	kmem_trim();
	is(h.releases, 0, "in use");
	kfree(p);
	kmem_trim();
	is(h.releases, 1, "free");
	p = kmalloc(3 << 20, GFP_KERNEL | GFP_DMA | __GFP_ZERO);
	ok(p && populated(p), "again");
	is(h.populates, 2);
	for (size_t i = 0; i < 3 << 20; i += 4096)
		ok(!((char *)p)[i], "zeroed");
	kfree(p);
	stop();
}

TEST(a_refused_range_is_another_zones_turn)
{
	void *p;

	start(KMEM_ZONE_NORMAL, SMALL);
	h.refuse_all = true;
	p = kmalloc(2 << 20, GFP_KERNEL);
	ok(p && !populated(p), "served");
	is_str(page_zone_name(virt_to_page(p)), "DMA", "by the zone below");
	ok(h.refusals > 0, "asked");
	h.refuse_all = false;
	kfree(p);
	p = kmalloc(2 << 20, GFP_KERNEL);
	ok(p && populated(p), "asked again, and served");
	kfree(p);
	stop();
}

TEST(nobody_else_can_serve_and_the_request_fails_cleanly)
{
	uint64_t free_before;
	void *p;

	start(KMEM_ZONE_DMA, SMALL);
	h.refuse_all = true;
	free_before = zone_free_now(KMEM_ZONE_DMA);
	ok(!kmalloc(1 << 20, GFP_DMA | __GFP_NOWARN), "NULL");
	ok(!kmalloc(100, GFP_KERNEL | GFP_DMA | __GFP_NORETRY | __GFP_NOWARN), "NULL");
	is(zone_free_now(KMEM_ZONE_DMA), free_before, "nothing is lost");
	is(ranges_live(), 0);
	h.refuse_all = false;
	p = kmalloc(1 << 20, GFP_DMA);
	ok(populated(p), "later it works");
	kfree(p);
	stop();
}

/* The n-th call refuses, for every n that is called: whatever was served before is whole. */
TEST(each_refusal_in_turn)
{
	unsigned int calls = 1;

	for (unsigned int nth = 1; nth <= calls + 1; nth++) {
		void *p[16];
		unsigned int got = 0;

		h = (struct hooked){.refuse_nth = nth, .lock = PTHREAD_MUTEX_INITIALIZER};
		start(KMEM_ZONE_DMA, SMALL);
		for (int i = 0; i < 16; i++) {
			p[i] = kmalloc(1 << 20, GFP_DMA | __GFP_NOWARN);
			ok(!p[i] || populated(p[i]), "block %d", i);
			got += p[i] != NULL;
		}
		is(h.refusals, nth <= h.populates, "refusals of %u", nth);
		ok(got > 8, "the others are served: %u", got);
		calls = h.populates;
		for (int i = 0; i < 16; i++)
			kfree(p[i]);
		stop();
	}
	ok(calls >= 3, "%u calls", calls);
}

/* A section in two zones with hooks is two ranges; refused in the second, the first is undone. */
TEST(a_section_of_two_zones)
{
	void *p, *q;

	is(kmem_zone_set_ops(KMEM_ZONE_DMA, &ops, &h), 0, "set");
	h.refuse_nth = 2;
	start(KMEM_ZONE_NORMAL, "mem=8M zones=dma:2M,normal:rest nr_cpus=1 percpu_pages=0");
	q = kmalloc(300000, GFP_DMA | __GFP_NOWARN);
	ok(h.populates >= 2 && h.refusals == 1, "%u calls", h.populates);
	p = kmalloc(300000, GFP_DMA);
	ok(p && populated(p), "later");
	is(kmem_check(), 0);
	kfree(p);
	kfree(q);
	stop();
}

TEST(high_memory_has_no_address)
{
	struct page *page;

	start(KMEM_ZONE_HIGHMEM, "mem=64M zones=normal:32M,highmem:rest nr_cpus=2 percpu_pages=0");
	page = alloc_pages(GFP_HIGHUSER, 0);
	ok(page && !page_address(page));
	is(h.nr, 1);
	is_ptr(h.range[0].addr, NULL);
	ok(page_to_pfn(page) - h.range[0].pfn < h.range[0].bytes >> PAGE_SHIFT, "by number");
	__free_page(page);
	stop();
}

/* On posix vmalloc moves frames, and what is registered would be other memory when they come back. */
TEST(populated_frames_are_not_moved)
{
	struct page *page;
	void *p;

	start(KMEM_ZONE_DMA, SMALL);
	p = vmalloc(100000);
	ok(p != NULL, "of another zone");
	vfree(p);
	ok(!__vmalloc(100000, GFP_KERNEL | GFP_DMA | __GFP_NOWARN), "of this one");
	page = alloc_page(GFP_KERNEL | GFP_DMA);
	ok(page != NULL);
	ok(!vmap(&page, 1, 0, PAGE_KERNEL), "mapped elsewhere");
	ok(populated(page_address(page)));
	__free_page(page);
	stop();
}

/* ---- Contexts -------------------------------------------------------------------------------------- */

TEST(who_may_not_wait_is_refused_what_is_not_populated)
{
	struct page *page;
	void *p;

	start(KMEM_ZONE_DMA, SMALL);
	kmem_irq_enter();
	ok(!kmalloc(1 << 20, GFP_ATOMIC | GFP_DMA | __GFP_NOWARN), "a handler");
	kmem_irq_exit();
	kmem_preempt_disable();
	ok(!alloc_pages(GFP_ATOMIC | GFP_DMA | __GFP_NOWARN, 2), "a section");
	kmem_preempt_enable();
	is(h.populates, 0, "nobody was called");
	p = kmalloc(1 << 20, GFP_KERNEL | GFP_DMA);
	ok(p != NULL);
	is(h.populates, 1);
	kmem_irq_enter();
	page = alloc_pages(GFP_ATOMIC | GFP_DMA, 2);
	ok(page && populated(page_address(page)), "what is populated is served");
	__free_pages(page, 2);
	kmem_irq_exit();
	is(h.populates, 1);
	kfree(p);
	stop();
}

TEST(a_nolock_call_does_not_call_anybody)
{
	struct page *page;

	start(KMEM_ZONE_NORMAL, SMALL);
	h.populates = 0;
	for (int i = 0; i < 3000; i++) {
		page = alloc_pages_nolock(__KMEM_GFP(0), -1, 0);
		if (page)
			held[nr_held++] = page;
	}
	is(h.populates, 0, "never");
	ok(nr_held > 0, "but is served what is there");
	give_back_all();
	stop();
}

TEST(a_hook_that_allocates_gets_nothing_new)
{
	void *p;

	h.greedy = true;
	start(KMEM_ZONE_DMA, SMALL);
	p = kmalloc(1 << 20, GFP_KERNEL | GFP_DMA);
	ok(p && populated(p));
	is(h.got_inside, 0, "inside");
	kfree(p);
	is(h.populates, 1, "and nobody was called");
	stop();
}

static void *taker(void *arg)
{
	void **p = arg;

	for (int i = 0; i < 16; i++) {
		p[i] = kmalloc(100000, GFP_KERNEL | GFP_DMA | __GFP_NORETRY | __GFP_NOWARN);
		if (p[i] && !populated(p[i]))
			return arg;
	}
	return NULL;
}

TEST(two_who_come_at_once_populate_once)
{
	static void *p[4][16];
	pthread_t thread[4];
	void *bad;

	h.slow = true;
	start(KMEM_ZONE_DMA, SMALL);
	for (int t = 0; t < 4; t++)
		pthread_create(&thread[t], NULL, taker, p[t]);
	for (int t = 0; t < 4; t++) {
		pthread_join(thread[t], &bad);
		is_ptr(bad, NULL, "thread %d has what is populated", t);
	}
	is(h.populates, h.nr, "none twice");
	for (unsigned int i = 0; i < h.nr; i++)
		for (unsigned int k = 0; k < i; k++)
			ok(h.range[i].pfn != h.range[k].pfn, "ranges %u and %u", i, k);
	for (int t = 0; t < 4; t++)
		for (int i = 0; i < 16; i++)
			kfree(p[t][i]);
	stop();
}

/* ---- The life of the hooks --------------------------------------------------------------------------- */

TEST(setting_is_for_machines_that_are_off)
{
	const struct kmem_zone_ops half = {NULL, release};
	void *p;

	is(kmem_zone_set_ops(-1, &ops, NULL), -22, "no zone");
	is(kmem_zone_set_ops(KMEM_NR_ZONES, &ops, NULL), -22, "no zone");
	is(kmem_zone_set_ops(KMEM_ZONE_DMA, &half, NULL), -22, "no populate");
	start(KMEM_ZONE_DMA, SMALL);
	is(kmem_zone_set_ops(KMEM_ZONE_DMA, NULL, NULL), -16, "running");
	stop();
	machine_start(SMALL);
	p = kmalloc(1 << 20, GFP_DMA);
	ok(p != NULL);
	is(h.populates, 0, "forgotten");
	kfree(p);
	machine_stop();
	is(kmem_zone_set_ops(KMEM_ZONE_DMA, &ops, &h), 0, "set");
	is(kmem_zone_set_ops(KMEM_ZONE_DMA, NULL, NULL), 0, "and taken away");
	machine_start(SMALL);
	p = kmalloc(1 << 20, GFP_DMA);
	ok(p != NULL);
	is(h.populates, 0, "off");
	kfree(p);
	machine_stop();
}

TEST(leaked_memory_is_released_too)
{
	start(KMEM_ZONE_DMA, SMALL);
	ok(kmalloc(1 << 20, GFP_DMA) != NULL);
	machine_stop_with(1);
	is(ranges_live(), 0, "released");
}

TEST(a_child_neither_populates_nor_releases)
{
	int status = 0;
	void *p;
	pid_t pid;

	start(KMEM_ZONE_DMA, SMALL);
	p = kmalloc(1 << 20, GFP_DMA);
	ok(p != NULL);
	pid = fork();
	if (pid == 0) {
		int bad = 0;
		void *q = kmalloc(100000, GFP_DMA);

		bad |= !q || !populated(q); /* what is there */
		kfree(q);
		bad |= kmalloc(4 << 20, GFP_DMA | __GFP_NOWARN) != NULL ? 2 : 0;
		kfree(p);
		kmem_trim();
		kmem_shutdown();
		bad |= h.populates != 1 || h.releases != 0 ? 4 : 0;
		_exit(bad);
	}
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child: %#x", (unsigned int)status);
	kfree(p);
	stop();
}
