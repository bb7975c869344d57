/* SPDX-License-Identifier: MIT */
/* vmalloc, vmap and kvmalloc: S109, S110, S182 to S185, and what they promise beside. */
#include <kmem/fault.h>
#include <kmem/highmem.h>
#include <kmem/vmalloc.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include "pressure.h"

/* With pages that have an address, and with pages that have none. */
static const char *const machines[] = {
	"mem=64M zones=x86_64 nr_cpus=2",
	"mem=64M zones=normal:24M,highmem:rest nr_cpus=2",
	"mem=64M zones=flat nr_cpus=1 percpu_pages=0 page_poison=1",
	"mem=64M zones=i386 nr_cpus=2 hardened=1",
};
enum { MACHINES = sizeof(machines) / sizeof(machines[0]) };

static sigjmp_buf trap;

static void on_trap(int sig)
{
	(void)sig;
	siglongjmp(trap, 1);
}

/* Does the address trap? (A sanitizer that has its own idea of the signal is put aside.) */
static bool traps(const volatile void *p)
{
	struct sigaction sa = {.sa_handler = on_trap}, old;
	bool trapped = true;

	sigaction(SIGSEGV, &sa, &old);
	if (sigsetjmp(trap, 1) == 0) {
		(void)*(const volatile char *)p;
		trapped = false;
	}
	sigaction(SIGSEGV, &old, NULL);
	return trapped;
}

static void fill(void *p, size_t size, unsigned int seed)
{
	uint32_t *w = p;

	for (size_t i = 0; i < size / sizeof(*w); i++)
		w[i] = (uint32_t)(i * 2654435761u + seed);
}

static bool filled(const void *p, size_t size, unsigned int seed)
{
	const uint32_t *w = p;

	for (size_t i = 0; i < size / sizeof(*w); i++)
		if (w[i] != (uint32_t)(i * 2654435761u + seed))
			return false;
	return true;
}

TEST(S182_page_aligned_with_a_guard_page)
{
	static const size_t sizes[] = {1, 4095, 4096, 4097, 100000, 3u << 20, 9u << 20};

	for (int m = 0; m < MACHINES; m++) {
		machine_start(machines[m]);
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			size_t pages = (sizes[i] + PAGE_SIZE - 1) / PAGE_SIZE;
			unsigned char *p = vmalloc(sizes[i]);

			ok(p && (uintptr_t)p % PAGE_SIZE == 0, "%zu", sizes[i]);
			ok(is_vmalloc_addr(p) && is_vmalloc_addr(p + sizes[i] - 1));
			fill(p, pages * PAGE_SIZE, 7);
			ok(filled(p, pages * PAGE_SIZE, 7));
			ok(traps(p + pages * PAGE_SIZE), "guard behind %zu bytes", sizes[i]);
			is(kmem_check(), 0);
			vfree(p);
			ok(traps(p), "gone");
		}
		ok(vmalloc(0) == NULL);
		is(reports_of(KMEM_MISUSE_VMALLOC_SIZE), 1);
		machine_stop();
	}
}

TEST(S183_single_pages_are_enough)
{
	void *p;

	machine_start(M64);
	exhaust(GFP_HIGHUSER);
	/* Every second page, so that no two are together. */
	for (unsigned long i = 0; i < nr_held; i++) {
		if (page_to_pfn(held[i]) % 2 == 0)
			continue;
		__free_page(held[i]);
		held[i--] = held[--nr_held];
	}
	ok(alloc_pages(GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY, 8) == NULL, "no block of 1 MiB");
	p = vmalloc(20 << 20);
	ok(p != NULL, "20 MiB of single pages");
	fill(p, 20 << 20, 1);
	ok(filled(p, 20 << 20, 1));
	vfree(p);
	give_back_all();
	machine_stop();
}

TEST(S184_larger_than_memory_is_NULL_and_nothing_leaks)
{
	uint64_t before;

	for (int m = 0; m < MACHINES; m++) {
		machine_start(machines[m]);
		vfree(vmalloc(100));
		before = pages_free_drained();
		ok(vmalloc((size_t)65 << 20) == NULL);
		is(log_count("exceeds total pages"), 1);
		ok(vmalloc(SIZE_MAX / 2) == NULL);
		is(pages_free_drained(), before);
		ok(__vmalloc((size_t)63 << 20, GFP_KERNEL | __GFP_NORETRY) == NULL,
		   "not so many free");
		is(log_count("failed to allocate pages"), 1);
		ok(__vmalloc((size_t)63 << 20, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN) == NULL);
		is(log_count("vmalloc error: size"), 3, "quiet when told");
		is(pages_free_drained(), before);
		machine_stop();
	}
}

TEST(S185_vfree_of_NULL_and_of_what_is_no_area)
{
	char *p, *q;

	machine_start(machines[0]);
	vfree(NULL);
	vunmap(NULL);
	is(reports_of(KMEM_MISUSE_VMALLOC_FREE), 0);
	p = vmalloc(3 * PAGE_SIZE);
	vfree(p + 1);
	is(log_count("Trying to vfree() bad address"), 1);
	vfree(p + PAGE_SIZE);
	is(log_count("Trying to vfree() nonexistent vm area"), 1);
	vfree(machines);
	q = kmalloc(100, GFP_KERNEL);
	vfree(q);
	vunmap(p);
	is(log_count("Trying to vunmap() nonexistent vm area"), 1, "not from vmap");
	is(reports_of(KMEM_MISUSE_VMALLOC_FREE), 5);
	vfree(p);
	vfree(p);
	is(reports_of(KMEM_MISUSE_VMALLOC_FREE), 6, "twice");
	p = vmalloc(10);
	kfree(p);
	is(reports_of(KMEM_MISUSE_SLAB_FOREIGN), 1, "kfree of an area");
	vfree(p);
	kfree(q);
	machine_stop();
}

TEST(vzalloc_is_zero_whatever_lay_there)
{
	for (int m = 0; m < MACHINES; m++) {
		unsigned char *p;
		unsigned int sum = 0;

		machine_start(machines[m]);
		for (int round = 0; round < 3; round++) {
			p = vmalloc(30 << 20);
			ok(p != NULL);
			memset(p, 0xff, 30 << 20);
			vfree(p);
			p = round ? vzalloc(31 << 20) : vmalloc_user(31 << 20);
			ok(p != NULL);
			for (size_t i = 0; i < 31 << 20; i += 64)
				sum |= p[i];
			is(sum, 0);
			memset(p, 0xff, 31 << 20);
			vfree(p);
		}
		machine_stop();
	}
}

/* Frames that went through an area are ordinary pages again. */
TEST(pages_of_an_area_and_afterwards)
{
	struct page *page;
	char *p;

	machine_start(machines[0]);
	p = vmalloc(5 * PAGE_SIZE);
	for (int i = 0; i < 5; i++) {
		page = vmalloc_to_page(p + (size_t)i * PAGE_SIZE + 17);
		ok(page && page_count(page) == 1);
		is(vmalloc_to_pfn(p + (size_t)i * PAGE_SIZE), page_to_pfn(page));
		is_ptr(page_address(page), p + (size_t)i * PAGE_SIZE);
		memcpy_to_page(page, 3, "via kmap", 9);
		is(strcmp(p + (size_t)i * PAGE_SIZE + 3, "via kmap"), 0);
		ok(phys_to_virt((u64)page_to_pfn(page) << PAGE_SHIFT) != p);
	}
	ok(vmalloc_to_page(p + 5 * PAGE_SIZE) == NULL, "the guard");
	page = vmalloc_to_page(p);
	__free_page(page);
	is(reports_of(KMEM_MISUSE_VMALLOC_FREE), 1, "not to be freed under the area");
	get_page(page);
	put_page(page);
	is(reports_of(KMEM_MISUSE_VMALLOC_FREE), 1, "references come and go");
	get_page(page);
	vfree(p);
	is(page_count(page), 1, "one reference more outlives the area");
	p = page_address(page);
	ok(p && !is_vmalloc_addr(p));
	memset(p, 1, PAGE_SIZE);
	__free_page(page);
	for (int i = 0; i < 3; i++) {
		p = vmalloc(40 << 20);
		fill(p, 40 << 20, (unsigned int)i);
		vfree(p);
		take(GFP_KERNEL, 9000);
		for (unsigned long n = 0; n < nr_held; n++)
			fill(page_address(held[n]), PAGE_SIZE, (unsigned int)n);
		for (unsigned long n = 0; n < nr_held; n++)
			if (!filled(page_address(held[n]), PAGE_SIZE, (unsigned int)n))
				ok(0, "page %lu", n);
		give_back_all();
	}
	machine_stop();
}

TEST(vmap_keeps_contents_both_ways)
{
	for (int m = 0; m < MACHINES; m++) {
		struct page *pages[700], *twice[2];
		char *p;

		machine_start(machines[m]);
		for (int i = 0; i < 700; i++) {
			pages[i] = alloc_page(i % 3 ? GFP_HIGHUSER : GFP_KERNEL);
			memset_page(pages[i], 0, i & 0xff, PAGE_SIZE);
		}
		p = vmap(pages, 700, VM_MAP, PAGE_KERNEL);
		ok(p != NULL);
		for (int i = 0; i < 700; i++) {
			is((unsigned char)p[(size_t)i * PAGE_SIZE + 4095], i & 0xff);
			p[(size_t)i * PAGE_SIZE] = (char)(i + 1);
			is_ptr(vmalloc_to_page(p + (size_t)i * PAGE_SIZE), pages[i]);
		}
		is(kmem_check(), 0);
		if (page_is_lent(pages[0])) {
			ok(vmap(pages, 1, VM_MAP, PAGE_KERNEL) == NULL, "in an area already");
			__free_page(pages[0]);
			is(reports_of(KMEM_MISUSE_VMALLOC_FREE), 1);
		}
		vunmap(p);
		ok(traps(p));
		for (int i = 0; i < 700; i++) {
			unsigned char *c = kmap_local_page(pages[i]);

			is(c[0], (i + 1) & 0xff);
			is(c[1], i & 0xff);
			kunmap_local(c);
		}
		twice[0] = pages[1];
		twice[1] = pages[1];
		p = vmap(twice, 2, 0, PAGE_KERNEL);
		ok(PageHighMem(pages[1]) ? p != NULL : p == NULL, "the same page twice");
		vunmap(p);
		ok(vmap(pages, 0, VM_MAP, PAGE_KERNEL) == NULL);
		ok(vmap(pages, 1, 0x100, PAGE_KERNEL) == NULL);
		for (int i = 0; i < 700; i++)
			__free_page(pages[i]);
		machine_stop();
	}
}

TEST(vmap_of_a_slabs_page_is_refused)
{
	struct page *page;
	char *p;

	machine_start(machines[0]);
	p = kmalloc(100, GFP_KERNEL);
	page = virt_to_page(p);
	ok(vmap(&page, 1, VM_MAP, PAGE_KERNEL) == NULL);
	memset(p, 1, 100);
	kfree(p);
	p = kmalloc(20000, GFP_KERNEL);
	memset(p, 2, 20000);
	page = virt_to_page(p);
	p = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
	ok(p && p[4095] == 2, "a large block's may");
	vunmap(p);
	kfree(page_address(page));
	machine_stop();
}

TEST(vrealloc_in_place_and_moved)
{
	unsigned char *p, *q;

	machine_start(machines[0]);
	p = vrealloc(NULL, 5000, GFP_KERNEL | __GFP_ZERO);
	fill(p, 5000, 3);
	q = vrealloc(p, 8192, GFP_KERNEL | __GFP_ZERO);
	is_ptr(q, p);
	ok(filled(q, 5000, 3) && !q[5000] && !q[8191]);
	memset(q + 5000, 1, 3192);
	is_ptr(vrealloc(q, 100, GFP_KERNEL), q);
	q = vrealloc(p, 300000, GFP_KERNEL | __GFP_ZERO);
	ok(q && q != p && filled(q, 100, 3) && !q[299999]);
	ok(vrealloc(q, (size_t)80 << 20, GFP_KERNEL | __GFP_NOWARN) == NULL);
	ok(filled(q, 100, 3), "still there");
	ok(vrealloc(q + PAGE_SIZE, 100, GFP_KERNEL) == NULL);
	is(reports_of(KMEM_MISUSE_VMALLOC_FREE), 1);
	ok(vrealloc(q, 0, GFP_KERNEL) == NULL);
	ok(traps(q));
	machine_stop();
}

TEST(S109_kvmalloc_falls_back_above_a_page_alone)
{
	char *p, *q;

	machine_start(M64);
	p = kvmalloc(1 << 20, GFP_KERNEL);
	ok(p && !is_vmalloc_addr(p), "where there is a block, kmalloc");
	kvfree(p);
	take(GFP_KERNEL, HELD_MAX);
	for (unsigned long i = 0; i < nr_held; i++) {
		if (page_to_pfn(held[i]) % 2 == 0)
			continue;
		__free_page(held[i]);
		held[i--] = held[--nr_held];
	}
	reports_clear();
	p = kvmalloc(1 << 20, GFP_KERNEL);
	ok(p && is_vmalloc_addr(p), "1 MiB with all high orders gone");
	is(log_count("allocation failure"), 0, "the first try is quiet");
	fill(p, 1 << 20, 9);
	q = kvrealloc(p, 2 << 20, GFP_KERNEL);
	ok(q && is_vmalloc_addr(q) && filled(q, 1 << 20, 9));
	kvfree_sensitive(q, 2 << 20);
	p = kmalloc(8000, GFP_KERNEL | __GFP_NOWARN);
	if (p)
		memset(p, 5, 8000);
	q = kvrealloc(p, 1 << 20, GFP_KERNEL);
	ok(q && is_vmalloc_addr(q) && (!p || q[7999] == 5), "from one kind to the other");
	kvfree(q);
	exhaust(GFP_KERNEL);
	ok(kvmalloc(PAGE_SIZE, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN) == NULL,
	   "up to a page never an area");
	kvfree(NULL);
	give_back_all();
	p = kvcalloc(1000, 300, GFP_KERNEL);
	ok(p && !p[0] && !p[299999]);
	kvfree(p);
	ok(kvmalloc_array(SIZE_MAX / 2, 3, GFP_KERNEL) == NULL);
	ok(kvmalloc_array(2, (size_t)1 << 30, GFP_KERNEL) == NULL, "above 2 GiB - 1");
	is(reports_of(KMEM_MISUSE_VMALLOC_SIZE), 1);
	machine_stop();
}

TEST(S110_kvmalloc_that_may_not_block_is_NULL)
{
	machine_start(M64);
	take(GFP_KERNEL, HELD_MAX);
	for (unsigned long i = 0; i < nr_held; i++) {
		if (page_to_pfn(held[i]) % 2 == 0)
			continue;
		__free_page(held[i]);
		held[i--] = held[--nr_held];
	}
	ok(kvmalloc(1 << 20, GFP_NOWAIT) == NULL);
	ok(kvmalloc(1 << 20, GFP_ATOMIC | __GFP_NOWARN) == NULL);
	give_back_all();
	machine_stop();
}

TEST(vfree_from_an_interrupt_happens_later)
{
	char *p, *q;

	machine_start(machines[1]);
	p = vmalloc(10000);
	q = vmalloc(10000);
	kmem_irq_enter();
	vfree(p);
	vfree(q);
	ok(!traps(p), "not yet");
	kmem_irq_exit();
	vfree(vmalloc(1));
	ok(traps(p) && traps(q));
	p = vmalloc(10000);
	kmem_irq_enter();
	vfree(p);
	vfree(p);
	vfree(p + 5);
	kmem_irq_exit();
	kmem_drain();
	is(reports_of(KMEM_MISUSE_VMALLOC_FREE), 2, "twice, and in the middle");
	p = vmalloc(10000);
	kmem_nmi_enter();
	vfree(p);
	kmem_nmi_exit();
	is(reports_of(KMEM_MISUSE_GFP_NMI), 1);
	kmem_preempt_disable();
	ok(vmalloc(100) == NULL);
	kmem_preempt_enable();
	ok(reports_of(KMEM_MISUSE_CONTEXT) >= 1);
	machine_stop();
}

TEST(an_area_left_is_reported_at_shutdown)
{
	machine_start(machines[0]);
	ok(vmalloc(12345) != NULL);
	machine_stop_with(1);
	is(log_count("leak: vmalloc area"), 1);
	is(log_count("leak: pages"), 0, "and not once more for its pages");
}

TEST(fork_copies_areas_of_private_pages)
{
	int status;
	char *p;
	pid_t pid;

	machine_start(machines[0]);
	p = vmalloc(300000);
	fill(p, 300000, 4);
	pid = fork();
	if (pid == 0) {
		bool good = filled(p, 300000, 4);
		char *q = vmalloc(500000);

		memset(p, 1, 300000);
		good = good && q && q != p;
		fill(q, 500000, 5);
		good = good && filled(q, 500000, 5);
		vfree(p);
		vfree(q);
		_exit(good && kmem_check() == 0 && kmem_shutdown() == 0 ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	is(status, 0);
	ok(filled(p, 300000, 4), "the parent's is its own");
	vfree(p);
	machine_stop();
}

/* ---- Against a model -------------------------------------------------------------------------------- */

struct model_area {
	char *p;
	size_t size;
	unsigned int seed;
};
enum { MODEL_AREAS = 40, MODEL_STEPS = 1500 };

static void model_free(struct model_area *a)
{
	if (!a->p)
		return;
	if (!filled(a->p, a->size, a->seed))
		ok(0, "%zu bytes at %p have changed", a->size, (void *)a->p);
	vfree(a->p);
	a->p = NULL;
}

static void model_alloc(struct model_area *areas, struct model_area *a, uint64_t r)
{
	a->size = (size_t)(r % (r & 1 ? 5000 : 2500000)) + 1;
	a->seed = (unsigned int)r;
	a->p = r & 2 ? vzalloc(a->size) : __vmalloc(a->size, GFP_KERNEL | __GFP_NOWARN);
	for (int i = 0; a->p && i < MODEL_AREAS; i++) {
		struct model_area *o = &areas[i];

		if (o != a && o->p && o->p < a->p + a->size + PAGE_SIZE &&
		    a->p < o->p + o->size + PAGE_SIZE)
			ok(0, "%p and %p overlap", (void *)a->p, (void *)o->p);
	}
	if (a->p)
		fill(a->p, a->size, a->seed);
}

TEST(random_areas_against_a_model)
{
	for (int m = 0; m < MACHINES; m++) {
		struct model_area areas[MODEL_AREAS] = {{0}};
		uint64_t before;

		machine_start(machines[m]);
		vfree(vmalloc(1));
		before = pages_free_drained();
		for (unsigned int step = 0; step < MODEL_STEPS / tap_slow(); step++) {
			struct model_area *a = &areas[tap_rand() % MODEL_AREAS];

			if (a->p)
				model_free(a);
			else
				model_alloc(areas, a, tap_rand());
			if (a->p && step % 50 == 0) {
				size_t end = (a->size + PAGE_SIZE - 1) & PAGE_MASK;

				ok(traps(a->p + end), "guard");
				is(kmem_check(), 0);
			}
		}
		for (int i = 0; i < MODEL_AREAS; i++)
			model_free(&areas[i]);
		is(pages_free_drained(), before, "every frame is back");
		machine_stop();
	}
}

/* ---- Everything fails in turn ------------------------------------------------------------------------ */

static unsigned int failed_work(void)
{
	unsigned int failures = 0;
	struct page *pages[3] = {NULL};
	char *p, *q;

	p = __vmalloc(3u << 20, GFP_KERNEL | __GFP_NOWARN);
	failures += !p;
	if (p)
		fill(p, 3u << 20, 2);
	q = vrealloc(p, 4u << 20, GFP_KERNEL | __GFP_NOWARN);
	failures += !q;
	if (p && !filled(q ? q : p, 3u << 20, 2))
		ok(0, "contents lost");
	vfree(q ? q : p);
	if (alloc_pages_bulk(GFP_HIGHUSER | __GFP_NOWARN, 3, pages) == 3) {
		p = vmap(pages, 3, VM_MAP, PAGE_KERNEL);
		failures += !p;
		vunmap(p);
	}
	for (int i = 0; i < 3; i++)
		if (pages[i])
			__free_page(pages[i]);
	p = kvmalloc(200000, GFP_KERNEL | __GFP_NOWARN);
	failures += !p;
	kvfree(p);
	return failures;
}

/* False: there are no n decisions. */
static bool failed_nth(int n, unsigned int *failures)
{
	struct port_task *task = port_task();
	bool failed;

	kmem_fault_nth(n);
	*failures += failed_work();
	failed = task->fail_nth <= 0;
	kmem_fault_nth(0);
	return failed;
}

TEST(every_allocation_fails_in_turn_and_nothing_leaks)
{
	for (int m = 0; m < 2; m++) {
		unsigned int failures = 0;
		uint64_t before;
		int n;

		machine_start(machines[m]);
		is(failed_work(), 0);
		before = pages_free_drained();
		for (n = 1; failed_nth(n, &failures); n++) {
			if (pages_free_drained() != before)
				ok(0, "failure %d: pages lost", n);
			if (n % 16 == 0)
				is(kmem_check(), 0);
		}
		diag("%d failures in turn, %u refusals seen", n - 1, failures);
		ok(n > 6 && failures > 4);
		machine_stop();
	}
}
