/* SPDX-License-Identifier: MIT */
/* <linux/oom.h>: the notifiers that are asked before a request is given up. */
#ifndef KMEM_COMPAT_OOM_H
#define KMEM_COMPAT_OOM_H
#define __INCLUDE_LINUX_OOM_H

#include <linux/types.h>
#include <linux/notifier.h>
#include <linux/shrinker.h>

/* Called with an unsigned long to add the pages freed to. May not allocate but with GFP_ATOMIC. */
int kmem_env_register_oom_notifier(void *nb, int (*call)(void *, unsigned long, void *));
int kmem_env_unregister_oom_notifier(void *nb);

#define register_oom_notifier(nb)       \
	kmem_env_register_oom_notifier( \
		(nb), (int (*)(void *, unsigned long, void *))(nb)->notifier_call)
#define unregister_oom_notifier(nb) kmem_env_unregister_oom_notifier(nb)

#endif
