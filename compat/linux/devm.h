/* SPDX-License-Identifier: MIT */
/* The managed allocations of <linux/device.h>: freed when the device goes, last first. */
#ifndef KMEM_COMPAT_DEVM_H
#define KMEM_COMPAT_DEVM_H

#include <stdarg.h>
#include <linux/types.h>
#include <kmem/percpu.h>
#include <kmem/slab.h>

struct device;

/* As kmalloc() and its like; a size of 0 gives ZERO_SIZE_PTR. devm_kfree() of what is not the device's:
 * reported, and left alone. */
void *devm_kmalloc(struct device *dev, size_t size, gfp_t gfp);
void *devm_krealloc(struct device *dev, void *p, size_t size, gfp_t gfp);
void devm_kfree(struct device *dev, const void *p);
void *devm_kmemdup(struct device *dev, const void *src, size_t len, gfp_t gfp);
char *devm_kstrdup(struct device *dev, const char *s, gfp_t gfp);
char *devm_kvasprintf(struct device *dev, gfp_t gfp, const char *fmt, va_list ap);
char *devm_kasprintf(struct device *dev, gfp_t gfp, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
unsigned long devm_get_free_pages(struct device *dev, gfp_t gfp, unsigned int order);
void devm_free_pages(struct device *dev, unsigned long addr);
void *__devm_alloc_percpu(struct device *dev, size_t size, size_t align);
void devm_free_percpu(struct device *dev, void *p);

#define devm_alloc_percpu(dev, type) \
	((type *)__devm_alloc_percpu((dev), sizeof(type), __alignof__(type)))
#define devm_kstrdup_const(dev, s, gfp) ((const char *)devm_kstrdup((dev), (s), (gfp)))

static inline void *devm_kzalloc(struct device *dev, size_t size, gfp_t gfp)
{
	return devm_kmalloc(dev, size, gfp | __GFP_ZERO);
}
static inline void *devm_kmalloc_array(struct device *dev, size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : devm_kmalloc(dev, bytes, gfp);
}
static inline void *devm_kcalloc(struct device *dev, size_t n, size_t size, gfp_t gfp)
{
	return devm_kmalloc_array(dev, n, size, gfp | __GFP_ZERO);
}

#endif
