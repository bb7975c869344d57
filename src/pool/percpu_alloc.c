/* SPDX-License-Identifier: MIT */
/*
 * alloc_percpu: objects with a copy for each CPU (semantics 9). The library's own areas are another
 * thing (sync/percpu.c): they are laid out at boot, and live in the core's tables.
 *
 *	             offset 0 .......................... 32 KiB
 *	 chunk 0     |#####.##.....###|      unit of CPU 0: a block of pages
 *	             |#####.##.....###|      unit of CPU 1	one map for all units
 *	 chunk 1     |....            |      ...
 *
 *	cookie = COOKIE_BASE + chunk * 32 KiB + offset
 *
 * A cookie is what users hold. It lies where no address can be: outside the canonical ones on 64-bit
 * machines, below the programs on others, so whoever follows it traps.
 *
 * A chunk's map is in grains of 4 bytes: `used` says which are taken, `start` where an object begins.
 *
 *	grains used + free = 8192; an object reaches from its start to the next start or unused grain
 *
 * A chunk gets its units when an object finds no room, from a request that may sleep, and loses them
 * when it is empty and another empty one is there. Its descriptor stays until the machine stops, so a
 * cookie can always be looked up without the lock.
 *
 * Asynchronous entry. A free that cannot have the lock sets a bit in `dying`; who holds the lock looks
 * when he lets go, and whoever has set one tries once more (as in mempool.c). An allocation that
 * cannot have it fails.
 *
 * Lock: pcpu_lock, RANK_LEAF, over maps and the table of chunks. Cost: allocation searches first fit,
 * a few bits to some thousand; a look-up is two loads.
 */
#include "pool/pool.h"
#include <kmem/percpu.h>

enum {
	UNIT = PCPU_MIN_UNIT_SIZE,
	UNIT_ORDER = 3,
	GRAIN = 4,
	GRAINS = UNIT / GRAIN,
	CHUNKS_MAX = 1024, /* 32 MiB for each CPU */
	REPORTS_MAX = 10,
	WORD = 32,
};
#define COOKIE_BASE ((uintptr_t)(sizeof(void *) == 8 ? 0xdead000000000000ull : PAGE_SIZE))
#define GFP_PCPU    (GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN)

_Static_assert(UNIT == PAGE_SIZE << UNIT_ORDER, "a unit is a block of pages");

enum chunk_state { CHUNK_BARE, CHUNK_IN_HAND, CHUNK_LIVE };

struct pcpu_chunk {
	u32 index;
	u32 state; /* BARE: no units; IN_HAND: one task gets or gives them */
	u32 objects, free;
	u32 used[GRAINS / WORD], start[GRAINS / WORD];
	u32 dying[GRAINS / WORD]; /* without the lock */
	void *unit[];		  /* of each CPU */
};

static struct lock pcpu_lock = {.rank = RANK_LEAF};
static struct pcpu_chunk *chunks[CHUNKS_MAX]; /* written under the lock, read without */
static u32 nr_chunks;
static u32 any_dying;
static u32 reports;

static bool bit_get(const u32 *map, u32 nr)
{
	return atom_load(&map[nr / WORD]) >> (nr % WORD) & 1;
}

static void bit_flip(u32 *map, u32 nr)
{
	atom_store(&map[nr / WORD], map[nr / WORD] ^ (u32)1 << (nr % WORD));
}

/* It has its units, and whoever knows that sees them; the lock does not say so. Pairs with chunk_add. */
static bool chunk_live(const struct pcpu_chunk *c)
{
	return atom_load_acq(&c->state) == CHUNK_LIVE;
}

/* ---- Grains of a chunk; under the lock -------------------------------------------------------------- */

/* First grain, a multiple of align, of n that are not used; GRAINS: there are none. */
static u32 grains_find(const struct pcpu_chunk *c, u32 n, u32 align)
{
	u32 at = 0, end = 0; /* [at, end): not used */

	while (at + n <= GRAINS) {
		if (end - at == n)
			return at;
		if (bit_get(c->used, end)) {
			at = (u32)align_up(end + 1, align);
			end = at;
		} else {
			end++;
		}
	}
	return GRAINS;
}

static void grains_take(struct pcpu_chunk *c, u32 at, u32 n)
{
	assert_debug(at + n <= GRAINS && c->free >= n);
	bit_flip(c->start, at);
	for (u32 i = at; i < at + n; i++)
		bit_flip(c->used, i);
	c->free -= n;
	c->objects++;
}

/* The whole object that starts there. False: none does. */
static bool grains_release(struct pcpu_chunk *c, u32 at)
{
	if (!chunk_live(c) || !bit_get(c->start, at))
		return false;
	bit_flip(c->start, at);
	do {
		bit_flip(c->used, at++);
		c->free++;
	} while (at < GRAINS && bit_get(c->used, at) && !bit_get(c->start, at));
	assert_debug(c->objects > 0);
	c->objects--;
	return true;
}

/* ---- The lock, and what is done before it is let go --------------------------------------------------- */

static void reap_chunk_locked(struct pcpu_chunk *c)
{
	for (u32 w = 0; w < GRAINS / WORD; w++) {
		u32 bits = atom_load(&c->dying[w]) ? atom_xchg(&c->dying[w], 0u) : 0;

		for (; bits; bits &= bits - 1)
			grains_release(c, w * WORD + (u32)__builtin_ctz(bits));
	}
}

static void reap_locked(void)
{
	if (!atom_load(&any_dying))
		return;
	atom_xchg(&any_dying, 0u); /* before the look: pairs with the store in free_later */
	for (u32 i = 0; i < nr_chunks; i++)
		reap_chunk_locked(chunks[i]);
}

/* A chunk without objects, if there is another that is empty too; it is then in the caller's hands. */
static struct pcpu_chunk *spare_chunk_locked(void)
{
	struct pcpu_chunk *first = NULL;

	for (u32 i = 0; i < nr_chunks; i++) {
		struct pcpu_chunk *c = chunks[i];

		if (!chunk_live(c) || c->objects)
			continue;
		if (first) {
			atom_store(&c->state, (u32)CHUNK_IN_HAND);
			return c;
		}
		first = c;
	}
	return NULL;
}

static void units_free(struct pcpu_chunk *c)
{
	for (u32 cpu = 0; cpu < kmem_machine.nr_cpus; cpu++) {
		void *unit = c->unit[cpu];

		c->unit[cpu] = NULL;
		if (unit)
			gfp_free(page_of_addr(unit), UNIT_ORDER, false,
				 __builtin_return_address(0));
	}
	atom_store_rel(&c->state, (u32)CHUNK_BARE); /* pairs with bare_chunk */
}

static void pcpu_unlock(irqflags_t flags)
{
	struct pcpu_chunk *spare;
	bool again;

	do {
		reap_locked();
		spare = spare_chunk_locked();
		lock_release(&pcpu_lock, flags);
		if (spare)
			units_free(spare);
		atom_fence(); /* the lock is free before the look; pairs with the one in free_later */
		again = atom_load(&any_dying) && lock_try(&pcpu_lock, &flags);
	} while (again);
}

/* ---- Chunks ---------------------------------------------------------------------------------------- */

/* One whose units the caller may set, or NULL. */
static struct pcpu_chunk *bare_chunk(void)
{
	irqflags_t flags = lock_take(&pcpu_lock);
	struct pcpu_chunk *bare = NULL;

	for (u32 i = 0; i < nr_chunks && !bare; i++) {
		if (atom_load_acq(&chunks[i]->state) == CHUNK_BARE)
			bare = chunks[i];
	}
	if (bare)
		atom_store(&bare->state, (u32)CHUNK_IN_HAND);
	pcpu_unlock(flags);
	return bare;
}

/* A new descriptor gets its place in the table. False: there is none left. */
static bool chunk_enlist(struct pcpu_chunk *c)
{
	irqflags_t flags = lock_take(&pcpu_lock);
	bool room = nr_chunks < CHUNKS_MAX;

	if (room) {
		c->index = nr_chunks;
		atom_store_rel(&chunks[c->index], c); /* pairs with chunk_of */
		atom_store_rel(&nr_chunks, nr_chunks + 1);
	}
	pcpu_unlock(flags);
	return room;
}

static struct pcpu_chunk *chunk_new(gfp_t gfp)
{
	size_t bytes = sizeof(struct pcpu_chunk) + kmem_machine.nr_cpus * sizeof(void *);
	struct pcpu_chunk *c = kmalloc(bytes, gfp | __GFP_ZERO);

	if (!c)
		return NULL;
	c->state = CHUNK_IN_HAND;
	c->free = GRAINS;
	if (chunk_enlist(c))
		return c;
	kfree(c);
	return NULL;
}

static bool units_alloc(struct pcpu_chunk *c, gfp_t gfp)
{
	for (u32 cpu = 0; cpu < kmem_machine.nr_cpus; cpu++) {
		struct page *page = gfp_alloc(gfp, UNIT_ORDER, __builtin_return_address(0));

		if (!page)
			return false;
		c->unit[cpu] = addr_of_page(page);
	}
	return true;
}

/* More room, or why there is none. */
static const char *chunk_add(gfp_t gfp)
{
	struct pcpu_chunk *c;

	if (!(gfp & __GFP_DIRECT_RECLAIM))
		return "atomic alloc failed, no space left";
	c = bare_chunk();
	if (!c)
		c = chunk_new(gfp);
	if (!c)
		return "failed to allocate new chunk";
	if (!units_alloc(c, gfp)) {
		units_free(c);
		return "failed to populate";
	}
	atom_store_rel(&c->state, (u32)CHUNK_LIVE); /* its units before it; pairs with chunk_live */
	return NULL;
}

/* ---- Allocation ------------------------------------------------------------------------------------- */

static uintptr_t cookie_of(const struct pcpu_chunk *c, u32 at)
{
	return COOKIE_BASE + (uintptr_t)c->index * UNIT + (uintptr_t)at * GRAIN;
}

/* The live chunk that a cookie points into, with the offset, or NULL. */
static struct pcpu_chunk *chunk_of(const void *cookie, u32 *offset)
{
	uintptr_t at = (uintptr_t)cookie - COOKIE_BASE;
	struct pcpu_chunk *c;

	if (at / UNIT >= atom_load_acq(&nr_chunks))
		return NULL;
	c = atom_load_acq(&chunks[at / UNIT]);
	*offset = (u32)(at % UNIT);
	return chunk_live(c) ? c : NULL;
}

/* From the room that there is; 0: none, or the lock cannot be had. */
static uintptr_t pcpu_take(u32 n, u32 align)
{
	irqflags_t flags;
	uintptr_t cookie = 0;

	if (!lock_take_or_try(&pcpu_lock, pool_must_try(), &flags))
		return 0;
	reap_locked();
	for (u32 i = 0; i < nr_chunks && !cookie; i++) {
		struct pcpu_chunk *c = chunks[i];
		u32 at = GRAINS;

		if (chunk_live(c) && c->free >= n)
			at = grains_find(c, n, align);
		if (at == GRAINS)
			continue;
		grains_take(c, at, n);
		cookie = cookie_of(c, at);
	}
	pcpu_unlock(flags);
	return cookie;
}

static void report_failed(size_t size, size_t align, gfp_t gfp, const char *why)
{
	u32 nr;

	if (gfp & __GFP_NOWARN || pool_must_try() || atom_load(&reports) >= REPORTS_MAX)
		return;
	nr = atom_add(&reports, 1u);
	if (nr < REPORTS_MAX)
		report(KMEM_LOG_WARN, "percpu: allocation failed, size=%zu align=%zu atomic=%d, %s",
		       size, align, !(gfp & __GFP_DIRECT_RECLAIM), why);
	if (nr == REPORTS_MAX - 1)
		report(KMEM_LOG_INFO, "percpu: limit reached, disable warning");
}

static void *pcpu_alloc(size_t size, size_t align, gfp_t gfp, const void *site)
{
	const char *why = NULL;
	uintptr_t cookie = 0;
	u32 n, grains;

	if (size == 0 || size > UNIT || !is_pow2(align) || align > PAGE_SIZE) {
		if (!(gfp & __GFP_NOWARN))
			report_misuse(KMEM_MISUSE_PERCPU_SIZE, site,
				      "illegal size (%zu) or align (%zu) for percpu allocation",
				      size, align);
		return NULL;
	}
	if (!machine_ensure())
		return NULL;
	gfp = gfp_might_sleep(gfp_current(gfp & GFP_PCPU), site);
	n = (u32)(align_up(size, GRAIN) / GRAIN);
	grains = (u32)(size_max(align, GRAIN) / GRAIN);
	while (!cookie && !why) {
		cookie = pcpu_take(n, grains);
		if (!cookie)
			why = chunk_add(gfp);
	}
	if (!cookie)
		report_failed(size, align, gfp, why);
	for (u32 cpu = 0; cookie && cpu < kmem_machine.nr_cpus; cpu++)
		__builtin_memset(kmem_per_cpu_ptr((void *)cookie, cpu), 0, (size_t)n * GRAIN);
	return (void *)cookie;
}

void *__alloc_percpu_gfp(size_t size, size_t align, gfp_t gfp)
{
	return pcpu_alloc(size, align, gfp, __builtin_return_address(0));
}

void *__alloc_percpu(size_t size, size_t align)
{
	return pcpu_alloc(size, align, GFP_KERNEL, __builtin_return_address(0));
}

void *kmem_per_cpu_ptr(const void *p, unsigned int cpu)
{
	u32 offset;
	struct pcpu_chunk *c = chunk_of(p, &offset);

	return c && cpu < kmem_machine.nr_cpus ? (u8 *)c->unit[cpu] + offset : NULL;
}

unsigned int smp_processor_id(void)
{
	return port_cpu();
}

unsigned int num_possible_cpus(void)
{
	return kmem_machine.nr_cpus;
}

/* ---- Free -------------------------------------------------------------------------------------------- */

/* Without the lock: the next holder does it. False: it is waiting for that already. */
static bool free_later(struct pcpu_chunk *c, u32 at)
{
	u32 bit = (u32)1 << (at % WORD);
	irqflags_t flags;

	if (!bit_get(c->start, at) || atom_or(&c->dying[at / WORD], bit) & bit)
		return false;
	atom_store_rel(&any_dying, 1u);
	atom_fence(); /* told before the try; pairs with the one in pcpu_unlock */
	if (lock_try(&pcpu_lock, &flags))
		pcpu_unlock(flags);
	return true;
}

static bool pcpu_release(struct pcpu_chunk *c, u32 at)
{
	irqflags_t flags;
	bool was;

	if (!lock_take_or_try(&pcpu_lock, pool_must_try(), &flags))
		return free_later(c, at);
	reap_locked();
	was = grains_release(c, at);
	pcpu_unlock(flags);
	return was;
}

void free_percpu(void *p)
{
	struct pcpu_chunk *c;
	u32 offset = 0;

	if (!p)
		return;
	c = chunk_of(p, &offset);
	if (!c || offset % GRAIN || !pcpu_release(c, offset / GRAIN))
		report_misuse(KMEM_MISUSE_PERCPU_FREE, p,
			      "free_percpu(%p): not from alloc_percpu, or free already", p);
}

/* ---- The floor --------------------------------------------------------------------------------------- */

static int chunk_check(const struct pcpu_chunk *c)
{
	u32 used = 0, objects = 0;
	int faults = 0;

	for (u32 i = 0; i < GRAINS; i++) {
		bool first = bit_get(c->start, i);

		used += bit_get(c->used, i);
		objects += first;
		assert_audit(!first || bit_get(c->used, i), "chunk %u: grain %u", c->index, i);
		assert_audit(first || !bit_get(c->used, i) || (i > 0 && bit_get(c->used, i - 1)),
			     "chunk %u: grain %u is no object's", c->index, i);
	}
	assert_audit(used + c->free == GRAINS, "chunk %u: %u used, %u free", c->index, used,
		     c->free);
	assert_audit(objects == c->objects, "chunk %u: %u objects, %u counted", c->index, objects,
		     c->objects);
	assert_audit(c->state == CHUNK_LIVE || used == 0, "chunk %u has no units", c->index);
	/* A child may find one in the hands of a task that it has not. */
	for (u32 cpu = 0; c->state != CHUNK_IN_HAND && cpu < kmem_machine.nr_cpus; cpu++)
		assert_audit((c->unit[cpu] != NULL) == (c->state == CHUNK_LIVE), "chunk %u: CPU %u",
			     c->index, cpu);
	return faults;
}

int kmem_percpu_check(void)
{
	int faults = 0;

	assert_audit(!any_dying, "objects are still to be freed");
	for (u32 i = 0; i < nr_chunks; i++)
		faults += chunk_check(chunks[i]);
	return faults;
}

/* Objects left; all memory goes, so that nothing of it counts as a leak of others. */
unsigned long pcpu_report_leaks(void)
{
	unsigned long objects = 0, bytes = 0;

	for (u32 i = 0; i < nr_chunks; i++) {
		struct pcpu_chunk *c = chunks[i];

		objects += c->objects;
		bytes += (unsigned long)(GRAINS - c->free) * GRAIN;
		if (c->state == CHUNK_LIVE)
			units_free(c);
		kfree(c);
	}
	pcpu_reset();
	if (objects)
		report(KMEM_LOG_WARN, "kmem: leak: %lu per-CPU objects, %lu bytes for each CPU",
		       objects, bytes);
	return objects;
}

void pcpu_reset(void)
{
	__builtin_memset(chunks, 0, sizeof(chunks));
	nr_chunks = 0;
	any_dying = 0;
	reports = 0;
}

void pcpu_fork_lock(void)
{
	lock_fork_take(&pcpu_lock);
}

void pcpu_fork_unlock(bool child)
{
	if (child)
		lock_reset(&pcpu_lock);
	else
		lock_fork_drop(&pcpu_lock);
}
