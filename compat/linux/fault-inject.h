/* SPDX-License-Identifier: MIT */
/*
 * Fault points of the user's own (<linux/fault-inject.h>): the decision of failslab= and fail_page_alloc= for
 * whatever else may fail. Those two are options of the machine (kmem/fault.h). Without a debugfs the
 * attributes are set by setup_fault_attr() or by hand.
 */
#ifndef KMEM_COMPAT_FAULT_INJECT_H
#define KMEM_COMPAT_FAULT_INJECT_H

#include <linux/types.h>

struct dentry;

struct fault_attr {
	unsigned long probability, interval; /* in percent; every how many calls */
	atomic_t times, space;		     /* -1: without end; what passes first */
	unsigned long verbose, count;
	bool task_filter;
	const char *name; /* in the log */
};

enum fault_flags { FAULT_NOWARN = 1 << 0 };

/* Nothing fails: the probability is 0. */
#define FAULT_ATTR_INITIALIZER                            \
	{                                                 \
		.interval = 1, .times = {1}, .verbose = 2 \
	}
#define DECLARE_FAULT_ATTR(attr) struct fault_attr attr = FAULT_ATTR_INITIALIZER

/* From "<interval>,<probability>,<space>,<times>". 1, or 0 with a message, and nothing has changed. */
int setup_fault_attr(struct fault_attr *attr, char *str);
/* Is this call, of so much, to fail? A task's kmem_fault_nth() counts it, too. Any context. */
bool should_fail(struct fault_attr *attr, ssize_t size);
bool should_fail_ex(struct fault_attr *attr, ssize_t size, int flags);

/* There is no debugfs: -ENODEV, as in a kernel without it. */
static inline struct dentry *fault_create_debugfs_attr(const char *name, struct dentry *parent,
						       struct fault_attr *attr)
{
	(void)parent;
	attr->name = name;
	return (struct dentry *)-19L;
}

#endif
