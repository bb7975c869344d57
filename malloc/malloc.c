/* SPDX-License-Identifier: MIT */
/*
 * The malloc family over kmalloc and runs of pages.
 *
 * Sizes.  Up to SMALL_MAX bytes there are caches of closer sizes than kmalloc's (classes.c); more are
 * runs (run.c); above PTRDIFF_MAX everything is refused. Every block is aligned to 16. Zero counts as 1:
 * a pointer of its own.
 *
 * Alignment.  For memalign and its kin the size is rounded up to a multiple of the alignment, and kmalloc
 * serves, which aligns to the largest power of two that divides what it is asked for; runs are cut to the
 * alignment.
 *
 * realloc.  A block stays where it is while the new size fits and is more than half of it, so that
 * shrinking gives memory back; a run is shortened or lengthened in place if the pages behind it
 * are free. A block that has to move for less than a quarter more gets a quarter more (a run an
 * eighth), for it will grow again; who grows by more than that has room already. realloc(p, 0) frees p
 * and returns NULL, as the GNU C library does.
 *
 * Wrong frees.  kfree knows by the page's descriptor what a pointer is. A foreign, interior or stale
 * one is reported through the library's misuse report and otherwise ignored.
 *
 * errno.  A failure sets ENOMEM. free leaves errno as it was, for the library's own host calls keep
 * it; the slow functions here do too.
 *
 * C++.  The operators new and delete are not defined here: those of the C++ library call malloc,
 * aligned_alloc and free, run the new-handler and throw std::bad_alloc themselves. That is one jump
 * more a call, and spares every C program a dependency on the C++ runtime.
 *
 * Threads.  Nothing here belongs to a thread, so a destructor of thread-local data may free as late
 * as it likes. A signal handler may call any of these: where it has interrupted the library itself,
 * nothing is waited for, and the reserves are open to it. Locks around fork are the library's business.
 *
 * This file never calls a member of the family by its public name: the compiler knows those, and
 * makes of malloc and memset a calloc that calls itself.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "classes.h"
#include "run.h"
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>
#include <kmem/port.h>
#include <kmem/stat.h>

#define EXPORT __attribute__((visibility("default")))
#define HOT    __attribute__((aligned(64))) /* as KMEM_HOT */

bool face_track;

static size_t round_up(size_t n, size_t align)
{
	return (n + align - 1) & ~(align - 1);
}

size_t block_size(const void *p)
{
	size_t size = ksize_hit(p);

	if (unlikely(size == 0))
		size = run_size(p);
	return likely(size != 0) ? size : ksize(p);
}

void face_watch(void)
{
	face_track = true;
	cache_miss_all();
}

gfp_t malloc_gfp(void)
{
	return unlikely(port_in_section()) ? GFP_NESTED : GFP_TASK;
}

/* ---- The ways of allocating: NULL if it cannot be; errno and the ledger are the callers' ------- */

static void *block_alloc(size_t size, size_t align, gfp_t extra)
{
	struct kmem_cache *c;

	if (unlikely(size > (size_t)PTRDIFF_MAX || align > (size_t)PTRDIFF_MAX / 2))
		return NULL;
	if (align < MALLOC_ALIGN)
		align = MALLOC_ALIGN;
	if (size == 0)
		size = 1;
	if (size > SMALL_MAX || align > SMALL_MAX)
		return run_alloc(size, align, extra);
	c = align == MALLOC_ALIGN ? malloc_cache_made(size) : NULL;
	if (likely(c))
		return cache_alloc_miss(c, malloc_gfp() | extra, size, __builtin_return_address(0));
	return kmalloc(round_up(size, align), malloc_gfp() | extra);
}

static void block_free(void *p)
{
	if (run_size(p) != 0)
		run_free(p);
	else
		kfree(p);
}

/* The slow path of everything that allocates. */
static noinline void *alloc_slow(size_t size, size_t align, gfp_t extra)
{
	void *p = block_alloc(size, align, extra);

	if (likely(p) && likely(!port_in_section()))
		growth_look();
	if (unlikely(!p)) {
		if (face_track)
			track_failure();
		errno = ENOMEM;
	} else if (unlikely(face_track)) {
		track_alloc(p, size);
	}
	return p;
}

/* What is no hit of a cache may be one of a list of runs. These need no frame either. */
static inline always_inline void *large_hit(size_t size)
{
	return size > SMALL_MAX && size <= RUN_MAX ? run_hit(size) : NULL;
}

static noinline void *alloc_miss(size_t size)
{
	void *p = large_hit(size);

	return likely(p) ? p : alloc_slow(size, MALLOC_ALIGN, GFP_NONE);
}

static noinline void *zeroed_miss(size_t size)
{
	void *p = large_hit(size);

	return likely(p) ? __builtin_memset(p, 0, size)
			 : alloc_slow(size, MALLOC_ALIGN, __GFP_ZERO);
}

static noinline void free_slow(void *p)
{
	int saved = errno;

	if (!p || (free_hits_never() && free_hit_listed(p)))
		return;
	/* The ledger first: once freed, the address may be another thread's block. */
	if (unlikely(face_track))
		track_free(p);
	block_free(p);
	errno = saved;
}

static noinline void free_miss(void *p)
{
	if (unlikely(!run_free_hit(p)))
		free_slow(p);
}

/* ---- malloc, free, calloc ---------------------------------------------------------------------- */

/*
 * A program cannot say that it may not sleep: only libkmem.so has the calls for that. So no hit looks
 * at the task. While something is tracked nothing hits (cache_miss_all).
 */
static inline always_inline void *malloc_hit(size_t size)
{
	struct port_stack *fast;

	if (unlikely(size - 1 >= SMALL_MAX))
		return NULL;
	/* Another task may be booting: who sees the size's stack sees all of it. */
	fast = atom_load_acq(&malloc_fast[(size - 1) / MALLOC_ALIGN]);
	return likely(fast) ? port_hit_pop(fast) : NULL;
}

static inline void *alloc_any(size_t size)
{
	void *p = malloc_hit(size);

	if (likely(p))
		return p;
	return alloc_miss(size);
}

static inline void free_any(void *p)
{
	if (unlikely(!free_hit(p, true)))
		free_miss(p);
}

EXPORT HOT void *malloc(size_t size)
{
	return alloc_any(size);
}

EXPORT HOT void free(void *p)
{
	free_any(p);
}

static inline void *calloc_any(size_t n, size_t size)
{
	size_t bytes;
	void *p;

	if (unlikely(__builtin_mul_overflow(n, size, &bytes)))
		bytes = SIZE_MAX;
	p = malloc_hit(bytes);
	if (likely(p))
		return __builtin_memset(p, 0, bytes);
	return zeroed_miss(bytes);
}

EXPORT void *calloc(size_t n, size_t size)
{
	return calloc_any(n, size);
}

/* ---- realloc ----------------------------------------------------------------------------------- */

/* Does a small block of usable bytes serve for size bytes as it is? For none it never does. */
static inline always_inline bool realloc_fits(size_t usable, size_t size)
{
	return size - 1 < usable && (size > usable / 2 || usable <= MALLOC_ALIGN);
}

/* Does the block of usable bytes at p serve for size bytes, perhaps after a change in place? */
static bool realloc_in_place(void *p, size_t usable, size_t size)
{
	if (run_size(p) != 0 && size > SMALL_MAX)
		return size <= usable && usable - size < PAGE_SIZE ? true : run_resize(p, size);
	return realloc_fits(usable, size);
}

/* What grows by less than this will again. */
static size_t realloc_little(size_t usable)
{
	return usable + usable / 4;
}

/* What to ask for in place of a small block: one that has grown by little gets as much as that is. */
static size_t realloc_want(size_t usable, size_t size)
{
	size_t roomy = realloc_little(usable);

	return size > usable && size < roomy && roomy <= SMALL_MAX ? roomy : size;
}

/* A new place for the block; the old one is untouched if there is none. */
static void *realloc_move(void *p, size_t usable, size_t size)
{
	bool grows = size > usable;
	void *new = grows &&usable > SMALL_MAX &&size < realloc_little(usable)
			    ? run_alloc_roomy(size)
			    : block_alloc(realloc_want(usable, size), MALLOC_ALIGN, GFP_NONE);

	if (!new)
		return grows ? NULL : p; /* a smaller size always fits where the block is */
	__builtin_memcpy(new, p, grows ? usable : size);
	block_free(p);
	return new;
}

static void *realloc_block(void *p, size_t size)
{
	size_t usable = block_size(p);
	void *new;

	if (usable == 0) { /* not ours: the library has reported it */
		errno = EINVAL;
		return NULL;
	}
	if (unlikely(face_track))
		track_free(p);
	new = realloc_in_place(p, usable, size) ? p : realloc_move(p, usable, size);
	if (unlikely(face_track)) {
		if (!new)
			track_failure();
		track_alloc(new ? new : p, new ? size : usable);
	}
	if (!new)
		errno = ENOMEM;
	return new;
}

/* From one small block, of usable bytes, to another. NULL: nothing has happened. */
static inline void *realloc_hit(void *p, size_t usable, size_t size)
{
	void *new = size != 0 ? malloc_hit(realloc_want(usable, size)) : NULL;

	if (unlikely(!new))
		return NULL;
	__builtin_memcpy(new, p, usable < size ? usable : size);
	free_any(p);
	return new;
}

/* errno is kept but for a failure. */
static noinline void *realloc_slow(void *p, size_t size)
{
	int saved = errno;
	void *new;

	if (!p)
		return alloc_any(size);
	if (size == 0) {
		free_any(p);
		return NULL;
	}
	new = realloc_block(p, size);
	if (new)
		errno = saved;
	return new;
}

/* usable: 0 if p is no small block. */
static noinline void *realloc_miss(void *p, size_t size, size_t usable)
{
	void *new = usable != 0 ? realloc_hit(p, usable, size) : NULL;

	return likely(new) ? new : realloc_slow(p, size);
}

/* What stays where it is needs no frame. */
static inline void *realloc_any(void *p, size_t size)
{
	size_t usable = ksize_hit(p);

	return likely(realloc_fits(usable, size)) ? p : realloc_miss(p, size, usable);
}

EXPORT void *realloc(void *p, size_t size)
{
	return realloc_any(p, size);
}

EXPORT void *reallocarray(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc_any(p, bytes);
}

/* ---- Aligned blocks ---------------------------------------------------------------------------- */

EXPORT void *aligned_alloc(size_t align, size_t size)
{
	if (!is_pow2(align)) {
		errno = EINVAL;
		return NULL;
	}
	return alloc_slow(size, align, GFP_NONE);
}

/* An alignment that is no power of two is rounded up to one, as the GNU C library does. */
static void *memalign_any(size_t align, size_t size)
{
	size_t pow2 = MALLOC_ALIGN;

	while (pow2 < align && pow2 <= (size_t)PTRDIFF_MAX / 2)
		pow2 <<= 1;
	if (pow2 < align) {
		errno = EINVAL;
		return NULL;
	}
	return alloc_slow(size, pow2, GFP_NONE);
}

EXPORT void *memalign(size_t align, size_t size)
{
	return memalign_any(align, size);
}

/* Tells of its failure by its value; errno and *out stay as they were. */
EXPORT int posix_memalign(void **out, size_t align, size_t size)
{
	int saved = errno;
	void *p;

	if (!is_pow2(align) || align < sizeof(void *))
		return EINVAL;
	p = alloc_slow(size, align, GFP_NONE);
	errno = saved;
	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}

EXPORT void *valloc(size_t size)
{
	return alloc_slow(size, PAGE_SIZE, GFP_NONE);
}

static void *pvalloc_any(size_t size)
{
	size_t whole = size > (size_t)PTRDIFF_MAX ? size : round_up(size, PAGE_SIZE);

	return alloc_slow(whole != 0 ? whole : PAGE_SIZE, PAGE_SIZE, GFP_NONE);
}

EXPORT void *pvalloc(size_t size)
{
	return pvalloc_any(size);
}

/* ---- Questions and knobs ----------------------------------------------------------------------- */

EXPORT size_t malloc_usable_size(void *p)
{
	size_t size = ksize_hit(p);

	if (likely(size != 0))
		return size;
	return p ? block_size(p) : 0;
}

struct totals {
	uint64_t managed, free, slab_free, blocks, largest;
};

static uint64_t cache_spare(const struct kmem_stat_cache *c)
{
	return atom_load(&c->free_objs) + atom_load(&c->cached_objs);
}

/* Bytes of the machine, from its statistics, which others write meanwhile. */
static void totals_read(struct totals *t)
{
	const struct kmem_stat *st = kmem_stat_get();

	*t = (struct totals){0};
	for (unsigned int z = 0; st && z < KMEM_NR_ZONES; z++) {
		t->managed += atom_load(&st->zone[z].managed) << PAGE_SHIFT;
		t->free += atom_load(&st->zone[z].free) << PAGE_SHIFT;
		for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++) {
			for (unsigned int mt = 0; mt < KMEM_NR_MT; mt++) {
				uint64_t n = atom_load(&st->zone[z].nr_free[mt][o]);

				t->blocks += n;
				if (n != 0 && t->largest < PAGE_SIZE << o)
					t->largest = PAGE_SIZE << o;
			}
		}
	}
	for (unsigned int i = 0; st && i < st->max_caches && i < KMEM_MAX_CACHES; i++)
		t->slab_free += cache_spare(&st->cache[i]) * atom_load(&st->cache[i].size);
}

/* 1 if pages went back to the zones, or to the host. */
EXPORT int malloc_trim(size_t pad)
{
	int saved = errno;
	struct totals before, after;
	unsigned long trimmed;

	(void)pad;
	totals_read(&before);
	trimmed = kmem_trim();
	slab_discard_hollow();
	totals_read(&after);
	errno = saved;
	return trimmed > 0 || after.free > before.free;
}

/*
 * arena: memory of the machine that is in use by anything; uordblks: of that, in blocks; fordblks:
 * in caches and slabs, free. ordblks: free blocks of the page allocator; keepcost: the largest.
 */
static struct mallinfo2 info_read(void)
{
	struct mallinfo2 mi = {0};
	struct totals t;

	totals_read(&t);
	mi.arena = (size_t)(t.managed - t.free);
	mi.fordblks = (size_t)(t.slab_free < mi.arena ? t.slab_free : mi.arena);
	mi.uordblks = mi.arena - mi.fordblks;
	mi.ordblks = (size_t)t.blocks;
	mi.keepcost = (size_t)t.largest;
	return mi;
}

EXPORT struct mallinfo2 mallinfo2(void)
{
	return info_read();
}

static int saturated(size_t n)
{
	return n < (size_t)INT32_MAX ? (int)n : INT32_MAX;
}

/* As mallinfo2; what an int cannot hold reads as INT_MAX. */
EXPORT struct mallinfo mallinfo(void)
{
	struct mallinfo2 wide = info_read();
	struct mallinfo mi = {0};

	mi.arena = saturated(wide.arena);
	mi.fordblks = saturated(wide.fordblks);
	mi.uordblks = saturated(wide.uordblks);
	mi.ordblks = saturated(wide.ordblks);
	mi.keepcost = saturated(wide.keepcost);
	return mi;
}

static void info_zone(FILE *out, const struct kmem_stat_zone *z)
{
	fprintf(out, "<zone name=\"%s\">\n", z->name);
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++) {
		unsigned long long n = 0;

		for (unsigned int mt = 0; mt < KMEM_NR_MT; mt++)
			n += atom_load(&z->nr_free[mt][o]);
		if (n != 0)
			fprintf(out, "<free order=\"%u\" count=\"%llu\"/>\n", o, n);
	}
	fprintf(out, "<total type=\"managed\" size=\"%llu\"/>\n",
		(unsigned long long)atom_load(&z->managed) << PAGE_SHIFT);
	fprintf(out, "<total type=\"free\" size=\"%llu\"/>\n</zone>\n",
		(unsigned long long)atom_load(&z->free) << PAGE_SHIFT);
}

static void info_cache(FILE *out, const struct kmem_stat_cache *c)
{
	fprintf(out,
		"<cache name=\"%s\" size=\"%u\" objects=\"%llu\" free=\"%llu\" slabs=\"%llu\"/>\n",
		c->name, atom_load(&c->size), (unsigned long long)atom_load(&c->nr_objs),
		(unsigned long long)cache_spare(c), (unsigned long long)atom_load(&c->nr_slabs));
}

EXPORT int malloc_info(int options, FILE *out)
{
	const struct kmem_stat *st = kmem_stat_get();

	if (options != 0)
		return EINVAL;
	fputs("<malloc version=\"kmem-1\">\n", out);
	for (unsigned int z = 0; st && z < KMEM_NR_ZONES; z++) {
		if (st->zone[z].populated)
			info_zone(out, &st->zone[z]);
	}
	for (unsigned int i = 0; st && i < st->max_caches && i < KMEM_MAX_CACHES; i++) {
		/* Pairs with stat_fill(): who sees that there is a name sees all of it. */
		if (atom_load_acq(&st->cache[i].name[0]) && atom_load(&st->cache[i].nr_slabs) != 0)
			info_cache(out, &st->cache[i]);
	}
	fputs("</malloc>\n", out);
	return 0;
}

/* The knobs of the GNU allocator have no counterpart here: accepted, without effect. */
EXPORT int mallopt(int param, int value)
{
	(void)param;
	(void)value;
	return 1;
}

EXPORT void malloc_stats(void)
{
	report_to_stderr();
}

/* ---- Other names ------------------------------------------------------------------------------- */

void cfree(void *p);
void free_sized(void *p, size_t size);
void free_aligned_sized(void *p, size_t align, size_t size);

EXPORT void cfree(void *p)
{
	free_any(p);
}

/* C23. The sizes are a promise of the caller's that nothing here needs. */
EXPORT void free_sized(void *p, size_t size)
{
	(void)size;
	free_any(p);
}

EXPORT void free_aligned_sized(void *p, size_t align, size_t size)
{
	(void)align;
	(void)size;
	free_any(p);
}

/* Names under which the C library exports its own; a block of theirs would be foreign to free. */
void *__libc_malloc(size_t size);
void __libc_free(void *p);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);
void *__libc_valloc(size_t size);
void *__libc_pvalloc(size_t size);

EXPORT void *__libc_malloc(size_t size)
{
	return alloc_any(size);
}

EXPORT void __libc_free(void *p)
{
	free_any(p);
}

EXPORT void *__libc_calloc(size_t n, size_t size)
{
	return calloc_any(n, size);
}

EXPORT void *__libc_realloc(void *p, size_t size)
{
	return realloc_any(p, size);
}

EXPORT void *__libc_memalign(size_t align, size_t size)
{
	return memalign_any(align, size);
}

EXPORT void *__libc_valloc(size_t size)
{
	return alloc_slow(size, PAGE_SIZE, GFP_NONE);
}

EXPORT void *__libc_pvalloc(size_t size)
{
	return pvalloc_any(size);
}
