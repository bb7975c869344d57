/* SPDX-License-Identifier: MIT */
/*
 * What gcc calls where the instruction set it may use has no instruction: helpers of its own library
 * that a kernel need not link. In the archive they serve the core alone; a kernel that does link
 * libgcc has them twice and the linker takes the first.
 *
 * On i386 the core's 64-bit counters are read and added to with cmpxchg8b (any Pentium): gcc would
 * use a floating-point load, which interrupt handlers must not.
 */
#include <stdint.h>

int kmem_popcount_si(unsigned int x) __asm__("__popcountsi2");
int kmem_popcount_di(unsigned long x) __asm__("__popcountdi2");

/* Counts in pairs, fours and eights of bits; the product adds the bytes up in the top one. */
int kmem_popcount_si(unsigned int x)
{
	x -= (x >> 1) & 0x55555555u;
	x = (x & 0x33333333u) + ((x >> 2) & 0x33333333u);
	x = (x + (x >> 4)) & 0x0f0f0f0fu;
	return (int)((x * 0x01010101u) >> 24);
}

/* Of a long, which has 64 bits where gcc calls this. */
int kmem_popcount_di(unsigned long x)
{
	return kmem_popcount_si((unsigned int)x) +
	       kmem_popcount_si((unsigned int)((uint64_t)x >> 32));
}

#if defined(__i386__)
uint64_t kmem_atomic_load_8(const volatile void *p, int order) __asm__("__atomic_load_8");
void kmem_atomic_store_8(volatile void *p, uint64_t v, int order) __asm__("__atomic_store_8");
uint64_t kmem_atomic_fetch_add_8(volatile void *p, uint64_t v,
				 int order) __asm__("__atomic_fetch_add_8");
uint64_t kmem_atomic_fetch_sub_8(volatile void *p, uint64_t v,
				 int order) __asm__("__atomic_fetch_sub_8");
uint64_t kmem_atomic_exchange_8(volatile void *p, uint64_t v,
				int order) __asm__("__atomic_exchange_8");

/* *p becomes v if it was seen; returns what it was. A full barrier, which every order is served by. */
static uint64_t cas_8(volatile uint64_t *p, uint64_t seen, uint64_t v)
{
	__asm__ volatile("lock cmpxchg8b %1"
			 : "+A"(seen), "+m"(*p)
			 : "b"((uint32_t)v), "c"((uint32_t)(v >> 32))
			 : "memory", "cc");
	return seen;
}

uint64_t kmem_atomic_load_8(const volatile void *p, int order)
{
	(void)order;
	return cas_8((volatile uint64_t *)(uintptr_t)p, 0, 0);
}

uint64_t kmem_atomic_exchange_8(volatile void *p, uint64_t v, int order)
{
	uint64_t seen = 0, was;

	(void)order;
	while ((was = cas_8((volatile uint64_t *)p, seen, v)) != seen)
		seen = was;
	return seen;
}

void kmem_atomic_store_8(volatile void *p, uint64_t v, int order)
{
	kmem_atomic_exchange_8(p, v, order);
}

uint64_t kmem_atomic_fetch_add_8(volatile void *p, uint64_t v, int order)
{
	uint64_t seen = 0, was;

	(void)order;
	while ((was = cas_8((volatile uint64_t *)p, seen, seen + v)) != seen)
		seen = was;
	return seen;
}

uint64_t kmem_atomic_fetch_sub_8(volatile void *p, uint64_t v, int order)
{
	return kmem_atomic_fetch_add_8(p, 0 - v, order);
}
#endif
