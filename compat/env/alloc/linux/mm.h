/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ALLOC_LINUX_MM_H
#define KMEM_ENV_ALLOC_LINUX_MM_H
#define _LINUX_MM_H

#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/bug.h>
#include <linux/list.h>
#include <linux/overflow.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <kmem/page.h>

#define offset_in_page(p) ((unsigned long)(p) & ~PAGE_MASK)
#ifndef PAGE_ALIGN
#define PAGE_ALIGN(a) (((unsigned long)(a) + PAGE_SIZE - 1) & PAGE_MASK)
#endif

#endif
