/* SPDX-License-Identifier: MIT */
/* Copies of what the user has: a user pointer is a pointer here, so only the memory can be missing. */
#include <errno.h>
#include <string.h>
#include <kmem/slab.h>
#include <kmem/vmalloc.h>

void *memdup_user(const void *src, size_t len);
void *vmemdup_user(const void *src, size_t len);
void *memdup_user_nul(const void *src, size_t len);
char *strndup_user(const char *s, long max);

static void *error(long err)
{
	return (void *)err;
}

/* As the kernel's: memory of kmalloc(), or an error pointer. Task context: it may sleep. */
void *memdup_user(const void *src, size_t len)
{
	void *p = kmalloc(len, GFP_USER | __GFP_NOWARN);

	return p ? memcpy(p, src, len) : error(-ENOMEM);
}

void *vmemdup_user(const void *src, size_t len)
{
	void *p = kvmalloc(len, GFP_USER);

	return p ? memcpy(p, src, len) : error(-ENOMEM);
}

void *memdup_user_nul(const void *src, size_t len)
{
	char *p = kmemdup_nul(src, len, GFP_KERNEL);

	return p ? p : error(-ENOMEM);
}

char *strndup_user(const char *s, long max)
{
	size_t len = strnlen(s, (size_t)max);
	char *p;

	if (len >= (size_t)max)
		return error(-EINVAL);
	p = kmemdup_nul(s, len, GFP_USER);
	return p ? p : error(-ENOMEM);
}
