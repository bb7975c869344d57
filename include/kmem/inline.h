/* SPDX-License-Identifier: MIT */
/*
 * What optimizing compilers make of calls of <kmem/slab.h>, which includes this. A kmalloc of a constant size looks
 * for its class when it is compiled, in any case.
 *
 * Where KMEM_INLINE is defined (`pkg-config --cflags kmem`), kmem_cache_alloc(), kmem_cache_free(), kmalloc(),
 * kfree() and a kzalloc() of a constant size are what they are in the library, down to the pop and the push, without
 * a call: a pair takes two thirds of the time, one that zeroes half. What does not hit calls the library. An
 * allocation takes some 60 bytes of code, a free 130.
 *
 * It takes Linux on x86-64, the posix library, gcc 11 or clang 12, and a program that is optimized, not for size,
 * and has no sanitizer. Not a shared object: the kernel may look at a thread's last sequence after one has been
 * unloaded. Elsewhere KMEM_INLINE changes nothing.
 */
#ifndef KMEM_INLINE_H
#define KMEM_INLINE_H

#include <kmem/slab.h>

#ifdef __OPTIMIZE__
#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Only ever a copy. */
#define KMEM_ONLY_INLINE extern __inline__ __attribute__((__gnu_inline__))

#if defined(__has_feature)
#define KMEM_HAS_FEATURE(f) __has_feature(f)
#else
#define KMEM_HAS_FEATURE(f) 0
#endif
#if defined(KMEM_INLINE) && defined(__x86_64__) && defined(__LP64__) && defined(__linux__) && \
	!defined(__OPTIMIZE_SIZE__) && (!defined(__PIC__) || defined(__PIE__)) &&             \
	(defined(__clang__) ? __clang_major__ >= 12 : __GNUC__ >= 11) &&                      \
	!defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) &&                    \
	!KMEM_HAS_FEATURE(address_sanitizer) && !KMEM_HAS_FEATURE(thread_sanitizer) &&        \
	!KMEM_HAS_FEATURE(memory_sanitizer)
#include <kmem/hit.h>

KMEM_HIT_PART void *kmem_hit_alloc(struct port_stack *fast, gfp_t gfp)
{
	return __builtin_expect((gfp & KMEM_HIT_SPECIAL) != 0, 0) ? NULL : kmem_hit_pop(fast);
}

/* The owner of the frame there. */
KMEM_HIT_PART struct port_stack *kmem_hit_owner(const void *p)
{
	struct port_stack **owner = __atomic_load_n(&kmem_hit_v2.owner, __ATOMIC_RELAXED);
	unsigned long frame = (unsigned long)p / PAGE_SIZE;

	/* Else gcc compares p, with a number that takes an instruction of ten bytes. */
	__asm__("" : "+r"(frame));
	if (__builtin_expect(frame >= KMEM_HIT_OWNERS, 0) || __builtin_expect(!owner, 0))
		return NULL;
	return __atomic_load_n(&owner[frame], __ATOMIC_RELAXED);
}

KMEM_ONLY_INLINE void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	const struct kmem_hit_cache *c = (const struct kmem_hit_cache *)(const void *)cache;
	void *p = kmem_hit_alloc(__atomic_load_n(&c->fast, __ATOMIC_RELAXED), gfp);

	return __builtin_expect(p != NULL, 1) ? p : kmem_call_cache_alloc(cache, gfp);
}

KMEM_ONLY_INLINE void kmem_cache_free(struct kmem_cache *cache, const void *obj)
{
	const struct kmem_hit_cache *c = (const struct kmem_hit_cache *)(const void *)cache;

	if (__builtin_expect(cache != NULL, 1)) {
		struct port_stack *fast = __atomic_load_n(&c->fast, __ATOMIC_RELAXED);
		unsigned long long starts = c->starts;

		if (__builtin_expect(kmem_hit_owner(obj) == fast, 1) &&
		    __builtin_expect(KMEM_HIT_STARTS_AT(starts, (unsigned long)obj), 1) &&
		    kmem_hit_push(fast, (void *)(unsigned long)obj))
			return;
	}
	kmem_call_cache_free(cache, obj);
}

KMEM_ONLY_INLINE void kfree(const void *p)
{
	struct port_stack *fast = kmem_hit_owner(p);

	if (__builtin_expect(fast != NULL, 1)) {
		/* What all CPUs have in common lies before CPU 0's. */
		const char *common = (const char *)fast - ((size_t)1 << KMEM_HIT_AREA_SHIFT);
		unsigned long long starts = __atomic_load_n(
			(const unsigned long long *)(const void *)(common + KMEM_HIT_STARTS),
			__ATOMIC_RELAXED);

		if (__builtin_expect(KMEM_HIT_STARTS_AT(starts, (unsigned long)p), 1) &&
		    kmem_hit_push(fast, (void *)(unsigned long)p))
			return;
	}
	kmem_call_kfree(p);
}

/* Another task may be booting: who sees the size's stack sees all of the machine. */
KMEM_HIT_PART void *kmem_kmalloc_hit(size_t index, gfp_t gfp)
{
	struct port_stack *fast = __atomic_load_n(&kmem_hit_v2.kmalloc[index], __ATOMIC_ACQUIRE);

	return __builtin_expect(fast != NULL, 1) ? kmem_hit_alloc(fast, gfp) : NULL;
}

KMEM_ONLY_INLINE void *kmalloc(size_t size, gfp_t gfp)
{
	if (__builtin_expect(size - 1 < KMALLOC_MAX_CACHE_SIZE, 1)) {
		void *p = kmem_kmalloc_hit((size - 1) / 8, gfp);

		if (__builtin_expect(p != NULL, 1))
			return p;
	}
	return kmem_call_kmalloc(size, gfp);
}

/* What kmalloc(size) has room for: what kmalloc_class[] of src/slab/kmalloc.c says of a size that is known. */
KMEM_HIT_PART size_t kmem_kmalloc_room(size_t size)
{
	if (size <= KMALLOC_MINALIGN)
		return KMALLOC_MINALIGN;
	if (size > 64 && size <= 96 && KMALLOC_MINALIGN < 64)
		return 96;
	if (size > 128 && size <= 192 && KMALLOC_MINALIGN < 128)
		return 192;
	return (size_t)2 << (63 - __builtin_clzl(size - 1));
}

/* All of its room is zeroed, as krealloc() may hand out more of it. */
KMEM_ONLY_INLINE void *kzalloc(size_t size, gfp_t gfp)
{
	if (__builtin_constant_p(size) && size - 1 < KMALLOC_MAX_CACHE_SIZE) {
		void *p = kmem_kmalloc_hit((size - 1) / 8, gfp & ~__GFP_ZERO);

		if (__builtin_expect(p != NULL, 1))
			return __builtin_memset(p, 0, kmem_kmalloc_room(size));
	}
	return kmem_call_kzalloc(size, gfp);
}
#else
KMEM_ONLY_INLINE void *kmalloc(size_t size, gfp_t gfp)
{
	if (__builtin_constant_p(size) && size != 0 && size <= KMALLOC_MAX_CACHE_SIZE)
		return kmem_kmalloc_size(size, gfp, (size - 1) / 8);
	return kmem_call_kmalloc(size, gfp);
}
#endif

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
#endif
