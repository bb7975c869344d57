/* SPDX-License-Identifier: MIT */
/*
 * The same work again and again, each time with another failure: the n-th transfer of a store, or the
 * n-th request for memory, until there is none left to fail.
 */
#ifndef KMEM_TESTS_EVERY_FAILURE_H
#define KMEM_TESTS_EVERY_FAILURE_H

#include <kmem/port.h>
#include "support.h"
#include "store.h"

struct every_failure {
	struct mem_store *store;
	void (*work)(void);
	/* Nothing fails any more, and nothing may be missing. */
	void (*settle)(uint64_t before, const char *how, unsigned int n);
	unsigned int *failed; /* counted by the work: what it was told of */
	uint64_t before;
	unsigned int noticed; /* runs that were told of something */
};

/* How many transfers failed. */
static TAP_UNUSED unsigned int every_transfer(struct every_failure *e, bool for_ever, int error)
{
	unsigned int had, n = 0;

	do {
		had = e->store->failures;
		e->store->nth = ++n;
		e->store->for_ever = for_ever;
		e->store->error = error;
		*e->failed = 0;
		e->work();
		e->noticed += *e->failed > 0;
		e->settle(e->before, "transfer", n);
	} while (e->store->failures != had);
	return n - 1;
}

/* How many requests there were, the last of them with nothing left to fail. */
static TAP_UNUSED unsigned int every_request(struct every_failure *e)
{
	unsigned int n = 0;
	bool last;

	do {
		*e->failed = 0;
		kmem_fault_nth((int)++n);
		e->work();
		e->noticed += *e->failed > 0;
		last = port_task()->fail_nth != 0;
		e->settle(e->before, "request", n);
	} while (!last);
	return n;
}

#endif
