// SPDX-License-Identifier: MIT
/* Managed memory: a resource whose release has nothing to do, since its memory goes with it. */
#include "internal.h"
#include <linux/device.h>
#include <linux/devm.h>
#include <string.h>

static void nothing(struct device *dev, void *res)
{
	(void)dev;
	(void)res;
}

static int is_it(struct device *dev, void *res, void *p)
{
	(void)dev;
	return res == p;
}

void *devm_kmalloc(struct device *dev, size_t size, gfp_t gfp)
{
	void *res;

	if (!size)
		return ZERO_SIZE_PTR;
	/* The kernel's managed memory is zeroed on request alone, ours always. */
	res = __devres_alloc_node(nothing, size, gfp, -1, "devm_kmalloc");
	if (res)
		devres_add(dev, res);
	return res;
}

void devm_kfree(struct device *dev, const void *p)
{
	if (ZERO_OR_NULL_PTR(p))
		return;
	if (devres_destroy(dev, nothing, is_it, (void *)(uintptr_t)p))
		kmem_env_warn(__FILE__, __LINE__, __func__, "%p is not managed\n", p);
}

void *devm_krealloc(struct device *dev, void *p, size_t size, gfp_t gfp)
{
	size_t old;
	void *n;

	if (!size) {
		devm_kfree(dev, p);
		return ZERO_SIZE_PTR;
	}
	if (ZERO_OR_NULL_PTR(p))
		return devm_kmalloc(dev, size, gfp);
	if (!devres_find(dev, nothing, is_it, p)) {
		kmem_env_warn(__FILE__, __LINE__, __func__, "%p is not managed\n", p);
		return NULL;
	}
	old = env_devres_size(p);
	n = devm_kmalloc(dev, size, gfp);
	if (!n)
		return NULL;
	memcpy(n, p, old < size ? old : size);
	devm_kfree(dev, p);
	return n;
}

void *devm_kmemdup(struct device *dev, const void *src, size_t len, gfp_t gfp)
{
	void *p = devm_kmalloc(dev, len, gfp);

	if (p && len)
		memcpy(p, src, len);
	return p;
}

char *devm_kstrdup(struct device *dev, const char *s, gfp_t gfp)
{
	return s ? devm_kmemdup(dev, s, strlen(s) + 1, gfp) : NULL;
}

char *devm_kasprintf(struct device *dev, gfp_t gfp, const char *fmt, ...)
{
	char *p;
	va_list ap, again;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = kmem_env_vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	p = devm_kmalloc(dev, (size_t)len + 1, gfp);
	if (p)
		kmem_env_vsnprintf(p, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return p;
}
