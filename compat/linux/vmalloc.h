/* SPDX-License-Identifier: MIT */
/* <linux/vmalloc.h>: libkmem's areas, with guard pages. A protection other than PAGE_KERNEL is one. */
#ifndef KMEM_COMPAT_VMALLOC_H
#define KMEM_COMPAT_VMALLOC_H
#define _LINUX_VMALLOC_H

#include <linux/types.h>
#include <linux/gfp.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/overflow.h>
#include <linux/spinlock.h>
#endif
#include <kmem/vmalloc.h>

#define VM_ALLOC		  0x2ul
#define VM_USERMAP		  0x8ul
#define VM_FLUSH_RESET_PERMS	  0x100ul
#define VM_ALLOW_HUGE_VMAP	  0x400ul
#define VM_NO_GUARD		  0x40ul
#define PAGE_KERNEL_RO		  PAGE_KERNEL
#define PAGE_KERNEL_EXEC	  PAGE_KERNEL
#define PAGE_KERNEL_NOCACHE	  PAGE_KERNEL
#define pgprot_noncached(prot)	  (prot)
#define pgprot_writecombine(prot) (prot)

#define __vmalloc_node(size, align, gfp, node, caller) __vmalloc((size), (gfp))
#define __vmalloc_node_range(size, align, start, end, gfp, prot, flags, node, caller) \
	__vmalloc((size), (gfp))
#define vmalloc_huge(size, gfp)	     __vmalloc((size), (gfp))
#define vzalloc_node(size, node)     ((void)(node), vzalloc(size))
#define vmalloc_array(n, size)	     __vmalloc_array((n), (size), GFP_KERNEL)
#define vcalloc(n, size)	     __vmalloc_array((n), (size), GFP_KERNEL | __GFP_ZERO)
#define vmalloc_32_user(size)	     vmalloc_user(size)
#define vfree_atomic(p)		     vfree(p)
#define vm_unmap_aliases()	     ((void)0)
#define set_vm_flush_reset_perms(p)  ((void)(p))
#define is_vmalloc_or_module_addr(p) is_vmalloc_addr(p)

/* A window is a window: what lives short is mapped like the rest. */
static inline void *vm_map_ram(struct page **pages, unsigned int count, int node)
{
	(void)node;
	return vmap(pages, count, VM_MAP, PAGE_KERNEL);
}
static inline void vm_unmap_ram(const void *p, unsigned int count)
{
	(void)count;
	vunmap(p);
}

static inline void *__vmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : __vmalloc(bytes, gfp);
}

#endif
