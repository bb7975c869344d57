/* SPDX-License-Identifier: MIT */
/*
 * Barriers. ThreadSanitizer does not see fences; there a barrier is an access to one word of the
 * environment's, which orders whatever two tasks do around theirs.
 */
#ifndef KMEM_ENV_ASM_BARRIER_H
#define KMEM_ENV_ASM_BARRIER_H

#if defined(__SANITIZE_THREAD__)
extern unsigned int kmem_env_fence_word;
#define __kmem_fence() ((void)__atomic_fetch_add(&kmem_env_fence_word, 1, __ATOMIC_SEQ_CST))
#else
#define __kmem_fence() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif

#define __mb()	    __kmem_fence()
#define __rmb()	    __kmem_fence()
#define __wmb()	    __kmem_fence()
#define __smp_mb()  __kmem_fence()
#define __smp_rmb() __kmem_fence()
#define __smp_wmb() __kmem_fence()

#define smp_store_release(p, v)                                                               \
	do {                                                                                  \
		__unqual_scalar_typeof(*(p)) __kmem_v = (__unqual_scalar_typeof(*(p)))(v);    \
		__atomic_store((__unqual_scalar_typeof(*(p)) *)(unsigned long)(p), &__kmem_v, \
			       __ATOMIC_RELEASE);                                             \
	} while (0)
#define smp_load_acquire(p) READ_ONCE(*(p))

#include <asm-generic/barrier.h>

#endif
