/* SPDX-License-Identifier: MIT */
/* Intrusive doubly linked lists with a sentinel head. */
#pragma once
#include "base/base.h"

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}
static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}
static inline void list_insert(struct list *n, struct list *prev, struct list *next)
{
	next->prev = n;
	n->next = next;
	n->prev = prev;
	prev->next = n;
}
static inline void list_add(struct list *n, struct list *head)
{
	list_insert(n, head, head->next);
}
static inline void list_add_tail(struct list *n, struct list *head)
{
	list_insert(n, head->prev, head);
}
static inline void list_del(struct list *n)
{
	n->next->prev = n->prev;
	n->prev->next = n->next;
	n->next = n;
	n->prev = n;
}
#define list_entry(p, type, member)    container_of(p, type, member)
#define list_first(head, type, member) list_entry((head)->next, type, member)
#define list_for_each_entry(pos, head, type, member)                               \
	for (pos = list_entry((head)->next, type, member); &pos->member != (head); \
	     pos = list_entry(pos->member.next, type, member))
#define list_for_each_entry_safe(pos, tmp, head, type, member) \
	for (pos = list_entry((head)->next, type, member),     \
	    tmp = list_entry(pos->member.next, type, member);  \
	     &pos->member != (head); pos = tmp, tmp = list_entry(tmp->member.next, type, member))
