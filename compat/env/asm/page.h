/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_PAGE_H
#define KMEM_ENV_ASM_PAGE_H
#define _ASM_X86_PAGE_H

#include <linux/types.h>
#include <kmem/config.h>
#include <kmem/page.h>

#ifndef PAGE_ALIGN
#define PAGE_ALIGN(a) ((((unsigned long)(a)) + PAGE_SIZE - 1) & PAGE_MASK)
#endif
#ifndef clear_page
#define clear_page(p)	    __builtin_memset((p), 0, PAGE_SIZE)
#define copy_page(to, from) __builtin_memcpy((to), (from), PAGE_SIZE)
#endif

#endif
