/* SPDX-License-Identifier: MIT */
/* Copies and formatted strings in kmalloc memory (semantics 5.4). */
#include "slab/slab.h"

void *kmemdup(const void *src, size_t len, gfp_t gfp)
{
	void *p = kmalloc(len, gfp);

	if (p && len)
		__builtin_memcpy(p, src, len);
	return p;
}

/* An overflowing product saturates, so that the allocation fails. */
void *kmemdup_array(const void *src, size_t count, size_t size, gfp_t gfp)
{
	size_t bytes;

	return kmemdup(src, size_mul_ok(count, size, &bytes) ? bytes : SIZE_MAX, gfp);
}

char *kmemdup_nul(const char *s, size_t len, gfp_t gfp)
{
	size_t bytes;
	char *p;

	if (!s || !size_add_ok(len, 1, &bytes))
		return NULL;
	p = kmalloc(bytes, gfp);
	if (p) {
		__builtin_memcpy(p, s, len);
		p[len] = '\0';
	}
	return p;
}

char *kstrdup(const char *s, gfp_t gfp)
{
	return s ? kmemdup_nul(s, str_len(s), gfp) : NULL;
}

char *kstrndup(const char *s, size_t max, gfp_t gfp)
{
	size_t len = 0;

	if (!s)
		return NULL;
	while (len < max && s[len])
		len++;
	return kmemdup_nul(s, len, gfp);
}

const char *kstrdup_const(const char *s, gfp_t gfp)
{
	return s && port_rodata(s) ? s : kstrdup(s, gfp);
}

char *kvasprintf(gfp_t gfp, const char *fmt, va_list ap)
{
	va_list again;
	int len;
	char *p;

	va_copy(again, ap);
	len = fmt_vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	p = len < 0 ? NULL : kmalloc((size_t)len + 1, gfp);
	if (p)
		fmt_vsnprintf(p, (size_t)len + 1, fmt, ap);
	return p;
}

char *kasprintf(gfp_t gfp, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = kvasprintf(gfp, fmt, ap);
	va_end(ap);
	return p;
}
