/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_BITOPS_H
#define KMEM_ENV_ASM_BITOPS_H

#include <asm-generic/bitops.h>

/* The tree's reads through a volatile pointer; this is the same load, as an
 * atomic, which acquires. */
static inline bool kmem_env_test_bit(unsigned long nr, const volatile unsigned long *addr)
{
	return __atomic_load_n(&addr[nr / BITS_PER_LONG], __ATOMIC_ACQUIRE) >>
		       (nr % BITS_PER_LONG) &
	       1;
}
#undef arch_test_bit
#define arch_test_bit kmem_env_test_bit

#endif
