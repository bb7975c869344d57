/* SPDX-License-Identifier: MIT */
/*
 * mempool: elements kept back for those who must go on (semantics 7.1).
 *
 *	                    alloc_fn             user               free_fn
 *	    underlying  ---------------->  elements out  ----------------->  underlying
 *	    allocator                        |      ^          (reserve full)
 *	                        mempool_free |      | reserve_take
 *	                                     v      |
 *	                                   reserve (LIFO) <--- aside
 *
 *	reserve + aside + out >= min_nr			the promise
 *
 * It holds because alloc_fn only adds elements, and an element goes to free_fn only when as many as
 * were promised rest already. A pool with min_nr 0 keeps one.
 *
 * Waiting. A task that finds neither alloc_fn nor reserve willing sleeps on the word `wakes`, which
 * everybody moves on who puts an element into the reserve:
 *
 *	waiter				freer
 *	waiters++			lock; put; unlock
 *	seen = wakes			wakes++
 *	lock; look; unlock		if waiters: wake one
 *	sleep while wakes == seen
 *
 * If the look comes before the put, then so does the waiter's count, which the freer therefore sees,
 * and its reading of `wakes`, which the freer therefore moves on: the sleep ends, or does not begin. A
 * wake-up may reach a task that has meanwhile got its element elsewhere; it passes it on. Should all
 * that be wrong, and because alloc_fn may be willing again without any free, nobody sleeps longer
 * than 5 s.
 *
 * Asynchronous entry. A handler that has interrupted a section only tries the lock. If it cannot have
 * it, the element it frees is left aside, in slots filled by compare-and-swap; the next holder of the
 * lock takes it in, and the one who holds it now looks when he lets go:
 *
 *	handler: fill a slot; fence; try the lock	holder: unlock; fence; look at the slots
 *
 * so one of the two sees the other. There are as many slots as the reserve has: when all of them are
 * spoken for, as many elements as were promised are there, and one more may go to free_fn. What still
 * lies aside when the reserve is full again stays there, and is the next to fill it.
 *
 * Lock: one of a few, picked by the pool's address, RANK_LEAF: the reserve is touched when memory is
 * short, a few instructions at a time, and fork then has no pools to find. No function of the user's
 * is called with it held. The slots may be replaced under a handler (resize), so it looks at them in
 * an RCU section.
 *
 * Cost: while alloc_fn serves and the reserve is full, one load a free.
 */
#include "pool/pool.h"

enum { NR_LOCKS = 16, LOCK_SHIFT = 6 };
#define WAIT_NS 5000000000ull

/* cap slots of the reserve, under the lock, and cap aside. */
struct mempool_store {
	u32 cap;
	void *slot[];
};

static struct lock locks[NR_LOCKS] = {[0 ... NR_LOCKS - 1] = {.rank = RANK_LEAF}};

static struct lock *pool_lock(const mempool_t *pool)
{
	return &locks[((uintptr_t)pool >> LOCK_SHIFT) % NR_LOCKS];
}

/* Elements to be kept: what is promised, and one where nothing is. */
static int pool_target(const mempool_t *pool)
{
	int min_nr = atom_load(&pool->min_nr);

	return min_nr > 0 ? min_nr : 1;
}

static void pool_wake(mempool_t *pool, u32 nr)
{
	if (nr == 0)
		return;
	atom_add_sc(&pool->wakes, nr);
	if (atom_load(&pool->waiters))
		port_wake(&pool->wakes, nr);
}

/* ---- Aside: without the lock -------------------------------------------------------------------- */

/* False: every slot is somebody's. Promised before it is filled, so there is an empty one to find. */
static bool aside_put(mempool_t *pool, void *el)
{
	const struct mempool_store *s;
	u32 nr = atom_load(&pool->nr_aside);
	void **slot, *none = NULL;

	rcu_read_enter();
	s = atom_load_acq(&pool->store); /* pairs with store_replace */
	while (nr < s->cap && !atom_cas(&pool->nr_aside, &nr, nr + 1))
		;
	if (nr < s->cap) {
		slot = (void **)(uintptr_t)s->slot + s->cap;
		for (u32 i = 0; !atom_cas(&slot[i], &none, el); i = (i + 1) % s->cap)
			none = NULL;
	}
	rcu_read_leave();
	return nr < s->cap;
}

static void *aside_take_from(mempool_t *pool, struct mempool_store *s)
{
	void **slot = s->slot + s->cap, *el;

	for (u32 i = 0; i < s->cap && atom_load(&pool->nr_aside); i++) {
		el = atom_load(&slot[i]) ? atom_xchg(&slot[i], NULL) : NULL;
		if (el) {
			atom_sub(&pool->nr_aside, 1);
			return el;
		}
	}
	return NULL;
}

static void *aside_take(mempool_t *pool)
{
	void *el;

	rcu_read_enter();
	el = aside_take_from(pool, atom_load_acq(&pool->store));
	rcu_read_leave();
	return el;
}

/* ---- The reserve ---------------------------------------------------------------------------------- */

static void put_locked(mempool_t *pool, void *el)
{
	int nr = pool->curr_nr;

	assert_debug(el && nr >= 0 && (u32)nr < pool->store->cap);
	assert_debug(!pool->store->slot[nr]);
	pool->store->slot[nr] = el;
	atom_store(&pool->curr_nr, nr + 1);
	if (nr + 1 == pool_target(pool))
		pool->made = nr + 1;
}

static void *take_locked(mempool_t *pool)
{
	int nr = pool->curr_nr - 1;
	void *el;

	if (nr < 0)
		return NULL;
	el = pool->store->slot[nr];
	assert_debug(el);
	pool->store->slot[nr] = NULL;
	atom_store(&pool->curr_nr, nr);
	return el;
}

/* What lies aside fills the reserve up. How many did. */
static u32 intake_locked(mempool_t *pool)
{
	u32 nr = 0;

	while (pool->curr_nr < pool_target(pool)) {
		void *el = aside_take_from(pool, pool->store);

		if (!el)
			break;
		put_locked(pool, el);
		nr++;
	}
	return nr;
}

/* Whoever has left something aside, or has just let go of the lock, looks once more. */
static void pool_settle(mempool_t *pool)
{
	irqflags_t flags;
	u32 nr;

	do {
		atom_fence();
		if (!atom_load(&pool->nr_aside) || atom_load(&pool->curr_nr) >= pool_target(pool))
			return;
		if (!lock_try(pool_lock(pool), &flags))
			return;
		nr = intake_locked(pool);
		lock_release(pool_lock(pool), flags);
		pool_wake(pool, nr);
	} while (nr);
}

/* added: elements that waiters may have, but for those taken in now. */
static void pool_unlock(mempool_t *pool, irqflags_t flags, u32 added)
{
	added += intake_locked(pool);
	lock_release(pool_lock(pool), flags);
	pool_wake(pool, added);
	pool_settle(pool);
}

/* False: there are enough. */
static bool reserve_put(mempool_t *pool, void *el)
{
	irqflags_t flags;
	bool room;

	element_rests(pool, el);
	if (!lock_take_or_try(pool_lock(pool), pool_must_try(), &flags)) {
		room = aside_put(pool, el);
		pool_settle(pool);
	} else {
		room = pool->curr_nr < pool_target(pool);
		if (room)
			put_locked(pool, el);
		pool_unlock(pool, flags, room);
	}
	if (!room)
		element_leaves(pool, el);
	return room;
}

/* NULL: none, or none that this context could have. */
static void *reserve_take(mempool_t *pool)
{
	irqflags_t flags;
	void *el;
	u32 nr;

	if (!lock_take_or_try(pool_lock(pool), pool_must_try(), &flags)) {
		el = aside_take(pool);
	} else {
		nr = intake_locked(pool);
		el = take_locked(pool);
		pool_unlock(pool, flags, nr);
	}
	if (el)
		element_leaves(pool, el);
	return el;
}

/* ---- Allocation and free ------------------------------------------------------------------------- */

static void *wait_for_element(mempool_t *pool, gfp_t gfp)
{
	void *el;

	assert_debug(context_may_sleep());
	atom_add_sc(&pool->waiters, 1);
	for (;;) {
		u32 seen = atom_load_acq(&pool->wakes); /* before the look, see above */

		el = pool->alloc(gfp, pool->pool_data);
		if (!el)
			el = reserve_take(pool);
		if (el)
			break;
		port_wait(&pool->wakes, seen, WAIT_NS);
	}
	atom_sub_sc(&pool->waiters, 1);
	/* The wake-up may have been for an element that this task did not need. */
	pool_wake(pool, atom_load(&pool->curr_nr) > 0);
	return el;
}

static gfp_t pool_gfp(gfp_t gfp, const void *site)
{
	if (unlikely(gfp & __GFP_ZERO) && gfp_warn_once(site, KMEM_MISUSE_MEMPOOL_ZERO))
		report_misuse(KMEM_MISUSE_MEMPOOL_ZERO, site,
			      "mempool_alloc: __GFP_ZERO is not for pools: not zeroed");
	gfp &= ~__GFP_ZERO;
	/* The task's scopes decide here; alloc_fn sees the caller's mask, and they lie on what it asks. */
	if (!(gfp_might_sleep(gfp_current(gfp), site) & __GFP_DIRECT_RECLAIM))
		gfp &= ~__GFP_DIRECT_RECLAIM;
	return gfp | __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN;
}

void *mempool_alloc(mempool_t *pool, gfp_t gfp)
{
	gfp_t gentle;
	void *el;

	assert_debug(mempool_initialized(pool));
	gfp = pool_gfp(gfp, __builtin_return_address(0));
	gentle = gfp & ~(__GFP_DIRECT_RECLAIM | __GFP_IO);
	el = pool->alloc(gentle, pool->pool_data);
	if (likely(el))
		return el;
	el = reserve_take(pool);
	if (el || gfp == gentle)
		return el;
	if (gfp & __GFP_DIRECT_RECLAIM)
		return wait_for_element(pool, gfp);
	el = pool->alloc(gfp, pool->pool_data);
	return el ? el : reserve_take(pool);
}

void *mempool_alloc_preallocated(mempool_t *pool)
{
	assert_debug(mempool_initialized(pool));
	return reserve_take(pool);
}

/*
 * The look without the lock is enough: as many as were promised rested at that moment, without this
 * one. And it is not too old: whoever took this element from the reserve lowered the count before, and
 * then gave the element to whoever frees it.
 */
void mempool_free(void *element, mempool_t *pool)
{
	if (unlikely(!element))
		return;
	assert_debug(mempool_initialized(pool));
	if (likely(atom_load(&pool->curr_nr) >= pool_target(pool)) || !reserve_put(pool, element))
		pool->free(element, pool->pool_data);
}

/* ---- Creation and end ---------------------------------------------------------------------------- */

static struct mempool_store *store_new(int nr, gfp_t gfp, int node)
{
	size_t bytes;
	struct mempool_store *s;

	if (!size_mul_ok((size_t)nr, 2 * sizeof(void *), &bytes) ||
	    !size_add_ok(bytes, sizeof(*s), &bytes))
		return NULL;
	s = kmalloc_node(bytes, gfp | __GFP_ZERO, node);
	if (s)
		s->cap = (u32)nr;
	return s;
}

/* Elements for which there is room, as many as alloc_fn gives. */
static void reserve_fill(mempool_t *pool, gfp_t gfp)
{
	void *el;

	while (atom_load(&pool->curr_nr) < pool_target(pool)) {
		el = pool->alloc(gfp, pool->pool_data);
		if (!el)
			return;
		if (!reserve_put(pool, el)) {
			pool->free(el, pool->pool_data);
			return;
		}
	}
}

static void reserve_empty(mempool_t *pool)
{
	void *el;

	for (el = reserve_take(pool); el; el = reserve_take(pool))
		pool->free(el, pool->pool_data);
}

static bool pool_refused(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn, void *data)
{
	const struct kmem_cache *c = data;

	if (min_nr < 0 || !alloc_fn || !free_fn)
		return true;
	if (!context_check_sleep(KMEM_MISUSE_CONTEXT, NULL, "no mempool is created"))
		return true;
	if (alloc_fn != mempool_alloc_slab)
		return false;
	if (!c || c->ctor || c->ctor_ldd3)
		report(KMEM_LOG_WARN, "mempool_create: %s has a constructor: no pool of it",
		       c ? c->name : "no cache");
	return !c || c->ctor || c->ctor_ldd3;
}

int mempool_init_node(mempool_t *pool, int min_nr, mempool_alloc_t *alloc_fn,
		      mempool_free_t *free_fn, void *pool_data, gfp_t gfp, int node)
{
	__builtin_memset(pool, 0, sizeof(*pool));
	if (pool_refused(min_nr, alloc_fn, free_fn, pool_data))
		return -KE_INVAL;
	pool->min_nr = min_nr;
	pool->pool_data = pool_data;
	pool->alloc = alloc_fn;
	pool->free = free_fn;
	pool->store = store_new(pool_target(pool), gfp, node);
	if (!pool->store)
		return -KE_NOMEM;
	pool->poison = element_poison_bytes(pool);
	reserve_fill(pool, gfp);
	if (pool->curr_nr == pool_target(pool))
		return 0;
	mempool_exit(pool);
	return -KE_NOMEM;
}

int mempool_init(mempool_t *pool, int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
		 void *pool_data)
{
	return mempool_init_node(pool, min_nr, alloc_fn, free_fn, pool_data, GFP_KERNEL, -1);
}

mempool_t *mempool_create_node(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
			       void *pool_data, gfp_t gfp, int node)
{
	mempool_t *pool = kmalloc_node(sizeof(*pool), gfp, node);

	if (!pool || !mempool_init_node(pool, min_nr, alloc_fn, free_fn, pool_data, gfp, node))
		return pool;
	kfree(pool);
	return NULL;
}

mempool_t *mempool_create(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
			  void *pool_data)
{
	return mempool_create_node(min_nr, alloc_fn, free_fn, pool_data, GFP_KERNEL, -1);
}

/* So many are out for certain. There never are fewer elements than made: a free_fn is called only when
 * the reserve is full, and made is what it held when it was full last. */
static int elements_out(const mempool_t *pool)
{
	return pool->made - pool->curr_nr - (int)atom_load(&pool->nr_aside);
}

void mempool_exit(mempool_t *pool)
{
	int out;

	if (!mempool_initialized(pool))
		return;
	out = elements_out(pool);
	if (out > 0)
		report_misuse(KMEM_MISUSE_MEMPOOL_BUSY, pool,
			      "mempool %p is destroyed with at least %d of %d elements out",
			      (void *)pool, out, pool->min_nr);
	reserve_empty(pool);
	kfree(pool->store);
	pool->store = NULL;
}

void mempool_destroy(mempool_t *pool)
{
	if (!pool)
		return;
	mempool_exit(pool);
	kfree(pool);
}

/* ---- Another size ---------------------------------------------------------------------------------- */

static u32 store_room(mempool_t *pool)
{
	irqflags_t flags = lock_take(pool_lock(pool));
	u32 cap = pool->store->cap;

	lock_release(pool_lock(pool), flags);
	return cap;
}

/* Room for more, unless another task has made as much: the elements move, and then those that handlers
 * left in the old slots meanwhile. */
static void store_replace(mempool_t *pool, struct mempool_store *to)
{
	irqflags_t flags = lock_take(pool_lock(pool));
	struct mempool_store *from = pool->store;
	bool more = to->cap > from->cap;
	void *el;

	if (more) {
		__builtin_memcpy(to->slot, from->slot, (size_t)pool->curr_nr * sizeof(to->slot[0]));
		/* Pairs with the loads in aside_put, aside_take. */
		atom_store_rel(&pool->store, to);
	}
	lock_release(pool_lock(pool), flags);
	if (!more) {
		kfree(to);
		return;
	}
	rcu_wait(rcu_start());
	for (el = aside_take_from(pool, from); el; el = aside_take_from(pool, from)) {
		element_leaves(pool, el);
		mempool_free(el, pool);
	}
	kfree(from);
}

static void target_set(mempool_t *pool, int nr)
{
	irqflags_t flags = lock_take(pool_lock(pool));

	atom_store(&pool->min_nr, nr);
	if (pool->made > nr)
		pool->made = nr;
	pool_unlock(pool, flags, 0);
}

/* The topmost element, if there are more than promised. */
static void *surplus_take(mempool_t *pool)
{
	irqflags_t flags = lock_take(pool_lock(pool));
	void *el = pool->curr_nr > pool_target(pool) ? take_locked(pool) : NULL;

	pool_unlock(pool, flags, 0);
	if (el)
		element_leaves(pool, el);
	return el;
}

int mempool_resize_gfp(mempool_t *pool, int new_min_nr, gfp_t gfp)
{
	struct mempool_store *s;
	void *el;

	assert_debug(mempool_initialized(pool));
	if (new_min_nr < 1 ||
	    !context_check_sleep(KMEM_MISUSE_CONTEXT, pool, "mempool_resize is refused"))
		return -KE_INVAL;
	if ((u32)new_min_nr > store_room(pool)) {
		s = store_new(new_min_nr, gfp, -1);
		if (!s)
			return -KE_NOMEM;
		store_replace(pool, s);
	}
	target_set(pool, new_min_nr);
	for (el = surplus_take(pool); el; el = surplus_take(pool))
		pool->free(el, pool->pool_data);
	reserve_fill(pool, gfp);
	return 0;
}

int(mempool_resize)(mempool_t *pool, int new_min_nr)
{
	return mempool_resize_gfp(pool, new_min_nr, GFP_KERNEL);
}

/* ---- Check, fork ---------------------------------------------------------------------------------- */

int mempool_check(mempool_t *pool)
{
	struct mempool_store *s = pool->store;
	u32 nr = (u32)pool->curr_nr, aside = 0;
	int faults = 0;

	assert_audit(s && pool->curr_nr >= 0, "pool %p is not in use", (void *)pool);
	if (faults)
		return faults;
	assert_audit(pool->curr_nr <= pool_target(pool), "more than %d in reserve", pool->min_nr);
	assert_audit((u32)pool_target(pool) <= s->cap, "room for %u of %d", s->cap, pool->min_nr);
	for (u32 i = 0; i < s->cap; i++) {
		assert_audit((s->slot[i] != NULL) == (i < nr), "slot %u of %u", i, nr);
		if (s->slot[i])
			assert_audit(element_damage(pool, s->slot[i]) == pool->poison,
				     "element %p was written to", s->slot[i]);
		aside += s->slot[s->cap + i] != NULL;
	}
	assert_audit(aside == pool->nr_aside, "%u aside, %u counted", aside, pool->nr_aside);
	return faults;
}

void mempool_fork_lock(void)
{
	for (u32 i = 0; i < NR_LOCKS; i++)
		lock_fork_take(&locks[i]);
}

void mempool_fork_unlock(bool child)
{
	for (u32 i = NR_LOCKS; i-- > 0;) {
		if (child)
			lock_reset(&locks[i]);
		else
			lock_fork_drop(&locks[i]);
	}
}
