/* SPDX-License-Identifier: MIT */
/*
 * A check for one deadlock before it happens (semantics 7.8): a lock that is taken by a shrinker, and
 * is also held somewhere around a request that may reclaim. Some day that request runs the shrinker,
 * which waits for the lock its own task holds. Nobody has to be stuck for it to be seen: it is enough
 * that each half has happened once, in any order, in any task.
 *
 *	pthread_mutex_lock(&inode->mutex);
 *	kmem_lock_acquired(&inode_class, "inode lock", NULL);
 *	...
 *	kmem_lock_released(&inode_class);
 *	pthread_mutex_unlock(&inode->mutex);
 *
 * All locks of one purpose are one class, named by any address that stays theirs; locks of different
 * classes have different ones. The check is on in debug builds and with lockdep=1; elsewhere these
 * calls do nothing.
 *
 * Reported once for a class, with both places (KMEM_MISUSE_RECLAIM_RECURSION). A request counts
 * if, after the task's scopes, it may block and has __GFP_FS, and the task is not PF_MEMALLOC; a
 * reclaim counts if its request has __GFP_FS. So GFP_NOFS, or memalloc_nofs_save(), is the cure.
 *
 * Any context; nothing waits or allocates. A task may hold 7 at once and there may be 128 classes;
 * who comes later is not followed, which is said once.
 */
#ifndef KMEM_LOCKDEP_H
#define KMEM_LOCKDEP_H

#include <kmem/config.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Right after the lock was taken. name is copied, up to 31 characters, the first time. site: the place
 * to name in the report; NULL: the caller. */
void kmem_lock_acquired(const void *class_key, const char *name, const void *site);
/* The same for a lock that was taken without waiting: a shrinker that only tries cannot deadlock. */
void kmem_lock_tried(const void *class_key, const char *name, const void *site);
/* Right before it is given back. What is not held is ignored. */
void kmem_lock_released(const void *class_key);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
