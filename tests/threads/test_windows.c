/* SPDX-License-Identifier: MIT */
/* Threads that share few windows, map for themselves, and make and free areas, all at once. */
#include <pthread.h>
#include <kmem/highmem.h>
#include <kmem/vmalloc.h>
#include "../support.h"

enum { THREADS = 4, PAGES = 6, ROUNDS = 4000, WORDS = 8 };

static struct page *pages[PAGES];

/* One word a thread, so that nobody writes what another one reads. */
static void use_shared(unsigned int me, unsigned int n)
{
	unsigned int i = n % PAGES;
	unsigned int *p = kmap(pages[i]), *q = kmap_local_page(pages[(i + 1) % PAGES]);

	if (p[WORDS] != i || q[WORDS] != (i + 1) % PAGES)
		ok(0, "a window shows another page");
	p[me]++;
	kunmap_local(q);
	kunmap(pages[i]);
}

static void use_area(unsigned int me, unsigned int n)
{
	size_t size = 1 + (n * 7919u) % 40000;
	unsigned char *p = n % 2 ? kvmalloc(size, GFP_KERNEL) : vmalloc(size);

	if (!p) {
		ok(0, "no area of %zu bytes", size);
		return;
	}
	p[0] = (unsigned char)me;
	p[size - 1] = (unsigned char)me;
	if (p[0] != me || p[size - 1] != me)
		ok(0, "an area is shared");
	kvfree(p);
}

static void *run(void *arg)
{
	unsigned int me = *(unsigned int *)arg;

	for (unsigned int n = 0; n < ROUNDS; n++) {
		use_shared(me, n * (me + 1));
		if (n % 8 == me)
			use_area(me, n);
	}
	return NULL;
}

static void storm(const char *cmdline)
{
	unsigned int nr[THREADS], sum = 0;
	pthread_t thread[THREADS];

	machine_start(cmdline);
	for (unsigned int i = 0; i < PAGES; i++) {
		unsigned int *p;

		pages[i] = alloc_page(GFP_HIGHUSER | __GFP_ZERO);
		p = kmap_local_page(pages[i]);
		p[WORDS] = i;
		kunmap_local(p);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		nr[i] = i;
		pthread_create(&thread[i], NULL, run, &nr[i]);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	for (unsigned int i = 0; i < PAGES; i++) {
		unsigned int *p = kmap_local_page(pages[i]);

		for (unsigned int k = 0; k < THREADS; k++)
			sum += p[k];
		kunmap_local(p);
		__free_page(pages[i]);
	}
	is(sum, THREADS * ROUNDS, "every write went to its page");
	machine_stop();
}

TEST(S176_threads_wait_for_windows)
{
	storm("mem=64M zones=normal:32M,highmem:rest kmap_slots=2");
}

TEST(threads_share_windows_and_areas)
{
	storm("mem=64M zones=normal:32M,highmem:rest");
	storm("mem=64M zones=normal:32M,highmem:rest kmap_slots=3 hardened=1");
}

TEST(threads_make_areas_of_the_direct_map)
{
	storm("mem=64M zones=flat");
}
