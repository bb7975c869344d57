// SPDX-License-Identifier: MIT
/* kmem_cache_validate() sees what was written to objects out of their time; initialization spares what lasts. */
#include "support.h"

static void validated(slab_flags_t flags, int at, bool free_first, unsigned long bad)
{
	struct kmem_cache *c;
	unsigned char *p;

	machine_start(M64);
	c = kmem_cache_create("validated", 64, 0, flags, NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	is(kmem_cache_validate(c), 0, "before");
	if (free_first)
		kmem_cache_free(c, p);
	p[at] ^= 0x5a;
	is(kmem_cache_validate(c), bad, "byte %d", at);
	is(reports_of(KMEM_MISUSE_SLAB_CORRUPT), bad);
	is(log_count("FIX validated: Restoring"), bad);
	is(kmem_cache_validate(c), 0, "it was mended");
	if (!free_first)
		kmem_cache_free(c, p);
	is(kmem_cache_destroy(c), 0);
	machine_stop();
}

TEST(validate_finds_a_red_zone_of_an_object_in_use)
{
	validated(SLAB_RED_ZONE, 64, false, 1);
}

TEST(validate_finds_a_red_zone_of_a_free_object)
{
	validated(SLAB_RED_ZONE, 64, true, 1);
}

TEST(validate_finds_a_write_to_a_free_object)
{
	validated(SLAB_POISON, 50, true, 1);
}

TEST(validate_leaves_the_users_own_bytes_alone)
{
	validated(SLAB_POISON, 50, false, 0);
}

TEST(validate_has_nothing_to_compare_in_a_plain_cache)
{
	validated(0, 50, true, 0);
}

static unsigned char *link_of(struct kmem_cache *c, void *obj)
{
	int at = kmem_cache_freeptr_offset(c);

	ok(at >= 0, "there is a link, at %d", at);
	return (unsigned char *)obj + at;
}

TEST(a_link_that_was_written_is_found_and_cut_and_found_again_when_put_back)
{
	struct kmem_cache *c;
	unsigned char *p, *q, *link;

	machine_start(M64);
	c = kmem_cache_create("linked", 64, 0, SLAB_POISON, NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	q = kmem_cache_alloc(c, GFP_KERNEL);
	kmem_cache_free(c, q);
	kmem_cache_free(c, p);
	link = link_of(c, p);
	ok(link >= p + 64, "behind a poisoned object");
	is_ptr(*(void **)(void *)link, q, "to the next free one");
	*link = (unsigned char)~*link;
	is(kmem_cache_validate(c), 1, "the link");
	is(log_count("Freechain corrupt"), 1);
	is(log_count("Wrong object count. Counter is 0 but counted were "), 1);
	is(log_count("Object count adjusted"), 1);
	is(kmem_cache_validate(c), 0, "known");
	*(void **)(void *)link = q;
	is(kmem_cache_validate(c), 1, "it is back");
	is(log_count("but counted were 0"), 1);
	is(kmem_cache_validate(c), 0, "known again");
	is(reports_of(KMEM_MISUSE_SLAB_CORRUPT), 2);
	is(kmem_cache_destroy(c), 0);
	machine_stop();
}

TEST(a_slab_behind_a_cut_link_serves_as_before)
{
	struct kmem_cache *c;
	void *p[200], *q;
	size_t twice = 0;

	machine_start(M64);
	c = kmem_cache_create("cut", 64, 0, SLAB_POISON, NULL);
	q = kmem_cache_alloc(c, GFP_KERNEL);
	kmem_cache_free(c, q);
	memset(link_of(c, q), 0, sizeof(void *));
	is(kmem_cache_validate(c), 1, "zeroes are seen where there is a next one");
	for (size_t i = 0; i < 200; i++) {
		p[i] = kmem_cache_alloc(c, GFP_KERNEL);
		for (size_t j = 0; j < i; j++)
			twice += p[j] == p[i];
	}
	is(twice, 0, "each object once");
	for (size_t i = 0; i < 200; i += 2)
		kmem_cache_free(c, p[i]);
	for (size_t i = 199; i < 200; i -= 2)
		kmem_cache_free(c, p[i]);
	is(kmem_cache_validate(c), 0, "all links are right, whatever the order of frees");
	is(reports_of(KMEM_MISUSE_SLAB_CORRUPT), 1);
	is(kmem_cache_destroy(c), 0);
	machine_stop();
}

TEST(a_link_inside_the_object_leaves_no_address_in_it)
{
	struct kmem_cache *c;
	unsigned char *p, *link;

	machine_start(M64);
	c = kmem_cache_create("inside", 64, 0, SLAB_CONSISTENCY_CHECKS, NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	link = link_of(c, p);
	is(link - p, 32, "in the middle");
	is(*(unsigned long *)(void *)link, 0, "nothing of it to see");
	memset(p, 0x77, 64);
	is(kmem_cache_validate(c), 0, "the user's own bytes");
	kmem_cache_free(c, p);
	memset(link, 0x77, sizeof(void *));
	is(kmem_cache_validate(c), 1, "written after its free");
	is(kmem_cache_freeptr_offset(kmem_cache_create("plain", 64, 0, 0, NULL)), -ENOENT);
	machine_stop();
}

TEST(an_allocation_sees_a_link_that_leads_out_of_its_slab)
{
	struct kmem_cache *c;
	unsigned char *p;

	machine_start(M64);
	c = kmem_cache_create("astray", 64, 0, SLAB_CONSISTENCY_CHECKS, NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	kmem_cache_free(c, p);
	memset(link_of(c, p), 0x41, sizeof(void *));
	is_ptr(kmem_cache_alloc(c, GFP_KERNEL), p);
	is(log_count("Freepointer corrupt"), 1);
	is(reports_of(KMEM_MISUSE_SLAB_CORRUPT), 1);
	kmem_cache_free(c, p);
	is(kmem_cache_validate(c), 0, "linked anew");
	is(kmem_cache_destroy(c), 0);
	machine_stop();
}

static void set_77(void *obj)
{
	memset(obj, 0x77, 64);
}

static void set_77_ldd3(void *obj, kmem_cache_t *c, unsigned long flags)
{
	(void)c;
	(void)flags;
	memset(obj, 0x77, 64);
}

TEST(constructed_objects_keep_all_their_bytes_under_slab_debug)
{
	struct kmem_cache *c[2];

	machine_start(M64 " slab_debug=FZ");
	c[0] = kmem_cache_create("constructed", 64, 0, 0, set_77);
	c[1] = kmem_cache_create("ldd3", 64, 0, 0, set_77_ldd3, NULL);
	for (int i = 0; i < 2; i++) {
		unsigned char *p = kmem_cache_alloc(c[i], GFP_KERNEL);
		int bad = 0;

		kmem_cache_free(c[i], p);
		p = kmem_cache_alloc(c[i], GFP_KERNEL);
		for (int j = 0; j < 64; j++)
			bad += p[j] != 0x77;
		is(bad, 0, "bytes that are not the constructor's");
		kmem_cache_free(c[i], p);
		is(kmem_cache_destroy(c[i]), 0);
	}
	machine_stop();
}

TEST(init_on_alloc_and_free_spare_objects_that_readers_may_follow)
{
	struct kmem_cache *c;
	unsigned char *p, *q;

	machine_start(M64 " init_on_alloc=1 init_on_free=1");
	c = kmem_cache_create("lasting", 64, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	memset(p, 0x77, 64);
	kmem_cache_free(c, p);
	q = kmem_cache_alloc(c, GFP_KERNEL);
	is_ptr(q, p, "the newest comes first");
	is(q[0], 0x77);
	is(q[63], 0x77);
	kmem_cache_free(c, q);
	q = kmem_cache_alloc(c, GFP_KERNEL | __GFP_ZERO);
	is(q[63], 0, "zeroed where that is asked for");
	kmem_cache_free(c, q);
	kmem_cache_destroy(c);
	machine_stop();
}
