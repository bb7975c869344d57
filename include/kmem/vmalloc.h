/* SPDX-License-Identifier: MIT */
/*
 * Areas: memory that is contiguous in addresses alone, made of single pages, so that no fragmentation
 * stops it; and kvmalloc, which takes it only where kmalloc has nothing.
 *
 * Context: allocating, mapping and unmapping may sleep and are for task context; elsewhere they are
 * reported (KMEM_MISUSE_CONTEXT), and NULL. vfree and kvfree work in any context; from interrupts and
 * handlers the area goes later, with the next of these calls in task context or kmem_drain(). Failure is
 * NULL, reported unless __GFP_NOWARN, and nothing is held. Scopes (memalloc_nofs_save) hold for all that
 * is allocated. __GFP_NOFAIL tries again every tick.
 *
 * An area starts at a page and is followed by a page that traps. Its pages come from HIGHMEM first,
 * unless the mask has __GFP_DMA or __GFP_DMA32.
 *
 * Where a page has one address at a time (posix, pages of the direct map), an area's page is not at
 * its own address as long as the area is there: page_address() and kmap name the area's, the page's
 * own traps where the host can do that, and its last reference cannot be dropped meanwhile
 * (KMEM_MISUSE_VMALLOC_FREE).
 */
#ifndef KMEM_VMALLOC_H
#define KMEM_VMALLOC_H

#include <kmem/page.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/*
 * Size in bytes. NULL and reported (KMEM_MISUSE_VMALLOC_SIZE): 0, more than all memory of the machine.
 * vzalloc and vmalloc_user: zeroed. vmalloc_32: of pages that devices of 32 bits reach. node: 0 or -1;
 * another one is NULL.
 */
void *vmalloc(size_t size) __attribute__((malloc, alloc_size(1)));
void *vzalloc(size_t size) __attribute__((malloc, alloc_size(1)));
void *__vmalloc(size_t size, gfp_t gfp) __attribute__((malloc, alloc_size(1)));
void *vmalloc_user(size_t size) __attribute__((malloc, alloc_size(1)));
void *vmalloc_32(size_t size) __attribute__((malloc, alloc_size(1)));
void *vmalloc_node(size_t size, int node) __attribute__((malloc, alloc_size(1)));
/*
 * In place while the size fits the pages, else moved. p NULL: __vmalloc. size 0: frees p, NULL. NULL:
 * p is as it was. With __GFP_ZERO what is new is zero, if each call for the area had it.
 */
void *vrealloc(const void *p, size_t size, gfp_t gfp);
/* NULL is a no-op. What is not the start of an area is reported (KMEM_MISUSE_VMALLOC_FREE), and nothing
 * else happens. */
void vfree(const void *p);

/*
 * The caller's pages, of any kind and in any order, in a row. They stay the caller's, who frees them
 * after vunmap. flags: VM_MAP or 0; prot is not looked at. NULL: no memory, no addresses, refused by the
 * host, other flags; or, where a page has one address at a time, one of them is in an area already, or
 * belongs to a slab.
 * Contents are kept both ways. vunmap(NULL) is a no-op; what vmap did not return is reported.
 */
typedef unsigned long pgprot_t;
#define PAGE_KERNEL 0ul
#define VM_MAP	    0x4ul
void *vmap(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot);
void vunmap(const void *p);

/* Is it an address of the range that areas come from? Any context. */
bool is_vmalloc_addr(const void *p);
/* The page at an address of an area; NULL (0): there is none, or the caller is a handler that has
 * interrupted one of these calls. Any context. */
struct page *vmalloc_to_page(const void *p);
unsigned long vmalloc_to_pfn(const void *p);

/*
 * As kmalloc; above a page, where that has no block at once, as __vmalloc. A mask that may not block
 * never gets an area, nor do sizes above 2 GiB - 1. Products that overflow are NULL. node as for
 * kmalloc_node. kvrealloc: as krealloc and vrealloc; what does not fit moves to either kind.
 */
void *kvmalloc(size_t size, gfp_t gfp) __attribute__((malloc, alloc_size(1)));
void *kvzalloc(size_t size, gfp_t gfp) __attribute__((malloc, alloc_size(1)));
void *kvmalloc_node(size_t size, gfp_t gfp, int node) __attribute__((malloc, alloc_size(1)));
void *kvmalloc_array(size_t n, size_t size, gfp_t gfp) __attribute__((malloc));
void *kvcalloc(size_t n, size_t size, gfp_t gfp) __attribute__((malloc));
void *kvrealloc(const void *p, size_t size, gfp_t gfp);
/* Frees either kind; NULL is a no-op. sensitive: len bytes are zeroed first. */
void kvfree(const void *p);
void kvfree_sensitive(const void *p, size_t len);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
