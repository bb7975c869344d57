/* SPDX-License-Identifier: MIT */
/*
 * BUG and WARN: a report with a stack. A warning is counted, and the program then ends with a status
 * other than 0; BUG ends it at once.
 */
#ifndef KMEM_ENV_ASM_BUG_H
#define KMEM_ENV_ASM_BUG_H

#include <kmem/env.h>

#define CUT_HERE   "------------[ cut here ]------------\n"
#define TAINT_WARN 9
#define WARN_CONDITION_STR(cond)

#define BUG() kmem_env_bug(__FILE__, __LINE__, __func__)
#define BUG_ON(cond)                               \
	do {                                       \
		if (__builtin_expect(!!(cond), 0)) \
			BUG();                     \
	} while (0)
#define __WARN()		  kmem_env_warn(__FILE__, __LINE__, __func__, NULL)
#define __WARN_printf(taint, ...) kmem_env_warn(__FILE__, __LINE__, __func__, __VA_ARGS__)
#define WARN_ON(cond)                                 \
	({                                            \
		int __kmem_warn = !!(cond);           \
		if (__builtin_expect(__kmem_warn, 0)) \
			__WARN();                     \
		__builtin_expect(__kmem_warn, 0);     \
	})
#define WARN(cond, ...)                                                           \
	({                                                                        \
		int __kmem_warn = !!(cond);                                       \
		if (__builtin_expect(__kmem_warn, 0))                             \
			kmem_env_warn(__FILE__, __LINE__, __func__, __VA_ARGS__); \
		__builtin_expect(__kmem_warn, 0);                                 \
	})
#define __KMEM_ONCE(cond, act)                                               \
	({                                                                   \
		static unsigned char __kmem_once;                            \
		int __kmem_cond = !!(cond);                                  \
		if (__builtin_expect(__kmem_cond, 0) &&                      \
		    !__atomic_exchange_n(&__kmem_once, 1, __ATOMIC_RELAXED)) \
			act;                                                 \
		__builtin_expect(__kmem_cond, 0);                            \
	})
#define WARN_ON_ONCE(cond) __KMEM_ONCE(cond, __WARN())
#define WARN_ONCE(cond, ...) \
	__KMEM_ONCE(cond, kmem_env_warn(__FILE__, __LINE__, __func__, __VA_ARGS__))
#define WARN_TAINT(cond, taint, ...)	  WARN(cond, __VA_ARGS__)
#define WARN_TAINT_ONCE(cond, taint, ...) WARN_ONCE(cond, __VA_ARGS__)
#define WARN_ON_SMP(cond)		  WARN_ON(cond)

#endif
