// SPDX-License-Identifier: MIT
/* Lists by last use (linux/list_lru.h): one under one lock each, walked with it held. */
#include "internal.h"
#include <linux/list_lru.h>

static bool item_alone(const struct list_head *item)
{
	return item->next == item;
}

static void item_in(struct list_head *item, struct list_head *before)
{
	item->next = before;
	item->prev = before->prev;
	before->prev->next = item;
	before->prev = item;
}

static void item_out(struct list_head *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	item->next = item->prev = item;
}

int kmem_env_list_lru_init(struct list_lru *lru)
{
	spin_lock_init(&lru->lock);
	lru->one.list.next = lru->one.list.prev = &lru->one.list;
	lru->one.nr_items = 0;
	return 0;
}

void list_lru_destroy(struct list_lru *lru)
{
	(void)lru;
}

bool list_lru_add(struct list_lru *lru, struct list_head *item)
{
	bool add;

	spin_lock(&lru->lock);
	add = item_alone(item);
	if (add) {
		item_in(item, &lru->one.list);
		__atomic_fetch_add(&lru->one.nr_items, 1, __ATOMIC_RELAXED);
	}
	spin_unlock(&lru->lock);
	return add;
}

bool list_lru_del(struct list_lru *lru, struct list_head *item)
{
	bool del;

	spin_lock(&lru->lock);
	del = !item_alone(item);
	if (del)
		list_lru_isolate(&lru->one, item);
	spin_unlock(&lru->lock);
	return del;
}

unsigned long list_lru_count(struct list_lru *lru)
{
	long n = __atomic_load_n(&lru->one.nr_items, __ATOMIC_RELAXED);

	return n > 0 ? (unsigned long)n : 0;
}

void list_lru_isolate(struct list_lru_one *list, struct list_head *item)
{
	item_out(item);
	__atomic_fetch_sub(&list->nr_items, 1, __ATOMIC_RELAXED);
}

void list_lru_isolate_move(struct list_lru_one *list, struct list_head *item,
			   struct list_head *head)
{
	list_lru_isolate(list, item);
	item_in(item, head->next);
}

unsigned long kmem_env_list_lru_walk(struct list_lru *lru, list_lru_walk_cb isolate, void *arg,
				     unsigned long *nr_to_walk)
{
	struct list_head *end = &lru->one.list, *item, *next;
	unsigned long removed = 0;

	spin_lock(&lru->lock);
	for (item = end->next; item != end && *nr_to_walk; item = next) {
		enum lru_status status;

		next = item->next;
		--*nr_to_walk;
		status = isolate(item, &lru->one, &lru->lock, arg);
		removed += status == LRU_REMOVED || status == LRU_REMOVED_RETRY;
		if (status == LRU_ROTATE) {
			item_out(item);
			item_in(item, end);
		}
		if (status == LRU_REMOVED_RETRY || status == LRU_RETRY)
			next = end->next;
	}
	spin_unlock(&lru->lock);
	return removed;
}
