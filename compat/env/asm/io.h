/* SPDX-License-Identifier: MIT */
/* Device memory is memory. */
#ifndef KMEM_ENV_ASM_IO_H
#define KMEM_ENV_ASM_IO_H

#include <linux/types.h>

#define readb(p)	       (*(const volatile u8 *)(p))
#define readw(p)	       (*(const volatile u16 *)(p))
#define readl(p)	       (*(const volatile u32 *)(p))
#define readq(p)	       (*(const volatile u64 *)(p))
#define writeb(v, p)	       (*(volatile u8 *)(p) = (v))
#define writew(v, p)	       (*(volatile u16 *)(p) = (v))
#define writel(v, p)	       (*(volatile u32 *)(p) = (v))
#define writeq(v, p)	       (*(volatile u64 *)(p) = (v))
#define memcpy_fromio(d, s, n) __builtin_memcpy((d), (const void *)(s), (n))
#define memcpy_toio(d, s, n)   __builtin_memcpy((void *)(d), (s), (n))
#define memset_io(d, c, n)     __builtin_memset((void *)(d), (c), (n))

#endif
