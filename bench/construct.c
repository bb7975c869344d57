/* SPDX-License-Identifier: MIT */
/*
 * construct: objects that are put together once, by a cache with a constructor, or each time, by those
 * that have none: a lock, lists that are empty, a table of pointers that are NULL. A user leaves the object as the
 * constructor made it, as caches ask for. The value is for one object, allocation and free together.
 */
#include "harness.h"
#include "api.h"

#include <pthread.h>

enum { HELD = 32, TURNS = 512, BUCKETS = 40 };

struct ring {
	struct ring *next, *prev;
};

struct inode {
	pthread_mutex_t lock;
	struct ring dirty, users, aliases;
	void *bucket[BUCKETS];
	uint64_t number;
};

static void ring_init(struct ring *r)
{
	r->next = r->prev = r;
}

static void inode_construct(void *arg)
{
	struct inode *ino = arg;

	pthread_mutex_init(&ino->lock, NULL);
	ring_init(&ino->dirty);
	ring_init(&ino->users);
	ring_init(&ino->aliases);
	for (unsigned int i = 0; i < BUCKETS; i++)
		ino->bucket[i] = NULL;
	ino->number = 0;
}

static void construct_chunk(void *arg)
{
	struct inode *held[HELD];

	(void)arg;
	for (unsigned int turn = 0; turn < TURNS; turn++) {
		for (unsigned int i = 0; i < HELD; i++) {
			held[i] = need(api_alloc(sizeof(struct inode)));
			if (!API_CONSTRUCTS)
				inode_construct(held[i]);
			held[i]->number = i;
			keep(held[i]);
		}
		for (unsigned int i = 0; i < HELD; i++)
			api_free(held[i]);
	}
}

WORKLOAD(construct)
{
	api_open_constructed(sizeof(struct inode), inode_construct);
	measure("inode", HELD * TURNS, construct_chunk, NULL);
	api_close();
}
