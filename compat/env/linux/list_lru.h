/* SPDX-License-Identifier: MIT */
/*
 * <linux/list_lru.h>: objects in the order of their last use, for a shrinker to count and walk. One node
 * and no control groups, so one list under one lock. Who walks gives a callback, called with the lock
 * held for each object from the oldest on; it says what became of it. It may drop the lock inside if it
 * has taken it again and returns LRU_REMOVED_RETRY or LRU_RETRY: then the walk begins anew.
 */
#ifndef KMEM_ENV_LIST_LRU_H
#define KMEM_ENV_LIST_LRU_H
#define _LRU_LIST_H

#include <linux/shrinker.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/list.h>
#include <linux/nodemask.h>
#endif

struct mem_cgroup;
struct lock_class_key;

enum lru_status { LRU_REMOVED, LRU_REMOVED_RETRY, LRU_ROTATE, LRU_SKIP, LRU_RETRY };

struct list_lru_one {
	struct list_head list;
	long nr_items;
};
struct list_lru {
	spinlock_t lock;
	struct list_lru_one one;
};
typedef enum lru_status (*list_lru_walk_cb)(struct list_head *item, struct list_lru_one *list,
					    spinlock_t *lock, void *arg);

int kmem_env_list_lru_init(struct list_lru *lru); /* 0 */
#define list_lru_init(lru)		   kmem_env_list_lru_init(lru)
#define list_lru_init_key(lru, key)	   ((void)(key), kmem_env_list_lru_init(lru))
#define list_lru_init_memcg(lru, shrinker) ((void)(shrinker), kmem_env_list_lru_init(lru))
void list_lru_destroy(struct list_lru *lru);

/* At the end, unless it is in a list; out, if it is in one. True if that changed something. */
bool list_lru_add(struct list_lru *lru, struct list_head *item);
bool list_lru_del(struct list_lru *lru, struct list_head *item);
unsigned long list_lru_count(struct list_lru *lru);
#define list_lru_count_node(lru, nid)	    ((void)(nid), list_lru_count(lru))
#define list_lru_count_one(lru, nid, memcg) ((void)(nid), (void)(memcg), list_lru_count(lru))
#define list_lru_shrink_count(lru, sc)	    ((void)(sc), list_lru_count(lru))

/* For callbacks: out of the list they are called for, and there into another of theirs. */
void list_lru_isolate(struct list_lru_one *list, struct list_head *item);
void list_lru_isolate_move(struct list_lru_one *list, struct list_head *item,
			   struct list_head *head);

/* How many were removed; *nr_to_walk counts down with each that is looked at. */
unsigned long kmem_env_list_lru_walk(struct list_lru *lru, list_lru_walk_cb isolate, void *arg,
				     unsigned long *nr_to_walk);
#define list_lru_walk_node(lru, nid, isolate, arg, nr) \
	((void)(nid), kmem_env_list_lru_walk((lru), (isolate), (arg), (nr)))
#define list_lru_walk_one(lru, nid, memcg, isolate, arg, nr) \
	((void)(nid), (void)(memcg), kmem_env_list_lru_walk((lru), (isolate), (arg), (nr)))
#define list_lru_walk_one_irq(lru, nid, memcg, isolate, arg, nr) \
	list_lru_walk_one((lru), (nid), (memcg), (isolate), (arg), (nr))
static inline unsigned long list_lru_walk(struct list_lru *lru, list_lru_walk_cb isolate, void *arg,
					  unsigned long nr_to_walk)
{
	return kmem_env_list_lru_walk(lru, isolate, arg, &nr_to_walk);
}
static inline unsigned long list_lru_shrink_walk(struct list_lru *lru, struct shrink_control *sc,
						 list_lru_walk_cb isolate, void *arg)
{
	return kmem_env_list_lru_walk(lru, isolate, arg, &sc->nr_to_scan);
}
#define list_lru_shrink_walk_irq(lru, sc, isolate, arg) \
	list_lru_shrink_walk((lru), (sc), (isolate), (arg))

#endif
