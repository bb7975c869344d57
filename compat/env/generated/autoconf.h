/* SPDX-License-Identifier: MIT */
/*
 * The configuration that kernel code is compiled with here: what a kernel's .config would say. Given
 * before the user's tree, so a tree that was configured for a machine does not matter.
 */
#ifndef KMEM_ENV_AUTOCONF_H
#define KMEM_ENV_AUTOCONF_H

#if __SIZEOF_POINTER__ == 8
#define CONFIG_64BIT		     1
#define CONFIG_PHYS_ADDR_T_64BIT     1
#define CONFIG_ARCH_DMA_ADDR_T_64BIT 1
#else
#define CONFIG_32BIT   1
#define CONFIG_HIGHMEM 1
#endif
#define CONFIG_CC_IS_GCC		1
#define CONFIG_GCC_VERSION		120200
#define CONFIG_CLANG_VERSION		0
#define CONFIG_BASE_SMALL		0
#define CONFIG_BUG			1
#define CONFIG_HZ			250
#define CONFIG_KUNIT			1
#define CONFIG_LITTLE_ENDIAN		1
#define CONFIG_LOG_BUF_SHIFT		17
#define CONFIG_MMU			1
#define CONFIG_NODES_SHIFT		0
#define CONFIG_NR_CPUS			64
#define CONFIG_PAGE_SHIFT		12
#define CONFIG_PGTABLE_LEVELS		4
#define CONFIG_PREEMPT_COUNT		1
#define CONFIG_PRINTK			1
#define CONFIG_SLUB			1
#define CONFIG_SLUB_DEBUG		1
#define CONFIG_SMP			1
#define CONFIG_TREE_RCU			1
#define CONFIG_XARRAY_MULTI		1
#define CONFIG_ZONE_DMA			1
#define CONFIG_PANIC_TIMEOUT		0
#define CONFIG_CONSOLE_LOGLEVEL_DEFAULT 7
#define CONFIG_CONSOLE_LOGLEVEL_QUIET	4
#define CONFIG_MESSAGE_LOGLEVEL_DEFAULT 4
#define CONFIG_FRAME_WARN		2048
#define CONFIG_SYMBOLIC_ERRNAME		1
#define CONFIG_GENERIC_FIND_FIRST_BIT	1

#endif
