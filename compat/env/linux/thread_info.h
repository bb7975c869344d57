/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_THREAD_INFO_H
#define KMEM_ENV_LINUX_THREAD_INFO_H
#define _LINUX_THREAD_INFO_H

#include <linux/types.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/bug.h>
#include <linux/compiler.h>
#include <asm/current.h>
#endif

#define THREAD_SIZE  (4 * PAGE_SIZE)
#define THREAD_ALIGN THREAD_SIZE
#define check_object_size(p, n, to_user) \
	do {                             \
		(void)(p);               \
		(void)(n);               \
	} while (0)
#define __check_object_size(p, n, to_user) \
	do {                               \
		(void)(p);                 \
		(void)(n);                 \
	} while (0)
#define check_copy_size(p, n, is_source) true
#define test_thread_flag(f)		 0
#define set_thread_flag(f) \
	do {               \
	} while (0)
#define clear_thread_flag(f) \
	do {                 \
	} while (0)
#define test_and_clear_thread_flag(f) 0
#define TIF_NEED_RESCHED	      3
#define TIF_SIGPENDING		      2

#endif
