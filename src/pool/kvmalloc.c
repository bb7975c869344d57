/* SPDX-License-Identifier: MIT */
/*
 * kvmalloc: contiguous memory if it is to be had without trouble, else an area of single pages
 * (semantics 5.4). Up to a page the first answer is final; above it the first try neither waits nor
 * complains, since there is a second.
 */
#include "pool/pool.h"
#include <kmem/vmalloc.h>

/* The first try's mask. */
static gfp_t gfp_try(gfp_t gfp, size_t size)
{
	if (size <= PAGE_SIZE)
		return gfp;
	gfp |= __GFP_NOWARN;
	if (!(gfp & __GFP_RETRY_MAYFAIL))
		gfp &= ~__GFP_DIRECT_RECLAIM;
	return gfp & ~__GFP_NOFAIL;
}

static void *kvmalloc_site(size_t size, gfp_t gfp, const void *site)
{
	void *p = kmalloc(size, gfp_try(gfp, size));

	if (p || size <= PAGE_SIZE || !gfpflags_allow_blocking(gfp))
		return p;
	if (size > INT32_MAX) {
		if (!(gfp & __GFP_NOWARN) && gfp_warn_once(site, KMEM_MISUSE_VMALLOC_SIZE))
			report_misuse(KMEM_MISUSE_VMALLOC_SIZE, site, "kvmalloc of %zu bytes",
				      size);
		return NULL;
	}
	return __vmalloc(size, gfp);
}

void *kvmalloc(size_t size, gfp_t gfp)
{
	return kvmalloc_site(size, gfp, __builtin_return_address(0));
}

void *kvzalloc(size_t size, gfp_t gfp)
{
	return kvmalloc_site(size, gfp | __GFP_ZERO, __builtin_return_address(0));
}

void *kvmalloc_node(size_t size, gfp_t gfp, int node)
{
	if (node > 0 && gfp & __GFP_THISNODE)
		return NULL;
	return kvmalloc_site(size, gfp, __builtin_return_address(0));
}

void *kvmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (!size_mul_ok(n, size, &bytes))
		return NULL;
	return kvmalloc_site(bytes, gfp, __builtin_return_address(0));
}

void *kvcalloc(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (!size_mul_ok(n, size, &bytes))
		return NULL;
	return kvmalloc_site(bytes, gfp | __GFP_ZERO, __builtin_return_address(0));
}

void *kvrealloc(const void *p, size_t size, gfp_t gfp)
{
	void *new;

	if (is_vmalloc_addr(p))
		return vrealloc(p, size, gfp);
	new = krealloc(p, size, gfp_try(gfp, size));
	if (new || size <= PAGE_SIZE)
		return new;
	new = kvmalloc_site(size, gfp, __builtin_return_address(0));
	if (new && !ZERO_OR_NULL_PTR(p)) {
		__builtin_memcpy(new, p, ksize(p));
		kfree(p);
	}
	return new;
}

void kvfree(const void *p)
{
	if (is_vmalloc_addr(p))
		vfree(p);
	else
		kfree(p);
}

/* The bytes must go even where the compiler sees that nobody reads them again. */
void kvfree_sensitive(const void *p, size_t len)
{
	void *mem = (void *)(uintptr_t)p;

	if (ZERO_OR_NULL_PTR(p))
		return;
	__builtin_memset(mem, 0, len);
	__asm__("" : : "r"(mem) : "memory");
	kvfree(p);
}
