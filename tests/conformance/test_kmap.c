/* SPDX-License-Identifier: MIT */
/* kmap and its relatives: S6, S174 to S180. What waits is tests/sim/test_kmap.c's. */
#include <kmem/highmem.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../support.h"
#include "phys/phys.h"

#define HIGH "mem=1G zones=normal:64M,highmem:rest nr_cpus=2"

static struct page *high_page(void)
{
	struct page *page = alloc_page(GFP_HIGHUSER);

	ok(page && PageHighMem(page), "a page of HIGHMEM");
	return page;
}

/* Does fn end the process with a signal? */
static bool dies(void (*fn)(void *), void *arg)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		kmem_set_log(NULL, NULL);
		close(2);
		signal(SIGSEGV, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		fn(arg);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) || WEXITSTATUS(status) != 0;
}

static void touch(void *p)
{
	*(volatile char *)p = 1;
}

TEST(S6_highmem_has_no_address_until_mapped)
{
	struct page *page;
	void *p;

	machine_start(HIGH);
	page = high_page();
	ok(page_address(page) == NULL);
	p = kmap(page);
	is_ptr(page_address(page), p);
	kunmap(page);
	ok(page_address(page) == NULL);
	p = kmap_local_page(page);
	ok(p && page_address(page) == NULL, "a task's own mapping is no address of the page");
	kunmap_local(p);
	__free_page(page);
	p = (void *)__get_free_page(GFP_KERNEL | __GFP_HIGHMEM);
	ok(p && !PageHighMem(virt_to_page(p)));
	free_page((unsigned long)p);
	machine_stop();
}

TEST(S174_kmap_twice_is_one_address_until_both_are_undone)
{
	struct page *page, *other[600];
	char *p, *q;

	machine_start(HIGH " kmap_slots=8 hardened=1");
	page = high_page();
	p = kmap(page);
	strcpy(p, "contents");
	is_ptr(kmap(page), p);
	kunmap(page);
	is_ptr(page_address(page), p);
	for (int i = 0; i < 600; i++) {
		other[i] = high_page();
		q = kmap(other[i]);
		ok(q != p);
		memset(q, i, PAGE_SIZE);
		kunmap(other[i]);
	}
	ok(!strcmp(p, "contents"), "still mapped");
	kunmap(page);
	ok(dies(touch, p), "and then it traps");
	for (int i = 0; i < 600; i++) {
		unsigned char *c = kmap_local_page(other[i]);

		is(c[PAGE_SIZE - 1], i & 0xff);
		kunmap_local(c);
		__free_page(other[i]);
	}
	__free_page(page);
	machine_stop();
}

TEST(S174_a_page_used_again_stays_where_it_was)
{
	struct page *page;
	void *p, *l;

	machine_start(HIGH);
	page = high_page();
	p = kmap(page);
	kunmap(page);
	is_ptr(kmap_high_get(page), p);
	kunmap(page);
	is_ptr(kmap(page), p);
	kunmap(page);
	kmap_flush_unused();
	ok(kmap_high_get(page) == NULL);
	ok(dies(touch, p), "flushed: a stale pointer traps");
	l = kmap_local_page(page);
	kunmap_local(l);
	is_ptr(kmap_local_page(page), l);
	kunmap_local((char *)l + 100);
	__free_page(page);
	machine_stop();
}

TEST(S175_lowmem_needs_no_slot)
{
	struct page *page, *high;
	void *p;

	machine_start(HIGH " kmap_slots=1");
	high = high_page();
	kmap(high);
	page = alloc_page(GFP_KERNEL);
	for (int i = 0; i < 100; i++)
		is_ptr(kmap(page), page_address(page));
	for (int i = 0; i < 200; i++)
		kunmap(page);
	for (int i = 0; i < 40; i++)
		is_ptr(kmap_local_page(page), page_address(page));
	p = kmap_atomic(page);
	is_ptr(p, page_address(page));
	kunmap_atomic(p);
	is_ptr(kmap_to_page((char *)p + 5), page);
	kunmap(high);
	__free_page(page);
	__free_page(high);
	machine_stop();
}

/* Nothing is waited for where nothing may be. */
TEST(S176_without_a_slot_atomic_context_gets_none)
{
	struct page *a, *b;

	machine_start(HIGH " kmap_slots=1");
	a = high_page();
	b = high_page();
	kmap(a);
	kmem_preempt_disable();
	ok(kmap(b) == NULL);
	ok(kmap(a) == page_address(a), "mapped already");
	kmem_preempt_enable();
	ok(reports_of(KMEM_MISUSE_CONTEXT) >= 1);
	kunmap(a);
	kunmap(a);
	ok(kmap(b) != NULL);
	kunmap(b);
	__free_page(a);
	__free_page(b);
	machine_stop();
}

static void unmap(void *page)
{
	kunmap(page);
}

TEST(S177_an_extra_kunmap_is_fatal)
{
	struct page *page;

	machine_start(HIGH);
	page = high_page();
	ok(dies(unmap, page), "never mapped");
	kmap(page);
	ok(!dies(unmap, page), "once is right");
	kunmap(page);
	ok(dies(unmap, page), "twice is not");
	__free_page(page);
	machine_stop();
}

TEST(S178_local_mappings_are_undone_last_in_first_out)
{
	struct page *page[4];
	char *p[4];

	machine_start(HIGH);
	for (int i = 0; i < 4; i++) {
		page[i] = high_page();
		p[i] = kmap_local_page(page[i]);
		p[i][0] = (char)i;
		is_ptr(kmap_to_page(p[i] + 77), page[i]);
	}
	kunmap_local(p[3]);
	is(reports_of(KMEM_MISUSE_KMAP_ORDER), 0);
	kunmap_local(p[0]);
	is(reports_of(KMEM_MISUSE_KMAP_ORDER), 1);
	kunmap_local(p[0]);
	is(reports_of(KMEM_MISUSE_KMAP_ORDER), 2, "it is none of the task's");
	kunmap_local(p[2]);
	kunmap_local(p[1]);
	is(reports_of(KMEM_MISUSE_KMAP_ORDER), 2);
	/* The depth is right again. */
	for (int i = 0; i < 15; i++)
		p[i % 4] = kmap_local_page(page[0]);
	is(port_task()->kmap >> 16, 15);
	machine_stop_with(4);
	port_task()->kmap = 0;
}

static void local_extra(void *p)
{
	kunmap_local(p);
}

TEST(S177_an_extra_kunmap_local_is_fatal)
{
	struct page *page;
	void *p;

	machine_start(HIGH);
	page = high_page();
	p = kmap_local_page(page);
	kunmap_local(p);
	ok(dies(local_extra, p));
	__free_page(page);
	machine_stop();
}

static void map_once_more(void *page)
{
	kmap_local_page(page);
}

TEST(S179_the_sixteenth_nested_mapping_is_fatal)
{
	struct page *page;
	void *p[15];

	machine_start(HIGH);
	page = high_page();
	for (int i = 0; i < 14; i++)
		p[i] = kmap_local_page(page);
	ok(!dies(map_once_more, page), "the fifteenth is not");
	p[14] = kmap_local_page(page);
	ok(dies(map_once_more, page));
	for (int i = 15; i-- > 0;)
		kunmap_local(p[i]);
	__free_page(page);
	machine_stop();
}

TEST(S180_kmap_atomic_disables_preemption)
{
	struct page *page;
	void *p, *q;

	machine_start(HIGH);
	page = high_page();
	ok(!in_atomic());
	p = kmap_atomic(page);
	ok(p && in_atomic());
	kfree(kmalloc(100, GFP_KERNEL));
	is(reports_of(KMEM_MISUSE_GFP_SLEEP_ATOMIC), 1, "who would sleep is told");
	q = kmap_atomic(page, KM_USER1);
	ok(q && q != p, "the form with a type");
	kunmap_atomic(q, KM_USER1);
	ok(in_atomic());
	kunmap_atomic(p);
	ok(!in_atomic());
	__free_page(page);
	machine_stop();
}

TEST(contents_through_windows)
{
	struct page *a, *b;
	char text[64];

	machine_start(HIGH);
	a = high_page();
	b = alloc_page(GFP_KERNEL);
	clear_highpage(a);
	memcpy_to_page(a, 100, "some text", 10);
	copy_highpage(b, a);
	memcpy_from_page(text, b, 100, 10);
	ok(!strcmp(text, "some text"));
	memset_page(a, 100, 'x', 4);
	zero_user(a, 104, 1);
	memcpy_page(b, 8, a, 100, 5);
	memcpy_from_page(text, b, 8, 5);
	ok(!strcmp(text, "xxxx"));
	__free_page(a);
	__free_page(b);
	machine_stop();
}

/* Blocks are cleared through windows of many pages at once. */
TEST(zeroed_blocks_of_highmem_are_zero)
{
	struct page *page;
	unsigned char *p;

	machine_start(HIGH " percpu_pages=0");
	for (int round = 0; round < 2; round++) {
		page = alloc_pages(GFP_HIGHUSER | __GFP_ZERO, 8);
		ok(page && PageHighMem(page));
		for (int i = 0; i < 256; i++) {
			unsigned int sum = 0;

			p = kmap_local_page(page + i);
			for (unsigned int b = 0; b < PAGE_SIZE; b += 64)
				sum |= p[b];
			is(sum, 0, "page %d", i);
			memset(p, 0xee, PAGE_SIZE);
			kunmap_local(p);
		}
		__free_pages(page, 8);
	}
	machine_stop();
}

/* ---- From a handler ------------------------------------------------------------------------------ */

static struct page *handler_page;
static volatile sig_atomic_t handler_runs, handler_wrong;

static void on_alarm(int sig)
{
	unsigned char *p = kmap_atomic(handler_page);

	(void)sig;
	p[0]++;
	if (kmap_to_page(p) != handler_page)
		handler_wrong = 1;
	kunmap_atomic(p);
	handler_runs = handler_runs + 1;
}

TEST(handlers_map_at_any_instruction)
{
	struct itimerval every = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
	struct page *page[3];

	machine_start(HIGH);
	handler_page = high_page();
	clear_highpage(handler_page);
	for (int i = 0; i < 3; i++)
		page[i] = high_page();
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &every, NULL);
	for (unsigned long n = 0; handler_runs < 2000; n++) {
		char *p = kmap_local_page(page[n % 3]), *q = kmap_local_page(page[(n + 1) % 3]);

		if (kmap_to_page(p) != page[n % 3] || kmap_to_page(q) != page[(n + 1) % 3])
			handler_wrong = 2;
		kmap(page[2]);
		kunmap(page[2]);
		kunmap_local(q);
		kunmap_local(p);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	is(handler_wrong, 0);
	is(port_task()->kmap, 0);
	for (int i = 0; i < 3; i++)
		__free_page(page[i]);
	__free_page(handler_page);
	machine_stop();
}

TEST(a_child_keeps_its_mappings_and_gets_the_others_slots)
{
	struct page *page, *other;
	char *p, *q;
	int status;
	pid_t pid;

	machine_start(HIGH " kmap_slots=2");
	page = high_page();
	other = high_page();
	p = kmap_local_page(page);
	q = kmap(other);
	p[0] = 'p';
	q[0] = 'q';
	pid = fork();
	if (pid == 0) {
		char *r = kmap_local_page(other);
		bool good = p[0] == 'p' && r[0] == 'q' && r != p;

		kunmap_local(r);
		kunmap_local(p);
		kunmap(other);
		_exit(good && kmem_check() == 0 ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	is(status, 0);
	kunmap(other);
	kunmap_local(p);
	__free_page(page);
	__free_page(other);
	machine_stop();
}

/* 8 GiB in a 32-bit process too: frames and addresses beyond 4 GiB are what they say. */
static void large_machine(unsigned long pages)
{
	unsigned long nr = 0, good = 0;
	struct page **page = calloc(pages, sizeof(*page));
	u64 top = 0;

	machine_start("mem=8G zones=i386 nr_cpus=2");
	for (; nr < pages; nr++) {
		unsigned long *p;

		page[nr] = alloc_page(GFP_HIGHUSER | __GFP_NOWARN);
		if (!page[nr])
			break;
		p = kmap(page[nr]);
		p[0] = nr;
		p[PAGE_SIZE / sizeof(*p) - 1] = ~nr;
		kunmap(page[nr]);
		top = u64_max(top, (u64)page_to_pfn(page[nr]) << PAGE_SHIFT);
	}
	is(nr, pages);
	ok(top < (u64)8 << 30, "highest address %#llx", (unsigned long long)top);
	for (unsigned long i = 0; i < nr; i++) {
		unsigned long *p = kmap_local_page(page[i]);

		good += p[0] == i && p[PAGE_SIZE / sizeof(*p) - 1] == ~i;
		kunmap_local(p);
		__free_page(page[i]);
	}
	is(good, nr, "every page is what was written");
	free(page);
	machine_stop();
}

TEST(a_large_machine_with_256_MiB_touched)
{
	const char *full = getenv("KMEM_TEST_HIGHMEM_MIB");

	large_machine((full ? strtoul(full, NULL, 10) : 256) << (20 - PAGE_SHIFT));
}

/* The frames of the machine's far end, wherever the allocator begins. */
TEST(the_last_frames_of_8_GiB_are_reached)
{
	struct page *run;
	unsigned long nr = 3ul << (30 - PAGE_SHIFT), pfn;

	machine_start("mem=8G zones=i386 nr_cpus=2");
	run = alloc_contig_pages(1, GFP_HIGHUSER, 0, NULL);
	ok(run != NULL);
	for (pfn = 0; pfn < nr; pfn += 99991) {
		struct page *page = pfn_to_page((1ul << (33 - PAGE_SHIFT)) - 1 - pfn);
		u64 phys_addr = (u64)page_to_pfn(page) << PAGE_SHIFT;

		ok(page && PageHighMem(page), "%#llx", (unsigned long long)phys_addr);
		is(port_commit(page_to_pfn(page), 1) >= 0, 1);
		memcpy_to_page(page, 8, (const char *)&phys_addr, sizeof(phys_addr));
	}
	for (pfn = 0; pfn < nr; pfn += 99991) {
		struct page *page = pfn_to_page((1ul << (33 - PAGE_SHIFT)) - 1 - pfn);
		u64 phys_addr = 0;

		memcpy_from_page((char *)&phys_addr, page, 8, sizeof(phys_addr));
		is(phys_addr >> PAGE_SHIFT, page_to_pfn(page));
	}
	free_contig_range(page_to_pfn(run), 1);
	machine_stop();
}
