/* SPDX-License-Identifier: MIT */
/* What the drivers of kernel code share: checks that are counted, and memory to press with. */
#ifndef KMEM_CLIENTS_CHECK_H
#define KMEM_CLIENTS_CHECK_H

#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>

static unsigned long checks, failures;

#define CHECK(cond)                                                                     \
	({                                                                              \
		bool __good = !!(cond);                                                 \
		__atomic_fetch_add(&checks, 1, __ATOMIC_RELAXED);                       \
		if (!__good && __atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED) < 20) \
			pr_err("%s:%d: not true: %s\n", __FILE__, __LINE__, #cond);     \
		__good;                                                                 \
	})

static inline int checks_result(const char *name)
{
	pr_info("%s: %lu of %lu checks passed\n", name, checks - failures, checks);
	return failures ? -EINVAL : 0;
}

/* Pages that are taken and held, linked through their first word. */
struct held {
	struct held *next;
};

/* One page more; false: there is none to be had. */
static inline bool hold_page(struct held **held, gfp_t gfp)
{
	struct held *p = (struct held *)__get_free_page(gfp | __GFP_NOWARN);

	if (!p)
		return false;
	p->next = *held;
	*held = p;
	return true;
}

static inline void release_pages_held(struct held **held)
{
	while (*held) {
		struct held *p = *held;

		*held = p->next;
		free_page((unsigned long)p);
	}
}

#endif
