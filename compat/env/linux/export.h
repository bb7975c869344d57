/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_EXPORT_H
#define KMEM_ENV_LINUX_EXPORT_H
#define _LINUX_EXPORT_H

#ifndef KMEM_ENV_HOSTED
#include <linux/compiler.h>
#include <linux/linkage.h>
#include <linux/stringify.h>
#endif

struct module;
#define EXPORT_SYMBOL(sym)
#define EXPORT_SYMBOL_GPL(sym)
#define EXPORT_SYMBOL_NS(sym, ns)
#define EXPORT_SYMBOL_NS_GPL(sym, ns)
#define THIS_MODULE ((struct module *)0)

#endif
