/* SPDX-License-Identifier: MIT */
/*
 * A user's callback and its argument, changed and read as one. The sequence number is odd while a
 * change is under way; whoever reads then, a handler above all, sees no hook rather than half of
 * one, and never waits.
 */
#include "sync/sync.h"

void hook_set(struct hook *h, hook_fn fn, void *arg)
{
	u32 seq = atom_load(&h->seq);

	/* Changes exclude each other. Task context: the other one is short. */
	while ((seq & 1) || !atom_cas(&h->seq, &seq, seq + 1)) {
		port_relax();
		seq = atom_load(&h->seq);
	}
	atom_fence(); /* odd before new contents; pairs with the fence of hook_get */
	atom_store(&h->fn, fn);
	atom_store(&h->arg, arg);
	atom_store_rel(&h->seq, seq + 2); /* pairs with the first load of hook_get */
}

bool hook_get(const struct hook *h, hook_fn *fn, void **arg)
{
	u32 seq = atom_load_acq(&h->seq);

	if (seq & 1)
		return false;
	*fn = atom_load(&h->fn);
	*arg = atom_load(&h->arg);
	atom_fence(); /* contents before the second look */
	return atom_load(&h->seq) == seq && *fn != NULL;
}
