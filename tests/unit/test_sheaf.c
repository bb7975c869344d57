/* SPDX-License-Identifier: MIT */
/* How seldom a load that comes and goes reaches the end of a CPU's sheaf. */
#include "support.h"
#include "slab/slab.h"

enum { SIZE = 2048, PLACES = 512, SHARE = 8, STEPS = 100000, OUT = 200, ROUNDS = 50 };

static void *obj[PLACES];

/* The sheaf that hits go to now; a hit leaves it where it is, and a miss brings another. */
static const void *main_sheaf(const struct kmem_cache *c)
{
	u32 n;

	return port_stack_peek(c->main_off, port_cpu(), &n);
}

static struct kmem_cache *boot(void)
{
	is(kmem_boot("mem=256M nr_cpus=1 decay_ms=0"), 0, "%s", kmem_boot_error());
	return kmem_cache_create("walked", SIZE, 0, 0, NULL);
}

static u32 below(uint64_t *turn, u32 n)
{
	*turn ^= *turn << 13;
	*turn ^= *turn >> 7;
	*turn ^= *turn << 17;
	return (u32)((*turn >> 32) * n >> 32);
}

/* A random place is emptied; of those that are filled again one in SHARE has this size. */
static unsigned long walk(struct kmem_cache *c, uint64_t *turn, unsigned long *calls)
{
	unsigned long swaps = 0;

	for (int i = 0; i < STEPS; i++) {
		void **p = &obj[below(turn, PLACES)];
		const void *before = main_sheaf(c);

		if (*p) {
			kmem_cache_free(c, *p);
			*p = NULL;
			++*calls;
		}
		if (below(turn, SHARE) == 0) {
			*p = kmem_cache_alloc(c, GFP_KERNEL);
			++*calls;
		}
		swaps += main_sheaf(c) != before;
	}
	return swaps;
}

TEST(a_load_in_random_order_misses_once_in_two_hundred_calls_at_most)
{
	struct kmem_cache *c = boot();
	uint64_t turn = 88172645463325252u;
	unsigned long calls = 0, swaps;

	walk(c, &turn, &calls);
	calls = 0;
	swaps = walk(c, &turn, &calls);
	ok(calls > STEPS / SHARE, "%lu calls", calls);
	ok(swaps * 200 <= calls, "%lu of them missed", swaps);
	is(kmem_check(), 0, "all is well");
}

static int in_turn(struct kmem_cache *c, void **a, void **b)
{
	const void *first = main_sheaf(c), *then;

	kmem_cache_free(c, *a);
	kmem_cache_free(c, *b);
	then = main_sheaf(c);
	*a = kmem_cache_alloc(c, GFP_KERNEL);
	*b = kmem_cache_alloc(c, GFP_KERNEL);
	return (first != then ? 1 : 0) + (then != main_sheaf(c) ? 1 : 0);
}

/* Wherever between empty and full the sheaves are. */
TEST(no_few_objects_in_turn_miss_again_and_again)
{
	struct kmem_cache *c = boot();
	int worst = 0;

	for (int i = 0; i < OUT; i++)
		obj[i] = kmem_cache_alloc(c, GFP_KERNEL);
	for (int i = OUT - 1; i > 0; i--) {
		int swaps = 0;

		for (int round = 0; round < ROUNDS; round++)
			swaps += in_turn(c, &obj[i], &obj[i - 1]);
		worst = swaps > worst ? swaps : worst;
		kmem_cache_free(c, obj[i]);
	}
	kmem_cache_free(c, obj[0]);
	ok(worst <= 2, "%d misses in %d rounds", worst, ROUNDS);
	is(kmem_check(), 0, "all is well");
}
