/* SPDX-License-Identifier: MIT */
/*
 * A naive reference for the whole allocator, and random operations against both.
 *
 * The reference knows who owns what: a map with one owner per 8 bytes of direct-mapped memory and
 * one per frame, and a list of live allocations with a stamp in each one's first and last bytes. It
 * knows nothing of how memory is found. After every operation:
 *	what was handed out belongs to nobody else, is aligned, lies in a permitted zone, is as long
 *	as asked; what is freed still has its stamp; a refused operation changed nothing; objects of
 *	caches with a constructor are in constructed state.
 *
 * Every few hundred operations kmem_check() proves the allocator's own invariants, and the frames
 * the reference holds are compared with the zones' counts.
 */
#ifndef KMEM_TEST_MODEL_H
#define KMEM_TEST_MODEL_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <kmem/kmem.h>
#include <kmem/stat.h>

enum { MODEL_LIVE = 4096, MODEL_CACHES = 8, GRANULE = 8 };
enum model_kind { KIND_KMALLOC, KIND_CACHE, KIND_PAGES, KIND_EXACT, KIND_CONTIG };

struct model_item {
	enum model_kind kind;
	unsigned char *p;  /* NULL: pages without an address */
	struct page *page; /* for pages */
	size_t size;	   /* bytes the user may write */
	unsigned int order, cache;
	uint32_t id;
};

struct model_cache {
	struct kmem_cache *c;
	unsigned int size, align;
	bool ctor;
	unsigned int live;
	char name[16];
};

struct model {
	uint64_t rng;
	uint32_t next_id;
	size_t frames;
	uint32_t *granule; /* owner of each 8 bytes of the direct map */
	uint32_t *frame;   /* owner of each whole frame */
	uint32_t *small;   /* granules owned in each frame */
	struct model_item item[MODEL_LIVE];
	unsigned int nr;
	struct model_cache cache[MODEL_CACHES];
	unsigned long ops, failed, misuses;
	unsigned int max_live;
	bool has_dma;
	bool broken; /* why[] says what */
	char why[200];
	unsigned char *base;
};

static inline uint64_t model_rand(struct model *m)
{
	uint64_t z = (m->rng += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static inline unsigned int model_pick(struct model *m, unsigned int n)
{
	return (unsigned int)(model_rand(m) % n);
}

#define MODEL_FAIL(m, ...)                                                 \
	do {                                                               \
		if (!(m)->broken)                                          \
			snprintf((m)->why, sizeof((m)->why), __VA_ARGS__); \
		(m)->broken = true;                                        \
	} while (0)

/* ---- The reference ------------------------------------------------------------------------------ */

static inline size_t model_offset(const struct model *m, const unsigned char *p)
{
	return (uintptr_t)p - (uintptr_t)m->base;
}

/* Small items own granules; items of whole pages own frames. A frame is the one or the other. */
static inline bool model_by_frames(const struct model_item *it)
{
	return it->size >= 2 * PAGE_SIZE && it->kind != KIND_CACHE;
}

static inline void model_own(struct model *m, const struct model_item *it)
{
	bool frames = model_by_frames(it);
	size_t unit = frames ? PAGE_SIZE : GRANULE;
	uint32_t *map = frames ? m->frame : m->granule;
	size_t first = model_offset(m, it->p) / unit;
	size_t last = (model_offset(m, it->p) + it->size - 1) / unit;

	if (model_offset(m, it->p) + it->size > m->frames * PAGE_SIZE) {
		MODEL_FAIL(m, "%p+%zu lies outside the machine", (void *)it->p, it->size);
		return;
	}
	for (size_t g = first; g <= last; g++) {
		uint32_t *other = frames ? &m->small[g] : &m->frame[g * GRANULE / PAGE_SIZE];

		if (map[g] || *other) {
			MODEL_FAIL(m, "op %lu: %p+%zu overlaps owner %u", m->ops, (void *)it->p,
				   it->size, map[g] ? map[g] : *other);
			return;
		}
		map[g] = it->id;
		if (!frames)
			m->small[g * GRANULE / PAGE_SIZE]++;
	}
}

static inline void model_disown(struct model *m, const struct model_item *it)
{
	bool frames = model_by_frames(it);
	size_t unit = frames ? PAGE_SIZE : GRANULE;
	uint32_t *map = frames ? m->frame : m->granule;
	size_t first = model_offset(m, it->p) / unit;
	size_t last = (model_offset(m, it->p) + it->size - 1) / unit;

	for (size_t g = first; g <= last; g++) {
		if (map[g] != it->id)
			MODEL_FAIL(m, "op %lu: %p+%zu lost to %u", m->ops, (void *)it->p, it->size,
				   map[g]);
		map[g] = 0;
		if (!frames)
			m->small[g * GRANULE / PAGE_SIZE]--;
	}
}

/* Constructed objects keep 0xc7 in every byte but the stamp's, which is put back on free. */
static inline void model_stamp(struct model_item *it)
{
	memcpy(it->p, &it->id, it->size < 4 ? it->size : 4);
	if (it->size >= 8)
		memcpy(it->p + it->size - 4, &it->id, 4);
}

static inline bool model_stamped(const struct model_item *it)
{
	return !memcmp(it->p, &it->id, it->size < 4 ? it->size : 4) &&
	       (it->size < 8 || !memcmp(it->p + it->size - 4, &it->id, 4));
}

static inline void model_add(struct model *m, struct model_item it)
{
	it.id = ++m->next_id;
	if (it.p) {
		model_own(m, &it);
		if (!m->broken)
			model_stamp(&it);
	}
	m->item[m->nr++] = it;
}

static inline struct model_item model_remove(struct model *m, unsigned int i)
{
	struct model_item it = m->item[i];

	if (it.p && !model_stamped(&it))
		MODEL_FAIL(m, "op %lu: %p+%zu was overwritten", m->ops, (void *)it.p, it.size);
	if (it.p)
		model_disown(m, &it);
	m->item[i] = m->item[--m->nr];
	return it;
}

/* ---- Operations ---------------------------------------------------------------------------------- */

static inline gfp_t model_gfp(struct model *m)
{
	static const gfp_t masks[] = {GFP_KERNEL,
				      GFP_KERNEL,
				      GFP_KERNEL,
				      GFP_ATOMIC,
				      GFP_NOWAIT,
				      GFP_NOFS | __GFP_NORETRY,
				      GFP_NOIO | __GFP_NORETRY,
				      GFP_KERNEL | GFP_DMA,
				      GFP_KERNEL | __GFP_RETRY_MAYFAIL,
				      GFP_KERNEL | __GFP_RECLAIMABLE};
	gfp_t gfp = masks[model_pick(m, sizeof(masks) / sizeof(masks[0]))] | __GFP_NOWARN;

	return (gfp & __GFP_DIRECT_RECLAIM && !(gfp & __GFP_RETRY_MAYFAIL)) ? gfp | __GFP_NORETRY
									    : gfp;
}

static inline size_t model_size(struct model *m)
{
	unsigned int shape = model_pick(m, 100);

	return shape < 70   ? 1 + model_pick(m, 256)
	       : shape < 95 ? 1 + model_pick(m, 8192)
	       : shape < 99 ? 1 + model_pick(m, 65536)
			    : 1 + model_pick(m, 1 << 20);
}

static inline bool model_all(const unsigned char *p, size_t n, unsigned char v)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != v)
			return false;
	}
	return true;
}

static inline void model_kmalloc(struct model *m)
{
	size_t size = model_size(m), align = size & (~size + 1);
	gfp_t gfp = model_gfp(m);
	bool zero = model_pick(m, 4) == 0;
	unsigned char *p = kmalloc(size, zero ? gfp | __GFP_ZERO : gfp);

	m->failed += !p;
	if (!p)
		return;
	align = align < 8 ? 8 : align > PAGE_SIZE ? PAGE_SIZE : align;
	if ((uintptr_t)p % align)
		MODEL_FAIL(m, "op %lu: kmalloc(%zu) = %p, align %zu", m->ops, size, (void *)p,
			   align);
	if (ksize(p) < size || ksize(p) != kmalloc_size_roundup(size))
		MODEL_FAIL(m, "op %lu: ksize %zu for %zu", m->ops, ksize(p), size);
	if (gfp & GFP_DMA && m->has_dma && virt_to_phys(p) + size > 16 << 20)
		MODEL_FAIL(m, "op %lu: DMA memory at %llx", m->ops,
			   (unsigned long long)virt_to_phys(p));
	if (zero && !model_all(p, size, 0))
		MODEL_FAIL(m, "op %lu: %zu bytes not zero", m->ops, size);
	model_add(m, (struct model_item){.kind = KIND_KMALLOC, .p = p, .size = ksize(p)});
}

static inline void model_krealloc(struct model *m, unsigned int i)
{
	struct model_item it = m->item[i];
	size_t size = model_size(m);
	unsigned char *q;
	uint32_t id = it.id;

	if (!model_stamped(&it)) {
		MODEL_FAIL(m, "op %lu: %p+%zu was overwritten", m->ops, (void *)it.p, it.size);
		return;
	}
	q = krealloc(it.p, size, GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY);
	if (!q) {
		m->failed++;
		if (!model_stamped(&it))
			MODEL_FAIL(m, "op %lu: failed krealloc harmed %p", m->ops, (void *)it.p);
		return;
	}
	if (memcmp(q, &id, 4))
		MODEL_FAIL(m, "op %lu: krealloc lost the content", m->ops);
	if (q == it.p && size <= it.size)
		return;
	model_disown(m, &it);
	m->item[i] = m->item[--m->nr];
	model_add(m, (struct model_item){.kind = KIND_KMALLOC, .p = q, .size = ksize(q)});
}

static inline void model_ctor(void *obj)
{
	memset(obj, 0xc7, 40); /* every constructed cache has at least so much */
}

static inline void model_cache_alloc(struct model *m)
{
	unsigned int i = model_pick(m, MODEL_CACHES);
	struct model_cache *c = &m->cache[i];
	unsigned char *p = kmem_cache_alloc(c->c, model_gfp(m) & ~__GFP_RECLAIMABLE);

	m->failed += !p;
	if (!p)
		return;
	if ((uintptr_t)p % c->align)
		MODEL_FAIL(m, "op %lu: %s object %p misaligned", m->ops, c->name, (void *)p);
	if (c->ctor && !model_all(p + 4, 32, 0xc7))
		MODEL_FAIL(m, "op %lu: %s object %p not constructed", m->ops, c->name, (void *)p);
	c->live++;
	model_add(m, (struct model_item){.kind = KIND_CACHE, .p = p, .size = c->size, .cache = i});
}

static inline void model_pages(struct model *m)
{
	static const gfp_t masks[] = {GFP_HIGHUSER, GFP_KERNEL, GFP_ATOMIC, GFP_USER, GFP_DMA};
	unsigned int order = model_pick(m, 8) ? model_pick(m, 4) : model_pick(m, 8);
	gfp_t gfp = masks[model_pick(m, 5)] | __GFP_NOWARN | __GFP_NORETRY;
	bool comp = model_pick(m, 2), cold = model_pick(m, 8) == 0;
	struct page *page = alloc_pages(
		gfp | (comp ? __GFP_COMP : (gfp_t)0) | (cold ? __GFP_COLD : (gfp_t)0), order);

	m->failed += !page;
	if (!page)
		return;
	if (page_to_pfn(page) & ((1UL << order) - 1))
		MODEL_FAIL(m, "op %lu: order %u at pfn %lu", m->ops, order, page_to_pfn(page));
	if (page_count(page) != 1)
		MODEL_FAIL(m, "op %lu: fresh page with %d references", m->ops, page_count(page));
	if (comp && order && compound_head(page) != page)
		MODEL_FAIL(m, "op %lu: head of a head", m->ops);
	model_add(m, (struct model_item){.kind = KIND_PAGES,
					 .p = page_address(page),
					 .page = page,
					 .size = PAGE_SIZE << order,
					 .order = order});
}

static inline void model_exact(struct model *m)
{
	size_t size = 1 + model_pick(m, 40 * PAGE_SIZE);
	unsigned char *p = alloc_pages_exact(size, GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY);

	m->failed += !p;
	if (p)
		model_add(m, (struct model_item){.kind = KIND_EXACT, .p = p, .size = size});
}

static inline void model_contig(struct model *m)
{
	unsigned long nr = 1 + model_pick(m, model_pick(m, 2) ? 1500 : 64); /* those with lists */
	struct page *page =
		alloc_contig_pages(nr, GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY, 0, NULL);

	m->failed += !page;
	if (page)
		model_add(m, (struct model_item){.kind = KIND_CONTIG,
						 .p = page_address(page),
						 .page = page,
						 .size = nr * PAGE_SIZE});
}

/* Whole, or its end first, or shorter than it was. */
static inline void model_free_contig(struct model *m, struct page *page, unsigned long nr)
{
	unsigned long part = model_pick(m, 3) ? 0 : model_pick(m, (unsigned int)nr);

	if (part && model_pick(m, 2))
		free_contig_range(page_to_pfn(page) + part, nr - part);
	else if (part)
		contig_resize(page, part);
	if (contig_nr_pages(page) != (part ? part : nr))
		MODEL_FAIL(m, "op %lu: a run of %lu pages says %lu", m->ops, part ? part : nr,
			   contig_nr_pages(page));
	free_contig_range(page_to_pfn(page), part ? part : nr);
}

static inline void model_free(struct model *m, unsigned int i)
{
	struct model_item it = model_remove(m, i);

	switch (it.kind) {
	case KIND_KMALLOC:
		kfree(it.p);
		break;
	case KIND_CACHE:
		if (m->cache[it.cache].ctor)
			memset(it.p, 0xc7, 40);
		m->cache[it.cache].live--;
		kmem_cache_free(m->cache[it.cache].c, it.p);
		break;
	case KIND_PAGES:
		if (model_pick(m, 8) == 0)
			free_pages_cold(it.page, it.order);
		else
			__free_pages(it.page, it.order);
		break;
	case KIND_EXACT:
		free_pages_exact(it.p, it.size);
		break;
	case KIND_CONTIG:
		model_free_contig(m, it.page, it.size / PAGE_SIZE);
		break;
	}
}

/* A wrong call: reported once, nothing changed (the stamps and the checks see to that). */
static inline void model_misuse(struct model *m)
{
	const struct model_item *it = m->nr ? &m->item[model_pick(m, m->nr)] : NULL;
	unsigned long before = kmem_misuse_count();
	int local;

	switch (model_pick(m, 5)) {
	case 0:
		kfree(&local);
		break;
	case 1:
		if (!it || it->kind != KIND_PAGES || it->order == 0)
			return;
		__free_pages(it->page, it->order - 1);
		break;
	case 2:
		if (!it || it->kind != KIND_CACHE || it->size < 16)
			return;
		kmem_cache_free(m->cache[it->cache].c, it->p + 8);
		break;
	case 3:
		if (!it || it->kind != KIND_KMALLOC || it->size < 16)
			return;
		kfree(it->p + 8);
		break;
	case 4:
		if (!it || it->kind != KIND_CONTIG)
			return;
		free_contig_range(page_to_pfn(it->page), it->size / PAGE_SIZE + 1);
		break;
	}
	m->misuses++;
	if (kmem_misuse_count() != before + 1)
		MODEL_FAIL(m, "op %lu: misuse reported %lu times", m->ops,
			   kmem_misuse_count() - before);
}

static inline void model_maintain(struct model *m)
{
	struct model_cache *c = &m->cache[model_pick(m, MODEL_CACHES)];

	switch (model_pick(m, 4)) {
	case 0:
		kmem_cache_shrink(c->c);
		break;
	case 1:
		drain_all_pages();
		break;
	case 2:
		kmem_cache_reap();
		break;
	case 3:
		kmem_drain();
		break;
	}
}

/* ---- Driving -------------------------------------------------------------------------------------- */

static inline bool model_start(struct model *m, uint64_t seed)
{
	static const unsigned int sizes[MODEL_CACHES] = {16, 40, 64, 96, 200, 600, 2100, 5000};
	const struct kmem_stat *st = kmem_stat_get();

	memset(m, 0, sizeof(*m));
	m->rng = seed;
	m->max_live = MODEL_LIVE;
	m->base = phys_to_virt(0);
	m->has_dma = st->zone[KMEM_ZONE_DMA].populated;
	for (int z = 0; z < KMEM_NR_ZONES; z++) {
		if (z != KMEM_ZONE_HIGHMEM && st->zone[z].populated)
			m->frames = (size_t)(st->zone[z].start_pfn + st->zone[z].spanned);
	}
	m->granule = calloc(m->frames * (PAGE_SIZE / GRANULE), sizeof(uint32_t));
	m->frame = calloc(m->frames, sizeof(uint32_t));
	m->small = calloc(m->frames, sizeof(uint32_t));
	for (unsigned int i = 0; i < MODEL_CACHES; i++) {
		struct model_cache *c = &m->cache[i];

		c->size = sizes[i];
		c->ctor = i == 1 || i == 4;
		c->align = 8u << (i % 3);
		snprintf(c->name, sizeof(c->name), "model-%u", c->size);
		c->c = kmem_cache_create(c->name, c->size, c->align,
					 i == 3 ? SLAB_TYPESAFE_BY_RCU : 0,
					 c->ctor ? model_ctor : NULL);
		if (!c->c)
			return false;
	}
	return m->granule && m->frame && m->small;
}

static inline void model_step(struct model *m)
{
	unsigned int op = model_pick(m, 1000);
	/* The load swings between nearly nothing and as much as fits. */
	unsigned int bias = (m->ops / 5000) % 4 == 3 ? 300 : 470;

	m->ops++;
	if (op >= 996)
		model_maintain(m);
	else if (op >= 990)
		model_misuse(m);
	else if (m->nr && (op >= bias || m->nr == m->max_live)) {
		unsigned int i = model_pick(m, m->nr);

		if (m->item[i].kind == KIND_KMALLOC && model_pick(m, 5) == 0)
			model_krealloc(m, i);
		else
			model_free(m, i);
	} else if (op % 10 < 5)
		model_kmalloc(m);
	else if (op % 10 < 8)
		model_cache_alloc(m);
	else if (op % 100 == 8)
		model_exact(m);
	else if (op % 200 == 18)
		model_contig(m);
	else
		model_pages(m);
}

static inline void model_finish(struct model *m)
{
	while (m->nr)
		model_free(m, m->nr - 1);
	for (unsigned int i = 0; i < MODEL_CACHES; i++) {
		if (kmem_cache_destroy(m->cache[i].c))
			MODEL_FAIL(m, "%s could not be destroyed", m->cache[i].name);
	}
	free(m->granule);
	free(m->frame);
	free(m->small);
}

#endif
