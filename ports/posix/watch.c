/* SPDX-License-Identifier: MIT */
/*
 * What is told to AddressSanitizer and to valgrind's memcheck (sanitize=1).
 *
 * AddressSanitizer is there if its functions are: they are weak, so one build of the library serves
 * programs with and without it. Its report names no object of ours; a callback at its end does.
 *
 * memcheck is asked by requests, which cost nothing outside of it. Each slab is a pool of its own,
 * and a block with the cache's name, which is what its report says of an address in it; the block's
 * number is kept by the slab's address until the slab ends. Built without its header this is not
 * there, and said where the option is given.
 *
 * The table's lock is held for a few instructions and never in a section's wait: who cannot have it
 * leaves the slab without a name.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include "posix.h"

#if __has_include(<valgrind/memcheck.h>)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#include <valgrind/memcheck.h>
#pragma GCC diagnostic pop
#else
#define RUNNING_ON_VALGRIND		  0
#define VALGRIND_CREATE_BLOCK(p, n, s)	  0
#define VALGRIND_DISCARD(b)		  (void)(b)
#define VALGRIND_CREATE_MEMPOOL(p, r, z)  (void)0
#define VALGRIND_DESTROY_MEMPOOL(p)	  (void)0
#define VALGRIND_MEMPOOL_ALLOC(b, p, n)	  (void)0
#define VALGRIND_MEMPOOL_FREE(b, p)	  (void)0
#define VALGRIND_MAKE_MEM_NOACCESS(p, n)  (void)0
#define VALGRIND_MAKE_MEM_UNDEFINED(p, n) (void)0
#define VALGRIND_MAKE_MEM_DEFINED(p, n)	  (void)0
#endif

__attribute__((weak)) void __asan_poison_memory_region(const volatile void *p, size_t n);
__attribute__((weak)) void __asan_unpoison_memory_region(const volatile void *p, size_t n);
__attribute__((weak)) void __asan_set_error_report_callback(void (*fn)(const char *));
__attribute__((weak)) void *__asan_get_report_address(void);

enum { SLABS = 1 << 16, PROBES = 64 };

static bool asan, memcheck;
static void (*describe)(const void *addr);

/* By the slab's address, open addressing; a slab's block is its number and one. */
static struct named {
	const void *base;
	unsigned int block;
} * named;
static port_spin_t named_lock;

static void on_error(const char *text)
{
	(void)text;
	if (describe)
		describe(__asan_get_report_address());
}

bool port_watch_start(void (*fn)(const void *addr))
{
	asan = __asan_poison_memory_region != NULL;
	memcheck = RUNNING_ON_VALGRIND != 0;
	describe = fn;
	if (asan && __asan_set_error_report_callback)
		__asan_set_error_report_callback(on_error);
	if (memcheck && !named)
		named = port_map(SLABS * sizeof(*named), true);
	return asan || memcheck;
}

void port_watch_hide(const void *p, size_t n)
{
	if (asan)
		__asan_poison_memory_region(p, n);
	if (memcheck)
		VALGRIND_MAKE_MEM_NOACCESS(p, n);
}

void port_watch_show(const void *p, size_t n, bool defined)
{
	if (asan)
		__asan_unpoison_memory_region(p, n);
	if (memcheck && defined)
		VALGRIND_MAKE_MEM_DEFINED(p, n);
	else if (memcheck)
		VALGRIND_MAKE_MEM_UNDEFINED(p, n);
}

/* ---- Slabs ------------------------------------------------------------------------------------ */

/* The place of the slab, or with what NULL a place for it; NULL: there is none. */
static struct named *named_find(const void *base, const void *what)
{
	size_t at = ((uintptr_t)base >> PAGE_SHIFT) % SLABS;

	for (int i = 0; named && i < PROBES; i++, at = (at + 1) % SLABS)
		if (named[at].base == what)
			return &named[at];
	return NULL;
}

void port_watch_slab(const void *base, size_t n, const char *name)
{
	struct named *slot;

	port_watch_hide(base, n);
	if (!memcheck)
		return;
	VALGRIND_CREATE_MEMPOOL(base, 0, 0);
	if (!port_spin_trylock(&named_lock))
		return;
	slot = named_find(base, NULL);
	if (slot) {
		slot->base = base;
		slot->block = (unsigned int)VALGRIND_CREATE_BLOCK(base, n, name);
	}
	port_spin_unlock(&named_lock);
}

void port_watch_slab_end(const void *base, size_t n)
{
	struct named *slot;

	if (memcheck && port_spin_trylock(&named_lock)) {
		slot = named_find(base, base);
		if (slot) {
			VALGRIND_DISCARD(slot->block);
			slot->base = NULL;
		}
		port_spin_unlock(&named_lock);
	}
	if (memcheck)
		VALGRIND_DESTROY_MEMPOOL(base);
	port_watch_show(base, n, false);
}

void port_watch_object(const void *base, const void *obj, size_t n, bool defined)
{
	if (memcheck)
		VALGRIND_MEMPOOL_ALLOC(base, obj, n);
	if (asan || defined)
		port_watch_show(obj, n, defined);
}

void port_watch_object_free(const void *base, const void *obj, size_t n)
{
	if (asan)
		__asan_poison_memory_region(obj, n);
	if (memcheck)
		VALGRIND_MEMPOOL_FREE(base, obj);
}
