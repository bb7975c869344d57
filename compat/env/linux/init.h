/* SPDX-License-Identifier: MIT */
/*
 * Initcalls: one entry each in a section of the program, run by kmem_env_initcalls() by level, and
 * within a level in link order. A module is an initcall and an exit call of the same file.
 */
#ifndef KMEM_ENV_LINUX_INIT_H
#define KMEM_ENV_LINUX_INIT_H
#define _LINUX_INIT_H

#include <linux/types.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/build_bug.h>
#include <linux/stringify.h>
#endif

typedef int (*initcall_t)(void);
typedef void (*exitcall_t)(void);
typedef initcall_t initcall_entry_t;

struct kmem_env_initcall {
	initcall_t fn;
	exitcall_t exit;
	const char *name, *module;
	int level; /* 0 to 8; exit calls too: they are run in reverse */
	int result;
};
#ifndef KBUILD_MODNAME
#define KBUILD_MODNAME __FILE__
#endif

#define __KMEM_INIT(fn, lvl) __KMEM_INITCALL_1(fn, lvl)
#define __KMEM_INITCALL_1(init_fn, lvl)                                            \
	static struct kmem_env_initcall __kmem_init_##init_fn __attribute__((      \
		used, section("kmem_env_initcalls"), aligned(sizeof(void *)))) = { \
		.fn = (init_fn), .name = #init_fn, .module = KBUILD_MODNAME, .level = lvl};
#define __KMEM_EXIT(exit_fn)                                                       \
	static struct kmem_env_initcall __kmem_exit_##exit_fn __attribute__((      \
		used, section("kmem_env_initcalls"), aligned(sizeof(void *)))) = { \
		.exit = (exit_fn), .name = #exit_fn, .module = KBUILD_MODNAME, .level = 6};

#define early_initcall(fn)	   __KMEM_INIT(fn, 0)
#define pure_initcall(fn)	   __KMEM_INIT(fn, 0)
#define core_initcall(fn)	   __KMEM_INIT(fn, 1)
#define core_initcall_sync(fn)	   __KMEM_INIT(fn, 1)
#define postcore_initcall(fn)	   __KMEM_INIT(fn, 2)
#define postcore_initcall_sync(fn) __KMEM_INIT(fn, 2)
#define arch_initcall(fn)	   __KMEM_INIT(fn, 3)
#define arch_initcall_sync(fn)	   __KMEM_INIT(fn, 3)
#define subsys_initcall(fn)	   __KMEM_INIT(fn, 4)
#define subsys_initcall_sync(fn)   __KMEM_INIT(fn, 4)
#define fs_initcall(fn)		   __KMEM_INIT(fn, 5)
#define fs_initcall_sync(fn)	   __KMEM_INIT(fn, 5)
#define rootfs_initcall(fn)	   __KMEM_INIT(fn, 5)
#define device_initcall(fn)	   __KMEM_INIT(fn, 6)
#define device_initcall_sync(fn)   __KMEM_INIT(fn, 6)
#define __initcall(fn)		   __KMEM_INIT(fn, 6)
#define late_initcall(fn)	   __KMEM_INIT(fn, 7)
#define late_initcall_sync(fn)	   __KMEM_INIT(fn, 8)
#define console_initcall(fn)	   __KMEM_INIT(fn, 0)
#define __exitcall(fn)		   __KMEM_EXIT(fn)
#define module_init(fn)		   __KMEM_INIT(fn, 6)
#define module_exit(fn)		   __KMEM_EXIT(fn)

struct kmem_env_setup {
	const char *text;
	int (*fn)(char *value);
	bool early;
};
#define __KMEM_SETUP(str, func, is_early)                                                      \
	static const struct kmem_env_setup __kmem_setup_##func                                 \
		__attribute__((used, section("kmem_env_setups"), aligned(sizeof(void *)))) = { \
			.text = str, .fn = func, .early = is_early}
#define __setup(str, fn)     __KMEM_SETUP(str, fn, false)
#define early_param(str, fn) __KMEM_SETUP(str, fn, true)

#define __init __attribute__((cold))
#define __exit __attribute__((used, cold))
#define __initdata
#define __initconst
#define __exitdata
#define __exit_call
#define __ref
#define __refdata
#define __refconst
#define __meminit
#define __meminitdata
#define __meminitconst
#define __memexit
#define __cpuinit
#define __devinit
#define __devinitdata
#define __devexit
#define __init_or_module
#define __initdata_or_module
#define __initconst_or_module
#define __ro_after_init
#define __noinitretpoline
#define __latent_entropy
#define __initdata_memblock
#define __init_memblock

#endif
