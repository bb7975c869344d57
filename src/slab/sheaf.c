/* SPDX-License-Identifier: MIT */
/*
 * Sheaves and the barn: what keeps most operations away from slabs and locks.
 *
 *	 CPU 0          CPU 1			each CPU: a main sheaf that hits pop from and push
 *	+------+       +------+			to, and a spare, so that a run of allocations after
 *	| main |       | main |			a run of frees (or the other way round) of up to a
 *	+------+       +------+			sheaf's length costs a swap
 *	|spare |       |spare |
 *	+--+---+       +---+--+			barn: full and empty sheaves, up to barn_max each; a
 *	   |     barn      |			producer's full sheaf becomes a consumer's, whole
 *	   +-> full empty <+
 *	         |  ^				slabs: sheaves are filled and flushed in one go
 *	         v  |
 *	        slabs
 *
 * A sheaf taken out of a stack belongs to the function that took it, which must put it somewhere:
 * back, into another place of this CPU, into the barn, or empty it into the slabs and free it. A
 * stack may gain a sheaf meanwhile (handlers and other tasks of the CPU do the same); sheaf_place()
 * copes with that. Nobody ever waits for a stack but sheaf_drain().
 *
 * The barn is a stack, so what was freed last is allocated first; or rather a row of stacks, by the CPU
 * whose sheaf it was, which takes it back before others do: its cache may have the objects still. One
 * lock, and one bound, is for all. Of its full ones the reaper takes as many as nobody has needed since
 * it came by last (full_low). The bound grows where what went to the slabs for want of room is wanted
 * back (barn_miss), and goes down as the reaper takes.
 *
 * Capacity is the power of two less two that makes the sheaf itself a power of two of bytes, chosen
 * so that a full sheaf holds at most 64 KiB of objects and a 1,024th of the machine (but six, however
 * large they are, and 510, however small): a miss costs four locked instructions or more, which are
 * spread over that many objects. What goes between sheaves and slabs goes by SHEAF_BATCH, so that no
 * miss is longer for a larger sheaf, or by half a sheaf, so that the next call does not miss again.
 *
 * For the same reason the two of a CPU share: where one is full and the other empty, as it is after a swap or a
 * trade, a few objects go over, if the miss before was of the other kind. A load that allocates and frees in
 * random order walks at random between empty and full, and an end that it has left by one step it
 * meets again at once; one that it has left by n steps of N, after n (N - n).
 *
 * Lock: RANK_BARN, never together with the node lock. Sheaves come from caches of the library
 * that have no sheaves themselves, one a capacity.
 */
#include "slab/slab.h"

enum {
	SHEAF_BATCH = 62,      /* objects that go to or come from slabs at one go, at most */
	SHEAF_BATCH_LEAST = 6, /* of small sheaves half their capacity, but so many */
	SHEAF_SHARE = 31,      /* objects that pass from one of a CPU's two to the other, at most */
	SHEAF_LOOK = 126,      /* the newest, which a free that misses is compared with */
	SHEAF_BYTES = 64 << 10, /* objects of a full one; and a 1,024th of the machine */
};
const u32 sheaf_caps[NR_SHEAF_CACHES] = {6, 14, 30, 62, 126, 254, 510};
struct kmem_cache sheaf_caches[NR_SHEAF_CACHES];

u32 sheaf_capacity(u32 size)
{
	size_t room = slab_thousandth(SHEAF_BYTES) / size;
	u32 i = NR_SHEAF_CACHES - 1;

	while (i && sheaf_caps[i] + 2 > room)
		i--;
	return sheaf_caps[i];
}

u32 sheaf_capacity_for(u32 want)
{
	u32 i = 0;

	while (i < NR_SHEAF_CACHES - 1 && sheaf_caps[i] < want)
		i++;
	return sheaf_caps[i];
}

static u32 sheaf_batch(const struct kmem_cache *c)
{
	return (u32)size_min(size_max(c->sheaf_cap / 2, SHEAF_BATCH_LEAST), SHEAF_BATCH);
}

void sheaf_barn_init(struct kmem_cache *c)
{
	size_t full = c->sheaf_cap * (c->size + sizeof(void *));
	size_t least = slab_thousandth(BARN_LEAST) / (1 + c->size / 256) / full;

	c->barn_least = (u32)size_max(2, least);
	c->barn_most = (u32)size_max(c->barn_least, slab_thousandth(BARN_MOST) / full);
	c->barn_max = c->barn_least;
}

struct kmem_cache *sheaf_cache_of(u32 cap)
{
	for (u32 i = 0; i < NR_SHEAF_CACHES; i++) {
		if (sheaf_caps[i] == cap)
			return &sheaf_caches[i];
	}
	return NULL;
}

/* An empty sheaf, or NULL: the caller then does without. Never makes an effort. */
static struct sheaf *sheaf_new(struct kmem_cache *c, bool nested)
{
	gfp_t gfp = GFP_NOWAIT | __GFP_NORETRY | __GFP_NOMEMALLOC;
	void *p;
	struct sheaf *s;

	if (node_alloc(sheaf_cache_of(c->sheaf_cap), gfp, &p, 1, nested) == 0)
		return NULL;
	s = sheaf_in(p, c->sheaf_cap);
	s->n = 0;
	s->cap = c->sheaf_cap;
	s->next = NULL;
	atom_add(&c->nr_sheaves, 1u);
	return s;
}

static void sheaf_end(struct kmem_cache *c, struct sheaf *s, bool nested)
{
	void *p = (char *)&s->slot[s->cap] - sheaf_block(s->cap);

	if (s->n)
		node_free(c, s->slot, s->n, nested);
	s->n = 0;
	node_free(sheaf_cache_of(s->cap), &p, 1, nested);
	atom_add(&c->nr_sheaves, ~0u);
}

/* ---- The barn ------------------------------------------------------------------------------------ */

static void barn_unlock(struct kmem_cache *c, irqflags_t f)
{
	if (c->stat)
		atom_store(&c->stat->cached_objs, (u64)c->nr_full * c->sheaf_cap);
	lock_release(&c->barn, f);
}

static struct sheaf **barn_list(struct kmem_cache *c, u32 cpu, bool full)
{
	struct barn_row *row = &c->barn_row[cpu % BARN_ROWS];

	return full ? &row->full : &row->empty;
}

/* Of this CPU's row, or else of the next one that has any. */
static struct sheaf *barn_pop(struct kmem_cache *c, bool full)
{
	u32 *nr = full ? &c->nr_full : &c->nr_empty, row = port_cpu();
	struct sheaf **list, *s;

	if (!*nr)
		return NULL;
	while (!*(list = barn_list(c, row, full)))
		row++;
	s = *list;
	*list = s->next;
	atom_store(nr, *nr - 1);
	s->next = NULL;
	c->full_low = c->full_low < c->nr_full ? c->full_low : c->nr_full;
	return s;
}

/* Half-full sheaves go with the full ones. False: no room. */
static bool barn_push(struct kmem_cache *c, struct sheaf *s)
{
	struct sheaf **list = barn_list(c, port_cpu(), s->n);
	u32 *nr = s->n ? &c->nr_full : &c->nr_empty;

	if (*nr >= c->barn_max)
		return false;
	s->next = *list;
	*list = s;
	atom_store(nr, *nr + 1);
	return true;
}

/* None is there: had there been room, one of what was spilled might be. */
static void barn_miss(struct kmem_cache *c)
{
	if (!c->spilled)
		return;
	atom_store(&c->spilled, c->spilled - 1);
	if (++c->missed * sheaf_batch(c) < c->sheaf_cap)
		return;
	c->missed = 0;
	c->barn_max++;
	if (c->barn_max == c->barn_most)
		atom_store(&c->spilled, 0u);
}

/* A full sheaf off the barn, or NULL. *empty, unless NULL, goes there in exchange, and is NULL then. */
static struct sheaf *barn_get_full(struct kmem_cache *c, struct sheaf **empty, bool nested)
{
	struct sheaf *s;
	irqflags_t f;

	if ((!atom_load(&c->nr_full) && !atom_load(&c->spilled)) ||
	    !lock_take_or_try(&c->barn, nested, &f))
		return NULL;
	s = barn_pop(c, true);
	if (!s)
		barn_miss(c);
	if (s && *empty && barn_push(c, *empty))
		*empty = NULL;
	atom_store(&c->touched, 1u);
	barn_unlock(c, f);
	return s;
}

/* An empty sheaf, or NULL. *full, unless NULL, goes first, and is NULL then; if it cannot, nothing comes
 * either: the caller empties it. */
static struct sheaf *barn_get_empty(struct kmem_cache *c, struct sheaf **full, bool nested)
{
	struct sheaf *s = NULL;
	irqflags_t f;

	if ((!*full && !atom_load(&c->nr_empty)) || !lock_take_or_try(&c->barn, nested, &f))
		return NULL;
	if (*full && barn_push(c, *full))
		*full = NULL;
	if (!*full)
		s = barn_pop(c, false);
	else if (c->barn_max < c->barn_most)
		atom_store(&c->spilled, c->spilled + 1);
	atom_store(&c->touched, 1u);
	barn_unlock(c, f);
	return s;
}

/* False: no room, or the lock is not to be had. */
static bool barn_give(struct kmem_cache *c, struct sheaf *s, bool nested)
{
	irqflags_t f;
	bool room;

	if (!lock_take_or_try(&c->barn, nested, &f))
		return false;
	room = barn_push(c, s);
	barn_unlock(c, f);
	return room;
}

/* ---- This CPU's two ------------------------------------------------------------------------------- */

/* Taken out of the stacks; either may be NULL. */
struct hand {
	struct sheaf *main, *spare;
};

/* The main one. The other stays where it is unless the main one does not serve. */
static struct hand hand_take(struct kmem_cache *c, u32 cpu)
{
	return (struct hand){port_stack_take(c->main_off, cpu), NULL};
}

/* The spare one becomes the main one, or leaves none. */
static void hand_turn(struct kmem_cache *c, struct hand *h, u32 cpu)
{
	h->spare = h->main;
	h->main = port_stack_take(c->spare_off, cpu);
}

/* This miss is of the other kind than the CPU's last. */
static bool hand_returns(const struct kmem_cache *c, u32 cpu, bool free)
{
	u32 *freed = &((struct hits *)percpu_ptr(c->main_off, cpu))->freed;
	bool other = atom_load(freed) != free;

	if (other)
		atom_store(freed, (u32)free);
	return other;
}

/* One is nearly full and the other nearly empty: the newest few of the one go over. Either may be NULL. */
static void hand_share(struct sheaf *from, struct sheaf *to)
{
	u32 n;

	if (!from || !to || from->n <= from->cap / 2 + to->n)
		return;
	n = (u32)size_min((from->n - to->n) / 2, SHEAF_SHARE);
	from->n -= n;
	__builtin_memcpy(&to->slot[to->n], &from->slot[from->n], n * sizeof(*to->slot));
	to->n += n;
}

/* Finds a home for a sheaf the caller owns: here, or there, or the barn. */
static void sheaf_place(struct kmem_cache *c, struct sheaf *s, u32 here, u32 there, bool nested)
{
	u32 cpu = port_cpu();

	if (!s || port_stack_put(here, cpu, s) || port_stack_put(there, cpu, s))
		return;
	if (!barn_give(c, s, nested))
		sheaf_end(c, s, nested);
}

static void hand_put(struct kmem_cache *c, const struct hand *h, bool nested)
{
	sheaf_place(c, h->main, c->main_off, c->spare_off, nested);
	sheaf_place(c, h->spare, c->spare_off, c->main_off, nested);
}

/* ---- Allocation ---------------------------------------------------------------------------------- */

static bool sheaf_has(const struct sheaf *s)
{
	return s && s->n;
}

/* None has an object: the barn's full sheaf becomes the main one, else one is filled from slabs. */
static void hand_fill(struct kmem_cache *c, struct hand *h, gfp_t gfp, bool nested)
{
	struct sheaf *none = NULL, *give = h->main, *s = barn_get_full(c, &give, nested);

	if (s) {
		if (give)
			sheaf_end(c, give, nested);
		h->main = s;
		return;
	}
	if (!h->main) {
		h->main = h->spare;
		h->spare = NULL;
	}
	if (!h->main)
		h->main = barn_get_empty(c, &none, nested);
	if (!h->main)
		h->main = sheaf_new(c, nested);
	if (h->main)
		h->main->n = node_alloc(c, gfp, h->main->slot, sheaf_batch(c), nested);
}

void *sheaf_alloc(struct kmem_cache *c, gfp_t gfp, bool nested)
{
	void *obj = port_stack_pop(c->main_off);
	u32 cpu = port_cpu();
	struct hand h;

	if (obj)
		return obj;
	h = hand_take(c, cpu);
	if (!sheaf_has(h.main))
		hand_turn(c, &h, cpu);
	if (!sheaf_has(h.main))
		hand_fill(c, &h, gfp, nested);
	if (hand_returns(c, cpu, false))
		hand_share(h.main, h.spare);
	if (sheaf_has(h.main))
		obj = h.main->slot[--h.main->n];
	hand_put(c, &h, nested);
	return obj;
}

/* ---- Free ------------------------------------------------------------------------------------------ */

/* Among its newest; *look: how many are looked at yet. */
static bool sheaf_holds(const struct sheaf *s, const void *obj, u32 *look)
{
	u32 n = s ? (u32)size_min(s->n, *look) : 0;
	void *const *p = s ? &s->slot[s->n] : NULL;

	*look -= n;
	for (; n >= 4; n -= 4, p -= 4) {
		if (p[-1] == obj || p[-2] == obj || p[-3] == obj || p[-4] == obj)
			return true;
	}
	while (n--) {
		if (*--p == obj)
			return true;
	}
	return false;
}

static bool sheaf_room(const struct sheaf *s)
{
	return s && s->n < s->cap;
}

/* Makes room. The newest go to the slabs, for the others need not be moved then. */
static void sheaf_flush(struct kmem_cache *c, struct sheaf *s, bool nested)
{
	u32 nr = (u32)size_min(s->n, sheaf_batch(c));

	s->n -= nr;
	node_free(c, s->slot + s->n, nr, nested);
}

/*
 * Each is full, or none. The main one goes to the barn, for an empty one: the barn's, a new one, or,
 * where the barn has no room, a batch of it flushed into the slabs.
 */
static void hand_make_room(struct kmem_cache *c, struct hand *h, bool nested)
{
	struct sheaf *give = h->main;

	h->main = barn_get_empty(c, &give, nested);
	if (give) {
		sheaf_flush(c, give, nested);
		h->main = give;
	}
	if (!h->main)
		h->main = sheaf_new(c, nested);
}

bool sheaf_free(struct kmem_cache *c, void *obj, bool nested)
{
	u32 cpu = port_cpu();
	struct hand h = hand_take(c, cpu);
	u32 look = SHEAF_LOOK;
	bool twice = sheaf_holds(h.main, obj, &look), traded = false;

	if (!twice && !sheaf_room(h.main)) {
		hand_turn(c, &h, cpu);
		twice = sheaf_holds(h.main, obj, &look);
	}
	if (!twice && !sheaf_room(h.main)) {
		hand_make_room(c, &h, nested);
		traded = true;
	}
	if (!twice && hand_returns(c, cpu, true))
		hand_share(h.spare, h.main);
	if (!twice && h.main)
		h.main->slot[h.main->n++] = obj;
	else if (!twice)
		node_free(c, &obj, 1, nested);
	hand_put(c, &h, nested);
	/* While barns take what is freed, nothing else may come by. */
	if (traded && !nested)
		reclaim_decay();
	return !twice;
}

/* ---- Draining and looking ------------------------------------------------------------------------- */

/* Under the barn's lock, moves a batch of objects into objs[]; how many. The sheaf they were in, if it is
 * empty now, is *end's. */
static u32 barn_reap(struct kmem_cache *c, void **objs, struct sheaf **end)
{
	u32 low = c->full_low, n;
	struct sheaf *s = barn_pop(c, true);

	n = (u32)size_min(s->n, SHEAF_BATCH);
	s->n -= n;
	__builtin_memcpy(objs, &s->slot[s->n], n * sizeof(*objs));
	if (s->n) {
		barn_push(c, s);
	} else {
		*end = s;
		low--;
		c->barn_max = (u32)size_max(c->barn_max - 1, c->barn_least);
		atom_store(&c->spilled, 0u);
	}
	c->full_low = low;
	return n;
}

bool sheaf_reap(struct kmem_cache *c, bool all)
{
	void *objs[SHEAF_BATCH];
	struct sheaf *end = NULL;
	irqflags_t f = lock_take(&c->barn);
	u32 n = 0;

	if (all)
		c->full_low = c->nr_full;
	if (c->full_low) {
		n = barn_reap(c, objs, &end);
	} else {
		c->full_low = c->nr_full;
		if (c->nr_empty > (all ? 0 : c->barn_max))
			end = barn_pop(c, false);
	}
	barn_unlock(c, f);
	if (n)
		node_free(c, objs, n, false);
	if (end)
		sheaf_end(c, end, false);
	return n || end;
}

bool sheaf_reap_stacks(struct kmem_cache *c, u32 *stack)
{
	while (c->main_off && *stack < 2 * kmem_machine.nr_cpus) {
		u32 off = *stack % 2 ? c->spare_off : c->main_off;
		struct sheaf *s = port_stack_take(off, (*stack)++ / 2);

		if (!s)
			continue;
		if (!barn_give(c, s, false))
			sheaf_end(c, s, false);
		return true;
	}
	return false;
}

static void stack_empty(struct kmem_cache *c, u32 off, u32 cpu, bool wait)
{
	struct sheaf *s = wait ? port_stack_drain(off, cpu) : port_stack_take(off, cpu);

	if (s)
		sheaf_end(c, s, false);
}

void sheaf_drain(struct kmem_cache *c, bool wait)
{
	if (!c->main_off)
		return;
	for (u32 cpu = 0; cpu < kmem_machine.nr_cpus; cpu++) {
		stack_empty(c, c->main_off, cpu, wait);
		stack_empty(c, c->spare_off, cpu, wait);
	}
	while (sheaf_reap(c, true))
		;
}

typedef void (*sheaf_fn)(const struct sheaf *s, u32 n, void *arg);

static void stack_look(u32 off, u32 cpu, sheaf_fn fn, void *arg)
{
	u32 n;
	const struct sheaf *s = port_stack_peek(off, cpu, &n);

	if (s)
		fn(s, n, arg);
}

/* Quiescent callers only: the walk reads others' sheaves. */
static void for_each_sheaf(struct kmem_cache *c, sheaf_fn fn, void *arg)
{
	if (!c->main_off)
		return;
	for (u32 cpu = 0; cpu < kmem_machine.nr_cpus; cpu++) {
		stack_look(c->main_off, cpu, fn, arg);
		stack_look(c->spare_off, cpu, fn, arg);
	}
	for (u32 row = 0; row < BARN_ROWS; row++)
		for (const struct sheaf *s = c->barn_row[row].full; s; s = s->next)
			fn(s, s->n, arg);
}

static void count_one(const struct sheaf *s, u32 n, void *arg)
{
	(void)s;
	*(unsigned long *)arg += n;
}

unsigned long sheaf_count(struct kmem_cache *c)
{
	unsigned long n = 0;

	for_each_sheaf(c, count_one, &n);
	return n;
}

struct each_object {
	struct kmem_cache *cache;
	void (*fn)(struct kmem_cache *, void *, void *);
	void *arg;
};

static void each_one(const struct sheaf *s, u32 n, void *arg)
{
	const struct each_object *e = arg;

	for (u32 i = 0; i < n; i++)
		e->fn(e->cache, s->slot[i], e->arg);
}

void sheaf_for_each(struct kmem_cache *c, void (*fn)(struct kmem_cache *, void *, void *),
		    void *arg)
{
	struct each_object e = {c, fn, arg};

	for_each_sheaf(c, each_one, &e);
}

/* For quiescent moments, as node_check(). */
int sheaf_check(struct kmem_cache *c)
{
	u32 full = 0, empty = 0;
	int faults = 0;

	for (const struct barn_row *r = c->barn_row; r < c->barn_row + BARN_ROWS; r++) {
		for (const struct sheaf *s = r->full; s; s = s->next, full++)
			assert_audit(s->n && s->n <= s->cap, "%s: a full sheaf of %u in %u",
				     c->name, s->n, s->cap);
		for (const struct sheaf *s = r->empty; s; s = s->next, empty++)
			assert_audit(s->n == 0, "%s: an empty sheaf of %u", c->name, s->n);
	}
	assert_audit(full == c->nr_full && empty == c->nr_empty,
		     "%s: %u full and %u empty sheaves, counted %u and %u", c->name, full, empty,
		     c->nr_full, c->nr_empty);
	assert_audit(full <= c->barn_max && c->barn_max <= c->barn_most && empty <= c->barn_most,
		     "%s: a barn of %u + %u, for %u of %u", c->name, full, empty, c->barn_max,
		     c->barn_most);
	return faults;
}
