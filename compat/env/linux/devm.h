/* SPDX-License-Identifier: MIT */
/* Managed memory: freed with its device, last first. As kmalloc and its like otherwise. */
#ifndef KMEM_ENV_LINUX_DEVM_H
#define KMEM_ENV_LINUX_DEVM_H

#include <linux/types.h>

struct device;
void *devm_kmalloc(struct device *dev, size_t size, gfp_t gfp);
void *devm_krealloc(struct device *dev, void *p, size_t size, gfp_t gfp);
/* What devm_kmalloc gave and is still managed; NULL is a no-op; else a warning. */
void devm_kfree(struct device *dev, const void *p);
void *devm_kmemdup(struct device *dev, const void *src, size_t len, gfp_t gfp);
char *devm_kstrdup(struct device *dev, const char *s, gfp_t gfp);
char *devm_kasprintf(struct device *dev, gfp_t gfp, const char *fmt, ...);
static inline void *devm_kzalloc(struct device *dev, size_t size, gfp_t gfp)
{
	return devm_kmalloc(dev, size, gfp | __GFP_ZERO);
}
static inline void *devm_kmalloc_array(struct device *dev, size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : devm_kmalloc(dev, bytes, gfp);
}
#define devm_kcalloc(dev, n, size, gfp) devm_kmalloc_array((dev), (n), (size), (gfp) | __GFP_ZERO)

#endif
