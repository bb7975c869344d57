/* SPDX-License-Identifier: MIT */
/*
 * <linux/shrinker.h>: libkmem's shrinkers, in both of the kernel's forms. Its OOM notifiers have the
 * kernel's names too; those come with <linux/oom.h>, beside the tree's <linux/notifier.h>.
 */
#ifndef KMEM_COMPAT_SHRINKER_H
#define KMEM_COMPAT_SHRINKER_H
#define _LINUX_SHRINKER_H

#include <linux/types.h>
#include <linux/gfp.h>

#ifndef KMEM_ENV_HOSTED
#define notifier_block		kmem_notifier_block
#define notifier_fn_t		kmem_notifier_fn_t
#define register_oom_notifier	__kmem_register_oom_notifier
#define unregister_oom_notifier __kmem_unregister_oom_notifier
#include <kmem/shrinker.h>
#undef notifier_block
#undef notifier_fn_t
#undef register_oom_notifier
#undef unregister_oom_notifier
#undef NOTIFY_DONE
#undef NOTIFY_OK
#undef NOTIFY_STOP_MASK
#undef NOTIFY_BAD
#undef NOTIFY_STOP
#else
#include <kmem/shrinker.h>
#endif

#define prealloc_shrinker(s, ...)	     ((void)(s), 0)
#define register_shrinker_prepared(s)	     ((void)register_shrinker((s), "prepared"))
#define free_prealloced_shrinker(s)	     ((void)(s))
#define synchronize_shrinkers()		     kmem_synchronize_rcu()
#define shrinker_debugfs_rename(s, fmt, ...) ((void)(s), 0)

void kmem_synchronize_rcu(void); /* kmem/kmem.h, which kernel code does not see */

#endif
