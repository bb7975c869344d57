/* SPDX-License-Identifier: MIT */
/*
 * Slabs, their free bitmaps, and the chains they hang on.
 *
 * A slab is a block of pages cut into objects. Which of them are free is a bitmap outside the block
 * (phys: page_bitmap), so nothing a user writes can lead the allocator astray. Bit set: free.
 *
 *	chain partial: at least one bit set		chain full: none
 *	+------+   +------+   +------+			+------+   +------+
 *	|##.#..| - |....##| - |......| (empty)		|######| - |######|
 *	+------+   +------+   +------+			+------+   +------+
 *
 *	inuse + set bits = objects		per slab, under the node lock
 *	free_objects = sum of set bits		per cache
 *
 * Bits are only taken under the node lock, but may be given at any time: a free that may not wait
 * (a handler that interrupted a holder of the lock) sets the bit and notes the slab in dirty[]; the
 * next holder counts that slab anew (node_settle). Until then inuse is too high, never too low, so
 * a slab is never thought empty while an object is out. A noted slab may meanwhile have been given
 * back, so settling believes nothing but the frame's own words.
 *
 * A slab that becomes empty is given back at once if the cache holds min_partial others, else it
 * waits on the chain's tail, to be used last.
 *
 * Lock: RANK_NODE. Pages are asked for and given back, and constructors and destructors run, with
 * no lock held. Cost: one lock for a sheaf full of objects, one atomic per bitmap word taken or given:
 * objects of one word that follow each other in a sheaf go back together.
 */
#include "slab/slab.h"

enum {
	BITS_PER_WORD = 8 * sizeof(unsigned long),
	SHRINK_LOOKS = 32, /* slabs looked at under one hold of the lock, */
	SHRINK_ENDS = 4,   /* and ended behind it */
};

static u32 bitmap_words(const struct page *head)
{
	return ((u32)head->u.slab.objects + BITS_PER_WORD - 1) / BITS_PER_WORD;
}

static u32 bitmap_count(const struct page *head)
{
	unsigned long *map = page_bitmap(head, head->u.slab.objects);
	u32 n = 0;

	for (u32 i = 0; i < bitmap_words(head); i++)
		n += (u32)__builtin_popcountl(atom_load(&map[i]));
	return n;
}

static void bitmap_fill(struct page *head)
{
	unsigned long *map = page_bitmap(head, head->u.slab.objects);
	u32 left = head->u.slab.objects;

	for (u32 i = 0; i < bitmap_words(head); i++) {
		u32 n = left < BITS_PER_WORD ? left : (u32)BITS_PER_WORD;

		atom_store(&map[i], n == BITS_PER_WORD ? ~0UL : (1UL << n) - 1);
		left -= n;
	}
}

/* ---- Chains ------------------------------------------------------------------------------------ */

void chain_init(struct slab_chain *ch)
{
	ch->head = LINK_NIL;
	ch->tail = LINK_NIL;
	ch->nr = 0;
}

static void chain_add_tail(struct slab_chain *ch, struct page *head)
{
	u32 pfn = (u32)pfn_of_page(head);

	head->next = LINK_NIL;
	head->prev = ch->tail;
	if (ch->tail == LINK_NIL)
		ch->head = pfn;
	else
		page_of_pfn(ch->tail)->next = pfn;
	ch->tail = pfn;
	ch->nr++;
}

static void chain_del(struct slab_chain *ch, struct page *head)
{
	if (head->prev == LINK_NIL)
		ch->head = head->next;
	else
		page_of_pfn(head->prev)->next = head->next;
	if (head->next == LINK_NIL)
		ch->tail = head->prev;
	else
		page_of_pfn(head->next)->prev = head->prev;
	head->next = LINK_NIL;
	head->prev = LINK_NIL;
	ch->nr--;
}

static struct page *chain_first(const struct slab_chain *ch)
{
	return ch->head == LINK_NIL ? NULL : page_of_pfn(ch->head);
}

static struct page *chain_next(const struct page *head)
{
	return head->next == LINK_NIL ? NULL : page_of_pfn(head->next);
}

static struct page *chain_pop(struct slab_chain *ch)
{
	struct page *head = chain_first(ch);

	if (head)
		chain_del(ch, head);
	return head;
}

/* Written whole: slab_settle may look at a slab of another cache. */
static void slab_set_list(struct page *head, enum slab_list list)
{
	atom_store_rel(&head->u.slab.list, (u16)list); /* pairs with slab_claim */
}

static void slab_unlist(struct kmem_cache *c, struct page *head)
{
	if (head->u.slab.list == SLAB_LIST_PARTIAL)
		chain_del(&c->partial, head);
	else if (head->u.slab.list == SLAB_LIST_FULL)
		chain_del(&c->full, head);
	slab_set_list(head, SLAB_LIST_NONE);
}

/* Puts a slab on the chain its inuse asks for. */
static void slab_enlist(struct kmem_cache *c, struct page *head)
{
	enum slab_list list =
		head->u.slab.inuse >= head->u.slab.objects ? SLAB_LIST_FULL : SLAB_LIST_PARTIAL;

	if (head->u.slab.list == list)
		return;
	slab_unlist(c, head);
	slab_set_list(head, list);
	chain_add_tail(list == SLAB_LIST_FULL ? &c->full : &c->partial, head);
}

/* ---- What was freed without the lock -------------------------------------------------------- */

/* False: there was no room, and dirty_all was set instead. */
static bool dirty_note(struct kmem_cache *c, struct page *head)
{
	u32 pfn = (u32)pfn_of_page(head);
	bool noted = false;

	for (u32 i = 0; i < DIRTY_MAX && !noted; i++) {
		u32 seen = 0;

		/* pfn + 1, since 0 is a free place. Pairs with the exchange in node_settle. */
		noted = atom_cas(&c->dirty[i], &seen, pfn + 1) || seen == pfn + 1;
	}
	if (!noted)
		atom_store_rel(&c->dirty_all, 1u);
	atom_store_rel(&c->dirty_any, 1u); /* pairs with the exchange in node_settle */
	return noted;
}

static bool slab_is_of(const struct kmem_cache *c, const struct page *head)
{
	/* The cache pairs with the release in page_make_slab. */
	return atom_load(&head->state) == PAGE_SLAB && atom_load_acq(&head->u.slab.cache) == c;
}

/* The slab's list, if it is on one of this cache's, or pending: then it is the caller's. Looked at
 * before and after, since a frame of others may become one of ours at any moment. */
static u16 slab_claim(const struct kmem_cache *c, struct page *head)
{
	u16 list = SLAB_LIST_NONE;

	if (slab_is_of(c, head))
		list = atom_load_acq(&head->u.slab.list);
	if (list == SLAB_LIST_NONE || !slab_is_of(c, head))
		return SLAB_LIST_NONE;
	/* Whoever made it may be taking it back (grow_and_grab): one of the two gets it. */
	if (list == SLAB_LIST_PENDING && !atom_cas(&head->u.slab.list, &list, (u16)SLAB_LIST_NONE))
		return SLAB_LIST_NONE;
	return list;
}

static void slab_settle(struct kmem_cache *c, struct page *head)
{
	u16 list = slab_claim(c, head);
	u32 free;

	if (list == SLAB_LIST_NONE)
		return;
	if (list == SLAB_LIST_PENDING)
		atom_store(&c->nr_slabs, c->nr_slabs + 1);
	else
		c->free_objects -= (unsigned long)(head->u.slab.objects - head->u.slab.inuse);
	free = bitmap_count(head);
	head->u.slab.inuse = (u16)(head->u.slab.objects - free);
	c->free_objects += free;
	if (unlikely(c->flags & SLAB_DEBUG_FLAGS))
		debug_relink(c, head);
	slab_enlist(c, head);
}

static void settle_chain(struct kmem_cache *c, struct slab_chain *ch)
{
	struct page *next;

	for (struct page *p = chain_first(ch); p; p = next) {
		next = chain_next(p);
		slab_settle(c, p);
	}
}

static void settle_locked(struct kmem_cache *c)
{
	if (likely(!atom_load(&c->dirty_any)) || !atom_xchg(&c->dirty_any, 0u))
		return;
	for (u32 i = 0; i < DIRTY_MAX; i++) {
		u32 pfn = atom_load(&c->dirty[i]) ? atom_xchg(&c->dirty[i], 0u) : 0;

		if (pfn)
			slab_settle(c, page_of_pfn(pfn - 1));
	}
	if (atom_xchg(&c->dirty_all, 0u)) {
		settle_chain(c, &c->partial);
		settle_chain(c, &c->full);
	}
}

/* The figures others may read, before the lock goes. */
static void node_unlock(struct kmem_cache *c, irqflags_t f)
{
	struct kmem_stat_cache *st = c->stat;

	if (st) {
		atom_store(&st->nr_slabs, c->nr_slabs);
		atom_store(&st->nr_partial, c->partial.nr);
		atom_store(&st->nr_objs, c->nr_slabs * c->objects);
		atom_store(&st->free_objs, c->free_objects);
	}
	lock_release(&c->node, f);
}

void node_settle(struct kmem_cache *c)
{
	irqflags_t f = lock_take(&c->node);

	settle_locked(c);
	node_unlock(c, f);
}

unsigned long node_slabs(struct kmem_cache *c, unsigned long *free)
{
	irqflags_t f = lock_take(&c->node);
	unsigned long slabs = c->nr_slabs;

	*free = c->free_objects;
	lock_release(&c->node, f);
	return slabs;
}

/* ---- A slab's birth and end --------------------------------------------------------------------- */

static void slab_account(const struct kmem_cache *c, const struct page *head, long pages)
{
	struct kmem_stat *st = kmem_machine.stat;

	if (c->flags & SLAB_RECLAIM_ACCOUNT) {
		atom_add(&st->nr_slab_reclaimable, (u64)(s64)pages);
		atom_add(&kmem_machine.zones[head->zone].slab_reclaimable, (unsigned long)pages);
	} else {
		atom_add(&st->nr_slab_unreclaimable, (u64)(s64)pages);
	}
}

static void slab_construct(struct kmem_cache *c, struct page *head, gfp_t gfp)
{
	unsigned long flags =
		SLAB_CTOR_CONSTRUCTOR | (gfpflags_allow_blocking(gfp) ? 0 : SLAB_CTOR_ATOMIC);

	for (u32 i = 0; i < head->u.slab.objects; i++) {
		void *obj = object_at(c, head, i);

		if (c->ctor)
			c->ctor(obj);
		if (c->ctor_ldd3)
			c->ctor_ldd3(obj, c, flags);
	}
}

/* First the preferred order without effort, then the smallest with the caller's (semantics 6.3). */
static struct page *slab_pages(struct kmem_cache *c, gfp_t gfp, u32 *order)
{
	gfp_t mine = (gfp & ~GFP_ZONEMASK &
		      ~(__GFP_ZERO | __GFP_COMP | __GFP_RECLAIMABLE | __GFP_ACCOUNT | __GFP_COLD)) |
		     c->gfp;
	gfp_t easy = (mine | __GFP_NOWARN | __GFP_NORETRY) & ~__GFP_NOFAIL;
	struct page *head = NULL;

	*order = c->order;
	if (c->order > c->min_order) {
		if (gfpflags_allow_blocking(easy))
			easy = (easy | __GFP_NOMEMALLOC) & ~__GFP_RECLAIM;
		head = gfp_alloc(easy, c->order, __builtin_return_address(0));
		if (head)
			return head;
		*order = c->min_order;
	}
	return gfp_alloc(mine, *order, __builtin_return_address(0));
}

static struct page *slab_new(struct kmem_cache *c, gfp_t gfp)
{
	u32 order;
	struct page *head = slab_pages(c, gfp, &order);

	if (!head)
		return NULL;
	page_make_slab(head, order, c, (u32)((PAGE_SIZE << order) / c->size),
		       order == c->order && c->main_off ? cache_hits(c) : NULL);
	bitmap_fill(head);
	slab_account(c, head, 1L << order);
	if (c->flags & SLAB_DEBUG_FLAGS)
		debug_slab_init(c, head);
	if (c->ctor || c->ctor_ldd3)
		slab_construct(c, head, gfp);
	if (cache_watched(c))
		watch_slab(c, head);
	return head;
}

static void slab_end(struct kmem_cache *c, struct page *head)
{
	u32 order = head->order;

	if (cache_watched(c))
		watch_slab_end(head);
	if (c->dtor_ldd3) {
		for (u32 i = 0; i < head->u.slab.objects; i++)
			c->dtor_ldd3(object_at(c, head, i), c, 0);
	}
	if (c->flags & SLAB_DEBUG_FLAGS)
		debug_slab_release(c, head);
	slab_account(c, head, -(1L << order));
	reclaim_note_pages(1UL << order);
	page_unmake_slab(head, order);
	gfp_free(head, order, false, __builtin_return_address(0));
}

/* Ends the slabs of a chain nobody else can reach; through a grace period where that is promised. */
static unsigned long chain_end(struct kmem_cache *c, struct slab_chain *ch)
{
	unsigned long pages = 0;
	struct page *head = chain_pop(ch);
	irqflags_t f;

	if (c->flags & SLAB_TYPESAFE_BY_RCU && head) {
		f = lock_take(&c->rcu);
		for (; head; head = chain_pop(ch))
			chain_add_tail(&c->rcu_next, head);
		lock_release(&c->rcu, f);
		return node_rcu(c, false);
	}
	for (; head; head = chain_pop(ch)) {
		pages += 1UL << head->order;
		slab_end(c, head);
	}
	return pages;
}

/* Moves what may go into out; starts a grace period for what has come since. */
static void rcu_collect(struct kmem_cache *c, struct slab_chain *out)
{
	if (c->rcu_wait.nr && rcu_elapsed(c->rcu_cookie)) {
		for (struct page *p = chain_pop(&c->rcu_wait); p; p = chain_pop(&c->rcu_wait))
			chain_add_tail(out, p);
	}
	if (!c->rcu_wait.nr && c->rcu_next.nr) {
		for (struct page *p = chain_pop(&c->rcu_next); p; p = chain_pop(&c->rcu_next))
			chain_add_tail(&c->rcu_wait, p);
		c->rcu_cookie = rcu_start();
	}
}

unsigned long node_rcu(struct kmem_cache *c, bool wait)
{
	struct slab_chain out;
	unsigned long pages = 0;
	bool more = true;

	while (more) {
		irqflags_t f = lock_take(&c->rcu);
		struct rcu_cookie cookie;

		chain_init(&out);
		rcu_collect(c, &out);
		cookie = c->rcu_cookie;
		more = wait && c->rcu_wait.nr;
		lock_release(&c->rcu, f);
		for (struct page *p = chain_pop(&out); p; p = chain_pop(&out)) {
			pages += 1UL << p->order;
			slab_end(c, p);
		}
		if (more)
			rcu_wait(cookie);
	}
	return pages;
}

/* ---- Taking objects ---------------------------------------------------------------------------- */

/* Takes set bits of a word, the lowest and want at most, by runs, and lays their objects downwards from
 * end; how many. base: bit 0's object. */
static u32 word_grab(unsigned long *word, unsigned char *base, size_t size, void **end, u32 want)
{
	unsigned long w = *word;
	u32 left = want;

	while (w && left) {
		u32 from = (u32)__builtin_ctzl(w);
		unsigned long above = w + (1UL << from); /* carries over the run */
		u32 to = above ? (u32)__builtin_ctzl(above) : (u32)BITS_PER_WORD;
		u32 run = (u32)size_min(to - from, left);
		void **stop = end - run;

		for (unsigned char *p = base + from * size; end > stop; p += size)
			*--end = p;
		left -= run;
		w &= ~(~0UL >> (BITS_PER_WORD - run) << from);
	}
	*word = w;
	return want - left;
}

/* Takes up to want objects, those of the lowest addresses, and lays them downwards from end, so that
 * who takes them from the end reads upwards through memory. How many. */
static u32 slab_grab(struct kmem_cache *c, struct page *head, void **end, u32 want)
{
	unsigned long *map = page_bitmap(head, head->u.slab.objects);
	unsigned char *base = object_at(c, head, 0);
	size_t size = c->size;
	u32 got = 0, words = bitmap_words(head);

	for (u32 i = 0; i < words && got < want; i++, base += BITS_PER_WORD * size) {
		unsigned long was = atom_load(&map[i]), left = was;

		got += word_grab(&left, base, size, end - got, want - got);
		if (was != left)
			atom_and(&map[i], ~(was ^ left));
	}
	return got;
}

static u32 partial_grab(struct kmem_cache *c, void **end, u32 want)
{
	u32 got = 0;

	while (got < want) {
		struct page *head = chain_first(&c->partial);
		u32 n;

		if (!head)
			break;
		n = slab_grab(c, head, end - got, want - got);
		frames_soil(pfn_of_page(head), 1ul << head->order);
		head->u.slab.inuse = (u16)(head->u.slab.inuse + n);
		c->free_objects -= n;
		got += n;
		/* A bit given without the lock lets inuse run ahead. It is noted, so whoever has the
		 * lock next finds the slab on this chain and puts it right. */
		if (n == 0 || head->u.slab.inuse >= head->u.slab.objects) {
			slab_unlist(c, head);
			slab_set_list(head, SLAB_LIST_FULL);
			chain_add_tail(&c->full, head);
		}
	}
	return got;
}

/* Grows by one slab and takes from it before others can. */
static u32 grow_and_grab(struct kmem_cache *c, gfp_t gfp, void **end, u32 want, bool nested)
{
	struct page *head = slab_new(c, gfp);
	u16 pending = SLAB_LIST_PENDING;
	irqflags_t f;
	u32 got;

	if (!head)
		return 0;
	got = slab_grab(c, head, end, want);
	frames_soil(pfn_of_page(head), 1ul << head->order);
	if (!lock_take_or_try(&c->node, nested, &f)) {
		slab_set_list(head, SLAB_LIST_PENDING);
		/* Nowhere to note it: undo, unless an old note has led somebody here already. */
		if (dirty_note(c, head) ||
		    !atom_cas(&head->u.slab.list, &pending, (u16)SLAB_LIST_NONE))
			return got;
		bitmap_fill(head);
		slab_end(c, head);
		return 0;
	}
	settle_locked(c);
	head->u.slab.inuse = (u16)got;
	atom_store(&c->nr_slabs, c->nr_slabs + 1);
	c->free_objects += (unsigned long)(head->u.slab.objects - got);
	slab_enlist(c, head);
	atom_store(&c->touched, 1u);
	node_unlock(c, f);
	return got;
}

u32 node_alloc(struct kmem_cache *c, gfp_t gfp, void **objs, u32 want, bool nested)
{
	irqflags_t f;
	u32 got = 0;

	if (c->flags & SLAB_TYPESAFE_BY_RCU && !nested)
		node_rcu(c, false);
	if (lock_take_or_try(&c->node, nested, &f)) {
		settle_locked(c);
		got = partial_grab(c, objs + want, want);
		node_unlock(c, f);
	}
	if (!got)
		got = grow_and_grab(c, nested ? gfp | __GFP_KMEM_TRYLOCK : gfp, objs + want, want,
				    nested);
	if (got < want)
		__builtin_memmove(objs, objs + want - got, got * sizeof(*objs));
	return got;
}

/* ---- Giving objects back ----------------------------------------------------------------------- */

/* Objects of one word of a slab's bitmap, on their way back. */
struct give {
	struct page *head;
	unsigned long *word, bits;
	u32 first; /* number of bit 0's object */
};

/* The slab of an object that is out, and where its objects begin. If it is of the order that the cache prefers,
 * that is in the address: the object's own frame, a miss of the cache in random order, need not be looked at. */
static const unsigned char *give_base(const struct kmem_cache *c, const unsigned char *obj,
				      struct page **head)
{
	size_t off = lowmem_off(obj), in = off & ((PAGE_SIZE << c->order) - 1);
	struct page *p = *head = page_of_pfn((off - in) >> PAGE_SHIFT);

	/* A slab of that order would be the object's. Pairs with the release in page_make_slab. */
	if (likely(atom_load_acq(&p->state) == PAGE_SLAB && atom_load(&p->order) == c->order))
		return obj - in + c->left_pad;
	*head = slab_head(page_of_addr(obj));
	return object_at(c, *head, 0);
}

/* The first of the objects and those behind it that go with it: *n. None is there twice. */
static struct give give_gather(const struct kmem_cache *c, void **objs, u32 nr, u32 *n)
{
	struct page *head;
	const unsigned char *base = give_base(c, objs[0], &head);
	const u64 recip = c->recip;
	u32 objects = head->u.slab.objects, i = 0;
	u32 first = (u32)((u64)((const unsigned char *)objs[0] - base) * recip >> 32) &
		    ~(BITS_PER_WORD - 1U);
	size_t span = size_min(objects - first, BITS_PER_WORD) * c->size;
	unsigned long bits = 0;

	assert_debug(first < objects);
	base += (size_t)first * c->size;
	do {
		size_t off = (size_t)((const unsigned char *)objs[i] - base);
		u32 bit = (u32)(off * recip >> 32) % BITS_PER_WORD;

		if (off >= span || bits >> bit & 1)
			break;
		bits |= 1UL << bit;
	} while (++i < nr);
	*n = i;
	return (struct give){head, &page_bitmap(head, objects)[first / BITS_PER_WORD], bits, first};
}

/* The bits among them that were given already. */
static unsigned long bits_give(const struct give *g)
{
	return atom_or(g->word, g->bits) & g->bits;
}

/* Without the lock: the bit, and a note for the next holder. */
static void give_unlocked(struct kmem_cache *c, void *obj)
{
	u32 n;
	struct give g = give_gather(c, &obj, 1, &n);

	if (bits_give(&g))
		report_double_free(c, obj);
	else
		dirty_note(c, g.head);
}

/* A handler leaves empty slabs where they are: destructors and grace periods are not for it. */
static void slab_give_locked(struct kmem_cache *c, struct page *head, u32 nr,
			     struct slab_chain *gone, bool nested)
{
	head->u.slab.inuse = (u16)(head->u.slab.inuse - nr);
	c->free_objects += nr;
	slab_enlist(c, head);
	if (head->u.slab.inuse == 0 && c->partial.nr > c->min_partial && !nested) {
		slab_unlist(c, head);
		atom_store(&c->nr_slabs, c->nr_slabs - 1);
		c->free_objects -= head->u.slab.objects;
		chain_add_tail(gone, head);
	}
}

/* Takes in the first of the objects and those behind it that lie in the same word; how many. Those
 * that were free already go to twice[]: there is room, since it ends before objs[]. */
static u32 give_locked(struct kmem_cache *c, void **objs, u32 nr, struct slab_chain *gone,
		       bool nested, void ***twice)
{
	u32 n, given;
	struct give g = give_gather(c, objs, nr, &n);
	unsigned long bad;

	bad = bits_give(&g);
	if (unlikely(c->flags & SLAB_DEBUG_FLAGS))
		debug_link_in(c, g.head, g.first, g.bits & ~bad);
	given = n;
	for (; unlikely(bad); bad &= bad - 1, given--) {
		u32 bit = (u32)__builtin_ctzl(bad);

		*(*twice)++ = object_at(c, g.head, g.first + bit);
	}
	if (likely(given))
		slab_give_locked(c, g.head, given, gone, nested);
	return n;
}

/* A batch in random order lies in as many slabs, each head a miss of the cache, and its bitmap another. So both
 * are asked for, of all, before any is waited for, where they are in slabs of the order that the cache prefers. */
static void give_fetch(const struct kmem_cache *c, void *const *objs, u32 nr)
{
	char *const maps = (char *)pfn_bitmap(0, c->order, c->objects);
	const size_t stride = (size_t)((char *)pfn_bitmap(1, c->order, c->objects) - maps);
	const u32 mask = (u32)(PAGE_SIZE << c->order) - 1;
	size_t last = 0;

	for (u32 i = 0; i < nr; i++) {
		size_t off = lowmem_off(objs[i]);
		u32 in = (u32)off & mask;
		pfn_t head = (off - in) >> PAGE_SHIFT;

		if ((off ^ last) >> PAGE_SHIFT == 0)
			continue;
		last = off;
		__builtin_prefetch(page_of_pfn(head), 1);
		__builtin_prefetch(maps + head * stride + ((u64)in * c->recip >> 32) / 8, 1);
	}
}

void node_free(struct kmem_cache *c, void **objs, u32 nr, bool nested)
{
	struct slab_chain gone;
	void **twice = objs;
	irqflags_t f;

	if (!lock_take_or_try(&c->node, nested, &f)) {
		for (u32 i = 0; i < nr; i++)
			give_unlocked(c, objs[i]);
		return;
	}
	give_fetch(c, objs, nr);
	chain_init(&gone);
	settle_locked(c);
	for (u32 i = 0; i < nr;)
		i += give_locked(c, objs + i, nr - i, &gone, nested, &twice);
	atom_store(&c->touched, 1u);
	node_unlock(c, f);
	for (void **p = objs; unlikely(p < twice); p++)
		report_double_free(c, *p);
	if (chain_end(c, &gone))
		reclaim_decay();
}

bool node_shrink_some(struct kmem_cache *c, unsigned long *left, unsigned long *pages)
{
	struct slab_chain gone;
	irqflags_t f = lock_take(&c->node);

	chain_init(&gone);
	if (*left ==
	    ~0UL) /* once: a busy handler leaves something to take in each time, from all slabs */
		settle_locked(c);
	*left = size_min(*left, c->partial.nr);
	for (u32 i = 0; i < SHRINK_LOOKS && gone.nr < SHRINK_ENDS && *left; i++, --*left) {
		struct page *p = chain_pop(&c->partial);

		if (p->u.slab.inuse) {
			chain_add_tail(&c->partial, p);
			continue;
		}
		slab_set_list(p, SLAB_LIST_NONE);
		atom_store(&c->nr_slabs, c->nr_slabs - 1);
		c->free_objects -= p->u.slab.objects;
		chain_add_tail(&gone, p);
	}
	node_unlock(c, f);
	*pages += chain_end(c, &gone);
	return *left != 0;
}

unsigned long node_shrink(struct kmem_cache *c)
{
	unsigned long left = ~0UL, pages = 0;

	while (node_shrink_some(c, &left, &pages))
		;
	return pages;
}

u32 node_take_hollow(struct kmem_cache *c, unsigned long *left, struct page **slab, void **objs)
{
	irqflags_t f = lock_take(&c->node);
	u32 n = 0;

	if (*left == ~0UL)
		settle_locked(c);
	*left = size_min(*left, c->partial.nr);
	for (u32 i = 0; i < HOLLOW_LOOKS && !n && *left; i++, --*left) {
		struct page *p = *slab = chain_pop(&c->partial);
		unsigned long bits = slab_hollow_bits(c, p);

		chain_add_tail(&c->partial, p);
		if (!bits)
			continue;
		atom_and(page_bitmap(p, p->u.slab.objects), ~bits);
		for (; bits; bits &= bits - 1)
			objs[n++] = object_at(c, p, (u32)__builtin_ctzl(bits));
		p->u.slab.inuse = (u16)(p->u.slab.inuse + n);
		c->free_objects -= n;
		slab_enlist(c, p);
	}
	node_unlock(c, f);
	return n;
}

/* ---- Check ---------------------------------------------------------------------------------------- */

static int slab_check(struct kmem_cache *c, struct page *head, u32 list)
{
	u32 free = bitmap_count(head);
	int faults = 0;

	assert_audit(head->state == PAGE_SLAB, "%s: slab pfn %lu state %u", c->name,
		     pfn_of_page(head), head->state);
	assert_audit(head->u.slab.cache == c, "%s: slab pfn %lu has another cache", c->name,
		     pfn_of_page(head));
	assert_audit(head->u.slab.list == list, "%s: slab pfn %lu on list %u, says %u", c->name,
		     pfn_of_page(head), list, head->u.slab.list);
	assert_audit(head->u.slab.inuse + free == head->u.slab.objects,
		     "%s: slab pfn %lu inuse %u + free %u != %u", c->name, pfn_of_page(head),
		     head->u.slab.inuse, free, head->u.slab.objects);
	assert_audit((free == 0) == (list == SLAB_LIST_FULL), "%s: slab pfn %lu free %u on list %u",
		     c->name, pfn_of_page(head), free, list);
	return faults;
}

/* For quiescent moments: reports may call the user, so no lock is held. */
int node_check(struct kmem_cache *c)
{
	unsigned long slabs = 0, free = 0;
	int faults = 0;

	node_settle(c);
	for (struct page *p = chain_first(&c->partial); p; p = chain_next(p)) {
		faults += slab_check(c, p, SLAB_LIST_PARTIAL);
		free += bitmap_count(p);
		slabs++;
	}
	for (struct page *p = chain_first(&c->full); p; p = chain_next(p)) {
		faults += slab_check(c, p, SLAB_LIST_FULL);
		slabs++;
	}
	assert_audit(slabs == c->nr_slabs, "%s: %lu slabs listed, %lu counted", c->name, slabs,
		     c->nr_slabs);
	assert_audit(slabs == c->partial.nr + c->full.nr, "%s: chains count %lu + %lu, hold %lu",
		     c->name, c->partial.nr, c->full.nr, slabs);
	assert_audit(free == c->free_objects, "%s: %lu free objects, %lu counted", c->name, free,
		     c->free_objects);
	return faults;
}
