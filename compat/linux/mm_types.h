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

#endif
