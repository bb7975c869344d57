/* SPDX-License-Identifier: MIT */
/* <linux/mm_types.h>: a page's descriptor is libkmem's and has no fields for others. */
#ifndef KMEM_COMPAT_MM_TYPES_H
#define KMEM_COMPAT_MM_TYPES_H
#define _LINUX_MM_TYPES_H

#include <linux/types.h>
#include <kmem/page.h>

struct page;
struct folio;
struct mm_struct;
struct vm_area_struct;
struct address_space;
typedef int vm_fault_t;
typedef unsigned long vm_flags_t;

/* A block that is being cut into fragments; each fragment holds the block, and so does who cuts it. */
struct page_frag {
	struct page *page;
	unsigned int offset, size;
};
struct page_frag_cache {
	void *va;
	unsigned int offset, size; /* below offset it is free */
	unsigned int pagecnt_bias; /* references of the cache's own: 1, or 0 without a block */
	bool pfmemalloc;
};

#endif
