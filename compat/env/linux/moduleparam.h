/* SPDX-License-Identifier: MIT */
/* Parameters: an entry each in a section of the program, set by words of the command line. */
#ifndef KMEM_ENV_LINUX_MODULEPARAM_H
#define KMEM_ENV_LINUX_MODULEPARAM_H
#define _LINUX_MODULE_PARAMS_H

#include <linux/init.h>

struct kernel_param;
struct kernel_param_ops {
	unsigned int flags;
	int (*set)(const char *val, const struct kernel_param *kp);
	int (*get)(char *buffer, const struct kernel_param *kp);
	void (*free)(void *arg);
};
struct kparam_string {
	unsigned int maxlen;
	char *string;
};
struct kparam_array {
	unsigned int max, elemsize;
	unsigned int *num;
	const struct kernel_param_ops *ops;
	void *elem;
};
struct kernel_param {
	const char *module, *name;
	const struct kernel_param_ops *ops;
	union {
		void *arg;
		const struct kparam_string *str;
		const struct kparam_array *arr;
	};
};
enum { KERNEL_PARAM_OPS_FL_NOARG = 1 };

extern const struct kernel_param_ops param_ops_byte, param_ops_short, param_ops_ushort,
	param_ops_int, param_ops_uint, param_ops_hexint, param_ops_long, param_ops_ulong,
	param_ops_ullong, param_ops_charp, param_ops_bool, param_ops_bool_enable_only,
	param_ops_invbool, param_ops_bint, param_ops_string, param_array_ops;
int param_set_int(const char *val, const struct kernel_param *kp);
int param_get_int(char *buffer, const struct kernel_param *kp);
int param_set_uint(const char *val, const struct kernel_param *kp);
int param_get_uint(char *buffer, const struct kernel_param *kp);
int param_set_ulong(const char *val, const struct kernel_param *kp);
int param_get_ulong(char *buffer, const struct kernel_param *kp);
int param_set_bool(const char *val, const struct kernel_param *kp);
int param_get_bool(char *buffer, const struct kernel_param *kp);
int param_set_charp(const char *val, const struct kernel_param *kp);
int param_get_charp(char *buffer, const struct kernel_param *kp);
int param_set_uint_minmax(const char *val, const struct kernel_param *kp, unsigned int min,
			  unsigned int max);

#define __KMEM_PARAM(mod, pname, pops, parg)                                                   \
	static const struct kernel_param __kmem_param_##pname                                  \
		__attribute__((used, section("kmem_env_params"), aligned(sizeof(void *)))) = { \
			.module = mod, .name = #pname, .ops = pops, {.arg = (void *)(parg)}}
/* <stdbool.h> makes bool a macro. */
#define param_ops__Bool			      param_ops_bool
#define module_param_cb(name, ops, arg, perm) __KMEM_PARAM(KBUILD_MODNAME, name, ops, arg)
#define module_param_named(name, var, type, perm) \
	__KMEM_PARAM(KBUILD_MODNAME, name, &param_ops_##type, &(var))
#define module_param(name, type, perm)			 module_param_named(name, name, type, perm)
#define module_param_unsafe(name, type, perm)		 module_param(name, type, perm)
#define module_param_named_unsafe(name, var, type, perm) module_param_named(name, var, type, perm)
#define module_param_cb_unsafe(name, ops, arg, perm)	 module_param_cb(name, ops, arg, perm)
#define module_param_hw(name, type, hwtype, perm)	 module_param(name, type, perm)
#define core_param(name, var, type, perm)		 __KMEM_PARAM(NULL, name, &param_ops_##type, &(var))
#define core_param_cb(name, ops, arg, perm)		 __KMEM_PARAM(NULL, name, ops, arg)
#define module_param_string(pname, strvar, len, perm)                         \
	static const struct kparam_string __kmem_str_##pname = {len, strvar}; \
	__KMEM_PARAM(KBUILD_MODNAME, pname, &param_ops_string, &__kmem_str_##pname)
#define module_param_array_named(pname, array, type, nump, perm)                               \
	static const struct kparam_array __kmem_arr_##pname = {.max = sizeof(array) /          \
								      sizeof((array)[0]),      \
							       .elemsize = sizeof((array)[0]), \
							       .num = (unsigned int *)(nump),  \
							       .ops = &param_ops_##type,       \
							       .elem = (array)};               \
	__KMEM_PARAM(KBUILD_MODNAME, pname, &param_array_ops, &__kmem_arr_##pname)
#define module_param_array(name, type, nump, perm) \
	module_param_array_named(name, name, type, nump, perm)
#define MODULE_PARM_DESC(name, desc)
#define MODULE_PARAM_PREFIX KBUILD_MODNAME "."
#define kernel_param_lock(mod) \
	do {                   \
	} while (0)
#define kernel_param_unlock(mod) \
	do {                     \
	} while (0)

#endif
