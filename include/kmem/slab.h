/* SPDX-License-Identifier: MIT */
/*
 * Lookaside (slab) caches and kmalloc.
 *
 * Context: an allocating call may sleep iff its mask has __GFP_DIRECT_RECLAIM. Freeing calls and
 * calls with GFP_ATOMIC or GFP_NOWAIT may be made from any context, a signal handler or interrupt
 * included. Creating, destroying, shrinking and reaping are for tasks that may sleep. A failed call
 * changes nothing. A wrong free is reported through the misuse hook; docs/gfp.md lists what
 * follows.
 */
#ifndef KMEM_SLAB_H
#define KMEM_SLAB_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <kmem/gfp.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct kmem_cache kmem_cache_t; /* the name of Linux Device Drivers */
typedef unsigned int slab_flags_t;

/* Flags of kmem_cache_create. kmem_cache_create(3) says which have an effect. */
#define SLAB_CONSISTENCY_CHECKS 0x00000100u /* F: every free is checked against the slab */
#define SLAB_RED_ZONE		0x00000400u /* Z */
#define SLAB_POISON		0x00000800u /* P */
#define SLAB_KMALLOC		0x00001000u /* set by the library on the kmalloc caches */
#define SLAB_HWCACHE_ALIGN	0x00002000u
#define SLAB_CACHE_DMA		0x00004000u
#define SLAB_CACHE_DMA32	0x00008000u
#define SLAB_STORE_USER		0x00010000u /* U */
#define SLAB_RECLAIM_ACCOUNT	0x00020000u
#define SLAB_PANIC		0x00040000u
#define SLAB_TYPESAFE_BY_RCU	0x00080000u
#define SLAB_MEM_SPREAD		0x00100000u /* accepted, no effect */
#define SLAB_TRACE		0x00200000u /* T */
#define SLAB_NOLEAKTRACE	0x00800000u
#define SLAB_NO_MERGE		0x01000000u
#define SLAB_FAILSLAB		0x02000000u /* A */
#define SLAB_ACCOUNT		0x04000000u
#define SLAB_NO_USER_FLAGS	0x10000000u
#define SLAB_TEMPORARY		SLAB_RECLAIM_ACCOUNT
/* Linux Device Drivers. */
#define SLAB_NO_REAP		0x20000000u
#define SLAB_MUST_HWCACHE_ALIGN 0x40000000u /* accepted, no effect, as in 2.6.11 */
#define SLAB_DEBUG_INITIAL	0x80000000u /* runs the constructor with SLAB_CTOR_VERIFY on free */
#define SLAB_DESTROY_BY_RCU	SLAB_TYPESAFE_BY_RCU
#define SLAB_DEBUG_FLAGS \
	(SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER | SLAB_TRACE)

#define SLAB_KERNEL GFP_KERNEL
#define SLAB_ATOMIC GFP_ATOMIC
#define SLAB_NOFS   GFP_NOFS
#define SLAB_NOIO   GFP_NOIO
#define SLAB_USER   GFP_USER
#define SLAB_DMA    GFP_DMA

/* Third argument of a six-argument constructor. */
#define SLAB_CTOR_CONSTRUCTOR 0x001UL
#define SLAB_CTOR_ATOMIC      0x002UL /* the growing request may not sleep, nor may you */
#define SLAB_CTOR_VERIFY      0x004UL

#define ZERO_SIZE_PTR	    ((void *)16)
#define ZERO_OR_NULL_PTR(p) ((unsigned long)(p) <= (unsigned long)ZERO_SIZE_PTR)

struct kmem_cache_args {
	unsigned int align;
	unsigned int useroffset;
	unsigned int usersize;
	unsigned int freeptr_offset;
	bool use_freeptr_offset;
	void (*ctor)(void *obj);
	unsigned int sheaf_capacity; /* 0: chosen from the object size */
};

/*
 * Creates a cache of objects of the size. The three argument lists of the field are told apart by
 * their number:
 *	(name, size, align, flags, ctor)           since 2.6.22; ctor(obj)
 *	(name, size, args, flags)                  since 6.12; args may be NULL
 *	(name, size, offset, flags, ctor, dtor)    Linux Device Drivers; ctor(obj, cache, flags)
 * The name is copied, cut to 31 characters. NULL on failure, with a report that names the error:
 * -EINVAL (name NULL or empty, size 0 or above 4 MiB, unknown flags, alignment not a power of two
 * or above 4 MiB, freeptr_offset without SLAB_TYPESAFE_BY_RCU or outside the object, a destructor
 * without constructor or with SLAB_TYPESAFE_BY_RCU, a context that may not sleep) or -ENOMEM (no
 * memory, or KMEM_MAX_CACHES); with SLAB_PANIC a panic instead. A name that is taken is reported, and taken
 * again. A constructor runs once on each object when its slab is made, a destructor when it is
 * given back, with no lock held. useroffset and usersize are kept, and keep the cache from being
 * merged; a region that does not fit is reported, and none. Task context, may sleep.
 */
struct kmem_cache *kmem_cache_create_ldd3(const char *name, size_t size, size_t offset,
					  unsigned long flags,
					  void (*ctor)(void *, kmem_cache_t *, unsigned long),
					  void (*dtor)(void *, kmem_cache_t *, unsigned long));
struct kmem_cache *kmem_cache_create_ctor(const char *name, unsigned int size, unsigned int align,
					  slab_flags_t flags, void (*ctor)(void *));
struct kmem_cache *kmem_cache_create_args(const char *name, unsigned int size,
					  const struct kmem_cache_args *args, slab_flags_t flags);
struct kmem_cache *kmem_cache_create_usercopy(const char *name, unsigned int size,
					      unsigned int align, slab_flags_t flags,
					      unsigned int useroffset, unsigned int usersize,
					      void (*ctor)(void *));
#define __KMEM_CREATE_PICK(_1, _2, _3, _4, _5, _6, NAME, ...) NAME
#define kmem_cache_create(...)                                                          \
	__KMEM_CREATE_PICK(__VA_ARGS__, kmem_cache_create_ldd3, kmem_cache_create_ctor, \
			   kmem_cache_create_args, , , )                                \
	(__VA_ARGS__)
#define KMEM_CACHE(type, flags) \
	kmem_cache_create_ctor(#type, sizeof(struct type), __alignof__(struct type), (flags), NULL)

/*
 * 0: destroyed, the handle is dead (a merged cache: one user less). -EBUSY: objects are alive;
 * each is reported, nothing else happens and the cache stays usable; or a context that may not
 * sleep. -EINVAL: destroyed before. NULL: 0. Task context, may sleep.
 */
int kmem_cache_destroy(struct kmem_cache *cache);
/* Gives every empty slab back to the zones. 0 iff no slab is left; else 1, also for NULL. Task
 * context, may sleep. */
int kmem_cache_shrink(struct kmem_cache *cache);
/*
 * One period of the reaper: caches nobody grew or shrank since the last call give their empty slabs
 * back, but not SLAB_NO_REAP ones. Call it every few seconds where memory matters. Task context.
 */
void kmem_cache_reap(void);
unsigned int kmem_cache_size(struct kmem_cache *cache); /* bytes usable in an object */
const char *kmem_cache_name(struct kmem_cache *cache);
/*
 * Does an object begin at this address that somebody has? Any address. Of an object that was freed and
 * rests where the next allocation takes it (a sheaf) the answer is true as well, as in the kernel.
 */
bool kmem_valid_obj(const void *object);
/* Reports what lies at the address: the object and its cache, or the page and its zone. Any address. */
void kmem_dump_obj(const void *object);

/* An object, or NULL. zalloc: zeroed, unless the cache has a constructor, which is reported.
 * node: 0 or -1; another one only matters with __GFP_THISNODE: NULL. */
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp) KMEM_HOT;
void *kmem_cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int node);
void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp);
/* NULL is reported. Another cache's object is reported, and freed to its own. */
void kmem_cache_free(struct kmem_cache *cache, const void *obj) KMEM_HOT;
/* nr, or 0 and no object is held. Not with interrupts off nor in hardirq, where it is reported, and
 * done: the kernel's would switch them on. The same holds for bulk frees. */
int kmem_cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t nr, void **objs);
/* cache NULL: each object finds its own cache, page-backed ones included. */
void kmem_cache_free_bulk(struct kmem_cache *cache, size_t nr, void **objs);

/*
 * Prefilled sheaves (6.18): objects that cannot fail later. prefill: a sheaf with nr objects (at
 * least 1), or NULL. refill: tops it up to nr; 0, -EINVAL (not this cache's sheaf) or -ENOMEM, and
 * then the sheaf is as it was; *sheaf may be another one after success. alloc_from: never fails
 * nor sleeps while the sheaf has objects, NULL then; of gfp only __GFP_ZERO counts. return: frees
 * what is left, and the sheaf. A sheaf is used by one task at a time.
 */
struct slab_sheaf;
struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *cache, gfp_t gfp, unsigned int nr);
int kmem_cache_refill_sheaf(struct kmem_cache *cache, gfp_t gfp, struct slab_sheaf **sheaf,
			    unsigned int nr);
void *kmem_cache_alloc_from_sheaf(struct kmem_cache *cache, gfp_t gfp, struct slab_sheaf *sheaf);
void kmem_cache_return_sheaf(struct kmem_cache *cache, gfp_t gfp, struct slab_sheaf *sheaf);
unsigned int kmem_cache_sheaf_size(struct slab_sheaf *sheaf);

/*
 * kmalloc: up to KMALLOC_MAX_SIZE (more: NULL, reported); size 0 gives ZERO_SIZE_PTR, which may be
 * freed and resized. Aligned to the largest power of two that divides the size, 8 at least, a page
 * at most. Products that overflow are NULL. node as for caches.
 * kmalloc_nolock: never sleeps nor spins, any context; up to 8 KiB, flags __GFP_ZERO,
 * __GFP_ACCOUNT and __GFP_NO_OBJ_EXT only (others: NULL, reported); never starts a machine.
 * kfree_nolock takes what it gave.
 * krealloc: in place while the size fits the block; else moved. p NULL: kmalloc. size 0: frees p
 * and gives ZERO_SIZE_PTR. NULL: p is as it was. With __GFP_ZERO what is new is zero.
 * kfree: what any of these, or a cache, gave; NULL and ZERO_SIZE_PTR are no-ops. sensitive: zeroed
 * first. const: strings of kstrdup_const too.
 * ksize: bytes that may be used; 0 for NULL, and for what is not the library's, which is reported.
 * kmalloc_size_roundup: ksize of a kmalloc of that size; sizes above the maximum come back as they
 * are.
 * kmem_kmalloc_size: kmalloc for who knows the index (size - 1) / 8, size being 1 to
 * KMALLOC_MAX_CACHE_SIZE. It is what a kmalloc of a constant size becomes.
 */
void *kmalloc(size_t size, gfp_t gfp) __attribute__((malloc, alloc_size(1))) KMEM_HOT;
void *kmem_kmalloc_size(size_t size, gfp_t gfp, size_t index)
	__attribute__((malloc, alloc_size(1))) KMEM_HOT;
void *kmalloc_node(size_t size, gfp_t gfp, int node) __attribute__((malloc, alloc_size(1)));
void *kmalloc_nolock(size_t size, gfp_t gfp, int node);
void kfree_nolock(const void *p);
void *kzalloc(size_t size, gfp_t gfp) __attribute__((malloc, alloc_size(1))) KMEM_HOT;
void *kcalloc(size_t n, size_t size, gfp_t gfp) __attribute__((malloc));
void *kmalloc_array(size_t n, size_t size, gfp_t gfp) __attribute__((malloc));
void *krealloc(const void *p, size_t size, gfp_t gfp);
void *krealloc_array(const void *p, size_t n, size_t size, gfp_t gfp);
void kfree(const void *p) KMEM_HOT;
void kfree_sensitive(const void *p);
void kfree_bulk(size_t nr, void **p);
void kfree_const(const void *p);
size_t ksize(const void *p);
size_t kmalloc_size_roundup(size_t size);

/* Copies by kmalloc, to be freed by kfree; NULL: no memory, or the source is NULL (strings).
 * Formats: as printf, without floating point; %p is all digits, without 0x. */
void *kmemdup(const void *src, size_t len, gfp_t gfp);
void *kmemdup_array(const void *src, size_t count, size_t size, gfp_t gfp);
char *kmemdup_nul(const char *s, size_t len, gfp_t gfp);
char *kstrdup(const char *s, gfp_t gfp);
char *kstrndup(const char *s, size_t max, gfp_t gfp);
const char *kstrdup_const(const char *s, gfp_t gfp);
char *kasprintf(gfp_t gfp, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *kvasprintf(gfp_t gfp, const char *fmt, va_list ap);

/* Proves the invariants of one cache; 0, or the number of faults, each reported. Nobody else
 * may use the cache meanwhile. Task context. */
int kmem_cache_check(struct kmem_cache *cache);
/*
 * Looks at every object of a cache with SLAB_CONSISTENCY_CHECKS, SLAB_RED_ZONE or SLAB_POISON as its next
 * allocation or free would: what was overwritten is reported and restored. The links of free objects are
 * followed as well: a broken one is reported and cut, with "Wrong object count" for the free objects behind
 * it, which stay usable; likewise if somebody puts the link back. The number of objects and slabs where
 * something was wrong (other caches: 0). Nobody else may use the cache meanwhile. Task context.
 */
unsigned long kmem_cache_validate(struct kmem_cache *cache);
/* Where a free object of such a cache has the address of the next free one of its slab: bytes from the
 * object's start, which may lie behind its end; or -ENOENT, if they have none. Any context. */
int kmem_cache_freeptr_offset(const struct kmem_cache *cache);
/* Calls fn for every object that is with a user; sheaves are emptied first. No lock is held, so
 * nobody else may use the cache meanwhile, nor may fn. Task context. */
void kmem_cache_for_each_object(struct kmem_cache *cache, void (*fn)(void *obj, void *arg),
				void *arg);

/* The functions of these names once more, for those of <kmem/inline.h>, which may replace them. */
void *kmem_call_cache_alloc(struct kmem_cache *cache, gfp_t gfp) KMEM_HOT;
void kmem_call_cache_free(struct kmem_cache *cache, const void *obj) KMEM_HOT;
void *kmem_call_kmalloc(size_t size, gfp_t gfp) __attribute__((malloc, alloc_size(1))) KMEM_HOT;
void *kmem_call_kzalloc(size_t size, gfp_t gfp) __attribute__((malloc, alloc_size(1))) KMEM_HOT;
void kmem_call_kfree(const void *p) KMEM_HOT;

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#include <kmem/inline.h>
#endif
