/* SPDX-License-Identifier: MIT */
/*
 * A lock that is slept for, and may be held across a sleep: around I/O, around a request for memory.
 * It has no rank, since the ranked locks are for a few instructions and mark a section, in which
 * nothing sleeps. So none of them is held here; and whoever runs inside reclaim only tries a mutex,
 * because its holder may be waiting for that very reclaim.
 *
 *	0	free
 *	1	held
 *	2	held, and somebody may be asleep for it
 *
 * A sleeper writes 2 when it gets the lock, since there may be others.
 */
#include "sync/sync.h"

bool mutex_try(struct mutex *m)
{
	u32 seen = 0;

	return atom_cas(&m->word, &seen, 1u); /* pairs with the exchange of mutex_release */
}

void mutex_take(struct mutex *m)
{
	assert_debug(context_may_sleep());
	if (mutex_try(m))
		return;
	while (atom_xchg(&m->word, 2u) != 0)
		port_wait(&m->word, 2, UINT64_MAX);
}

void mutex_release(struct mutex *m)
{
	u32 was = atom_xchg(&m->word, 0u);

	assert_debug(was != 0);
	/* Its memory may be gone by now: the word is an address here, and is not looked at. */
	if (was == 2)
		port_wake(&m->word, 1);
}
