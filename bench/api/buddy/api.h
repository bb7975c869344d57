/* SPDX-License-Identifier: MIT */
/*
 * The buddy allocator of the textbook, to compare pages with: one lock, a list of free blocks for each
 * order, and for each frame whether a free block begins there and of which order. An allocation takes
 * the smallest block that serves and halves it; a free joins the block with its buddy as long as that
 * is free as well.
 */
#ifndef BENCH_API_H
#define BENCH_API_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "harness.h"

enum { BUDDY_ORDERS = 11, BUDDY_FRAMES = 1 << 18, BUDDY_USED = 0xff };

struct frame {
	struct frame *next, *prev; /* in the list of its order */
	uint8_t order;		   /* of the free block that begins here, or BUDDY_USED */
};

static struct {
	pthread_mutex_t lock;
	struct frame list[BUDDY_ORDERS]; /* heads of rings */
	struct frame *frame;
} buddy = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void buddy_add(struct frame *f, unsigned int order)
{
	struct frame *head = &buddy.list[order];

	f->order = (uint8_t)order;
	f->next = head->next;
	f->prev = head;
	head->next->prev = f;
	head->next = f;
}

static void buddy_remove(struct frame *f)
{
	f->prev->next = f->next;
	f->next->prev = f->prev;
	f->order = BUDDY_USED;
}

static void pages_open(void)
{
	buddy.frame = own_alloc(BUDDY_FRAMES * sizeof(struct frame));
	for (unsigned int k = 0; k < BUDDY_ORDERS; k++)
		buddy.list[k].next = buddy.list[k].prev = &buddy.list[k];
	for (size_t i = 0; i < BUDDY_FRAMES; i++)
		buddy.frame[i].order = BUDDY_USED;
	for (size_t i = 0; i < BUDDY_FRAMES; i += 1u << (BUDDY_ORDERS - 1))
		buddy_add(&buddy.frame[i], BUDDY_ORDERS - 1);
}

static void *pages_alloc(unsigned int order)
{
	struct frame *f = NULL;
	unsigned int k = order;

	pthread_mutex_lock(&buddy.lock);
	while (k < BUDDY_ORDERS && buddy.list[k].next == &buddy.list[k])
		k++;
	if (k < BUDDY_ORDERS) {
		f = buddy.list[k].next;
		buddy_remove(f);
		while (k-- > order)
			buddy_add(f + (1u << k), k);
	}
	pthread_mutex_unlock(&buddy.lock);
	return f;
}

static void pages_free(void *p, unsigned int order)
{
	size_t i = (size_t)((struct frame *)p - buddy.frame);

	pthread_mutex_lock(&buddy.lock);
	for (; order < BUDDY_ORDERS - 1; order++) {
		struct frame *other = &buddy.frame[i ^ (1u << order)];

		if (other->order != order)
			break;
		buddy_remove(other);
		i &= ~((size_t)1 << order);
	}
	buddy_add(&buddy.frame[i], order);
	pthread_mutex_unlock(&buddy.lock);
}

#endif
