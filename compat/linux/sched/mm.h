/* SPDX-License-Identifier: MIT */
/* <linux/sched/mm.h>: the scopes are the task's, kept by libkmem. There are no address spaces. */
#ifndef KMEM_COMPAT_SCHED_MM_H
#define KMEM_COMPAT_SCHED_MM_H
#define _LINUX_SCHED_MM_H

#include <linux/gfp.h>
#include <linux/types.h>
#include <kmem/context.h>

struct mem_cgroup;

/* The mask as the scopes that are open leave it. */
static inline gfp_t current_gfp_context(gfp_t gfp)
{
	unsigned int flags = kmem_task_flags();

	if (flags & PF_MEMALLOC_NOIO)
		gfp &= ~(__GFP_IO | __GFP_FS);
	else if (flags & PF_MEMALLOC_NOFS)
		gfp &= ~__GFP_FS;
	if (flags & PF_MEMALLOC_PIN)
		gfp &= ~__GFP_MOVABLE;
	return gfp;
}
#define fs_reclaim_acquire(gfp) might_alloc(gfp)
#define fs_reclaim_release(gfp) ((void)(gfp))

/* There is one group of memory. */
#define set_active_memcg(memcg) ((void)(memcg), (struct mem_cgroup *)0)

#endif
