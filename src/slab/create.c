/* SPDX-License-Identifier: MIT */
/*
 * Caches come and go: creation in the three argument lists of the field, merging, destruction, the
 * list of all caches, and the floor's own bring-up.
 *
 * All caches hang on kmem_machine.caches, newest first, under RANK_CACHES. Walkers pin a cache and
 * drop the lock, so nothing of the user's (destructors) ever runs under it. A cache that is being
 * destroyed has no reference left, so that no walker and no merge begins with it any more, and stays
 * on the list until those that stand on it have gone on.
 *
 * Bring-up needs no malloc: the cache of descriptors and the four caches of sheaves are static and
 * have no sheaves themselves; every other descriptor is an object of the first.
 */
#include "slab/slab.h"

#define SLAB_FLAGS_KNOWN                                                                     \
	(SLAB_DEBUG_FLAGS | SLAB_KMALLOC | SLAB_HWCACHE_ALIGN | SLAB_CACHE_DMA |             \
	 SLAB_CACHE_DMA32 | SLAB_RECLAIM_ACCOUNT | SLAB_PANIC | SLAB_TYPESAFE_BY_RCU |       \
	 SLAB_MEM_SPREAD | SLAB_NOLEAKTRACE | SLAB_NO_MERGE | SLAB_FAILSLAB | SLAB_ACCOUNT | \
	 SLAB_NO_USER_FLAGS | SLAB_NO_REAP | SLAB_MUST_HWCACHE_ALIGN | SLAB_DEBUG_INITIAL)
#define SLAB_NEVER_MERGE                                                              \
	(SLAB_DEBUG_FLAGS | SLAB_TYPESAFE_BY_RCU | SLAB_NOLEAKTRACE | SLAB_FAILSLAB | \
	 SLAB_NO_MERGE | SLAB_KMALLOC | SLAB_NO_REAP | SLAB_DEBUG_INITIAL)
#define SLAB_MERGE_SAME (SLAB_RECLAIM_ACCOUNT | SLAB_CACHE_DMA | SLAB_CACHE_DMA32 | SLAB_ACCOUNT)

static struct lock caches_lock;
static struct kmem_cache cache_cache;
static u64 cache_seq;

/* ---- The list ---------------------------------------------------------------------------------- */

/* The first of the list from c on whose seq is at most this, pinned. Under the lock. */
static struct kmem_cache *cache_pin(struct kmem_cache *c, u64 seq)
{
	while (c && (c->refcount == 0 || c->seq > seq))
		c = c->next;
	if (c)
		atom_add(&c->pins, 1);
	return c;
}

struct kmem_cache *cache_next(struct kmem_cache *prev)
{
	irqflags_t f = lock_take(&caches_lock);
	struct kmem_cache *c = cache_pin(prev ? prev->next : kmem_machine.caches, UINT64_MAX);

	if (prev)
		atom_sub(&prev->pins, 1);
	lock_release(&caches_lock, f);
	return c;
}

struct kmem_cache *cache_from(u64 seq)
{
	irqflags_t f = lock_take(&caches_lock);
	struct kmem_cache *c = cache_pin(kmem_machine.caches, seq);

	lock_release(&caches_lock, f);
	return c;
}

void cache_unpin(struct kmem_cache *c)
{
	irqflags_t f = lock_take(&caches_lock);

	atom_sub(&c->pins, 1);
	lock_release(&caches_lock, f);
}

static struct kmem_stat_cache *stat_slot(void)
{
	struct kmem_stat *st = kmem_machine.stat;

	for (u32 i = 0; i < KMEM_MAX_CACHES; i++) {
		if (!st->cache[i].name[0]) {
			if (i >= st->nr_caches)
				atom_store(&st->nr_caches, i + 1);
			return &st->cache[i];
		}
	}
	return NULL;
}

/* A reader of the statistics takes no lock: a slot is its reader's from the name's first character
 * on, which is therefore written last, and cleared first. */
static void stat_clear(struct kmem_stat_cache *st)
{
	atom_store_rel(&st->name[0], '\0');
	atom_store(&st->nr_slabs, 0u);
	atom_store(&st->nr_partial, 0u);
	atom_store(&st->nr_objs, 0u);
	atom_store(&st->free_objs, 0u);
	atom_store(&st->cached_objs, 0u);
	atom_store(&st->alloc_fail, 0u);
}

/* ---- What may hit; under caches_lock ---------------------------------------------------------------- */

static void cache_fast_at(struct kmem_cache *c, u32 off)
{
	struct port_stack *fast = percpu_first(off);

	atom_store(&c->fast_off, off);
	atom_store(&c->fast, fast);
	for (u32 i = 0; i < c->nr_sizes; i++) /* pairs with whoever hits first while it is made */
		atom_store_rel(&c->sizes[i], fast);
	if (c->main_off)
		atom_store(&hits_common(cache_hits(c))->starts, off ? c->starts : KMEM_HIT_NOWHERE);
}

static bool all_miss; /* somebody wants to see every operation */

/* Hits are possible only where no operation needs the slow path. */
static void cache_fast_choose(struct kmem_cache *c)
{
	const struct kmem_options *opt = &kmem_machine.opt;
	bool slow = atom_load(&all_miss) || trace_on() ||
		    c->flags & (SLAB_ACCOUNT | SLAB_DEBUG_INITIAL) || opt->init_on_alloc ||
		    opt->init_on_free || failslab_armed();

	cache_fast_at(c, slow ? (u32)PERCPU_NONE : c->main_off);
}

/* Whoever changes what it goes by calls this afterwards: the last one chooses by all that was changed. */
static void cache_set_fast(struct kmem_cache *c)
{
	irqflags_t f = lock_take(&caches_lock);

	cache_fast_choose(c);
	lock_release(&caches_lock, f);
}

static void stat_fill(struct kmem_cache *c)
{
	struct kmem_stat_cache *st = c->stat;

	stat_clear(st);
	atom_store(&st->seq, c->seq);
	atom_store(&st->object_size, c->object_size);
	atom_store(&st->size, c->size);
	atom_store(&st->align, c->align);
	atom_store(&st->flags, c->flags);
	atom_store(&st->objs_per_slab, c->objects);
	atom_store(&st->pages_per_slab, 1u << c->order);
	atom_store(&st->sheaf_capacity, c->main_off ? c->sheaf_cap : 0);
	for (u32 i = 1; i < KMEM_NAME_MAX; i++)
		atom_store(&st->name[i], c->name[i]);
	atom_store_rel(&st->name[0], c->name[0]); /* pairs with cache_before in report/text.c */
}

/* Makes a finished cache visible. -KE_NOMEM: the table of statistics is full. */
int cache_enlist(struct kmem_cache *c)
{
	irqflags_t f = lock_take(&caches_lock);
	int err = 0;

	c->stat = stat_slot();
	if (c->stat) {
		c->seq = ++cache_seq;
		stat_fill(c);
		c->next = kmem_machine.caches;
		kmem_machine.caches = c;
		cache_fast_choose(c); /* from now on cache_refresh_all() finds it */
	} else {
		err = -KE_NOMEM;
	}
	lock_release(&caches_lock, f);
	return err;
}

/* The lock orders what the last walker did before what its destroyer does next. */
static bool cache_pinned(struct kmem_cache *c)
{
	irqflags_t f = lock_take(&caches_lock);
	bool pinned = atom_load(&c->pins) != 0;

	lock_release(&caches_lock, f);
	return pinned;
}

/* Off the list, and its place in the statistics free for another. */
static void cache_unlist(struct kmem_cache *c)
{
	struct kmem_cache **link = &kmem_machine.caches;
	irqflags_t f = lock_take(&caches_lock);

	assert_always(atom_load(&c->pins) == 0);
	while (*link != c)
		link = &(*link)->next;
	*link = c->next;
	stat_clear(c->stat);
	c->stat = NULL;
	lock_release(&caches_lock, f);
}

/* ---- Creation ------------------------------------------------------------------------------------ */

void cache_serve(struct kmem_cache *c, struct port_stack **sizes, u32 n)
{
	c->sizes = sizes;
	c->nr_sizes = n;
	cache_set_fast(c);
}

static gfp_t cache_gfp(slab_flags_t flags)
{
	gfp_t gfp = __KMEM_GFP(0);

	if (flags & SLAB_CACHE_DMA)
		gfp |= GFP_DMA;
	else if (flags & SLAB_CACHE_DMA32)
		gfp |= GFP_DMA32;
	if (flags & SLAB_RECLAIM_ACCOUNT)
		gfp |= __GFP_RECLAIMABLE;
	return gfp;
}

_Static_assert(offsetof(struct hits, main) == 0, "an owner is a stack's address");
static void cache_stacks(struct kmem_cache *c)
{
	c->main_off = percpu_alloc(sizeof(struct hits));
	if (!c->main_off)
		return;
	c->spare_off = c->main_off + (u32)offsetof(struct hits, spare);
	hits_common(cache_hits(c))->starts = c->starts;
	hits_common(cache_hits(c))->usable = (u32)object_usable(c);
	for (u32 cpu = 0; cpu < kmem_machine.nr_cpus; cpu++) {
		port_stack_init(c->main_off, cpu, c->sheaf_cap);
		port_stack_init(c->spare_off, cpu, c->sheaf_cap);
	}
}

int cache_init(struct kmem_cache *c, const char *name, u32 size, const struct kmem_cache_args *args,
	       slab_flags_t flags, bool sheaves)
{
	int err;

	str_copy(c->name, name, sizeof(c->name));
	c->object_size = size;
	c->align = args->align;
	c->useroffset = args->useroffset;
	c->usersize = args->usersize;
	c->link_off = args->use_freeptr_offset ? args->freeptr_offset : LINK_NONE;
	c->ctor = args->ctor;
	c->flags = debug_flags(name, flags, size);
	c->gfp = cache_gfp(c->flags);
	c->refcount = 1;
	err = layout_cache(c);
	if (err)
		return err;
	if (args->sheaf_capacity)
		c->sheaf_cap = sheaf_capacity_for(args->sheaf_capacity);
	sheaf_barn_init(c);
	lock_init(&c->node, RANK_NODE);
	lock_init(&c->barn, RANK_BARN);
	lock_init(&c->rcu, RANK_LEAF);
	chain_init(&c->partial);
	chain_init(&c->full);
	chain_init(&c->rcu_wait);
	chain_init(&c->rcu_next);
	if (sheaves && !(c->flags & SLAB_DEBUG_FLAGS) && !kmem_machine.watched)
		cache_stacks(c);
	c->magic = CACHE_ALIVE;
	cache_fast_at(c, PERCPU_NONE);
	return 0;
}

static bool mergeable(const struct kmem_cache *c, const struct kmem_cache *with)
{
	if (c->flags & SLAB_NEVER_MERGE || with->flags & SLAB_NEVER_MERGE || with->internal)
		return false;
	if (c->ctor || c->ctor_ldd3 || with->ctor || with->ctor_ldd3 || c->usersize ||
	    with->usersize)
		return false;
	return c->size <= with->size && with->size - c->size < sizeof(void *) &&
	       with->size % c->align == 0 && !((c->flags ^ with->flags) & SLAB_MERGE_SAME);
}

/* The oldest cache that will do, its reference taken, or NULL. */
static struct kmem_cache *merge_find(const struct kmem_cache *like)
{
	struct kmem_cache *found = NULL;
	irqflags_t f = lock_take(&caches_lock);

	for (struct kmem_cache *c = kmem_machine.caches; c; c = c->next) {
		if (c->refcount && mergeable(like, c))
			found = c;
	}
	if (found) {
		found->refcount++;
		atom_store(&found->object_size,
			   (u32)size_max(found->object_size, like->object_size));
		atom_store(&found->stat->object_size, found->object_size);
	}
	lock_release(&caches_lock, f);
	return found;
}

static bool name_taken(const char *name)
{
	bool taken = false;
	irqflags_t f = lock_take(&caches_lock);

	for (struct kmem_cache *c = kmem_machine.caches; c; c = c->next)
		taken |= str_neq(c->name, name, KMEM_NAME_MAX - 1);
	lock_release(&caches_lock, f);
	return taken;
}

/* All refusals, before anything is done. 0 or -KE_*. */
static int create_refusal(const char *name, size_t size, const struct kmem_cache_args *args,
			  slab_flags_t flags)
{
	if (!name || !name[0] || size == 0 || size > KMALLOC_MAX_SIZE)
		return -KE_INVAL;
	if (flags & ~SLAB_FLAGS_KNOWN || flags & SLAB_KMALLOC)
		return -KE_INVAL;
	if (args->align && !is_pow2(args->align))
		return -KE_INVAL;
	if (args->align > PAGE_SIZE << MAX_PAGE_ORDER)
		return -KE_INVAL;
	if (args->use_freeptr_offset &&
	    (!(flags & SLAB_TYPESAFE_BY_RCU) || args->freeptr_offset % sizeof(void *) ||
	     args->freeptr_offset >= size))
		return -KE_INVAL;
	if (!context_check_sleep(KMEM_MISUSE_SLAB_CONTEXT, NULL, "kmem_cache_create is refused"))
		return -KE_INVAL;
	return 0;
}

static void create_failed(const char *name, int err, slab_flags_t flags)
{
	char line[96];

	fmt_snprintf(line, sizeof(line), "__kmem_cache_create_args(%s) failed with error %d",
		     name ? name : "(null)", err);
	if (err == -KE_INVAL)
		report_misuse(KMEM_MISUSE_SLAB_CREATE, NULL, "%s", line);
	else
		report(KMEM_LOG_WARN, "%s", line);
	if (flags & SLAB_PANIC)
		port_panic(line);
}

static struct kmem_cache *cache_new(struct kmem_cache *draft)
{
	void *p;
	struct kmem_cache *c;

	if (node_alloc(&cache_cache, GFP_KERNEL, &p, 1, false) == 0)
		return NULL;
	c = p;
	__builtin_memcpy(c, draft, sizeof(*c));
	if (cache_enlist(c)) {
		c->magic = CACHE_DEAD;
		node_free(&cache_cache, &p, 1, false);
		return NULL;
	}
	return c;
}

typedef void (*ldd3_fn)(void *, kmem_cache_t *, unsigned long);

static struct kmem_cache *cache_create(const char *name, size_t size,
				       const struct kmem_cache_args *args, slab_flags_t flags,
				       ldd3_fn ctor, ldd3_fn dtor)
{
	static const struct kmem_cache_args none;
	struct kmem_cache draft = {.ctor_ldd3 = ctor, .dtor_ldd3 = dtor}, *c = NULL;
	int err;

	args = args ? args : &none;
	err = machine_ensure() ? create_refusal(name, size, args, flags) : -KE_NOMEM;
	if (!err && dtor && (!ctor || flags & SLAB_TYPESAFE_BY_RCU))
		err = -KE_INVAL;
	if (!err && name_taken(name))
		report(KMEM_LOG_WARN, "kmem_cache of name '%s' already exists", name);
	if (!err)
		err = cache_init(&draft, name, (u32)size, args, flags, true);
	if (!err) {
		if (kmem_machine.opt.slab_merge)
			c = merge_find(&draft);
		if (!c)
			c = cache_new(&draft);
		if (c && c->main_off == draft.main_off)
			return c;
		if (draft.main_off)
			percpu_free(draft.main_off, sizeof(struct hits));
		err = c ? 0 : -KE_NOMEM;
	}
	if (err)
		create_failed(name, err, flags);
	return c;
}

struct kmem_cache *kmem_cache_create_ldd3(const char *name, size_t size, size_t offset,
					  unsigned long flags, ldd3_fn ctor, ldd3_fn dtor)
{
	struct kmem_cache_args args = {.align = (unsigned int)offset};

	if (offset > KMALLOC_MAX_SIZE || flags != (unsigned long)(slab_flags_t)flags)
		args.align = 3; /* no power of two: refused with the others */
	return cache_create(name, size, &args, (slab_flags_t)flags, ctor, dtor);
}

struct kmem_cache *kmem_cache_create_ctor(const char *name, unsigned int size, unsigned int align,
					  slab_flags_t flags, void (*ctor)(void *))
{
	struct kmem_cache_args args = {.align = align, .ctor = ctor};

	return cache_create(name, size, &args, flags, NULL, NULL);
}

struct kmem_cache *kmem_cache_create_args(const char *name, unsigned int size,
					  const struct kmem_cache_args *args, slab_flags_t flags)
{
	return cache_create(name, size, args, flags, NULL, NULL);
}

struct kmem_cache *kmem_cache_create_usercopy(const char *name, unsigned int size,
					      unsigned int align, slab_flags_t flags,
					      unsigned int useroffset, unsigned int usersize,
					      void (*ctor)(void *))
{
	struct kmem_cache_args args = {.align = align, .ctor = ctor};

	if (useroffset <= size && usersize <= size - useroffset) {
		args.useroffset = useroffset;
		args.usersize = usersize;
	} else {
		report(KMEM_LOG_WARN, "%s: usercopy region %u+%u does not fit in %u: none", name,
		       useroffset, usersize, size);
	}
	return cache_create(name, size, &args, flags, NULL, NULL);
}

/* ---- Destruction ----------------------------------------------------------------------------------- */

static void report_live_object(void *obj, void *arg)
{
	struct kmem_cache *c = arg;

	debug_report_live(c, slab_head(page_of_addr(obj)), obj);
}

static bool cache_busy(struct kmem_cache *c)
{
	unsigned long free, slabs = node_slabs(c, &free);

	if (!slabs)
		return false;
	report_misuse(KMEM_MISUSE_SLAB_DESTROY_LIVE, c,
		      "BUG %s: Objects remaining on __kmem_cache_shutdown(): %lu of %lu", c->name,
		      slabs * c->objects - free, slabs * c->objects);
	kmem_cache_for_each_object(c, report_live_object, c);
	return true;
}

int kmem_cache_destroy(struct kmem_cache *c)
{
	irqflags_t f;
	bool last;

	if (!c)
		return 0;
	if (c->magic != CACHE_ALIVE) {
		report_misuse(KMEM_MISUSE_SLAB_DEAD_CACHE, c, "cache %p destroyed twice",
			      (void *)c);
		return -KE_INVAL;
	}
	if (!context_check_sleep(KMEM_MISUSE_SLAB_CONTEXT, c, "kmem_cache_destroy is refused"))
		return -KE_BUSY;
	f = lock_take(&caches_lock);
	last = --c->refcount == 0;
	lock_release(&caches_lock, f);
	if (!last)
		return 0;
	/* A walker may have a sheaf of the cache in its hands, which no shrinking would find. */
	while (cache_pinned(c))
		port_relax();
	kmem_cache_shrink(c);
	if (cache_busy(c)) {
		f = lock_take(&caches_lock);
		c->refcount = 1;
		lock_release(&caches_lock, f);
		return -KE_BUSY;
	}
	cache_unlist(c);
	sheaf_drain(c, true);
	c->magic = CACHE_DEAD;
	cache_fast_at(c, PERCPU_NONE);
	if (c->main_off)
		percpu_free(c->main_off, sizeof(struct hits));
	c->main_off = PERCPU_NONE;
	node_free(&cache_cache, (void *[]){c}, 1, false);
	return 0;
}

/* ---- The floor ------------------------------------------------------------------------------------- */

void cache_refresh_all(void)
{
	for (struct kmem_cache *c = cache_next(NULL); c; c = cache_next(c))
		cache_set_fast(c);
}

void cache_miss_all(void)
{
	atom_store(&all_miss, true);
	cache_refresh_all();
}

void slab_trace_switch(bool on)
{
	(void)on;
	cache_refresh_all();
}

static int internal_cache(struct kmem_cache *c, const char *name, u32 size, u32 align)
{
	struct kmem_cache_args args = {.align = align};
	int err;

	__builtin_memset(c, 0, sizeof(*c));
	err = cache_init(c, name, size, &args, SLAB_NO_MERGE | SLAB_NO_USER_FLAGS, false);
	c->internal = true;
	return err ? err : cache_enlist(c);
}

int slab_init(void)
{
	char name[KMEM_NAME_MAX];
	int err;

	lock_init(&caches_lock, RANK_CACHES);
	kmem_machine.caches = NULL;
	cache_seq = 0;
	watch_start();
	err = failslab_setup(kmem_machine.opt.failslab);
	if (!err)
		err = debug_setup(kmem_machine.opt.slab_debug);
	if (!err)
		err = internal_cache(&cache_cache, "kmem_cache", sizeof(struct kmem_cache), 8);
	for (u32 i = 0; i < NR_SHEAF_CACHES && !err; i++) {
		u32 block = (u32)sheaf_block(sheaf_caps[i]);

		fmt_snprintf(name, sizeof(name), "sheaf-%u", sheaf_caps[i]);
		err = internal_cache(&sheaf_caches[i], name, block, block);
	}
	if (!err)
		err = kmalloc_init();
	if (!err)
		reclaim_drain_hook = slab_drain_all;
	reclaim_idle_hook = err ? NULL : slab_reap_some;
	return err;
}

void slab_exit(void)
{
	watch_stop();
	kmalloc_exit();
	reclaim_drain_hook = NULL;
	reclaim_idle_hook = NULL;
	for (struct kmem_cache *c = kmem_machine.caches; c; c = c->next)
		c->magic = CACHE_DEAD;
	kmem_machine.caches = NULL;
}

static unsigned long cache_live(struct kmem_cache *c)
{
	unsigned long live = 0;

	sheaf_drain(c, true);
	node_settle(c);
	for (u32 pfn = c->full.head; pfn != LINK_NIL; pfn = page_of_pfn(pfn)->next)
		live += page_of_pfn(pfn)->u.slab.inuse;
	for (u32 pfn = c->partial.head; pfn != LINK_NIL; pfn = page_of_pfn(pfn)->next)
		live += page_of_pfn(pfn)->u.slab.inuse;
	return live;
}

unsigned long slab_report_leaks(void)
{
	unsigned long total = 0;

	for (struct kmem_cache *c = cache_next(NULL); c; c = cache_next(c)) {
		unsigned long live = c->internal ? 0 : cache_live(c);

		if (live)
			report(KMEM_LOG_WARN, "kmem: leak: cache %s: %lu objects of %u bytes",
			       c->name, live, cache_object_size(c));
		total += live;
	}
	return total;
}

int slab_check_all(void)
{
	int faults = 0;

	for (struct kmem_cache *c = cache_next(NULL); c; c = cache_next(c))
		faults += kmem_cache_check(c);
	return faults + quarantine_check();
}

/* False: a stack has to be asked again, after another fence. */
static bool slab_frozen(void)
{
	bool frozen = true;

	for (u32 cpu = 0; cpu < kmem_machine.nr_cpus; cpu++)
		port_fence_cpu(cpu);
	for (struct kmem_cache *c = kmem_machine.caches; c; c = c->next) {
		for (u32 cpu = 0; c->main_off && cpu < kmem_machine.nr_cpus; cpu++) {
			frozen &= port_stack_frozen(c->main_off, cpu);
			frozen &= port_stack_frozen(c->spare_off, cpu);
		}
	}
	return frozen;
}

/* The locks by hand, since all caches' node locks share one rank. */
void slab_fork_lock(void)
{
	port_spin_lock(&caches_lock.spin);
	for (struct kmem_cache *c = kmem_machine.caches; c; c = c->next)
		port_spin_lock(&c->node.spin);
	for (struct kmem_cache *c = kmem_machine.caches; c; c = c->next) {
		port_spin_lock(&c->barn.spin);
		for (u32 cpu = 0; c->main_off && cpu < kmem_machine.nr_cpus; cpu++) {
			port_stack_freeze(c->main_off, cpu);
			port_stack_freeze(c->spare_off, cpu);
		}
	}
	while (!slab_frozen())
		;
	for (struct kmem_cache *c = kmem_machine.caches; c; c = c->next)
		port_spin_lock(&c->rcu.spin);
	quarantine_fork_lock();
}

void slab_fork_unlock(bool child)
{
	if (child) {
		slab_reap_reset();
		slab_give_reset();
	}
	quarantine_fork_unlock();
	for (struct kmem_cache *c = kmem_machine.caches; c; c = c->next) {
		port_spin_unlock(&c->rcu.spin);
		for (u32 cpu = 0; c->main_off && cpu < kmem_machine.nr_cpus; cpu++) {
			port_stack_thaw(c->spare_off, cpu);
			port_stack_thaw(c->main_off, cpu);
		}
		port_spin_unlock(&c->barn.spin);
		port_spin_unlock(&c->node.spin);
	}
	port_spin_unlock(&caches_lock.spin);
}
