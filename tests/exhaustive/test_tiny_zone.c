/* SPDX-License-Identifier: MIT */
/*
 * Every reachable state of a tiny zone under all sequences of operations, valid and invalid, on the
 * real code.
 *
 * From each state all operations are tried: an allocation of each order, the free of each frame
 * with each order, right or wrong. A valid one must do what a naive model of a buddy allocator
 * does, list order included, and leads to a state that is visited too if it is new. A refused one
 * must leave each byte of the zone and of its descriptors as it was. An allocation must succeed if
 * any free block is large enough.
 *
 * The key of a state is 4 bits a frame (head of a free, or an allocated, block of which order, or
 * no head), and the lists in their order. Modulo list order the number of states of a block of 2^k
 * frames is known: it is free, or allocated, or two halves that are not both free, so
 *
 *	g(0) = 2	g(k) = g(k-1)^2 - 1 + 2 = g(k-1)^2 + 1		2, 5, 26, 677, 458330
 *
 * and the walk must find exactly as many: no state unreachable, none beyond.
 */
#include "unit/phys_machine.h"

enum {
	FRAMES_MOST = 16,
	TINY_ORDERS = 5,
	LIST_MOST = 8, /* of two buddies one at most is free */
	NO_HEAD = 15,
	ALLOCATED = 8, /* bit of a head's code */
};

struct key {
	u64 frames, lists;
};

/* ---- The model: blocks and lists, plainly ------------------------------------------------------- */

struct model {
	u32 frames;
	u8 code[FRAMES_MOST];
	u8 list[TINY_ORDERS][LIST_MOST], len[TINY_ORDERS];
};

static void list_put(struct model *m, u32 order, u32 pfn, bool to_tail)
{
	u8 *list = m->list[order];

	if (!to_tail)
		memmove(list + 1, list, m->len[order]);
	list[to_tail ? m->len[order] : 0] = (u8)pfn;
	m->len[order]++;
	m->code[pfn] = (u8)order;
}

static void list_remove(struct model *m, u32 order, u32 pfn)
{
	u8 *at = memchr(m->list[order], (int)pfn, m->len[order]);

	m->len[order]--;
	memmove(at, at + 1, (size_t)(m->list[order] + m->len[order] - at));
	m->code[pfn] = NO_HEAD;
}

/* The frame, or -1. */
static int model_alloc(struct model *m, u32 order)
{
	for (u32 o = order; o < TINY_ORDERS; o++) {
		u32 pfn = m->list[o][0];

		if (m->len[o] == 0)
			continue;
		list_remove(m, o, pfn);
		while (o-- > order)
			list_put(m, o, pfn + (1u << o), false);
		m->code[pfn] = (u8)(ALLOCATED + order);
		return (int)pfn;
	}
	return -1;
}

static bool model_is_free(const struct model *m, u32 pfn, u32 order)
{
	return pfn < m->frames && m->code[pfn] == order;
}

static void model_free(struct model *m, u32 pfn)
{
	u32 order = m->code[pfn] - ALLOCATED;
	bool likely_merge;

	m->code[pfn] = NO_HEAD;
	while (model_is_free(m, pfn ^ (1u << order), order)) {
		list_remove(m, order, pfn ^ (1u << order));
		pfn &= ~(1u << order);
		order++;
	}
	likely_merge = model_is_free(m, (pfn & ~(1u << order)) ^ (2u << order), order + 1);
	list_put(m, order, pfn, likely_merge);
}

static struct key model_key(const struct model *m, bool ordered)
{
	struct key k = {0, 0};
	u32 shift = 0;

	for (u32 i = 0; i < m->frames; i++)
		k.frames |= (u64)m->code[i] << (4 * i);
	for (u32 o = 0; ordered && o < TINY_ORDERS; o++)
		for (u32 i = 0; i < m->len[o]; i++, shift += 4)
			k.lists |= (u64)m->list[o][i] << shift;
	return k;
}

/* Without list order the lists come back ascending: one state stands for all its orders. */
static void model_from_key(struct model *m, u32 frames, struct key k, bool ordered)
{
	u32 shift = 0;

	memset(m, 0, sizeof(*m));
	m->frames = frames;
	for (u32 i = 0; i < frames; i++) {
		m->code[i] = (k.frames >> (4 * i)) & 15;
		if (m->code[i] < TINY_ORDERS)
			m->list[m->code[i]][m->len[m->code[i]]++] = (u8)i;
	}
	for (u32 o = 0; ordered && o < TINY_ORDERS; o++)
		for (u32 i = 0; i < m->len[o]; i++, shift += 4)
			m->list[o][i] = (k.lists >> shift) & 15;
}

/* ---- The real zone: built from a model, read back into one ------------------------------------- */

struct image {
	struct page page[FRAMES_MOST];
	struct zone zone;
	struct kmem_stat_zone stat;
};

static struct zone *zone;

static void real_clear(u32 frames)
{
	memset(kmem_machine.memmap, 0, frames * sizeof(struct page));
	zone->free = 0;
	zone->stat_dirty = 0;
	for (u32 o = 0; o < TINY_ORDERS; o++) {
		zone->area[o].head[0] = zone->area[o].tail[0] = LINK_NIL;
		zone->area[o].nr_free[0] = 0;
	}
}

static void real_build(const struct model *m)
{
	real_clear(m->frames);
	for (u32 i = 0; i < m->frames; i++) {
		struct page *page = page_of_pfn(i);

		page->next = page->prev = LINK_NIL;
		if (m->code[i] == NO_HEAD)
			continue;
		page->zone = zone->index & 15;
		page->state = m->code[i] & ALLOCATED ? PAGE_ALLOC : PAGE_FREE;
		page->refcount = m->code[i] & ALLOCATED ? 1 : 0;
		page->order = m->code[i] & 7;
	}
	for (u32 o = 0; o < TINY_ORDERS; o++) {
		struct free_area *area = &zone->area[o];

		for (u32 i = 0; i < m->len[o]; i++) {
			struct page *page = page_of_pfn(m->list[o][i]);

			page->prev = i ? m->list[o][i - 1] : LINK_NIL;
			page->next = i + 1u < m->len[o] ? m->list[o][i + 1] : LINK_NIL;
		}
		if (m->len[o]) {
			area->head[0] = m->list[o][0];
			area->tail[0] = m->list[o][m->len[o] - 1];
		}
		area->nr_free[0] = m->len[o];
		zone->free += (unsigned long)m->len[o] << o;
		zone->stat->nr_free[0][o] = m->len[o];
	}
	zone->stat->free = zone->free;
}

static void real_save(struct image *img, u32 frames)
{
	memcpy(img->page, kmem_machine.memmap, frames * sizeof(struct page));
	memcpy(&img->zone, zone, sizeof(*zone));
	memcpy(&img->stat, zone->stat, sizeof(img->stat));
}

static void real_restore(const struct image *img, u32 frames)
{
	memcpy(kmem_machine.memmap, img->page, frames * sizeof(struct page));
	memcpy(zone, &img->zone, sizeof(*zone));
	memcpy(zone->stat, &img->stat, sizeof(img->stat));
}

static bool real_same(const struct image *img, u32 frames)
{
	return memcmp(kmem_machine.memmap, img->page, frames * sizeof(struct page)) == 0 &&
	       memcmp(zone, &img->zone, sizeof(*zone)) == 0 &&
	       memcmp(zone->stat, &img->stat, sizeof(img->stat)) == 0;
}

/* What the real zone is now, by its descriptors and lists; false if they make no sense. */
static bool real_read(struct model *m, u32 frames)
{
	memset(m, 0, sizeof(*m));
	m->frames = frames;
	for (u32 i = 0; i < frames; i++) {
		const struct page *page = page_of_pfn(i);

		if (page->state == PAGE_NONE)
			m->code[i] = NO_HEAD;
		else if (page->state == PAGE_FREE)
			m->code[i] = page->order;
		else if (page->state == PAGE_ALLOC && page->refcount == 1)
			m->code[i] = ALLOCATED + page->order;
		else
			return false;
	}
	for (u32 o = 0; o < TINY_ORDERS; o++) {
		u32 pfn = zone->area[o].head[0];

		for (; pfn != LINK_NIL; pfn = page_of_pfn(pfn)->next) {
			if (pfn >= frames || m->len[o] == LIST_MOST)
				return false;
			m->list[o][m->len[o]++] = (u8)pfn;
		}
	}
	return true;
}

/* The counts, links and statistics are right by themselves, and say what the model says. */
static bool real_is(const struct model *want)
{
	struct model got;
	struct key a, b;

	if (zone_check(zone) != 0 || zone->stat->free != zone->free)
		return false;
	for (u32 o = 0; o < TINY_ORDERS; o++)
		if (zone->stat->nr_free[0][o] != want->len[o])
			return false;
	if (!real_read(&got, want->frames))
		return false;
	a = model_key(&got, true);
	b = model_key(want, true);
	return a.frames == b.frames && a.lists == b.lists;
}

/* ---- The set of states --------------------------------------------------------------------------- */

struct states {
	struct key *key; /* in the order of discovery: what is yet to visit lies at the end */
	u32 nr, room;
	u32 *table; /* index + 1, or 0 */
	u32 mask;
};

static u32 key_hash(struct key k)
{
	u64 h = k.frames * 0x9e3779b97f4a7c15ull ^
		(k.lists + 0x7f4a7c15ull) * 0xbf58476d1ce4e5b9ull;

	return (u32)((h ^ h >> 29) * 0x94d049bb133111ebull >> 32);
}

static void states_place(struct states *s, u32 index)
{
	u32 at = key_hash(s->key[index]) & s->mask;

	while (s->table[at])
		at = (at + 1) & s->mask;
	s->table[at] = index + 1;
}

static void states_grow(struct states *s)
{
	s->room = s->room ? s->room * 2 : 1 << 12;
	s->mask = s->room * 2 - 1;
	s->key = realloc(s->key, s->room * sizeof(*s->key));
	free(s->table);
	s->table = calloc(s->room * 2ul, sizeof(*s->table));
	if (!s->key || !s->table)
		abort();
	for (u32 i = 0; i < s->nr; i++)
		states_place(s, i);
}

static void states_add(struct states *s, struct key k)
{
	u32 at;

	if (s->nr == s->room)
		states_grow(s);
	for (at = key_hash(k) & s->mask; s->table[at]; at = (at + 1) & s->mask) {
		const struct key *have = &s->key[s->table[at] - 1];

		if (have->frames == k.frames && have->lists == k.lists)
			return;
	}
	s->key[s->nr++] = k;
	s->table[at] = s->nr;
}

/* ---- The walk -------------------------------------------------------------------------------------- */

struct walk {
	struct states states;
	struct image image;
	struct model at;
	u32 frames;
	bool ordered, public; /* public: frees by __free_pages, wrong ones too */
	u64 valid, refused, wrong;
};

static void wrong(struct walk *w, const char *what, u32 pfn, u32 order)
{
	if (w->wrong++ < 10)
		diag("%s: pfn %u order %u in state %016llx %08llx", what, pfn, order,
		     (unsigned long long)model_key(&w->at, true).frames,
		     (unsigned long long)model_key(&w->at, true).lists);
}

/* After an operation that the model did too: the same state? Then on with it. */
static void arrive(struct walk *w, const struct model *want, const char *what, u32 pfn, u32 order)
{
	if (real_is(want))
		states_add(&w->states, model_key(want, w->ordered));
	else
		wrong(w, what, pfn, order);
	real_restore(&w->image, w->frames);
}

static void try_alloc(struct walk *w, u32 order)
{
	struct model m = w->at;
	struct page *page = zone_alloc(zone, order, KMEM_MT_UNMOVABLE, 0);
	int pfn = order < TINY_ORDERS ? model_alloc(&m, order) : -1;

	if (page && pfn >= 0 && (int)pfn_of_page(page) == pfn) {
		w->valid++;
		arrive(w, &m, "alloc", (u32)pfn, order);
		return;
	}
	if (page || pfn >= 0)
		wrong(w, pfn >= 0 ? "spurious failure, or the wrong block" : "too much", 0, order);
	w->refused++;
	if (!real_same(&w->image, w->frames))
		wrong(w, "failed alloc changed something", 0, order);
	real_restore(&w->image, w->frames);
}

/* What page_check_free must say of a frame: the block that covers it decides. */
static enum page_verdict verdict_of(const struct model *m, u32 pfn, u32 order)
{
	u32 head = pfn;

	while (m->code[head] == NO_HEAD)
		head--;
	if (!(m->code[head] & ALLOCATED))
		return PAGE_BAD_FREE;
	if (head != pfn)
		return PAGE_BAD_TAIL;
	return m->code[head] == ALLOCATED + order ? PAGE_OK : PAGE_BAD_ORDER;
}

/* Told once, and nothing else happened. */
static void try_wrong_free(struct walk *w, u32 pfn, u32 order)
{
	unsigned long told = kmem_misuse_count();

	__free_pages(page_of_pfn(pfn), order);
	if (kmem_misuse_count() != told + 1)
		wrong(w, "wrong free not told", pfn, order);
	if (!real_same(&w->image, w->frames))
		wrong(w, "wrong free changed something", pfn, order);
}

static void try_free(struct walk *w, u32 pfn, u32 order)
{
	struct page *page = page_of_pfn(pfn);
	enum page_verdict want = verdict_of(&w->at, pfn, order);
	struct model m;

	if (page_check_free(page, order) != want)
		wrong(w, "wrong verdict", pfn, order);
	if (want != PAGE_OK) {
		w->refused++;
		if (w->public)
			try_wrong_free(w, pfn, order);
		return;
	}
	m = w->at;
	model_free(&m, pfn);
	if (w->public)
		__free_pages(page, order);
	else
		pm_free(page, order);
	w->valid++;
	arrive(w, &m, "free", pfn, order);
}

static void visit(struct walk *w, struct key k)
{
	model_from_key(&w->at, w->frames, k, w->ordered);
	real_build(&w->at);
	if (zone_check(zone) != 0)
		wrong(w, "zone_check", 0, 0);
	real_save(&w->image, w->frames);
	for (u32 order = 0; order <= TINY_ORDERS; order++)
		try_alloc(w, order);
	for (u32 pfn = 0; pfn < w->frames; pfn++)
		for (u32 order = 0; order <= TINY_ORDERS; order++)
			try_free(w, pfn, order);
	/* All wrong frees together: they must not have left a trace either. */
	if (!real_same(&w->image, w->frames))
		wrong(w, "refused free changed something", 0, 0);
}

static void on_log(int level, const char *text, size_t len, void *arg)
{
	(void)level;
	(void)text;
	(void)len;
	(void)arg;
}

static u32 walk_all(u32 frames, bool ordered, bool public)
{
	struct kmem_options opt = pm_options(frames);
	struct walk *w = calloc(1, sizeof(*w));
	struct model start;
	u32 nr;

	/* The frames behind are free, and buddies, but of another zone. */
	pm_zone(&opt, KMEM_ZONE_MOVABLE, frames, FRAMES_MOST);
	pm_start(&opt);
	zone = pm_normal();
	w->frames = frames;
	w->ordered = ordered;
	w->public = public;
	if (public)
		kmem_set_log(on_log, NULL);
	ok(real_read(&start, frames));
	states_add(&w->states, model_key(&start, ordered));
	for (u32 i = 0; i < w->states.nr; i++)
		visit(w, w->states.key[i]);
	nr = w->states.nr;
	kmem_set_log(NULL, NULL);
	is(w->wrong, 0, "%u frames", frames);
	diag("%u frames, %s%s: %u states, %llu operations done, %llu refused", frames,
	     ordered ? "with list order" : "modulo list order",
	     public ? ", frees by __free_pages" : "", nr, (unsigned long long)w->valid,
	     (unsigned long long)w->refused);
	model_from_key(&w->at, frames, w->states.key[0], ordered);
	real_build(&w->at);
	pm_stop();
	free(w->states.key);
	free(w->states.table);
	free(w);
	return nr;
}

/* g(k), the number of states of a block of 2^k frames. */
static u32 g(u32 k)
{
	return k ? g(k - 1) * g(k - 1) + 1 : 2;
}

TEST(four_frames)
{
	is(walk_all(4, false, false), 26);
	is(walk_all(4, false, true), g(2));
	walk_all(4, true, true);
}

TEST(eight_frames)
{
	is(walk_all(8, false, false), 677);
	is(walk_all(8, false, true), g(3));
	ok(walk_all(8, true, true) > 677);
}

/* A block of eight and one of four, which are no buddies. */
TEST(twelve_frames)
{
	is(walk_all(12, false, false), g(3) * g(2));
	ok(walk_all(12, true, false) > g(3) * g(2));
}

TEST(sixteen_frames_modulo_list_order)
{
	u32 nr = walk_all(16, false, false);

	is(nr, 458330);
	is(nr, g(4));
}
