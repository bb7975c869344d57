/* SPDX-License-Identifier: MIT */
/*
 * Pages without an address (HIGHMEM), and the windows through which they are reached.
 *
 *	kmap, kunmap			shared by all tasks, for as long as you like; may sleep
 *	kmap_local_page, kunmap_local	the task's own, last in, first out; any context
 *	kmap_atomic, kunmap_atomic	as kmap_local_page, with preemption off in between
 *
 * A page of the direct map needs no window: each of these returns page_address() for it, and undoing
 * is a no-op. So code that uses them works on any page.
 *
 * What is mapped stays readable and writable for a while after the last undoing, as in the kernel;
 * with hardened=1 it traps at once, as does a page that was never mapped. On posix this memory is
 * shared with the children of a fork.
 */
#ifndef KMEM_HIGHMEM_H
#define KMEM_HIGHMEM_H

#include <kmem/context.h>
#include <kmem/page.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Is it a page without an address of its own? Any context. */
bool PageHighMem(const struct page *page);

/*
 * Address of the page, the same for all who map it, until each of them has called kunmap. With all
 * slots in use (512 on 64-bit posix, 384 on 32-bit; kmap_slots= makes them fewer) kmap sleeps until one
 * is given back: a task that holds several can wait for itself for ever. Both are reported where
 * nothing may sleep (KMEM_MISUSE_CONTEXT), kmap then returning NULL instead of waiting. A kunmap too
 * many is reported (KMEM_MISUSE_KMAP_UNBALANCED), and stops the program.
 */
void *kmap(struct page *page);
void kunmap(struct page *page);
/* As kmap, but NULL unless somebody has it mapped (or had, just now). Any context. Undo by kunmap. */
void *kmap_high_get(const struct page *page);
/* Unmaps what kmap has left mapped without a user. Task context. */
void kmap_flush_unused(void);

/*
 * Address of the page for the running task alone, which may sleep meanwhile. Any context, signal
 * handlers and NMI included. The mappings of a task are undone in reverse order, by any address inside
 * of the page: another order is reported (KMEM_MISUSE_KMAP_ORDER), and that one undone. 15 at once; one
 * more (KMEM_MISUSE_KMAP_DEPTH), and one undone that never was (KMEM_MISUSE_KMAP_UNBALANCED) are
 * reported, and stop the program.
 */
void *kmap_local_page(const struct page *page);
void __kunmap_local(const void *addr);
#define kunmap_local(addr) __kunmap_local(addr)

/* The page that is mapped at an address of these calls, or lies there in the direct map. Any context. */
struct page *kmap_to_page(const void *addr);

/* Linux Device Drivers names a slot; here a type is accepted, and no difference. */
enum km_type {
	KM_BOUNCE_READ,
	KM_SKB_SUNRPC_DATA,
	KM_SKB_DATA_SOFTIRQ,
	KM_USER0,
	KM_USER1,
	KM_BIO_SRC_IRQ,
	KM_BIO_DST_IRQ,
	KM_PTE0,
	KM_PTE1,
	KM_IRQ0,
	KM_IRQ1,
	KM_SOFTIRQ0,
	KM_SOFTIRQ1,
	KM_TYPE_NR
};
static inline void *__kmap_atomic(const struct page *page)
{
	kmem_preempt_disable();
	return kmap_local_page(page);
}
static inline void __kunmap_atomic(const void *addr)
{
	__kunmap_local(addr);
	kmem_preempt_enable();
}
#define __KMEM_FIRST(first, ...) first
/* kmap_atomic(page) or (page, KM_USER0): any context; nothing may sleep until kunmap_atomic(addr) or
 * (addr, KM_USER0). */
#define kmap_atomic(...)   __kmap_atomic(__KMEM_FIRST(__VA_ARGS__, 0))
#define kunmap_atomic(...) __kunmap_atomic(__KMEM_FIRST(__VA_ARGS__, 0))

/* ---- Contents. Any context. Offset and length stay inside the page. ------------------------------ */

static inline void clear_highpage(struct page *page)
{
	void *p = kmap_local_page(page);

	__builtin_memset(p, 0, PAGE_SIZE);
	kunmap_local(p);
}

static inline void copy_highpage(struct page *to, struct page *from)
{
	void *src = kmap_local_page(from), *dst = kmap_local_page(to);

	__builtin_memcpy(dst, src, PAGE_SIZE);
	kunmap_local(dst);
	kunmap_local(src);
}

static inline void memcpy_page(struct page *to, size_t to_off, struct page *from, size_t from_off,
			       size_t len)
{
	char *src = (char *)kmap_local_page(from), *dst = (char *)kmap_local_page(to);

	__builtin_memcpy(dst + to_off, src + from_off, len);
	kunmap_local(dst);
	kunmap_local(src);
}

static inline void memcpy_to_page(struct page *page, size_t offset, const char *from, size_t len)
{
	char *p = (char *)kmap_local_page(page);

	__builtin_memcpy(p + offset, from, len);
	kunmap_local(p);
}

static inline void memcpy_from_page(char *to, struct page *page, size_t offset, size_t len)
{
	char *p = (char *)kmap_local_page(page);

	__builtin_memcpy(to, p + offset, len);
	kunmap_local(p);
}

static inline void memset_page(struct page *page, size_t offset, int value, size_t len)
{
	char *p = (char *)kmap_local_page(page);

	__builtin_memset(p + offset, value, len);
	kunmap_local(p);
}

static inline void memzero_page(struct page *page, size_t offset, size_t len)
{
	memset_page(page, offset, 0, len);
}

static inline void zero_user(struct page *page, unsigned int start, unsigned int len)
{
	memset_page(page, start, 0, len);
}

static inline void zero_user_segment(struct page *page, unsigned int start, unsigned int end)
{
	zero_user(page, start, end - start);
}

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
