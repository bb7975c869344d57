/* SPDX-License-Identifier: MIT */
/* slab_debug: semantics 10.8, statements S198..S206. */
#include "../support.h"

TEST(S198_overrun_by_one_byte)
{
	struct kmem_cache *c;
	char *p;

	machine_start("mem=16M zones=i386 slab_debug=FZPU");
	c = kmem_cache_create("t32", 32, 0, 0, NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	p[32] = 0x11;
	kmem_cache_free(c, p);
	is(log_count("[Right Redzone overwritten]"), 1, "named");
	is(log_count("First byte 0x11 instead of 0xcc"), 1, "both values");
	is(log_count("FIX t32: Restoring Right Redzone"), 1, "restored");
	ok(log_count("Allocated in ") == 1, "with its track");
	is(reports_of(KMEM_MISUSE_SLAB_CORRUPT), 1, "misuse");
	is(kmem_cache_destroy(c), 0, "survives");
	machine_stop();
}

TEST(S199_write_after_free)
{
	struct kmem_cache *c;
	char *p, *q;

	machine_start("mem=16M zones=i386 slab_debug=FZPU nr_cpus=1");
	c = kmem_cache_create("uaf", 64, 0, 0, NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	kmem_cache_free(c, p);
	p[5] = 1;
	q = kmem_cache_alloc(c, GFP_KERNEL);
	ok(q == p, "the same object");
	is(log_count("[Poison overwritten]"), 1, "named");
	is(log_count("instead of 0x6b"), 1, "value");
	kmem_cache_free(c, q);
	reports_clear();
	q[63] = 1;
	kmem_cache_destroy(c);
	is(log_count("[End Poison overwritten]"), 1, "also when the slab goes");
	machine_stop();
}

TEST(S200_double_free_is_not_handed_out_twice)
{
	struct kmem_cache *c;
	char *p, *q, *r;

	machine_start("mem=16M zones=i386 slab_debug=FZPU");
	c = kmem_cache_create("twice", 64, 0, 0, NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	kmem_cache_free(c, p);
	kmem_cache_free(c, p);
	is(log_count("Object already free"), 2, "frame and misuse line");
	is(reports_of(KMEM_MISUSE_SLAB_DOUBLE_FREE), 1, "misuse");
	q = kmem_cache_alloc(c, GFP_KERNEL);
	r = kmem_cache_alloc(c, GFP_KERNEL);
	ok(q != r, "two objects");
	kmem_cache_free(c, q);
	kmem_cache_free(c, r);
	kmem_cache_destroy(c);
	machine_stop();
}

TEST(S201_underrun_by_one_byte)
{
	struct kmem_cache *c;
	char *p;

	machine_start("mem=16M zones=i386 slab_debug=FZPU");
	c = kmem_cache_create("under", 64, 0, 0, NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	p[-1] = 0;
	kmem_cache_free(c, p);
	is(log_count("[Left Redzone overwritten]"), 1, "named");
	kmem_cache_destroy(c);
	machine_stop();
}

TEST(S202_kmalloc_knows_what_was_asked_for)
{
	char *volatile p;

	machine_start("mem=16M zones=i386 slab_debug=FZU");
	p = kmalloc(20, GFP_KERNEL);
	p[20] = 7;
	kfree(p);
	is(log_count("[kmalloc Redzone overwritten]"), 1, "named");
	machine_stop();
}

TEST(S203_poison_reads_as_it_should)
{
	struct kmem_cache *c;
	unsigned char *p;
	size_t bad = 0;

	machine_start("mem=16M zones=i386 slab_debug=P");
	c = kmem_cache_create("poison", 64, 0, 0, NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	for (int i = 0; i < 63; i++)
		bad += p[i] != 0x6b;
	is(bad, 0, "fresh body");
	is(p[63], 0xa5, "fresh end");
	memset(p, 0, 64);
	kmem_cache_free(c, p);
	for (int i = 0; i < 63; i++)
		bad += p[i] != 0x6b;
	is(bad, 0, "freed body");
	is(p[63], 0xa5, "freed end");
	p = kmem_cache_zalloc(c, GFP_KERNEL);
	is(p[0] | p[63], 0, "ZERO zeroes");
	kmem_cache_free(c, p);
	kmem_cache_destroy(c);
	machine_stop();
}

TEST(S204_names_and_prefixes)
{
	struct kmem_cache *a, *b;

	machine_start("mem=16M zones=i386 slab_debug=P,kmalloc-*,dentry");
	a = kmem_cache_create("dentry", 192, 0, 0, NULL);
	b = kmem_cache_create("dentry2", 192, 0, 0, NULL);
	ok(cache_stat("dentry")->flags & SLAB_POISON, "dentry");
	ok(!(cache_stat("dentry2")->flags & SLAB_POISON), "not dentry2");
	ok(cache_stat("kmalloc-64")->flags & SLAB_POISON, "kmalloc-64");
	ok(cache_stat("kmalloc-rcl-64")->flags & SLAB_POISON, "kmalloc-rcl-64");
	ok(!(cache_stat("dma-kmalloc-64")->flags & SLAB_POISON), "not dma-kmalloc-64");
	kmem_cache_destroy(a);
	kmem_cache_destroy(b);
	machine_stop();
}

TEST(S205_a_named_block_replaces_the_global_one)
{
	struct kmem_cache *a, *b;
	const unsigned int fz = SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE;

	machine_start("mem=16M zones=i386 slab_debug=FZ;-,zs_handle");
	a = kmem_cache_create("zs_handle", 32, 0, 0, NULL);
	b = kmem_cache_create("other", 32, 0, 0, NULL);
	is(cache_stat("zs_handle")->flags & SLAB_DEBUG_FLAGS, 0, "none for it");
	is(cache_stat("other")->flags & SLAB_DEBUG_FLAGS, fz, "FZ for the rest");
	kmem_cache_destroy(a);
	kmem_cache_destroy(b);
	machine_stop();
}

TEST(S206_order_guard)
{
	struct kmem_cache *a, *b;

	machine_start("mem=16M zones=i386 slab_debug=O");
	a = kmem_cache_create("grows", 4096, 0, 0, NULL);
	b = kmem_cache_create("fits", 64, 0, 0, NULL);
	is(cache_stat("grows")->flags & (SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER), 0,
	   "dropped");
	ok(cache_stat("fits")->flags & SLAB_POISON, "kept");
	kmem_cache_destroy(a);
	kmem_cache_destroy(b);
	machine_stop();
}

TEST(sizes_under_debugging_never_exceed_the_kernels)
{
	struct kmem_cache *c;

	machine_start("mem=16M zones=i386 slab_debug=FZPU");
	c = kmem_cache_create("t32", 32, 0, 0, NULL);
	ok(cache_stat("t32")->size <= 128, "32 bytes: %u", cache_stat("t32")->size);
	ok(cache_stat("kmalloc-32")->size <= 160, "kmalloc-32: %u", cache_stat("kmalloc-32")->size);
	kmem_cache_destroy(c);
	machine_stop();
}
