/* SPDX-License-Identifier: MIT */
/*
 * Sheaves and the barn: what keeps most operations away from slabs and locks.
 *
 *	 CPU 0          CPU 1			each CPU: a main sheaf that hits pop from and push
 *	+------+       +------+			to, and a spare, so that a run of allocations after
 *	| main |       | main |			a run of frees (or the other way round) of up to a
 *	+------+       +------+			sheaf's length costs a swap
 *	|spare |       |spare |
 *	+--+---+       +---+--+			barn: full and empty sheaves, at most 10 each; a
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
 * Capacity is the power of two less two that makes the sheaf itself a power of two of bytes, chosen
 * so that a full sheaf holds at most 32 KiB of objects (but six, however large they are): a miss costs
 * some ten locked instructions, which are spread over that many objects.
 *
 * Lock: RANK_BARN, never together with the node lock. Sheaves come from four caches of the library
 * that have no sheaves themselves.
 */
#include "slab/slab.h"

static const u32 sheaf_caps[NR_SHEAF_CACHES] = {6, 14, 30, 62};
struct kmem_cache sheaf_caches[NR_SHEAF_CACHES];

u32 sheaf_capacity(u32 size)
{
	return size <= 512 ? 62 : size <= 1024 ? 30 : size <= 2048 ? 14 : 6;
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
	return s;
}

static void sheaf_end(struct kmem_cache *c, struct sheaf *s, bool nested)
{
	void *p = (char *)&s->slot[s->cap] - sheaf_block(s->cap);

	if (s->n)
		node_free(c, s->slot, s->n, nested);
	s->n = 0;
	node_free(sheaf_cache_of(s->cap), &p, 1, nested);
}

/* ---- The barn ------------------------------------------------------------------------------------ */

static void barn_unlock(struct kmem_cache *c, irqflags_t f)
{
	if (c->stat)
		atom_store(&c->stat->cached_objs, (u64)c->nr_full * c->sheaf_cap);
	lock_release(&c->barn, f);
}

/* One off a list of the barn, or NULL. */
static struct sheaf *barn_take(struct kmem_cache *c, bool full, bool nested)
{
	struct sheaf **list = full ? &c->barn_full : &c->barn_empty;
	u32 *nr = full ? &c->nr_full : &c->nr_empty;
	struct sheaf *s;
	irqflags_t f;

	if (!atom_load(nr) || !lock_take_or_try(&c->barn, nested, &f))
		return NULL;
	s = *list;
	if (s) {
		*list = s->next;
		atom_store(nr, *nr - 1);
		s->next = NULL;
	}
	barn_unlock(c, f);
	return s;
}

/* Half-full sheaves go with the full ones. False: no room, or the lock is not to be had. */
static bool barn_give(struct kmem_cache *c, struct sheaf *s, bool nested)
{
	struct sheaf **list = s->n ? &c->barn_full : &c->barn_empty;
	u32 *nr = s->n ? &c->nr_full : &c->nr_empty;
	u32 max = s->n ? c->max_full : (u32)BARN_MAX;
	bool room;
	irqflags_t f;

	if (!lock_take_or_try(&c->barn, nested, &f))
		return false;
	room = *nr < max;
	if (room) {
		s->next = *list;
		*list = s;
		atom_store(nr, *nr + 1);
	}
	barn_unlock(c, f);
	return room;
}

/* Finds a home for a sheaf the caller owns. */
static void sheaf_place(struct kmem_cache *c, struct sheaf *s, bool nested)
{
	u32 cpu = port_cpu();

	if (!s)
		return;
	if (port_stack_put(c->main_off, cpu, s) || port_stack_put(c->spare_off, cpu, s))
		return;
	if (!barn_give(c, s, nested))
		sheaf_end(c, s, nested);
}

/* ---- Allocation ---------------------------------------------------------------------------------- */

/* Pops read upwards through memory when the lowest address is on top. */
static void sheaf_reverse(struct sheaf *s)
{
	for (u32 i = 0, j = s->n; i + 1 < j; i++) {
		void *tmp = s->slot[i];

		s->slot[i] = s->slot[--j];
		s->slot[j] = tmp;
	}
}

static bool sheaf_fill(struct kmem_cache *c, struct sheaf *s, gfp_t gfp, bool nested)
{
	s->n = node_alloc(c, gfp, s->slot, s->cap, nested);
	sheaf_reverse(s);
	return s->n != 0;
}

/* Of two sheaves (either may be NULL) the one with objects, the other left in *rest. */
static struct sheaf *fuller(struct sheaf *a, struct sheaf *b, struct sheaf **rest)
{
	if (a && a->n) {
		*rest = b;
		return a;
	}
	*rest = a;
	return b;
}

/* Trades an empty sheaf for one with objects: the barn's, else filled from slabs. */
static struct sheaf *sheaf_trade(struct kmem_cache *c, struct sheaf *empty, gfp_t gfp, bool nested)
{
	struct sheaf *full = barn_take(c, true, nested);

	if (full) {
		if (empty && !barn_give(c, empty, nested))
			sheaf_end(c, empty, nested);
		return full;
	}
	if (!empty)
		empty = barn_take(c, false, nested);
	if (!empty)
		empty = sheaf_new(c, nested);
	if (!empty || sheaf_fill(c, empty, gfp, nested))
		return empty;
	if (!barn_give(c, empty, nested))
		sheaf_end(c, empty, nested);
	return NULL;
}

void *sheaf_alloc(struct kmem_cache *c, gfp_t gfp, bool nested)
{
	u32 cpu = port_cpu();
	struct sheaf *rest, *s;
	void *obj = port_stack_pop(c->main_off);

	if (obj)
		return obj;
	s = fuller(port_stack_take(c->main_off, cpu), port_stack_take(c->spare_off, cpu), &rest);
	if (!s || !s->n)
		s = sheaf_trade(c, s, gfp, nested);
	if (s && s->n)
		obj = s->slot[--s->n];
	sheaf_place(c, s, nested);
	sheaf_place(c, rest, nested);
	return obj;
}

/* ---- Free ------------------------------------------------------------------------------------------ */

static bool sheaf_holds(const struct sheaf *s, const void *obj)
{
	for (u32 i = 0; s && i < s->n; i++) {
		if (s->slot[i] == obj)
			return true;
	}
	return false;
}

static bool sheaf_room(const struct sheaf *s)
{
	return s && s->n < s->cap;
}

/* A sheaf with room in place of a full one (or of none), by barn, by memory, or by emptying it. */
static struct sheaf *sheaf_make_room(struct kmem_cache *c, struct sheaf *full, bool nested)
{
	struct sheaf *s = barn_take(c, false, nested);

	if (!s)
		s = sheaf_new(c, nested);
	if (!s && full) {
		node_free(c, full->slot, full->n, nested);
		full->n = 0;
		return full;
	}
	if (full && !barn_give(c, full, nested))
		sheaf_end(c, full, nested);
	return s;
}

bool sheaf_free(struct kmem_cache *c, void *obj, bool nested)
{
	u32 cpu = port_cpu();
	struct sheaf *main = port_stack_take(c->main_off, cpu);
	struct sheaf *spare = port_stack_take(c->spare_off, cpu);
	bool twice = sheaf_holds(main, obj) || sheaf_holds(spare, obj);

	if (!twice && !sheaf_room(main)) {
		struct sheaf *full = main;

		if (sheaf_room(spare)) {
			main = spare;
			spare = full;
		} else {
			main = sheaf_make_room(c, full, nested);
		}
	}
	if (!twice && main)
		main->slot[main->n++] = obj;
	else if (!twice)
		node_free(c, &obj, 1, nested);
	sheaf_place(c, main, nested);
	sheaf_place(c, spare, nested);
	return !twice;
}

/* ---- Draining and looking ------------------------------------------------------------------------- */

void sheaf_drain_barn(struct kmem_cache *c)
{
	struct sheaf *s;

	for (s = barn_take(c, true, false); s; s = barn_take(c, true, false))
		sheaf_end(c, s, false);
	for (s = barn_take(c, false, false); s; s = barn_take(c, false, false))
		sheaf_end(c, s, false);
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
	sheaf_drain_barn(c);
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
	for (const struct sheaf *s = c->barn_full; s; s = s->next)
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
