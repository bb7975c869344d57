/* SPDX-License-Identifier: MIT */
/*
 * The atomics that the kernel's generic layers ask an architecture for; those derive all the rest.
 * Everything that returns a value is fully ordered, as their plain names promise.
 */
#ifndef KMEM_ENV_ASM_ATOMIC_H
#define KMEM_ENV_ASM_ATOMIC_H

#include <linux/types.h>
#include <asm/cmpxchg.h>
#include <asm/barrier.h>

static inline int arch_atomic_read(const atomic_t *v)
{
	return __atomic_load_n(&v->counter, __ATOMIC_ACQUIRE);
}

static inline void arch_atomic_set(atomic_t *v, int i)
{
	__atomic_store_n(&v->counter, i, __ATOMIC_RELAXED);
}

static inline s64 arch_atomic64_read(const atomic64_t *v)
{
	return __atomic_load_n(&v->counter, __ATOMIC_ACQUIRE);
}

static inline void arch_atomic64_set(atomic64_t *v, s64 i)
{
	__atomic_store_n(&v->counter, i, __ATOMIC_RELAXED);
}

#define __KMEM_ATOMIC_VOID(pre, type, val, op)                               \
	static inline void arch_##pre##_##op(val i, type *v)                 \
	{                                                                    \
		(void)__atomic_fetch_##op(&v->counter, i, __ATOMIC_RELAXED); \
	}
#define __KMEM_ATOMIC_FETCH(pre, type, val, op)                               \
	static inline val arch_##pre##_fetch_##op(val i, type *v)             \
	{                                                                     \
		return __atomic_fetch_##op(&v->counter, i, __ATOMIC_SEQ_CST); \
	}
#define __KMEM_ATOMIC_RETURN(pre, type, val, op)                                \
	static inline val arch_##pre##_##op##_return(val i, type *v)            \
	{                                                                       \
		return __atomic_##op##_fetch(&v->counter, i, __ATOMIC_SEQ_CST); \
	}
#define __KMEM_ATOMICS(pre, type, val)            \
	__KMEM_ATOMIC_VOID(pre, type, val, add)   \
	__KMEM_ATOMIC_VOID(pre, type, val, sub)   \
	__KMEM_ATOMIC_VOID(pre, type, val, and)   \
	__KMEM_ATOMIC_VOID(pre, type, val, or)    \
	__KMEM_ATOMIC_VOID(pre, type, val, xor)   \
	__KMEM_ATOMIC_FETCH(pre, type, val, add)  \
	__KMEM_ATOMIC_FETCH(pre, type, val, sub)  \
	__KMEM_ATOMIC_FETCH(pre, type, val, and)  \
	__KMEM_ATOMIC_FETCH(pre, type, val, or)   \
	__KMEM_ATOMIC_FETCH(pre, type, val, xor)  \
	__KMEM_ATOMIC_RETURN(pre, type, val, add) \
	__KMEM_ATOMIC_RETURN(pre, type, val, sub)
__KMEM_ATOMICS(atomic, atomic_t, int)
__KMEM_ATOMICS(atomic64, atomic64_t, s64)

#define arch_atomic_fetch_add	 arch_atomic_fetch_add
#define arch_atomic_fetch_sub	 arch_atomic_fetch_sub
#define arch_atomic_fetch_and	 arch_atomic_fetch_and
#define arch_atomic_fetch_or	 arch_atomic_fetch_or
#define arch_atomic_fetch_xor	 arch_atomic_fetch_xor
#define arch_atomic_add_return	 arch_atomic_add_return
#define arch_atomic_sub_return	 arch_atomic_sub_return
#define arch_atomic64_fetch_add	 arch_atomic64_fetch_add
#define arch_atomic64_fetch_sub	 arch_atomic64_fetch_sub
#define arch_atomic64_fetch_and	 arch_atomic64_fetch_and
#define arch_atomic64_fetch_or	 arch_atomic64_fetch_or
#define arch_atomic64_fetch_xor	 arch_atomic64_fetch_xor
#define arch_atomic64_add_return arch_atomic64_add_return
#define arch_atomic64_sub_return arch_atomic64_sub_return

#define arch_atomic_xchg(v, new)	   arch_xchg(&(v)->counter, new)
#define arch_atomic_cmpxchg(v, old, new)   arch_cmpxchg(&(v)->counter, old, new)
#define arch_atomic64_xchg(v, new)	   arch_xchg(&(v)->counter, new)
#define arch_atomic64_cmpxchg(v, old, new) arch_cmpxchg(&(v)->counter, old, new)

#endif
