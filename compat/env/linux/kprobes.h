/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_KPROBES_H
#define KMEM_ENV_LINUX_KPROBES_H
#define _LINUX_KPROBES_H

#define NOKPROBE_SYMBOL(fn)
#define __kprobes
#define nokprobe_inline inline

#endif
