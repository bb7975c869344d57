/* SPDX-License-Identifier: MIT */
/* There is one address space: a user pointer is a pointer. */
#ifndef KMEM_ENV_LINUX_UACCESS_H
#define KMEM_ENV_LINUX_UACCESS_H
#define __LINUX_UACCESS_H__

#include <linux/types.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/compiler.h>
#include <linux/string.h>
#include <linux/errno.h>
#endif

#define access_ok(p, n)	  ((void)(p), (void)(n), true)
#define __access_ok(p, n) access_ok(p, n)
static inline unsigned long copy_from_user(void *to, const void *from, unsigned long n)
{
	__builtin_memcpy(to, from, n);
	return 0;
}
static inline unsigned long copy_to_user(void *to, const void *from, unsigned long n)
{
	__builtin_memcpy(to, from, n);
	return 0;
}
static inline unsigned long clear_user(void *to, unsigned long n)
{
	__builtin_memset(to, 0, n);
	return 0;
}
#define raw_copy_from_user(to, from, n)	       copy_from_user(to, from, n)
#define raw_copy_to_user(to, from, n)	       copy_to_user(to, from, n)
#define __copy_from_user(to, from, n)	       copy_from_user(to, from, n)
#define __copy_to_user(to, from, n)	       copy_to_user(to, from, n)
#define __copy_from_user_inatomic(to, from, n) copy_from_user(to, from, n)
#define __copy_to_user_inatomic(to, from, n)   copy_to_user(to, from, n)
#define copy_from_user_nofault(to, from, n)    (copy_from_user(to, from, n), 0)
#define copy_to_user_nofault(to, from, n)      (copy_to_user(to, from, n), 0)
#define copy_from_kernel_nofault(to, from, n)  (copy_from_user(to, from, n), 0)
#define __clear_user(to, n)		       clear_user(to, n)
#define get_user(x, p)			       ((x) = *(p), 0)
#define __get_user(x, p)		       get_user(x, p)
#define put_user(x, p)			       (*(p) = (x), 0)
#define __put_user(x, p)		       put_user(x, p)
#define strncpy_from_user(d, s, n)	       ((long)strlen(strncpy((d), (s), (n))))
#define strnlen_user(s, n)		       ((long)strnlen((s), (n)) + 1)
#define pagefault_disable()		       kmem_env_preempt_disable()
#define pagefault_enable()		       kmem_env_preempt_enable()
#define pagefault_disabled()		       false
#define faulthandler_disabled()		       in_atomic()
#define get_fs()			       0
#define uaccess_kernel()		       false
#define user_access_begin(p, n)		       true
#define user_access_end() \
	do {              \
	} while (0)

#endif
