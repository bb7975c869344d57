// SPDX-License-Identifier: MIT
/* Lists by last use: their order, what a walk does, and as what a shrinker gives back. */
#include "../env/env_test.h"
#include <linux/list_lru.h>

enum { MANY = 12000 };

struct item {
	struct list_head lru;
	unsigned int nr, used;
	char rest[2000];
};

static struct list_lru lru;
static unsigned int freed, out_of_order, next_nr, dropped_lock;

static struct item *item_of(struct list_head *l)
{
	return (struct item *)(void *)l;
}

static void alone(struct list_head *l)
{
	l->next = l->prev = l;
}

/* The used ones get another round, and all that go, go by age. */
static enum lru_status age(struct list_head *l, struct list_lru_one *list, spinlock_t *lock,
			   void *to)
{
	struct item *i = item_of(l);

	(void)lock;
	if (i->used) {
		i->used = 0;
		return LRU_ROTATE;
	}
	if (i->nr < next_nr)
		out_of_order++;
	next_nr = i->nr;
	list_lru_isolate_move(list, l, to);
	return LRU_REMOVED;
}

static unsigned long count(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	return list_lru_shrink_count(&lru, sc);
}

static unsigned long scan(struct shrinker *s, struct shrink_control *sc)
{
	struct list_head gone, *l;
	unsigned long n;

	(void)s;
	alone(&gone);
	n = list_lru_shrink_walk(&lru, sc, age, &gone);
	while ((l = gone.next) != &gone) {
		gone.next = l->next;
		kfree(item_of(l));
		freed++;
	}
	return n;
}

TEST(a_shrinker_gives_the_oldest_back)
{
	static struct shrinker shrinker = {
		.count_objects = count, .scan_objects = scan, .seeks = 2};
	struct list_head rest, *l;

	machine_start("mem=16M nr_cpus=1 kswapd=0");
	is(kmem_env_start(NULL), 0);
	is(list_lru_init(&lru), 0);
	is(register_shrinker(&shrinker, "lru"), 0);
	for (unsigned int i = 0; i < MANY; i++) {
		struct item *n = kmalloc(sizeof(*n), GFP_KERNEL);

		if (!ok(n, "memory comes, request %u", i))
			break;
		n->nr = i;
		n->used = 0;
		alone(&n->lru);
		ok(list_lru_add(&lru, &n->lru));
	}
	ok(freed > 0, "%u were given back", freed);
	is(out_of_order, 0);
	is(list_lru_count(&lru) + freed, MANY);
	unregister_shrinker(&shrinker);
	alone(&rest);
	list_lru_walk(&lru, age, &rest, 2 * MANY);
	while ((l = rest.next) != &rest) {
		rest.next = l->next;
		kfree(item_of(l));
	}
	is(list_lru_count(&lru), 0);
	list_lru_destroy(&lru);
	is(kmem_env_stop(), 0);
}

static enum lru_status drop(struct list_head *l, struct list_lru_one *list, spinlock_t *lock,
			    void *arg)
{
	(void)arg;
	list_lru_isolate(list, l);
	spin_unlock(lock);
	dropped_lock++;
	spin_lock(lock);
	return LRU_REMOVED_RETRY;
}

static enum lru_status skip_odd(struct list_head *l, struct list_lru_one *list, spinlock_t *lock,
				void *arg)
{
	return item_of(l)->nr & 1 ? LRU_SKIP : drop(l, list, lock, arg);
}

TEST(a_walk_does_what_its_callback_says)
{
	static struct item items[6];
	unsigned long nr = 4;
	struct list_head gone;

	env_begin();
	list_lru_init(&lru);
	for (unsigned int i = 0; i < 6; i++) {
		items[i].nr = i;
		items[i].used = i < 2;
		alone(&items[i].lru);
		ok(list_lru_add(&lru, &items[i].lru));
		ok(!list_lru_add(&lru, &items[i].lru), "it is in already");
	}
	alone(&gone);
	is(list_lru_walk_node(&lru, 0, age, &gone, &nr), 2, "two of four were used");
	is(nr, 0);
	is(list_lru_count(&lru), 4);
	ok(!list_lru_del(&lru, &items[5].lru) == 0 && !list_lru_del(&lru, &items[5].lru), "once");
	/* 4, 0 and 1 are left, in this order. */
	ok(lru.one.list.next == &items[4].lru && lru.one.list.prev == &items[1].lru, "rotated");
	is(list_lru_walk(&lru, skip_odd, NULL, 100), 2);
	is(dropped_lock, 2);
	is(list_lru_count(&lru), 1);
	list_lru_del(&lru, &items[1].lru);
	env_end();
}
