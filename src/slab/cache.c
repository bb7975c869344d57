/* SPDX-License-Identifier: MIT */
/*
 * A cache's life, and the slow halves of allocation and free.
 *
 * An allocation that misses: pop the sheaf again in the full ceremony (sheaf.c), with a mask that
 * makes no effort; then one object straight from the slabs with the caller's mask, so that reclaim
 * runs and failures are reported once. Everything optional (debugging, zeroing, accounting, fault
 * injection, tracing) happens here and nowhere on the hit; caches that need one of them on every
 * operation have fast_off == PERCPU_NONE.
 *
 * A free that misses first proves what it was given: a frame of a slab, an object's start, and the
 * cache it says. Whatever is wrong is reported and either put right (wrong cache: the object goes
 * to its own) or refused.
 */
#include "slab/slab.h"

static struct ratelimit zero_ctor_limit = {.interval_ms = 5000, .burst = 10};
static struct ratelimit fail_limit = {.interval_ms = 5000, .burst = 10};

/* ---- Allocation --------------------------------------------------------------------------------- */

static void report_failure(struct kmem_cache *c, gfp_t gfp)
{
	struct kmem_stat_cache *st = c->stat;
	char text[160];

	if (st)
		atom_add(&st->alloc_fail, 1);
	if (gfp & __GFP_NOWARN || !ratelimit_ok(&fail_limit))
		return;
	kmem_gfp_text(gfp, text, sizeof(text));
	report(KMEM_LOG_WARN,
	       "SLUB: Unable to allocate memory on CPU %u (of node 0) on node -1, gfp=%#x(%s)",
	       port_cpu(), (unsigned int)gfp, text);
	report(KMEM_LOG_WARN,
	       "  cache: %s, object size: %u, buffer size: %u, default order: %u, min order: %u",
	       c->name, cache_object_size(c), c->size, c->order, c->min_order);
	if (st)
		report(KMEM_LOG_WARN, "  node 0: slabs: %lu, objs: %lu, free: %lu",
		       (unsigned long)atom_load(&st->nr_slabs),
		       (unsigned long)atom_load(&st->nr_objs),
		       (unsigned long)atom_load(&st->free_objs));
}

/* No effort, no noise: what filling a whole sheaf may cost. */
static gfp_t gfp_gentle(gfp_t gfp)
{
	return (gfp & ~(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL)) | __GFP_NOWARN | __GFP_NORETRY;
}

static void *object_get(struct kmem_cache *c, gfp_t gfp, bool nested)
{
	void *obj = c->main_off ? sheaf_alloc(c, gfp_gentle(gfp), nested) : NULL;

	if (!obj && node_alloc(c, gfp, &obj, 1, nested) == 0)
		return NULL;
	return obj;
}

/* init_on_alloc spares what must outlive its object: constructed state, and what readers of RCU see. */
static void object_zero(struct kmem_cache *c, void *obj, gfp_t gfp, size_t req)
{
	bool constructed = c->ctor || c->ctor_ldd3;
	bool kept = constructed || c->flags & (SLAB_POISON | SLAB_TYPESAFE_BY_RCU);

	if (gfp & __GFP_ZERO && constructed) {
		if (ratelimit_ok(&zero_ctor_limit))
			report_misuse(KMEM_MISUSE_GFP_ZERO_CTOR, obj,
				      "%s: __GFP_ZERO for a cache with a constructor: not zeroed",
				      c->name);
		return;
	}
	if (gfp & __GFP_ZERO || (kmem_machine.opt.init_on_alloc && !kept))
		__builtin_memset(obj, 0, c->orig_off ? req : cache_object_size(c));
}

static bool alloc_allowed(struct kmem_cache *c, gfp_t *gfp, bool try, const void *site)
{
	if (unlikely(!machine_ensure()))
		return false;
	if (unlikely(c->magic != CACHE_ALIVE)) {
		report_misuse(KMEM_MISUSE_SLAB_DEAD_CACHE, c,
			      "cache %p is destroyed or not a cache", (void *)c);
		return false;
	}
	if (unlikely(context_in_nmi()) && !try) {
		context_report_nmi(c, "object allocation");
		return false;
	}
	*gfp = gfp_might_sleep(gfp_current(gfp_fix_slab(*gfp)), site);
	return true;
}

/* try: nothing may be waited for, whatever the mask says. */
static void *alloc_full(struct kmem_cache *c, gfp_t gfp, size_t req, const void *site, bool try)
{
	bool nested = try || sync_nested();
	void *obj;

	if (!alloc_allowed(c, &gfp, try, site) ||
	    (!try && failslab_should_fail(c->flags, cache_object_size(c), gfp)))
		return NULL;
	if (c->flags & SLAB_ACCOUNT && !charge_try((long)c->size))
		return NULL;
	obj = object_get(c, gfp, nested);
	if (unlikely(!obj)) {
		if (c->flags & SLAB_ACCOUNT)
			charge_try(-(long)c->size);
		report_failure(c, nested ? gfp | __GFP_NOWARN : gfp);
		return NULL;
	}
	if (cache_watched(c))
		watch_show(c, obj);
	if (unlikely(c->flags & SLAB_DEBUG_FLAGS))
		debug_alloc(c, slab_head(page_of_addr(obj)), obj, req, site);
	object_zero(c, obj, gfp, req);
	if (cache_watched(c))
		watch_trim(c, obj, req);
	if (trace_on() && c->flags & SLAB_KMALLOC)
		trace_kmalloc(site, obj, req, c->size, gfp);
	else if (trace_on())
		trace_cache_alloc(site, obj, c->name, cache_object_size(c), c->size, gfp,
				  c->flags & SLAB_ACCOUNT);
	return obj;
}

void *cache_alloc_slow(struct kmem_cache *c, gfp_t gfp, size_t req, const void *site)
{
	return alloc_full(c, gfp, req, site, false);
}

void *cache_alloc_try(struct kmem_cache *c, gfp_t gfp, size_t req, const void *site)
{
	return alloc_full(c, gfp, req, site, true);
}

/*
 * Two of those who do not hit need the ceremony no more than those who do: whoever may not sleep and
 * does not ask to, and everybody on a machine whose hits all refuse.
 */
void *cache_alloc_miss(struct kmem_cache *c, gfp_t gfp, size_t req, const void *site)
{
	u32 preempt = port_task()->preempt;
	void *obj = NULL;

	port_task_set(preempt);
	if (!(gfp & GFP_SLAB_SPECIAL) &&
	    (preempt ? !(gfp & __GFP_DIRECT_RECLAIM) && !(preempt & CONTEXT_NMI_MASK)
		     : port_hit_never()))
		obj = port_stack_pop(atom_load(&c->fast_off));
	return obj ? obj : alloc_full(c, gfp, req, site, false);
}

void *kmem_cache_alloc(struct kmem_cache *c, gfp_t gfp)
{
	void *obj = cache_hit(c, gfp);

	if (likely(obj))
		return obj;
	return cache_alloc_miss(c, gfp, cache_object_size(c), __builtin_return_address(0));
}

void *kmem_call_cache_alloc(struct kmem_cache *c, gfp_t gfp)
	__attribute__((alias("kmem_cache_alloc")));

void *kmem_cache_alloc_node(struct kmem_cache *c, gfp_t gfp, int node)
{
	if (node > 0 && gfp & __GFP_THISNODE)
		return NULL;
	return cache_alloc(c, gfp, cache_object_size(c), __builtin_return_address(0));
}

void *kmem_cache_zalloc(struct kmem_cache *c, gfp_t gfp)
{
	return cache_alloc(c, gfp | __GFP_ZERO, cache_object_size(c), __builtin_return_address(0));
}

/* ---- Free ------------------------------------------------------------------------------------------ */

struct kmem_cache *cache_of_object(const void *obj, struct page **page)
{
	struct page *p = page_of_addr(obj);

	*page = p;
	if (!p || !(atom_load(&p->flags) & PAGE_IN_SLAB)) {
		report_misuse(KMEM_MISUSE_SLAB_FOREIGN, obj, "%p is not a slab object: %s", obj,
			      p ? "its page is no slab's" : "outside the machine's memory");
		return NULL;
	}
	if (object_nr(p->u.slab.cache, p, obj) == OBJECT_NONE) {
		report_misuse(KMEM_MISUSE_SLAB_INTERIOR, obj,
			      "%s: Invalid object pointer %p: no object of %u bytes starts there",
			      p->u.slab.cache->name, obj, cache_object_size(p->u.slab.cache));
		return NULL;
	}
	return p->u.slab.cache;
}

void report_double_free(const struct kmem_cache *c, const void *obj)
{
	report_misuse(KMEM_MISUSE_SLAB_DOUBLE_FREE, obj,
		      "BUG %s: Object already free: object %p freed twice", c->name, obj);
}

void object_release(struct kmem_cache *c, void *obj, bool nested)
{
	if (cache_watched(c))
		quarantine_add(c, obj, nested);
	else if (!c->main_off)
		node_free(c, &obj, 1, nested);
	else if (!port_stack_push(c->main_off, obj) && !sheaf_free(c, obj, nested))
		report_double_free(c, obj);
}

/* What is optional. False: the object is free already, which was reported. */
static bool free_ceremony(struct kmem_cache *c, struct page *page, void *obj, const void *site)
{
	if (cache_watched(c) && watch_freed_twice(c, obj))
		return false;
	if (trace_on() && c->flags & SLAB_KMALLOC)
		trace_kfree(site, obj);
	else if (trace_on())
		trace_cache_free(site, obj, c->name);
	if (c->flags & SLAB_DEBUG_FLAGS && !debug_free(c, slab_head(page), obj, site))
		return false;
	if (c->flags & SLAB_DEBUG_INITIAL && c->ctor_ldd3)
		c->ctor_ldd3(obj, c, SLAB_CTOR_CONSTRUCTOR | SLAB_CTOR_VERIFY);
	if (kmem_machine.opt.init_on_free && !c->ctor && !c->ctor_ldd3 &&
	    !(c->flags & (SLAB_POISON | SLAB_TYPESAFE_BY_RCU))) {
		if (cache_watched(c))
			watch_ksize(c, obj);
		__builtin_memset(obj, 0, cache_object_size(c));
	}
	if (c->flags & SLAB_ACCOUNT)
		charge_try(-(long)c->size);
	if (cache_watched(c))
		watch_free(c, obj);
	return true;
}

void cache_free_slow(struct kmem_cache *c, struct page *page, void *obj, const void *site)
{
	if (atom_load(&c->fast_off) != PERCPU_NONE || free_ceremony(c, page, obj, site))
		object_release(c, obj, sync_nested() || context_in_nmi());
}

static noinline void free_checked(struct kmem_cache *c, void *obj, const void *site)
{
	struct page *page;
	struct kmem_cache *own;

	if (c && page_owner_listed(obj) == atom_load(&c->fast) && free_miss_hit(obj))
		return;
	if (!obj) {
		report_misuse(KMEM_MISUSE_SLAB_NULL, c, "%s: kmem_cache_free of NULL",
			      c ? c->name : "NULL cache");
		return;
	}
	check_nmi_free(page_of_addr(obj), obj);
	own = cache_of_object(obj, &page);
	if (!own)
		return;
	if (own != c)
		report_misuse(KMEM_MISUSE_SLAB_WRONG_CACHE, obj,
			      "kmem_cache_free: Wrong slab cache. %s but object is from %s",
			      c && c->magic == CACHE_ALIVE ? c->name : "a destroyed cache",
			      own->name);
	cache_free_slow(own, page, obj, site);
}

/* The stack's address is known from the cache, and need not wait for the owner's. */
static inline always_inline bool cache_free_hit(struct kmem_cache *c, void *obj)
{
	struct port_stack *fast = atom_load(&c->fast);
	u64 starts = c->starts;

	return likely(page_owner(obj) == fast) && likely(object_starts(starts, obj)) &&
	       likely(port_task_push(fast, obj));
}

void kmem_cache_free(struct kmem_cache *c, const void *object)
{
	void *obj = (void *)(uintptr_t)object;

	if (likely(c) && cache_free_hit(c, obj))
		return;
	free_checked(c, obj, __builtin_return_address(0));
}

void kmem_call_cache_free(struct kmem_cache *c, const void *object)
	__attribute__((alias("kmem_cache_free")));

/* ---- Shrinking, draining, walking ------------------------------------------------------------------- */

struct each_live {
	void (*fn)(void *obj, void *arg);
	void *arg;
};

static void slab_each_live(struct kmem_cache *c, struct page *head, struct each_live *e)
{
	for (u32 i = 0; i < head->u.slab.objects; i++) {
		if (!slab_bit(head, i))
			e->fn(object_at(c, head, i), e->arg);
	}
}

void kmem_cache_for_each_object(struct kmem_cache *c, void (*fn)(void *obj, void *arg), void *arg)
{
	struct each_live e = {fn, arg};
	u32 pfn;

	quarantine_drain();
	sheaf_drain(c, true);
	node_settle(c);
	for (pfn = c->full.head; pfn != LINK_NIL; pfn = page_of_pfn(pfn)->next)
		slab_each_live(c, page_of_pfn(pfn), &e);
	for (pfn = c->partial.head; pfn != LINK_NIL; pfn = page_of_pfn(pfn)->next)
		slab_each_live(c, page_of_pfn(pfn), &e);
}

unsigned long kmem_cache_validate(struct kmem_cache *c)
{
	unsigned long bad = 0;
	u32 pfn;

	if (!(c->flags & SLAB_LINK_FLAGS))
		return 0;
	node_settle(c);
	for (pfn = c->full.head; pfn != LINK_NIL; pfn = page_of_pfn(pfn)->next)
		bad += debug_validate(c, page_of_pfn(pfn));
	for (pfn = c->partial.head; pfn != LINK_NIL; pfn = page_of_pfn(pfn)->next)
		bad += debug_validate(c, page_of_pfn(pfn));
	return bad;
}

int kmem_cache_shrink(struct kmem_cache *c)
{
	unsigned long free;

	if (!c || !context_check_sleep(KMEM_MISUSE_SLAB_CONTEXT, c, "kmem_cache_shrink is refused"))
		return 1;
	quarantine_drain();
	sheaf_drain(c, true);
	node_shrink(c);
	if (c->flags & SLAB_TYPESAFE_BY_RCU)
		node_rcu(c, true);
	return node_slabs(c, &free) != 0;
}

unsigned long slab_drain_all(void)
{
	unsigned long pages = 0;

	quarantine_drain();
	for (struct kmem_cache *c = cache_next(NULL); c; c = cache_next(c)) {
		if (c->flags & SLAB_NO_REAP)
			continue;
		sheaf_drain(c, false);
		pages += node_shrink(c);
	}
	for (u32 i = 0; i < NR_SHEAF_CACHES; i++)
		pages += node_shrink(&sheaf_caches[i]);
	return pages;
}

/* A walk over all caches, which may be left after each piece of work: to it no cache is pinned. */
struct reap {
	u64 at; /* seq of the cache whose turn it is, if it still is there; else that of the next one */
	bool begun, idle; /* that one: has been looked at; was not used since the last time */
	u32 stack;
	unsigned long slabs;
};

/* Caches in one piece that have nothing to give: so many, or four times as many that hold nothing at all. */
enum { REAP_LOOKS = 4, REAP_GLANCES = 4 };

/* Exactly what is said, for a cache that nobody is using. */
static bool cache_holds(const struct kmem_cache *c)
{
	return atom_load(&c->nr_slabs) || atom_load(&c->nr_sheaves);
}

/* A piece of the cache's part. False: there was none left. Of one that is used meanwhile only what
 * it had no need of goes. */
static bool cache_reap_some(struct kmem_cache *c, struct reap *r)
{
	unsigned long pages = 0;
	bool some;

	if (!r->begun || r->at != c->seq)
		*r = (struct reap){c->seq, true, !atom_xchg(&c->touched, 0u), 0, ~0UL};
	r->idle = r->idle && !atom_load(&c->touched);
	if (!r->idle)
		return sheaf_reap(c, false);
	some = sheaf_reap(c, true) || sheaf_reap_stacks(c, &r->stack) ||
	       node_shrink_some(c, &r->slabs, &pages);
	atom_store(&c->touched, 0u); /* that was the reaper itself */
	return some;
}

/* dtors: also those caches whose slabs end by a user's destructor. False: the walk is over. */
static bool caches_reap_some(struct reap *r, bool dtors)
{
	struct kmem_cache *c = cache_from(r->at);
	bool some = false;

	for (u32 i = 0; c && !some && i < REAP_LOOKS * REAP_GLANCES; i++) {
		bool look =
			cache_holds(c) && !(c->flags & SLAB_NO_REAP) && (dtors || !c->dtor_ldd3);

		some = look && cache_reap_some(c, r);
		i += look ? REAP_GLANCES - 1 : 0;
		if (!some) {
			*r = (struct reap){.at = c->seq - 1};
			c = cache_next(c);
		}
	}
	if (c)
		cache_unpin(c);
	return c;
}

static void caches_reap(bool dtors)
{
	struct reap r = {.at = UINT64_MAX};

	while (caches_reap_some(&r, dtors))
		;
}

/* The walk of those who grow, one of whom is at it at a time. */
static struct {
	struct reap r;
	u32 state;
} growth;

/* A free of any cache may come by, under locks of its user's that a destructor would want. */
void slab_reap_idle(bool begin, unsigned long pieces)
{
	bool more = true, fresh;

	if (!turn_take(&growth.state, begin, &fresh))
		return;
	if (fresh)
		growth.r = (struct reap){.at = UINT64_MAX};
	while (more && pieces--)
		more = caches_reap_some(&growth.r, false);
	turn_end(&growth.state, more);
}

void slab_reap_reset(void)
{
	growth.state = TURN_NONE;
}

bool slab_reap_some(bool begin)
{
	static struct reap r;

	if (begin)
		r = (struct reap){.at = UINT64_MAX};
	return caches_reap_some(&r, false);
}

void kmem_cache_reap(void)
{
	if (context_check_sleep(KMEM_MISUSE_SLAB_CONTEXT, NULL, "kmem_cache_reap is refused"))
		caches_reap(true);
}

unsigned int kmem_cache_size(struct kmem_cache *c)
{
	return cache_object_size(c);
}

const char *kmem_cache_name(struct kmem_cache *c)
{
	return c->name;
}

bool object_is_free(const void *obj)
{
	struct page *page = page_of_addr(obj);
	u32 nr = object_nr(page->u.slab.cache, page, obj);

	return nr != OBJECT_NONE && slab_bit(slab_head(page), nr);
}

bool kmem_valid_obj(const void *object)
{
	struct page *page = page_of_addr(object);

	return page && atom_load(&page->flags) & PAGE_IN_SLAB &&
	       object_nr(page->u.slab.cache, page, object) != OBJECT_NONE &&
	       !object_is_free(object) && !quarantine_has(object);
}

void kmem_dump_obj(const void *object)
{
	if (page_of_addr(object))
		watch_describe(object);
	else
		report(KMEM_LOG_ERR, "kmem: %p is outside the machine's memory", object);
}

/* ---- Check ---------------------------------------------------------------------------------------- */

struct resting {
	struct kmem_cache *cache;
	int faults;
};

static void check_resting(struct kmem_cache *c, void *obj, void *arg)
{
	struct resting *r = arg;
	struct page *page = page_of_addr(obj);
	int faults = 0;
	u32 nr;

	assert_audit(page && page->flags & PAGE_IN_SLAB && page->u.slab.cache == c,
		     "%s: %p in a sheaf is no object of it", c->name, obj);
	if (!faults) {
		nr = object_nr(c, page, obj);
		assert_audit(nr != OBJECT_NONE, "%s: %p in a sheaf is no object's start", c->name,
			     obj);
		if (nr != OBJECT_NONE)
			assert_audit(!slab_bit(slab_head(page), nr),
				     "%s: %p is in a sheaf and free in its slab", c->name, obj);
	}
	r->faults += faults;
}

int kmem_cache_check(struct kmem_cache *c)
{
	struct resting r = {c, 0};

	r.faults = node_check(c) + sheaf_check(c);
	sheaf_for_each(c, check_resting, &r);
	return r.faults;
}
