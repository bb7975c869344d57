/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_CACHEFLUSH_H
#define KMEM_ENV_ASM_CACHEFLUSH_H

#define flush_dcache_page(p) \
	do {                 \
		(void)(p);   \
	} while (0)
#define flush_dcache_folio(f) \
	do {                  \
		(void)(f);    \
	} while (0)
#define flush_icache_range(a, b) \
	do {                     \
	} while (0)
#define flush_cache_vmap(a, b) \
	do {                   \
	} while (0)
#define flush_cache_vunmap(a, b) \
	do {                     \
	} while (0)
#define flush_kernel_vmap_range(a, n) \
	do {                          \
	} while (0)
#define invalidate_kernel_vmap_range(a, n) \
	do {                               \
	} while (0)

#endif
