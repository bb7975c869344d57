/* SPDX-License-Identifier: MIT */
/*
 * Requests that fail on purpose (semantics 10.9), for programs that try what they do then. The
 * machine's options failslab= and fail_page_alloc= do the same from outside; kmem(7) explains their
 * text; kmem-sweep(1) fails each request of a program in turn.
 *
 *	for (n = 1;; n++) {
 *		kmem_fault_nth(n);
 *		try();				every path through try() that an allocation can end
 *		if (kmem_fault_nth(0))
 *			break;			fewer than n requests were made
 *	}
 *
 * Never failed: __GFP_NOFAIL, the _nolock calls, the library's own tables. A bulk call is decided
 * about once. A failure made on purpose prints no allocation-failure report and reclaims nothing.
 * While nothing is armed there is no cost: what is armed takes the hits away from all caches.
 */
#ifndef KMEM_FAULT_H
#define KMEM_FAULT_H

#include <stdbool.h>
#include <kmem/config.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/*
 * Sets an injector of the running machine, "failslab" or "fail_page_alloc", from the text of its
 * option; its counts begin anew. NULL or "": off. 0, or -EINVAL (no such injector, bad text, no
 * machine) and nothing has changed. Task context; nobody else may use the machine meanwhile.
 */
int kmem_fault_set(const char *name, const char *text);
/*
 * The running task's n-th request from now fails, once, blocking or not, whatever the attributes say;
 * of pages only those of fail_page_alloc's min-order (1) and above. 0: none. Returns how many were
 * left to the one set before; 0: it has failed. Task context.
 */
int kmem_fault_nth(int n);
/* Marks the running task for task-filter=Y, or unmarks it. Returns what it was. Any context. */
bool kmem_fault_task(bool on);
/* Failures made on purpose since the machine was started. Any context. */
unsigned long kmem_fault_count(void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
