/* SPDX-License-Identifier: MIT */
/*
 * sanitize=1: a freed object is held back, hidden, so that who still uses it some allocations later
 * meets nobody's memory instead of the next owner's, and a second free meets the first.
 *
 *	free ---> newest ... oldest ---> the slab's bitmap
 *	          at most HELD_MAX objects and one part in HELD_SHARE of the memory
 *
 * To slab and statistics a held object is one in use, as those that rest in sheaves are; watched
 * caches have no sheaves. All go back when memory is short, a cache shrinks or ends, at a drain and
 * at the machine's stop.
 *
 * The ring has a table beside it, by address: first[] has the newest of a bucket, older[] the one
 * before (numbers and one; 0: none). So what leaves the ring is the last of its bucket's chain. The
 * lock is a leaf, and not held while an object goes back; who may only try, and fails, frees at once.
 */
#include "slab/slab.h"

enum { HELD_MAX = 2048, HELD_SHARE = 32, HASH_BITS = 11 };

static struct lock held_lock = {.rank = RANK_LEAF};
static void *held[HELD_MAX];
static u16 first[1 << HASH_BITS], older[HELD_MAX];
static u32 oldest, nr_held;
static size_t bytes_held;

static u16 *bucket(const void *obj)
{
	u32 h = (u32)((uintptr_t)obj >> 3) * 0x9e3779b1u;

	return &first[h >> (32 - HASH_BITS)];
}

static struct kmem_cache *held_cache(const void *obj)
{
	return page_of_addr(obj)->u.slab.cache;
}

static void held_push(void *obj)
{
	u32 at = (oldest + nr_held) % HELD_MAX;
	u16 *b = bucket(obj);

	assert_debug(nr_held < HELD_MAX);
	held[at] = obj;
	older[at] = *b;
	*b = (u16)(at + 1);
	nr_held++;
	bytes_held += held_cache(obj)->size;
}

static void *held_pop(void)
{
	u32 at = oldest;
	void *obj = held[at];
	u16 *link = bucket(obj);

	while (*link != at + 1) {
		assert_debug(*link != 0);
		link = &older[*link - 1];
	}
	assert_debug(older[at] == 0);
	*link = 0;
	oldest = (oldest + 1) % HELD_MAX;
	nr_held--;
	bytes_held -= held_cache(obj)->size;
	return obj;
}

/* Sends the oldest back until there are no more than so many, and bytes. */
static void held_return(u32 nr, size_t bytes, bool nested)
{
	for (;;) {
		void *obj = NULL;
		irqflags_t f;

		if (!lock_take_or_try(&held_lock, nested, &f))
			return;
		if (nr_held > nr || bytes_held > bytes)
			obj = held_pop();
		lock_release(&held_lock, f);
		if (!obj)
			return;
		node_free(held_cache(obj), &obj, 1, nested);
	}
}

void quarantine_add(struct kmem_cache *c, void *obj, bool nested)
{
	size_t bytes = ((size_t)kmem_machine.low_end << PAGE_SHIFT) / HELD_SHARE;
	bool room = false;
	irqflags_t f;

	held_return(HELD_MAX - 1, bytes, nested);
	if (lock_take_or_try(&held_lock, nested, &f)) {
		room = nr_held < HELD_MAX;
		if (room)
			held_push(obj);
		lock_release(&held_lock, f);
	}
	if (!room)
		node_free(c, &obj, 1, nested);
}

bool quarantine_has(const void *obj)
{
	irqflags_t f;
	u32 at = 0;

	if (!lock_take_or_try(&held_lock, sync_nested(), &f))
		return false;
	for (at = *bucket(obj); at && held[at - 1] != obj;)
		at = older[at - 1];
	lock_release(&held_lock, f);
	return at != 0;
}

void quarantine_drain(void)
{
	if (unlikely(kmem_machine.watched))
		held_return(0, 0, sync_nested());
}

void quarantine_reset(void)
{
	__builtin_memset(first, 0, sizeof(first));
	oldest = nr_held = 0;
	bytes_held = 0;
}

void quarantine_fork_lock(void)
{
	lock_fork_take(&held_lock);
}

void quarantine_fork_unlock(void)
{
	lock_fork_drop(&held_lock);
}

int quarantine_check(void)
{
	size_t bytes = 0;
	int faults = 0;

	for (u32 i = 0; i < nr_held; i++) {
		void *obj = held[(oldest + i) % HELD_MAX];

		assert_audit(cache_watched(held_cache(obj)), "%p is held back, of no such cache",
			     obj);
		assert_audit(!object_is_free(obj), "%p is held back and free in its slab", obj);
		bytes += held_cache(obj)->size;
	}
	assert_audit(bytes == bytes_held, "%zu bytes are held back, not %zu", bytes, bytes_held);
	return faults;
}
