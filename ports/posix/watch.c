/* SPDX-License-Identifier: MIT */
/*
 * What is told to AddressSanitizer, to MemorySanitizer and to valgrind's memcheck (sanitize=1).
 *
 * AddressSanitizer is there if its functions are: they are weak, so one build of the library serves
 * programs with and without it. Its report names no object of ours; a callback at its end does.
 *
 * memcheck is asked by requests. Each slab is a pool of its own, and a block with the cache's name,
 * which is what its report says of an address in it; the block's number is kept by the slab's address
 * until the slab ends. What its report says of a value that was never set is the stack of the request
 * that gave out the object, so that is made by a function called after the cache (origin.c). Built
 * without valgrind's header this is not there, and said where the option is given.
 *
 * MemorySanitizer asks of each value whether it was ever set, and its report says where the memory came
 * from that it was read from: an origin, which has a text, as for variables, and here the cache's name in
 * it; and chained to it the stack of who made it so, by an allocation or a free. It keeps the text's address,
 * and a number in its first word, so there is one for each name, for ever. It knows nothing of memory that may
 * not be touched: what is hidden was never set. It looks at code that was compiled for it alone, so the
 * library has a build for it (VARIANT=msan).
 *
 * The table's lock is held for a few instructions and never in a section's wait: who cannot have it
 * leaves the slab without a name.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include "memcheck.h"

__attribute__((weak)) void __asan_poison_memory_region(const volatile void *p, size_t n);
__attribute__((weak)) void __asan_unpoison_memory_region(const volatile void *p, size_t n);
__attribute__((weak)) void __asan_set_error_report_callback(void (*fn)(const char *));
__attribute__((weak)) void *__asan_get_report_address(void);

__attribute__((weak)) void __msan_poison(const volatile void *p, size_t n);
__attribute__((weak)) void __msan_unpoison(const volatile void *p, size_t n);
__attribute__((weak)) void __msan_set_alloca_origin4(void *p, size_t n, char *text, uintptr_t pc);
__attribute__((weak)) uint32_t __msan_chain_origin(uint32_t id);
__attribute__((weak)) uint32_t __msan_get_origin(const volatile void *p);
__attribute__((weak)) void __msan_set_origin(const volatile void *p, size_t n, uint32_t id);

enum { SLABS = 1 << 16, PROBES = 64, LABELS = 1 << 10, LABEL_TEXT = 128 };

static bool asan, msan, memcheck;
static void (*describe)(const void *addr);

/* By the slab's address, open addressing; a slab's block is its number and one. */
static struct named {
	const void *base;
	unsigned int block;
	struct label *label;
} * named;
static port_spin_t named_lock;

/*
 * For objects of slabs of one name: MemorySanitizer's texts, where four dashes are one it has not seen,
 * and who asks memcheck.
 */
static struct label {
	char name[LABEL_TEXT];
	_Alignas(4) char fresh[LABEL_TEXT], freed[LABEL_TEXT];
	port_origin_fn *asks;
	bool asking;
} * labels;
static struct label unnamed = {"", "----an object@libkmem", "----a freed object@libkmem",
			       port_origin_nameless, false};
static struct label pages = {"", "----pages of alloc_pages@libkmem", "", port_origin_nameless,
			     false};
static _Alignas(4) char nobodys[] = "----memory that is nobody's@libkmem";

static void on_error(const char *text)
{
	(void)text;
	if (describe)
		describe(__asan_get_report_address());
}

/* Files are slow: with no lock held. Until it is done, and where it fails, the request has no name. */
static void label_asks(struct label *l)
{
	char text[2 * LABEL_TEXT];

	if (!memcheck || __atomic_test_and_set(&l->asking, __ATOMIC_RELAXED))
		return;
	*strrchr(strcpy(text, l->fresh + strlen("----")), '@') = '\0';
	__atomic_store_n(&l->asks, port_origin(text), __ATOMIC_RELEASE);
}

/* The request that memcheck remembers as the origin. */
static void ask(const struct label *l, uintptr_t what, uintptr_t a, uintptr_t b, uintptr_t c)
{
	const uintptr_t request[6] = {what, a, b, c};

	__atomic_load_n(&l->asks, __ATOMIC_ACQUIRE)(request);
}

bool port_watch_start(void (*fn)(const void *addr))
{
	asan = __asan_poison_memory_region != NULL;
	msan = __msan_set_alloca_origin4 != NULL;
	memcheck = RUNNING_ON_VALGRIND != 0;
	describe = fn;
	if (asan && __asan_set_error_report_callback)
		__asan_set_error_report_callback(on_error);
	if ((memcheck || msan) && !named)
		named = port_map(SLABS * sizeof(*named), true);
	if ((memcheck || msan) && !labels)
		labels = port_map(LABELS * sizeof(*labels), true);
	label_asks(&unnamed);
	label_asks(&pages);
	return asan || msan || memcheck;
}

static void msan_unset(const void *p, size_t n, char *text)
{
	__msan_poison(p, n);
	__msan_set_alloca_origin4((void *)(uintptr_t)p, n, text, 0);
	__msan_set_origin(p, n, __msan_chain_origin(__msan_get_origin(p)));
}

void port_watch_hide(const void *p, size_t n)
{
	if (asan)
		__asan_poison_memory_region(p, n);
	if (msan)
		msan_unset(p, n, nobodys);
	if (memcheck)
		VALGRIND_MAKE_MEM_NOACCESS(p, n);
}

void port_watch_show(const void *p, size_t n, bool defined)
{
	if (asan)
		__asan_unpoison_memory_region(p, n);
	if (msan && defined)
		__msan_unpoison(p, n);
	else if (msan)
		msan_unset(p, n, pages.fresh);
	if (memcheck && defined)
		VALGRIND_MAKE_MEM_DEFINED(p, n);
	else if (memcheck)
		ask(&pages, VG_USERREQ__MAKE_MEM_UNDEFINED, (uintptr_t)p, n, 0);
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

/* Of all slabs of a name; with the lock. */
static struct label *label_of(const char *name)
{
	size_t room = sizeof(labels->name) - sizeof("----a freed object of a @libkmem");
	struct label *l = labels;

	while (l < labels + LABELS && l->name[0] && strncmp(l->name, name, room) != 0)
		l++;
	if (l == labels + LABELS)
		return &unnamed;
	if (!l->name[0]) {
		strncpy(l->name, name, room);
		l->asks = port_origin_nameless;
		strcat(strcat(strcpy(l->fresh, "----an object of a "), l->name), "@libkmem");
		strcat(strcat(strcpy(l->freed, "----a freed object of a "), l->name), "@libkmem");
	}
	return l;
}

static struct label *label_at(const void *base)
{
	struct label *l = &unnamed;
	struct named *slot;

	if (!port_spin_trylock(&named_lock))
		return l;
	slot = named_find(base, base);
	if (slot)
		l = slot->label;
	port_spin_unlock(&named_lock);
	return l;
}

void port_watch_slab(const void *base, size_t n, const char *name)
{
	struct label *label = &unnamed;
	struct named *slot;

	port_watch_hide(base, n);
	if (memcheck)
		VALGRIND_CREATE_MEMPOOL(base, 0, 0);
	if (!named || !port_spin_trylock(&named_lock))
		return;
	slot = named_find(base, NULL);
	if (slot) {
		slot->base = base;
		slot->block = memcheck ? (unsigned int)VALGRIND_CREATE_BLOCK(base, n, name) : 0;
		slot->label = label = label_of(name);
	}
	port_spin_unlock(&named_lock);
	label_asks(label);
}

void port_watch_slab_end(const void *base, size_t n)
{
	struct named *slot;

	if (named && port_spin_trylock(&named_lock)) {
		slot = named_find(base, base);
		if (slot) {
			if (memcheck)
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
		ask(label_at(base), VG_USERREQ__MEMPOOL_ALLOC, (uintptr_t)base, (uintptr_t)obj, n);
	if (msan && !defined)
		msan_unset(obj, n, label_at(base)->fresh);
	if (asan || defined)
		port_watch_show(obj, n, defined);
}

void port_watch_object_free(const void *base, const void *obj, size_t n)
{
	if (asan)
		__asan_poison_memory_region(obj, n);
	if (msan)
		msan_unset(obj, n, label_at(base)->freed);
	if (memcheck)
		VALGRIND_MEMPOOL_FREE(base, obj);
}
