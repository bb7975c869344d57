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
