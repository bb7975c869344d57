/* SPDX-License-Identifier: MIT */
/*
 * What everybody includes. The contexts' checks are the library's; the formats are the environment's,
 * under names of their own in the program, since the C library has those of the kernel.
 */
#ifndef KMEM_ENV_LINUX_KERNEL_H
#define KMEM_ENV_LINUX_KERNEL_H
#define _LINUX_KERNEL_H

#include <linux/stdarg.h>
#include <linux/align.h>
#include <linux/limits.h>
#include <linux/linkage.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/bitops.h>
#include <linux/kstrtox.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/typecheck.h>
#include <linux/panic.h>
#include <linux/printk.h>
#include <linux/build_bug.h>
#include <linux/instruction_pointer.h>
#include <asm/byteorder.h>
#include <uapi/linux/kernel.h>
#include <kmem/context.h>
#include <kmem/env.h>
#if __has_include(<linux/array_size.h>)
#include <linux/array_size.h>
#endif
#if __has_include(<linux/hex.h>)
#include <linux/hex.h>
#endif

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(arr) (sizeof(arr) / sizeof((arr)[0]) + __must_be_array(arr))
#endif
#define STACK_MAGIC								      0xdeadbeef
#define REPEAT_BYTE(x)								      ((~0ul / 0xff) * (x))
#define READ									      0
#define WRITE									      1
#define PTR_IF(cond, p)								      ((cond) ? (p) : NULL)
#define u64_to_user_ptr(x)							      ((void __user *)(uintptr_t)(x))
#define upper_32_bits(n)							      ((u32)(((n) >> 16) >> 16))
#define lower_32_bits(n)							      ((u32)((n)&0xffffffff))
#define upper_16_bits(n)							      ((u16)((n) >> 16))
#define lower_16_bits(n)							      ((u16)((n)&0xffff))
#define CONCATENATE(a, b)							      __CONCAT(a, b)
#define __CONCAT(a, b)								      a##b
#define __COUNT_ARGS(_0, _1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _n, X...) _n
#define COUNT_ARGS(X...)							      __COUNT_ARGS(, ##X, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define VERIFY_OCTAL_PERMISSIONS(perms)						      (perms)

#define might_resched() \
	do {            \
	} while (0)
#define might_fault() might_sleep()
#define cant_migrate() \
	do {           \
	} while (0)
#define sched_annotate_sleep() \
	do {                   \
	} while (0)
#define cant_sleep_if(cond)           \
	do {                          \
		if (cond)             \
			cant_sleep(); \
	} while (0)

int num_to_str(char *buf, int size, unsigned long long num, unsigned int width);
int sprintf(char *buf, const char *fmt, ...) __asm__("kmem_env_sprintf")
	__attribute__((format(printf, 2, 3)));
int snprintf(char *buf, size_t size, const char *fmt, ...) __asm__("kmem_env_snprintf");
int vsnprintf(char *buf, size_t size, const char *fmt, va_list args) __asm__("kmem_env_vsnprintf");
int vsprintf(char *buf, const char *fmt, va_list args) __asm__("kmem_env_vsprintf");
int sscanf(const char *buf, const char *fmt, ...);
int vsscanf(const char *buf, const char *fmt, va_list args);
char *kasprintf(gfp_t gfp, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *kvasprintf(gfp_t gfp, const char *fmt, va_list args);
int get_option(char **str, int *pint);
char *get_options(const char *str, int nints, int *ints);
unsigned long long memparse(const char *ptr, char **retptr);
bool parse_option_str(const char *str, const char *option);
char *next_arg(char *args, char **param, char **val);
extern int oops_in_progress;
enum system_states {
	SYSTEM_BOOTING,
	SYSTEM_SCHEDULING,
	SYSTEM_FREEING_INITMEM,
	SYSTEM_RUNNING,
	SYSTEM_HALT,
	SYSTEM_POWER_OFF,
	SYSTEM_RESTART,
	SYSTEM_SUSPEND
};
#define system_state SYSTEM_RUNNING

#if !__has_include(<linux/hex.h>)
extern const char hex_asc[], hex_asc_upper[];
#define hex_asc_lo(x)	    hex_asc[(x)&0x0f]
#define hex_asc_hi(x)	    hex_asc[((x)&0xf0) >> 4]
#define hex_asc_upper_lo(x) hex_asc_upper[(x)&0x0f]
#define hex_asc_upper_hi(x) hex_asc_upper[((x)&0xf0) >> 4]
static inline char *hex_byte_pack(char *buf, u8 byte)
{
	*buf++ = hex_asc_hi(byte);
	*buf++ = hex_asc_lo(byte);
	return buf;
}
static inline char *hex_byte_pack_upper(char *buf, u8 byte)
{
	*buf++ = hex_asc_upper_hi(byte);
	*buf++ = hex_asc_upper_lo(byte);
	return buf;
}
int hex_to_bin(unsigned char ch);
int hex2bin(u8 *dst, const char *src, size_t count);
char *bin2hex(char *dst, const void *src, size_t count);
#endif

#define trace_printk(fmt, ...) \
	do {                   \
	} while (0)
#define trace_puts(s) \
	do {          \
	} while (0)
#define trace_dump_stack(skip) \
	do {                   \
	} while (0)
#define ftrace_vprintk(fmt, ap) \
	do {                    \
	} while (0)
#define tracing_on() \
	do {         \
	} while (0)
#define tracing_off() \
	do {          \
	} while (0)
#define tracing_is_on() 0
#define tracing_start() \
	do {            \
	} while (0)
#define tracing_stop() \
	do {           \
	} while (0)
#define ftrace_dump(mode) \
	do {              \
	} while (0)

#endif
