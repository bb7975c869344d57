/* SPDX-License-Identifier: MIT */
/*
 * READ_ONCE and WRITE_ONCE are atomic accesses, so ThreadSanitizer knows them from races. A read also
 * acquires: the kernel's promise that what is reached through a pointer is ordered after its load has
 * no dependable word in C, and on x86 an acquiring load is a load.
 */
#ifndef KMEM_ENV_ASM_RWONCE_H
#define KMEM_ENV_ASM_RWONCE_H

#define __kmem_scalar(x) (sizeof(x) == 1 || sizeof(x) == 2 || sizeof(x) == 4 || sizeof(x) == 8)

#define __READ_ONCE(x)                                                                     \
	({                                                                                 \
		__unqual_scalar_typeof(x) __kmem_v;                                        \
		__atomic_load((__unqual_scalar_typeof(x) *)(unsigned long)&(x), &__kmem_v, \
			      __ATOMIC_ACQUIRE);                                           \
		__kmem_v;                                                                  \
	})
#define READ_ONCE(x)                                                        \
	({                                                                  \
		_Static_assert(__kmem_scalar(x), "READ_ONCE of no scalar"); \
		(typeof(x))__READ_ONCE(x);                                  \
	})
#define __WRITE_ONCE(x, val)                                                                \
	do {                                                                                \
		__unqual_scalar_typeof(x) __kmem_v = (val);                                 \
		__atomic_store((__unqual_scalar_typeof(x) *)(unsigned long)&(x), &__kmem_v, \
			       __ATOMIC_RELAXED);                                           \
	} while (0)
#define WRITE_ONCE(x, val)                                                   \
	do {                                                                 \
		_Static_assert(__kmem_scalar(x), "WRITE_ONCE of no scalar"); \
		__WRITE_ONCE(x, val);                                        \
	} while (0)
#define READ_ONCE_NOCHECK(x)   READ_ONCE(x)
#define read_word_at_a_time(p) (*(const unsigned long *)(p))

#endif
