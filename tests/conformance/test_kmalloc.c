/* SPDX-License-Identifier: MIT */
/* kmalloc: semantics 5, statements S92..S113 and S14. */
#include "../support.h"

static size_t class_of(size_t n)
{
	static const size_t classes[] = {8,   16,  32,	 64,   96,   128, 192,
					 256, 512, 1024, 2048, 4096, 8192};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (n <= classes[i])
			return classes[i];
	}
	return 0;
}

TEST(S14_highmem_bit_is_reported_dropped_and_the_request_succeeds)
{
	void *p;

	machine_start("mem=1G zones=i386");
	p = kmalloc(100, GFP_KERNEL | __GFP_HIGHMEM);
	ok(p && virt_addr_valid(p), "low memory");
	is(reports_of(KMEM_MISUSE_GFP_UNEXPECTED), 1, "one report");
	ok(log_count("Unexpected gfp") == 1, "its text");
	kfree(p);
	machine_stop();
}

TEST(S92_ksize_is_the_class_for_every_size)
{
	machine_start("mem=64M zones=i386");
	for (size_t n = 1; n <= 8192; n++) {
		void *p = kmalloc(n, GFP_KERNEL);

		if (!p || ksize(p) != class_of(n))
			ok(0, "kmalloc(%zu): ksize %zu, class %zu", n, p ? ksize(p) : 0,
			   class_of(n));
		kfree(p);
	}
	ok(1, "8192 sizes");
	machine_stop();
}

TEST(S93_above_two_pages_whole_blocks)
{
	void *p;

	machine_start("mem=64M zones=i386");
	p = kmalloc(8193, GFP_KERNEL);
	is(ksize(p), 16384, "ksize");
	is((uintptr_t)p % PAGE_SIZE, 0, "page aligned");
	ok(PageHead(virt_to_page(p)), "a block of its own");
	kfree(p);
	machine_stop();
}

TEST(S95_four_mib_is_the_maximum)
{
	volatile size_t absurd = SIZE_MAX;
	void *p;

	machine_start("mem=64M zones=i386");
	p = kmalloc(KMALLOC_MAX_SIZE, GFP_KERNEL);
	ok(p != NULL, "4 MiB");
	kfree(p);
	ok(!kmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL | __GFP_NOWARN), "4 MiB + 1, quietly");
	is(reports_of(KMEM_MISUSE_SIZE), 0, "no warning with NOWARN");
	ok(!kmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL), "4 MiB + 1");
	is(reports_of(KMEM_MISUSE_SIZE), 1, "one warning");
	ok(!kmalloc(absurd, GFP_KERNEL | __GFP_NOWARN), "an absurd size");
	machine_stop();
}

TEST(S96_zero_size)
{
	machine_start("mem=64M zones=i386");
	ok(kmalloc(0, GFP_KERNEL) == (void *)16, "ZERO_SIZE_PTR");
	is(ksize(ZERO_SIZE_PTR), 0, "ksize");
	kfree(ZERO_SIZE_PTR);
	is(kmem_misuse_count(), 0, "kfree of it is quiet");
	machine_stop();
}

TEST(S97_kfree_null)
{
	machine_start("mem=64M zones=i386");
	kfree(NULL);
	is(kmem_misuse_count(), 0, "quiet");
	machine_stop();
}

TEST(S98_alignment_for_every_size)
{
	machine_start("mem=64M zones=i386");
	for (size_t n = 1; n <= 8192; n++) {
		size_t align = n & (~n + 1);
		void *p[3];

		if (align < 8)
			align = 8;
		for (int i = 0; i < 3; i++) {
			p[i] = kmalloc(n, GFP_KERNEL);
			if ((uintptr_t)p[i] % align)
				ok(0, "kmalloc(%zu) = %p, not aligned to %zu", n, p[i], align);
		}
		for (int i = 0; i < 3; i++)
			kfree(p[i]);
	}
	ok(1, "8192 sizes");
	machine_stop();
}

TEST(S99_dma_memory_is_below_16_mib)
{
	machine_start("mem=64M zones=i386");
	for (size_t n = 1; n <= 65536; n *= 3) {
		void *p = kmalloc(n, GFP_KERNEL | GFP_DMA);

		ok(p && virt_to_phys(p) + n <= 16u << 20, "%zu bytes at phys %llx", n,
		   (unsigned long long)virt_to_phys(p));
		kfree(p);
	}
	machine_stop();
}

TEST(S100_families)
{
	void *dma, *rcl, *both;

	machine_start("mem=64M zones=i386");
	dma = kmalloc(100, GFP_KERNEL | GFP_DMA);
	rcl = kmalloc(100, GFP_KERNEL | __GFP_RECLAIMABLE);
	is(cache_stat("dma-kmalloc-128")->nr_slabs, 1, "DMA family");
	is(cache_stat("kmalloc-rcl-128")->nr_slabs, 1, "reclaimable family");
	is(cache_stat("kmalloc-128")->nr_slabs, 0, "not the normal one");
	both = kmalloc(200, GFP_KERNEL | GFP_DMA | __GFP_RECLAIMABLE);
	is(cache_stat("dma-kmalloc-256")->nr_slabs, 1, "DMA wins");
	kfree(dma);
	kfree(rcl);
	kfree(both);
	machine_stop();
}

static long charged;

static bool on_charge(long bytes, void *arg)
{
	charged += bytes;
	return charged < *(long *)arg;
}

TEST(S18_accounted_objects_are_charged_while_somebody_charges)
{
	long limit = 1000;
	void *p, *q;

	machine_start("mem=64M zones=i386");
	kfree(kmalloc(100, GFP_KERNEL_ACCOUNT));
	is(charged, 0, "nobody asked");
	kmem_set_charge_hook(on_charge, &limit);
	p = kmalloc(100, GFP_KERNEL_ACCOUNT);
	is(charged, 128, "charged for the slot");
	q = kmalloc(1000, GFP_KERNEL_ACCOUNT);
	ok(!q, "refused above the limit");
	charged -= 1024; /* a refused charge was not made */
	kfree(p);
	is(charged, 0, "and given back");
	kmem_set_charge_hook(NULL, NULL);
	machine_stop();
}

/* The compiler knows the size that was asked for; here all of the class is looked at. */
static unsigned char *whole(void *p)
{
	__asm__("" : "+r"(p));
	return p;
}

TEST(S101_kzalloc_zeroes_the_whole_class)
{
	unsigned char *p;
	size_t dirty = 0;

	machine_start("mem=64M zones=i386");
	p = whole(kmalloc(96, GFP_KERNEL));
	memset(p, 0xee, ksize(p));
	kfree(p);
	p = whole(kzalloc(65, GFP_KERNEL));
	for (size_t i = 0; i < ksize(p); i++)
		dirty += p[i] != 0;
	is(dirty, 0, "dirty bytes of 96");
	kfree(p);
	machine_stop();
}

TEST(S102_overflowing_products_are_refused_untouched)
{
	uint64_t before;

	machine_start("mem=64M zones=i386");
	before = events_of(KMEM_EV_pgalloc_normal);
	ok(!kmalloc_array(SIZE_MAX / 2, 3, GFP_KERNEL), "kmalloc_array");
	ok(!kcalloc(SIZE_MAX, SIZE_MAX, GFP_KERNEL), "kcalloc");
	ok(!krealloc_array(NULL, SIZE_MAX / 2, 3, GFP_KERNEL), "krealloc_array");
	is(events_of(KMEM_EV_pgalloc_normal), before, "the page allocator was not asked");
	is(kmem_misuse_count(), 0, "and nothing said");
	machine_stop();
}

TEST(S103_krealloc_within_the_class_stays)
{
	char *p, *q;

	machine_start("mem=64M zones=i386");
	p = kmalloc(100, GFP_KERNEL);
	strcpy(p, "content");
	ok(krealloc(p, 20, GFP_KERNEL) == p, "smaller");
	ok(krealloc(p, 128, GFP_KERNEL) == p, "the whole class");
	q = krealloc(p, 129, GFP_KERNEL);
	ok(q && q != p && !strcmp(q, "content"), "beyond: moved with its content");
	is(ksize(q), 192, "its class");
	q = krealloc(q, 100000, GFP_KERNEL);
	ok(q && !strcmp(q, "content"), "to pages");
	kfree(q);
	machine_stop();
}

TEST(S104_krealloc_of_nothing_and_to_nothing)
{
	void *p;

	machine_start("mem=64M zones=i386");
	p = krealloc(NULL, 40, GFP_KERNEL);
	is(ksize(p), 64, "NULL allocates");
	ok(krealloc(p, 0, GFP_KERNEL) == ZERO_SIZE_PTR, "0 frees");
	p = krealloc(ZERO_SIZE_PTR, 40, GFP_KERNEL);
	is(ksize(p), 64, "ZERO_SIZE_PTR allocates");
	kfree(p);
	machine_stop();
}

TEST(S105_failing_krealloc_keeps_the_block)
{
	char *p;

	machine_start("mem=16M zones=i386");
	p = kmalloc(8192, GFP_KERNEL);
	memset(p, 0x5c, 8192);
	ok(!krealloc(p, KMALLOC_MAX_SIZE + 1, GFP_KERNEL | __GFP_NOWARN), "too large");
	is(p[0], 0x5c, "first byte");
	is(p[8191], 0x5c, "last byte");
	is(ksize(p), 8192, "still there");
	kfree(p);
	machine_stop();
}

TEST(S106_size_roundup)
{
	machine_start("mem=16M zones=i386");
	is(kmalloc_size_roundup(0), 0, "0");
	is(kmalloc_size_roundup(1), 8, "1");
	is(kmalloc_size_roundup(65), 96, "65");
	is(kmalloc_size_roundup(129), 192, "129");
	is(kmalloc_size_roundup(8193), 16384, "8193");
	is(kmalloc_size_roundup(KMALLOC_MAX_SIZE + 1), KMALLOC_MAX_SIZE + 1, "above the maximum");
	machine_stop();
}

TEST(S107_copies)
{
	char *s, *t;

	machine_start("mem=16M zones=i386");
	ok(!kstrdup(NULL, GFP_KERNEL), "kstrdup(NULL)");
	s = kstrndup("abcdef", 3, GFP_KERNEL);
	is_str(s, "abc", "kstrndup");
	ok(kmemdup("x", 0, GFP_KERNEL) == ZERO_SIZE_PTR, "kmemdup of nothing");
	t = kasprintf(GFP_KERNEL, "%s-%d", s, 42);
	is_str(t, "abc-42", "kasprintf");
	kfree(s);
	kfree(t);
	s = kmemdup_nul("abcdef", 2, GFP_KERNEL);
	is_str(s, "ab", "kmemdup_nul");
	kfree(s);
	ok(!kmemdup_array("x", SIZE_MAX, 2, GFP_KERNEL | __GFP_NOWARN), "kmemdup_array saturates");
	machine_stop();
}

TEST(S108_kfree_sensitive_leaves_zeroes)
{
	unsigned char *p, *q;
	size_t dirty = 0;

	machine_start("mem=16M zones=i386 nr_cpus=1");
	p = whole(kmalloc(200, GFP_KERNEL));
	memset(p, 0x77, ksize(p));
	kfree_sensitive(p);
	q = whole(kmalloc(200, GFP_KERNEL));
	ok(q == p, "the same object comes back");
	for (size_t i = 0; i < 256; i++)
		dirty += q[i] != 0;
	is(dirty, 0, "dirty bytes");
	kfree(q);
	machine_stop();
}

TEST(S112_kmalloc_nolock_refuses_what_it_must)
{
	void *p;

	machine_start("mem=16M zones=i386");
	p = kmalloc_nolock(100, __GFP_ZERO, -1);
	ok(p != NULL, "a quiet machine serves it");
	kfree_nolock(p);
	ok(!kmalloc_nolock(8193, (gfp_t)0, -1), "no pages");
	ok(kmalloc_nolock(0, (gfp_t)0, -1) == ZERO_SIZE_PTR, "zero");
	ok(!kmalloc_nolock(100, GFP_KERNEL, -1), "no other flag");
	is(reports_of(KMEM_MISUSE_GFP_NOLOCK), 1, "which is reported");
	machine_stop();
}

TEST(S113_wrong_pointers_are_reported_and_ignored)
{
	char on_stack[64];
	char *p;
	unsigned long page;
	uint64_t before;

	machine_start("mem=16M zones=i386 nr_cpus=1");
	p = kmalloc(100, GFP_KERNEL);
	page = __get_free_page(GFP_KERNEL);
	before = pages_free_drained();
	kfree(p + 8);
	is(reports_of(KMEM_MISUSE_SLAB_INTERIOR), 1, "interior");
	kfree(on_stack);
	is(reports_of(KMEM_MISUSE_SLAB_FOREIGN), 1, "stack");
	kfree((void *)page);
	is(reports_of(KMEM_MISUSE_SLAB_FOREIGN), 2, "a page not from kmalloc");
	is(pages_free_drained(), before, "nothing was freed");
	ok(log_count("Not a kmalloc allocation") == 2, "in the kernel's words");
	free_page(page);
	kfree(p);
	machine_stop();
}

TEST(S113_interior_of_a_large_block)
{
	char *p;

	machine_start("mem=16M zones=i386");
	p = kmalloc(40000, GFP_KERNEL);
	kfree(p + 4096);
	kfree(p + 8);
	is(reports_of(KMEM_MISUSE_SLAB_INTERIOR), 2, "both reported");
	memset(p, 1, 40000);
	kfree(p);
	kfree(p);
	is(reports_of(KMEM_MISUSE_SLAB_FOREIGN), 1, "and the second free");
	machine_stop();
}

TEST(S196_zero_size_emits_no_event_and_kfree_null_does)
{
	struct kmem_trace_event ev;
	unsigned int kmallocs = 0, kfrees = 0;

	machine_start("mem=16M zones=i386 nr_cpus=1");
	kmem_trace_start(NULL, NULL);
	(void)!kmalloc(0, GFP_KERNEL);
	kfree(NULL);
	kmem_trace_stop();
	while (kmem_trace_read(0, &ev)) {
		kmallocs += ev.kind == KMEM_TRACE_KMALLOC;
		kfrees += ev.kind == KMEM_TRACE_KFREE && ev.ptr == 0;
	}
	is(kmallocs, 0, "kmalloc events");
	is(kfrees, 1, "kfree events");
	machine_stop();
}
