/* SPDX-License-Identifier: MIT */
/* Slab caches: semantics 6, statements S114..S143. */
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../support.h"

enum { MANY = 2000 };

static const struct kmem_stat_cache *stat_of(struct kmem_cache *c)
{
	return cache_stat(kmem_cache_name(c));
}

static int compare_ptr(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t) * (void *const *)a, y = (uintptr_t) * (void *const *)b;

	return (x > y) - (x < y);
}

TEST(S114_objects_neither_overlap_nor_lose_alignment)
{
	static const unsigned int sizes[] = {1, 8, 24, 100, 192, 700, 4096, 5000, 51456};
	void *objs[200];

	machine_start("mem=256M zones=flat");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned int align = 1u << (i % 7);
		struct kmem_cache *c = kmem_cache_create("t", sizes[i], align, 0, NULL);
		size_t bad = 0;

		for (int k = 0; k < 200; k++) {
			objs[k] = kmem_cache_alloc(c, GFP_KERNEL);
			bad += (uintptr_t)objs[k] % align != 0;
		}
		is(bad, 0, "size %u: misaligned", sizes[i]);
		qsort(objs, 200, sizeof(void *), compare_ptr);
		for (int k = 1; k < 200; k++)
			bad += (char *)objs[k] - (char *)objs[k - 1] < (long)sizes[i];
		is(bad, 0, "size %u: overlapping", sizes[i]);
		for (int k = 0; k < 200; k++)
			kmem_cache_free(c, objs[k]);
		is(kmem_cache_destroy(c), 0, "destroy");
	}
	machine_stop();
}

struct made {
	unsigned long magic, runs;
	char pad[48];
};
static unsigned long ctor_calls;

static void make(void *obj)
{
	struct made *m = obj;

	m->magic = 0x600d;
	m->runs = 1;
	ctor_calls++;
}

TEST(S115_constructor_runs_once_an_object_before_first_use)
{
	struct kmem_cache *c;
	struct made *objs[MANY];
	unsigned long calls;
	size_t bad = 0;

	machine_start("mem=64M zones=i386");
	c = kmem_cache_create("made", sizeof(struct made), 0, 0, make);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < MANY; i++) {
			objs[i] = kmem_cache_alloc(c, GFP_KERNEL);
			bad += objs[i]->magic != 0x600d || objs[i]->runs != 1;
		}
		for (int i = 0; i < MANY; i++)
			kmem_cache_free(c, objs[i]);
		if (!round)
			calls = ctor_calls;
	}
	is(bad, 0, "objects not in constructed state");
	ok(ctor_calls >= MANY, "constructed %lu", ctor_calls);
	is(stat_of(c)->nr_objs <= ctor_calls, 1, "never more objects than constructions");
	(void)calls;
	kmem_cache_destroy(c);
	machine_stop();
}

static unsigned long ldd3_flags_seen, ldd3_ctors, ldd3_dtors, dtor_flags;

static void ldd3_ctor(void *obj, kmem_cache_t *c, unsigned long flags)
{
	(void)c;
	memset(obj, 0x11, 64);
	ldd3_flags_seen |= 1UL << flags;
	ldd3_ctors++;
}

static void ldd3_dtor(void *obj, kmem_cache_t *c, unsigned long flags)
{
	(void)obj;
	(void)c;
	dtor_flags |= flags;
	ldd3_dtors++;
}

TEST(S116_constructor_flags_tell_whether_it_may_sleep)
{
	kmem_cache_t *c;
	void *p;

	machine_start("mem=64M zones=i386");
	c = kmem_cache_create("ldd3", 64, 0, SLAB_HWCACHE_ALIGN, ldd3_ctor, NULL);
	p = kmem_cache_alloc(c, SLAB_ATOMIC);
	is(ldd3_flags_seen, 1UL << (SLAB_CTOR_CONSTRUCTOR | SLAB_CTOR_ATOMIC), "ATOMIC growth");
	kmem_cache_free(c, p);
	is(kmem_cache_destroy(c), 0, "destroy");
	machine_stop();
}

TEST(S116_constructor_flags_of_a_sleeping_request)
{
	kmem_cache_t *c;
	void *p[300];

	machine_start("mem=64M zones=i386 slab_debug=F");
	c = kmem_cache_create("ldd3", 64, 0, 0, ldd3_ctor, NULL);
	for (int i = 0; i < 300; i++)
		p[i] = kmem_cache_alloc(c, SLAB_KERNEL);
	is(ldd3_flags_seen, 1UL << SLAB_CTOR_CONSTRUCTOR, "no ATOMIC bit");
	for (int i = 0; i < 300; i++)
		kmem_cache_free(c, p[i]);
	kmem_cache_destroy(c);
	machine_stop();
}

TEST(S117_destructor_runs_once_an_object_with_flags_clear)
{
	kmem_cache_t *c;
	void *p[300];

	machine_start("mem=64M zones=i386");
	c = kmem_cache_create("ldd3", 100, 0, 0, ldd3_ctor, ldd3_dtor);
	for (int i = 0; i < 300; i++)
		p[i] = kmem_cache_alloc(c, GFP_KERNEL);
	for (int i = 0; i < 300; i++)
		kmem_cache_free(c, p[i]);
	is(kmem_cache_destroy(c), 0, "destroy");
	is(ldd3_dtors, ldd3_ctors, "as many as constructions");
	is(dtor_flags, 0, "flags");
	machine_stop();
}

TEST(S118_misuse_at_creation_is_refused)
{
	machine_start("mem=64M zones=i386");
	ok(!kmem_cache_create("d", 64, 0, 0, NULL, ldd3_dtor), "dtor without ctor");
	ok(!kmem_cache_create(NULL, 64, 0, 0, NULL, NULL), "no name");
	ok(!kmem_cache_create("z", 0, 0, 0, NULL, NULL), "size 0");
	ok(!kmem_cache_create("h", (size_t)5 << 20, 0, 0, NULL, NULL), "5 MiB");
	ok(!kmem_cache_create("a", 64, 3, 0, NULL, NULL), "alignment 3");
	is(reports_of(KMEM_MISUSE_SLAB_CREATE), 5, "each reported");
	machine_stop();
}

TEST(S119_S120_destroy_with_a_live_object_refuses_and_leaves_the_cache_usable)
{
	struct kmem_cache *c;
	void *p, *q;

	machine_start("mem=64M zones=i386");
	c = kmem_cache_create("live", 64, 0, 0, NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	is(kmem_cache_destroy(c), -EBUSY, "refused");
	is(reports_of(KMEM_MISUSE_SLAB_DESTROY_LIVE), 1, "reported");
	is(log_count("Objects remaining on __kmem_cache_shutdown()"), 1, "with its words");
	is(log_count("Object "), 1, "and the one object");
	q = kmem_cache_alloc(c, GFP_KERNEL);
	ok(q && q != p, "still usable");
	kmem_cache_free(c, q);
	kmem_cache_free(c, p);
	is(kmem_cache_destroy(c), 0, "then destroyed");
	is(kmem_cache_destroy(NULL), 0, "NULL is a no-op");
	machine_stop();
}

TEST(S121_the_name_is_copied)
{
	char name[] = "mine";
	struct kmem_cache *c;

	machine_start("mem=64M zones=i386");
	c = kmem_cache_create(name, 64, 0, 0, NULL);
	memset(name, 'x', sizeof(name) - 1);
	is_str(kmem_cache_name(c), "mine", "name");
	kmem_cache_destroy(c);
	machine_stop();
}

TEST(S122_cache_line_alignment)
{
	static const unsigned int want[][2] = {{20, 32}, {33, 64}, {100, 64}, {8, 8}};

	machine_start("mem=64M zones=i386");
	for (int i = 0; i < 4; i++) {
		struct kmem_cache *c =
			kmem_cache_create("hw", want[i][0], 0, SLAB_HWCACHE_ALIGN, NULL);

		is(stat_of(c)->align, want[i][1], "size %u", want[i][0]);
		kmem_cache_destroy(c);
	}
	machine_stop();
}

TEST(S123_geometry_with_two_cpus)
{
	static const unsigned int want[][3] = {{192, 21, 1},  {256, 16, 1},  {512, 16, 2},
					       {1024, 16, 4}, {2048, 16, 8}, {4096, 8, 8},
					       {8192, 4, 8},  {584, 14, 2},  {1128, 14, 4},
					       {2112, 15, 8}, {4288, 7, 8},  {51456, 1, 16}};

	machine_start("mem=64M zones=i386 nr_cpus=2");
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct kmem_cache *c = kmem_cache_create("g", want[i][0], 0, 0, NULL);
		const struct kmem_stat_cache *st = stat_of(c);

		ok(st->objs_per_slab == want[i][1] && st->pages_per_slab == want[i][2],
		   "%u: %u objects in %u pages", want[i][0], st->objs_per_slab, st->pages_per_slab);
		kmem_cache_destroy(c);
	}
	machine_stop();
}

static void nothing(void *obj)
{
	(void)obj;
}

TEST(S126_constructor_and_rcu_slot_is_at_most_the_kernels)
{
	struct kmem_cache *c;

	machine_start("mem=64M zones=i386");
	c = kmem_cache_create("anon_vma", 96, 0, SLAB_TYPESAFE_BY_RCU, nothing);
	ok(stat_of(c)->size >= 96 && stat_of(c)->size <= 104, "slot %u", stat_of(c)->size);
	kmem_cache_destroy(c);
	machine_stop();
}

TEST(S127_unknown_flags)
{
	int status;
	pid_t pid;

	machine_start("mem=64M zones=i386");
	ok(!kmem_cache_create("u", 64, 0, 0x1u, NULL), "refused");
	is(log_count("failed with error -22"), 1, "with the error");
	pid = fork();
	if (!pid) {
		kmem_cache_create("u", 64, 0, SLAB_PANIC | 0x1u, NULL);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	ok(WIFSIGNALED(status), "SLAB_PANIC panics");
	machine_stop();
}

TEST(S128_four_arguments_without_args_equal_five)
{
	struct kmem_cache *a, *b;

	machine_start("mem=64M zones=i386");
	a = kmem_cache_create("four", 72, NULL, 0);
	b = kmem_cache_create("five", 72, 0, 0, NULL);
	ok(a && b, "both created");
	is(stat_of(a)->size, stat_of(b)->size, "slot");
	is(stat_of(a)->align, stat_of(b)->align, "alignment");
	is(stat_of(a)->objs_per_slab, stat_of(b)->objs_per_slab, "objects");
	kmem_cache_destroy(a);
	kmem_cache_destroy(b);
	machine_stop();
}

TEST(S129_shrink_releases_every_empty_slab)
{
	struct kmem_cache *c;
	void *objs[MANY];

	machine_start("mem=64M zones=i386");
	c = kmem_cache_create("s", 128, 0, 0, NULL);
	for (int i = 0; i < MANY; i++)
		objs[i] = kmem_cache_alloc(c, GFP_KERNEL);
	for (int i = 1; i < MANY; i++)
		kmem_cache_free(c, objs[i]);
	is(kmem_cache_shrink(c), 1, "one slab is left");
	is(stat_of(c)->nr_slabs, 1, "exactly one");
	kmem_cache_free(c, objs[0]);
	is(kmem_cache_shrink(c), 0, "none");
	is(stat_of(c)->nr_slabs, 0, "exactly none");
	kmem_cache_destroy(c);
	machine_stop();
}

TEST(S130_bulk_allocation_is_all_or_nothing)
{
	struct kmem_cache *c;
	static void *objs[8000];

	machine_start("mem=16M zones=i386 nr_cpus=1");
	c = kmem_cache_create("b", 4096, 0, 0, NULL);
	is(kmem_cache_alloc_bulk(c, GFP_KERNEL, 100, objs), 100, "100");
	kmem_cache_free_bulk(c, 100, objs);
	is(kmem_cache_alloc_bulk(c, GFP_KERNEL, 0, objs), 0, "0");
	is(kmem_cache_alloc_bulk(c, GFP_KERNEL | __GFP_NOWARN, 8000, objs), 0, "too many");
	is(kmem_cache_destroy(c), 0, "no object leaked");
	machine_stop();
}

TEST(S131_bulk_free_takes_a_mixture)
{
	struct kmem_cache *c;
	void *p[4];

	machine_start("mem=64M zones=i386");
	c = kmem_cache_create("m", 56, 0, 0, NULL);
	p[0] = kmalloc(10, GFP_KERNEL);
	p[1] = kmem_cache_alloc(c, GFP_KERNEL);
	p[2] = kmalloc(100000, GFP_KERNEL);
	p[3] = kmalloc(4000, GFP_KERNEL | GFP_DMA);
	kfree_bulk(4, p);
	is(kmem_misuse_count(), 0, "nothing reported");
	is(kmem_cache_destroy(c), 0, "destroy");
	machine_stop();
}

TEST(S132_zalloc_zeroes_the_object)
{
	struct kmem_cache *c;
	unsigned char *p;
	size_t dirty = 0;

	machine_start("mem=64M zones=i386 nr_cpus=1");
	c = kmem_cache_create("z", 100, 0, 0, NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	memset(p, 0xff, 100);
	kmem_cache_free(c, p);
	p = kmem_cache_zalloc(c, GFP_KERNEL);
	for (int i = 0; i < 100; i++)
		dirty += p[i] != 0;
	is(dirty, 0, "dirty bytes");
	kmem_cache_free(c, p);
	kmem_cache_destroy(c);
	machine_stop();
}

TEST(S133_zeroing_does_not_destroy_constructed_state)
{
	struct kmem_cache *c;
	struct made *m;

	machine_start("mem=64M zones=i386");
	c = kmem_cache_create("made", sizeof(*m), 0, 0, make);
	m = kmem_cache_zalloc(c, GFP_KERNEL);
	is(m->magic, 0x600d, "constructed state");
	is(reports_of(KMEM_MISUSE_GFP_ZERO_CTOR), 1, "reported");
	kmem_cache_free(c, m);
	kmem_cache_destroy(c);
	machine_stop();
}

/* Of all slabs but those that sheaves lie in. */
static uint64_t slab_pages(void)
{
	const struct kmem_stat *st = kmem_stat_get();
	uint64_t pages = st->nr_slab_unreclaimable;

	for (unsigned int i = 0; i < st->max_caches; i++) {
		const struct kmem_stat_cache *c = &st->cache[i];

		if (!strncmp(c->name, "sheaf-", strlen("sheaf-")))
			pages -= c->nr_slabs * c->pages_per_slab;
	}
	return pages;
}

TEST(S134_rcu_slabs_wait_for_a_grace_period_and_objects_do_not)
{
	struct kmem_cache *c;
	void *p, *q, *objs[MANY];
	uint64_t before;

	machine_start("mem=64M zones=i386 nr_cpus=1 percpu_pages=0");
	c = kmem_cache_create("rcu", 128, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	kmem_rcu_read_lock();
	kmem_cache_free(c, p);
	q = kmem_cache_alloc(c, GFP_KERNEL);
	ok(p == q, "the object is reused at once");
	for (int i = 0; i < MANY; i++)
		objs[i] = kmem_cache_alloc(c, GFP_KERNEL);
	before = slab_pages();
	for (int i = 0; i < MANY; i++)
		kmem_cache_free(c, objs[i]);
	for (int i = 0; i < 5; i++)
		kmem_cache_reap();
	ok(slab_pages() >= before, "no page went while a reader is in");
	kmem_rcu_read_unlock();
	kmem_cache_free(c, q);
	is(kmem_cache_shrink(c), 0, "after it, all go");
	ok(slab_pages() < before, "pages given back");
	kmem_cache_destroy(c);
	machine_stop();
}

TEST(S135_merged_caches_share_one_descriptor)
{
	struct kmem_cache *a, *b, *c;
	void *p;

	machine_start("mem=64M zones=i386 slab_merge");
	a = kmem_cache_create("a", 120, 0, 0, NULL);
	b = kmem_cache_create("b", 116, 0, 0, NULL);
	c = kmem_cache_create("c", 120, 0, 0, nothing);
	ok(a == b, "shared");
	ok(a != c, "not with a constructor");
	p = kmem_cache_alloc(b, GFP_KERNEL);
	is(kmem_cache_destroy(a), 0, "one goes");
	kmem_cache_free(b, p);
	is(kmem_cache_destroy(b), 0, "the other");
	kmem_cache_destroy(c);
	machine_stop();
}

TEST(S135_off_by_default)
{
	struct kmem_cache *a, *b;

	machine_start("mem=64M zones=i386");
	a = kmem_cache_create("a", 120, 0, 0, NULL);
	b = kmem_cache_create("b", 120, 0, 0, NULL);
	ok(a != b, "two caches");
	kmem_cache_destroy(a);
	kmem_cache_destroy(b);
	machine_stop();
}

TEST(S136_wrong_cache_is_reported_with_both_names_and_put_right)
{
	struct kmem_cache *a, *b;
	void *p;

	machine_start("mem=64M zones=i386");
	a = kmem_cache_create("right_one", 64, 0, 0, NULL);
	b = kmem_cache_create("wrong_one", 64, 0, 0, NULL);
	p = kmem_cache_alloc(a, GFP_KERNEL);
	kmem_cache_free(b, p);
	is(reports_of(KMEM_MISUSE_SLAB_WRONG_CACHE), 1, "reported");
	is(log_count("Wrong slab cache. wrong_one but object is from right_one"), 1, "both names");
	is(kmem_cache_destroy(a), 0, "it went to its own");
	is(kmem_cache_destroy(b), 0, "not to the other");
	machine_stop();
}

static void fill_and_empty(struct kmem_cache *c, void **objs)
{
	for (int i = 0; i < 400; i++)
		objs[i] = kmem_cache_alloc(c, GFP_KERNEL);
	for (int i = 0; i < 400; i++)
		kmem_cache_free(c, objs[i]);
}

TEST(S137_the_reaper_frees_idle_slabs_but_not_of_no_reap_caches)
{
	struct kmem_cache *a, *b;
	void *objs[400];
	uint64_t idle;

	machine_start("mem=64M zones=i386 nr_cpus=1 slab_debug=F");
	a = kmem_cache_create("reaped", 512, 0, 0, NULL);
	b = kmem_cache_create("kept", 512, 0, SLAB_NO_REAP, NULL);
	fill_and_empty(a, objs);
	fill_and_empty(b, objs);
	idle = stat_of(b)->nr_slabs;
	ok(idle > 0, "%llu idle slabs", (unsigned long long)idle);
	kmem_cache_reap();
	kmem_cache_reap();
	is(stat_of(a)->nr_slabs, 0, "gone within two periods");
	is(stat_of(b)->nr_slabs, idle, "NO_REAP keeps its own");
	is(kmem_cache_shrink(b), 0, "shrink still works");
	kmem_cache_destroy(a);
	kmem_cache_destroy(b);
	machine_stop();
}

TEST(S138_prefilled_sheaf_cannot_fail)
{
	struct kmem_cache *c;
	struct slab_sheaf *s;
	unsigned long pages = 0, *list = NULL, p;
	void *objs[100];

	machine_start("mem=16M zones=i386 nr_cpus=1 percpu_pages=0");
	c = kmem_cache_create("pre", 256, 0, 0, NULL);
	s = kmem_cache_prefill_sheaf(c, GFP_KERNEL, 100);
	ok(s != NULL, "prefilled");
	while ((p = __get_free_page(GFP_ATOMIC | __GFP_NOWARN)) != 0) {
		*(unsigned long **)p = list;
		list = (unsigned long *)p;
		pages++;
	}
	ok(pages > 1000, "all pages taken: %lu", pages);
	for (int i = 0; i < 100; i++) {
		objs[i] = kmem_cache_alloc_from_sheaf(c, GFP_NOWAIT, s);
		if (!objs[i])
			ok(0, "object %d failed", i);
	}
	ok(!kmem_cache_alloc_from_sheaf(c, GFP_NOWAIT, s), "the 101st is NULL");
	while (list) {
		unsigned long *next = *(unsigned long **)list;

		free_page((unsigned long)list);
		list = next;
	}
	for (int i = 0; i < 100; i++)
		kmem_cache_free(c, objs[i]);
	kmem_cache_return_sheaf(c, GFP_KERNEL, s);
	is(kmem_cache_destroy(c), 0, "destroy");
	machine_stop();
}

TEST(S139_failed_refill_leaves_the_sheaf)
{
	struct kmem_cache *c;
	struct slab_sheaf *s, *none = NULL;

	machine_start("mem=16M zones=i386 nr_cpus=1");
	c = kmem_cache_create("pre", 4096, 0, 0, NULL);
	s = kmem_cache_prefill_sheaf(c, GFP_KERNEL, 10);
	is(kmem_cache_refill_sheaf(c, GFP_KERNEL | __GFP_NOWARN, &s, 100000), -ENOMEM, "too many");
	is(kmem_cache_sheaf_size(s), 10, "as it was");
	is(kmem_cache_refill_sheaf(c, GFP_KERNEL, &s, 200), 0, "more");
	is(kmem_cache_sheaf_size(s), 200, "has them");
	is(kmem_cache_refill_sheaf(c, GFP_KERNEL, &none, 1), -EINVAL, "no sheaf");
	kmem_cache_return_sheaf(c, GFP_KERNEL, s);
	is(kmem_cache_destroy(c), 0, "destroy");
	machine_stop();
}

TEST(S140_no_sheaves_under_slab_debug)
{
	struct kmem_cache_args args = {.sheaf_capacity = 32};
	struct kmem_cache *c;

	machine_start("mem=16M zones=i386 slab_debug=F");
	c = kmem_cache_create("dbg", 64, &args, 0);
	is(stat_of(c)->sheaf_capacity, 0, "capacity");
	kmem_cache_destroy(c);
	machine_stop();
}

TEST(S141_slabs_fall_back_to_the_smallest_order)
{
	struct kmem_cache *c;
	void *p, *q[40];
	unsigned long pages[4200];
	int n = 0, k = 0;

	machine_start("mem=16M zones=i386 nr_cpus=2 percpu_pages=0");
	c = kmem_cache_create("big", 2048, 0, 0, NULL);
	while ((pages[n] = __get_free_page(GFP_ATOMIC | __GFP_NOWARN)) != 0)
		n++;
	/* Every second page back: no block of order 1 anywhere. */
	for (int i = 0; i < n; i++) {
		if (virt_to_phys((void *)pages[i]) >> PAGE_SHIFT & 1) {
			free_page(pages[i]);
			pages[i] = 0;
		}
	}
	is(stat_of(c)->pages_per_slab, 8, "preferred");
	p = kmem_cache_alloc(c, GFP_KERNEL);
	ok(p != NULL, "served from a single page");
	for (k = 0; k < 40; k++)
		q[k] = kmem_cache_alloc(c, GFP_KERNEL);
	ok(q[39] != NULL, "and more");
	for (k = 0; k < 40; k++)
		kmem_cache_free(c, q[k]);
	kmem_cache_free(c, p);
	for (int i = 0; i < n; i++)
		free_pages(pages[i], 0);
	is(kmem_cache_destroy(c), 0, "destroy");
	machine_stop();
}

TEST(S142_slab_pages_are_counted_exactly)
{
	struct kmem_cache *a, *b;
	const struct kmem_stat *st;
	uint64_t rec, unrec;
	void *p, *q;

	machine_start("mem=64M zones=i386 nr_cpus=1 slab_debug=F");
	a = kmem_cache_create("rec", 1024, 0, SLAB_RECLAIM_ACCOUNT, NULL);
	b = kmem_cache_create("unrec", 512, 0, 0, NULL);
	st = kmem_stat_get();
	rec = st->nr_slab_reclaimable;
	unrec = st->nr_slab_unreclaimable;
	p = kmem_cache_alloc(a, GFP_KERNEL);
	q = kmem_cache_alloc(b, GFP_KERNEL);
	is(st->nr_slab_reclaimable - rec, stat_of(a)->pages_per_slab, "reclaimable");
	is(st->nr_slab_unreclaimable - unrec, stat_of(b)->pages_per_slab, "unreclaimable");
	kmem_cache_free(a, p);
	kmem_cache_free(b, q);
	kmem_cache_shrink(a);
	is(st->nr_slab_reclaimable, rec, "and back");
	kmem_cache_destroy(a);
	kmem_cache_destroy(b);
	machine_stop();
}

TEST(S143_creation_destruction_and_shrinking_in_interrupt_are_reported)
{
	struct kmem_cache *c;

	machine_start("mem=16M zones=i386");
	c = kmem_cache_create("irq", 64, 0, 0, NULL);
	kmem_irq_enter();
	ok(!kmem_cache_create("irq2", 64, 0, 0, NULL), "create refused");
	kmem_cache_shrink(c);
	ok(kmem_cache_destroy(c) != 0, "destroy refused");
	kmem_irq_exit();
	is(reports_of(KMEM_MISUSE_SLAB_CONTEXT), 3, "three reports");
	is(kmem_cache_destroy(c), 0, "later it works");
	machine_stop();
}
