/* SPDX-License-Identifier: MIT */
/* Modules are built in: module_init() is an initcall, the module itself has no object. */
#ifndef KMEM_ENV_LINUX_MODULE_H
#define KMEM_ENV_LINUX_MODULE_H
#define _LINUX_MODULE_H

#include <linux/init.h>
#include <linux/export.h>
#include <linux/moduleparam.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/list.h>
#include <linux/stat.h>
#include <linux/compiler.h>
#include <linux/cache.h>
#include <linux/kernel.h>
#include <linux/errno.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/percpu.h>
#include <linux/jump_label.h>
#include <linux/idr.h>
#endif

struct module {
	char name[56];
	int state;
};
#define MODULE_NAME_LEN 56
enum module_state {
	MODULE_STATE_LIVE,
	MODULE_STATE_COMING,
	MODULE_STATE_GOING,
	MODULE_STATE_UNFORMED
};

#define MODULE_INFO(tag, info)
#define MODULE_ALIAS(a)
#define MODULE_SOFTDEP(d)
#define MODULE_LICENSE(l)
#define MODULE_AUTHOR(a)
#define MODULE_DESCRIPTION(d)
#define MODULE_VERSION(v)
#define MODULE_FIRMWARE(f)
#define MODULE_IMPORT_NS(ns)
#define MODULE_FILE
#define MODULE_DEVICE_TABLE(type, name)
#define MODULE_ALIAS_MISCDEV(minor)
#define MODULE_ALIAS_CHARDEV(major, minor)
#define MODULE_ALIAS_BLOCKDEV(major, minor)
#define MODULE_SUPPORTED_DEVICE(d)

#define try_module_get(m)    ((void)(m), true)
#define __module_get(m)	     ((void)(m))
#define module_put(m)	     ((void)(m))
#define module_name(m)	     ((void)(m), "kernel")
#define module_refcount(m)   0
#define module_is_live(m)    ((void)(m), true)
#define within_module(a, m)  false
#define is_module_address(a) false
#define symbol_get(x)	     (&(x))
#define symbol_put(x) \
	do {          \
	} while (0)
#define symbol_request(x)	       (&(x))
#define request_module(...)	       (-ENOSYS)
#define request_module_nowait(...)     (-ENOSYS)
#define __request_module(...)	       (-ENOSYS)
#define register_module_notifier(nb)   0
#define unregister_module_notifier(nb) 0
#define set_module_sig_enforced() \
	do {                      \
	} while (0)

#endif
