/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_BITSPERLONG_H
#define KMEM_ENV_ASM_BITSPERLONG_H

#define __BITS_PER_LONG	   (8 * __SIZEOF_LONG__)
#define BITS_PER_LONG_LONG 64
#if __SIZEOF_LONG__ == 8
#define BITS_PER_LONG 64
#else
#define BITS_PER_LONG 32
#endif
/* Only for sizes known at compile time. */
#define small_const_nbits(nbits) \
	(__builtin_constant_p(nbits) && (nbits) <= BITS_PER_LONG && (nbits) > 0)

#endif
