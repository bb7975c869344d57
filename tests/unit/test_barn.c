/* SPDX-License-Identifier: MIT */
/* How much a barn keeps, and for how long. */
#include "support.h"
#include "slab/slab.h"

enum { MANY = 40000, SIZE = 64 };

static void *obj[MANY];

static void out_and_back(struct kmem_cache *c, int n)
{
	for (int i = 0; i < n; i++)
		obj[i] = kmem_cache_alloc(c, GFP_KERNEL);
	for (int i = 0; i < n; i++)
		kmem_cache_free(c, obj[i]);
}

TEST(a_barn_holds_a_thousandth_of_the_machine_at_most)
{
	struct kmem_cache *c;

	is(kmem_boot("mem=256M nr_cpus=1"), 0, "%s", kmem_boot_error());
	c = kmem_cache_create("many", SIZE, 0, 0, NULL);
	out_and_back(c, MANY);
	is(c->nr_full, c->barn_max, "%u sheaves rest in the barn", c->barn_max);
	ok(sheaf_count(c) * SIZE <= (256 << 10) + 2 * c->sheaf_cap * SIZE, "%lu objects rest",
	   sheaf_count(c));
	ok(sheaf_count(c) * SIZE > 128 << 10, "which is most of what they may");
	is(kmem_check(), 0, "all is well");
	kmem_cache_shrink(c);
	is(sheaf_count(c), 0, "none after a shrink");
	is(c->nr_slabs, 0, "and no slab");
}

TEST(what_a_barn_holds_comes_back_before_anything_of_a_slab)
{
	struct kmem_cache *c;
	unsigned long resting;

	is(kmem_boot("mem=256M nr_cpus=1"), 0, "%s", kmem_boot_error());
	c = kmem_cache_create("many", SIZE, 0, 0, NULL);
	out_and_back(c, 2000);
	resting = sheaf_count(c);
	ok(resting >= 2000, "all of them rest: %lu", resting);
	for (int i = 0; i < 2000; i++)
		obj[i] = kmem_cache_alloc(c, GFP_KERNEL);
	is(sheaf_count(c), resting - 2000, "and all of them were handed out again");
	for (int i = 0; i < 2000; i++)
		kmem_cache_free(c, obj[i]);
}

TEST(a_barn_grows_for_what_comes_back_after_it_found_no_room)
{
	struct kmem_cache *c;
	unsigned int max;

	if (sizeof(void *) < 8)
		skip_loudly("a machine this large needs more addresses");
	is(kmem_boot("mem=8G nr_cpus=1"), 0, "%s", kmem_boot_error());
	c = kmem_cache_create("many", SIZE, 0, 0, NULL);
	out_and_back(c, MANY);
	is(c->barn_max, c->barn_least, "not for what is freed once");
	is(c->nr_full, c->barn_max, "which fills it: %u sheaves", c->barn_max);
	for (int i = 0; i < 5; i++)
		out_and_back(c, MANY);
	is(sheaf_count(c), MANY, "all rest where nobody goes to the slabs for them");
	max = c->barn_max;
	for (int i = 0; i < 3; i++)
		out_and_back(c, MANY);
	is(c->barn_max, max, "it is as large as it has to be");
	ok(max < c->barn_most, "%u sheaves, %u at most", max, c->barn_most);
	is(kmem_check(), 0, "all is well");
	kmem_cache_reap();
	kmem_cache_reap();
	is(c->nr_full, 0, "none rest when none was used");
	is(c->barn_max, c->barn_least, "and no more are to");
	is(c->nr_slabs, 0, "no slab is left");
	is(kmem_check(), 0, "all is well");
}

TEST(the_reaper_takes_sheaves_that_nobody_has_needed_and_no_others)
{
	struct kmem_cache *c;
	unsigned int held;

	is(kmem_boot("mem=256M nr_cpus=1"), 0, "%s", kmem_boot_error());
	c = kmem_cache_create("many", SIZE, 0, 0, NULL);
	out_and_back(c, 3000);
	held = c->nr_full;
	kmem_cache_reap();
	is(c->nr_full, held, "all were in use since");
	out_and_back(c, 1000);
	is(c->nr_full, held, "some are used now");
	kmem_cache_reap();
	ok(c->nr_full > 0 && c->nr_full < held, "%u of %u are left: the others were idle",
	   c->nr_full, held);
	kmem_cache_reap();
	kmem_cache_reap();
	is(c->nr_full, 0, "none when none was used");
	is(kmem_check(), 0, "all is well");
}
