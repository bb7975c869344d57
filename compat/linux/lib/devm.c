/* SPDX-License-Identifier: MIT */
/* Managed memory: each block is the data of a resource that nothing need be done for but to free it. */
#include <stdio.h>
#include <string.h>
#include <kmem/page.h>
#include <linux/device.h>
#include <linux/devm.h>

struct block {
	size_t size;
	unsigned char data[] __attribute__((aligned(16)));
};

static void block_release(struct device *dev, void *res)
{
	(void)dev;
	(void)res;
}

static int block_match(struct device *dev, void *res, void *p)
{
	(void)dev;
	return ((struct block *)res)->data == p;
}

void *devm_kmalloc(struct device *dev, size_t size, gfp_t gfp)
{
	struct block *b;

	if (!size)
		return ZERO_SIZE_PTR;
	if (size > SIZE_MAX - sizeof(*b))
		return NULL;
	b = devres_alloc(block_release, sizeof(*b) + size, gfp);
	if (!b)
		return NULL;
	b->size = size;
	devres_add(dev, b);
	return b->data;
}

void devm_kfree(struct device *dev, const void *p)
{
	if (ZERO_OR_NULL_PTR(p))
		return;
	if (devres_destroy(dev, block_release, block_match, (void *)(uintptr_t)p))
		dev_warn(dev, "devm_kfree: %p is not this device's\n", p);
}

void *devm_krealloc(struct device *dev, void *p, size_t size, gfp_t gfp)
{
	struct block *b;
	void *bigger;

	if (!size) {
		devm_kfree(dev, p);
		return ZERO_SIZE_PTR;
	}
	if (ZERO_OR_NULL_PTR(p))
		return devm_kmalloc(dev, size, gfp);
	b = devres_find(dev, block_release, block_match, p);
	if (!b) {
		dev_warn(dev, "devm_krealloc: %p is not this device's\n", p);
		return NULL;
	}
	if (size <= b->size)
		return p;
	bigger = devm_kmalloc(dev, size, gfp);
	if (!bigger)
		return NULL;
	memcpy(bigger, p, b->size);
	devm_kfree(dev, p);
	return bigger;
}

void *devm_kmemdup(struct device *dev, const void *src, size_t len, gfp_t gfp)
{
	void *p = devm_kmalloc(dev, len, gfp);

	return p && len ? memcpy(p, src, len) : p;
}

char *devm_kstrdup(struct device *dev, const char *s, gfp_t gfp)
{
	return s ? devm_kmemdup(dev, s, strlen(s) + 1, gfp) : NULL;
}

char *devm_kvasprintf(struct device *dev, gfp_t gfp, const char *fmt, va_list ap)
{
	va_list again;
	char *p;
	int len;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	p = len < 0 ? NULL : devm_kmalloc(dev, (size_t)len + 1, gfp);
	if (p)
		vsnprintf(p, (size_t)len + 1, fmt, ap);
	return p;
}

char *devm_kasprintf(struct device *dev, gfp_t gfp, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = devm_kvasprintf(dev, gfp, fmt, ap);
	va_end(ap);
	return p;
}

/* ---- Pages and per-CPU memory, which a resource points to ---------------------------------------- */

struct pages {
	unsigned long addr;
	unsigned int order;
};

static void pages_release(struct device *dev, void *res)
{
	struct pages *p = res;

	(void)dev;
	free_pages(p->addr, p->order);
}

static int pages_match(struct device *dev, void *res, void *addr)
{
	(void)dev;
	return ((struct pages *)res)->addr == (unsigned long)addr;
}

unsigned long devm_get_free_pages(struct device *dev, gfp_t gfp, unsigned int order)
{
	struct pages *res = devres_alloc(pages_release, sizeof(*res), GFP_KERNEL);
	unsigned long addr = res ? __get_free_pages(gfp, order) : 0;

	if (!addr) {
		devres_free(res);
		return 0;
	}
	*res = (struct pages){addr, order};
	devres_add(dev, res);
	return addr;
}

void devm_free_pages(struct device *dev, unsigned long addr)
{
	if (devres_release(dev, pages_release, pages_match, (void *)addr))
		dev_warn(dev, "devm_free_pages: %#lx is not this device's\n", addr);
}

static void percpu_release(struct device *dev, void *res)
{
	(void)dev;
	free_percpu(*(void **)res);
}

static int percpu_match(struct device *dev, void *res, void *p)
{
	(void)dev;
	return *(void **)res == p;
}

void *__devm_alloc_percpu(struct device *dev, size_t size, size_t align)
{
	void **res = devres_alloc(percpu_release, sizeof(*res), GFP_KERNEL);
	void *p = res ? __alloc_percpu(size, align) : NULL;

	if (!p) {
		devres_free(res);
		return NULL;
	}
	*res = p;
	devres_add(dev, res);
	return p;
}

void devm_free_percpu(struct device *dev, void *p)
{
	if (devres_release(dev, percpu_release, percpu_match, p))
		dev_warn(dev, "devm_free_percpu: %p is not this device's\n", p);
}
