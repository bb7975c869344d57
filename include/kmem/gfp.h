/* SPDX-License-Identifier: MIT */
/*
 * GFP flags: what an allocation may do, and where its memory may come from.
 *
 * Values are those of Linux 6.18, so that recorded traces and reports of a real kernel decode with
 * this table. The names of Linux Device Drivers, 3rd edition, that later
 * kernels dropped (__GFP_WAIT, __GFP_COLD, __GFP_REPEAT) are kept and mean what they meant.
 * docs/gfp.md tells flag by flag what happens on the fast and on the slow path.
 */
#ifndef KMEM_GFP_H
#define KMEM_GFP_H

#include <kmem/config.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#ifdef __CHECKER__
#define __kmem_bitwise __attribute__((bitwise))
#define __kmem_force   __attribute__((force))
#else
#define __kmem_bitwise
#define __kmem_force
#endif

/* sparse reports kmalloc(flags, size): a gfp_t is not a number. */
typedef unsigned int __kmem_bitwise gfp_t;

#define __KMEM_GFP(x) ((__kmem_force gfp_t)(x))

/* Zone selectors: at most one of DMA, DMA32, HIGHMEM; MOVABLE may stand with any of them, and means
 * the zone Movable with HIGHMEM. RECLAIMABLE and MOVABLE are also mobility types, one of them. */
#define __GFP_DMA	  __KMEM_GFP(0x1u)
#define __GFP_HIGHMEM	  __KMEM_GFP(0x2u)
#define __GFP_DMA32	  __KMEM_GFP(0x4u)
#define __GFP_MOVABLE	  __KMEM_GFP(0x8u)
#define __GFP_RECLAIMABLE __KMEM_GFP(0x10u)
#define GFP_ZONEMASK	  __KMEM_GFP(0xfu)

/* Reserves: half of min; all there is; none, whoever asks. */
#define __GFP_HIGH	 __KMEM_GFP(0x20u)
#define __GFP_MEMALLOC	 __KMEM_GFP(0x20000u)
#define __GFP_NOMEMALLOC __KMEM_GFP(0x80000u)

/* What the slow path may do. */
#define __GFP_IO	     __KMEM_GFP(0x40u)
#define __GFP_FS	     __KMEM_GFP(0x80u)
#define __GFP_DIRECT_RECLAIM __KMEM_GFP(0x400u)
#define __GFP_KSWAPD_RECLAIM __KMEM_GFP(0x800u)
#define __GFP_RECLAIM	     __KMEM_GFP(0xc00u)
#define __GFP_RETRY_MAYFAIL  __KMEM_GFP(0x4000u)
#define __GFP_NOFAIL	     __KMEM_GFP(0x8000u)
#define __GFP_NORETRY	     __KMEM_GFP(0x10000u)

/* The result, and the noise. */
#define __GFP_ZERO	 __KMEM_GFP(0x100u)
#define __GFP_WRITE	 __KMEM_GFP(0x1000u)
#define __GFP_NOWARN	 __KMEM_GFP(0x2000u)
#define __GFP_COMP	 __KMEM_GFP(0x40000u)
#define __GFP_HARDWALL	 __KMEM_GFP(0x100000u)
#define __GFP_THISNODE	 __KMEM_GFP(0x200000u)
#define __GFP_ACCOUNT	 __KMEM_GFP(0x400000u)
#define __GFP_ZEROTAGS	 __KMEM_GFP(0x800000u)
#define __GFP_NO_OBJ_EXT __KMEM_GFP(0x1000000u)
#define __GFP_BITS_MASK	 __KMEM_GFP(0x1ffffffu)

/* Linux Device Drivers names. COLD is private to libkmem and lies above the kernel's bits. */
#define __GFP_COLD   __KMEM_GFP(0x40000000u)
#define __GFP_WAIT   __GFP_RECLAIM
#define __GFP_REPEAT __GFP_RETRY_MAYFAIL

#define GFP_ATOMIC	     (__GFP_HIGH | __GFP_KSWAPD_RECLAIM)
#define GFP_NOWAIT	     (__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)
#define GFP_NOIO	     (__GFP_RECLAIM)
#define GFP_NOFS	     (__GFP_RECLAIM | __GFP_IO)
#define GFP_KERNEL	     (__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_KERNEL_ACCOUNT   (GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_USER	     (GFP_KERNEL | __GFP_HARDWALL)
#define GFP_HIGHUSER	     (GFP_USER | __GFP_HIGHMEM)
#define GFP_HIGHUSER_MOVABLE (GFP_HIGHUSER | __GFP_MOVABLE)
#define GFP_TRANSHUGE_LIGHT \
	((GFP_HIGHUSER_MOVABLE | __GFP_COMP | __GFP_NOMEMALLOC | __GFP_NOWARN) & ~__GFP_RECLAIM)
#define GFP_TRANSHUGE (GFP_TRANSHUGE_LIGHT | __GFP_DIRECT_RECLAIM)
#define GFP_DMA	      __GFP_DMA
#define GFP_DMA32     __GFP_DMA32

/* May the request sleep? May it wait for a lock? Any context. */
static inline int gfpflags_allow_blocking(gfp_t gfp)
{
	return (gfp & __GFP_DIRECT_RECLAIM) != 0;
}

static inline int gfpflags_allow_spinning(gfp_t gfp)
{
	return (gfp & __GFP_RECLAIM) != 0;
}

/*
 * Writes the mask as names joined by '|', in the kernel's %pGg form ("GFP_KERNEL|__GFP_ZERO",
 * leftovers as 0x%lx, zero as "none"). At most size bytes with the terminator; returns the length
 * the whole text has, as snprintf does. Any context.
 */
unsigned long kmem_gfp_text(gfp_t gfp, char *buf, unsigned long size);

/*
 * The mirror of kmem_gfp_text: "GFP_KERNEL|__GFP_ZERO", "0xcc0", or "none". Returns 0 and sets
 * *gfp, or -22 (EINVAL) and leaves it alone. Unknown names are refused. Any context.
 */
int kmem_gfp_parse(const char *text, unsigned long len, gfp_t *gfp);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
