/* SPDX-License-Identifier: MIT */
/*
 * Decay: memory that has been free for a while goes back to the host (decay_ms=, 0: never).
 *
 * A clock hand goes round over the machine's sections of 4 MiB. One that is free as a whole gets a
 * mark, which goes with its first use; one that still has the mark when the hand comes by again is
 * given back. A round takes half of decay_ms, so what goes has been free for that long at least, and
 * what stays for decay_ms at most, if frees come by. With each round the caches that were not used in it
 * empty their sheaves, and with these, slabs; and the per-CPU lists of pages are emptied, since a block
 * there keeps its section from being free as a whole.
 *
 *	decay	every free that trades a sheaf, or gives whole slabs or runs back to their zone comes by;
 *		each 16th looks at the clock
 *	step	64 sections, of which one is given back
 *	end	of a round: caches and lists, a batch of objects, a few slabs, a few pages at a time (see
 *		slab_reap_some, pcp_drain_some), by each that comes by until all is done
 *	rest	a millisecond between steps, half of decay_ms between rounds
 *
 * Nobody is woken for it: while nothing is freed nothing decays (kmem_trim() is for that), and no
 * process gets a thread it did not ask for. With decay_thread=1 kswapd goes the rounds as well, also where
 * nobody has anything to reclaim. `rounds` says how many are to go: a free sets it to three (the one in
 * which it falls, one that marks all there is, one that gives it back), a round's end takes one; at none
 * kswapd sleeps until the next free wakes it.
 *
 * Locks: none held. Only tasks that may sleep take a step, one at a time. Cost: two loads and a
 * store, beside a lock of the zone's that the caller has just let go.
 */
#include "reclaim/reclaim.h"

enum { DECAY_GLANCE = 16, DECAY_STEP = 64, DECAY_ROUNDS = 3, NS_A_MS = 1000000 };
enum decay_ending { ENDING_NOT, ENDING_CACHES, ENDING_CACHES_ON, ENDING_LISTS };

static struct {
	u32 rounds; /* that kswapd has to go, with decay_thread=1 */
	u32 frees;  /* since the start; a few may be lost */
	u32 due_ms; /* the next step; 0: not begun */
	u32 turn;   /* 1: somebody is at it */
	u32 ending; /* the turn's, who else looks may be wrong: enum decay_ending */
	pfn_t hand; /* the turn's */
	u32 list;
} decay;

bool (*reclaim_idle_hook)(bool begin);

static u32 decay_now(void)
{
	return (u32)div_u64(port_now_ns(), NS_A_MS);
}

/* A piece of what a round ends with; true: it was the last. */
static bool decay_end_some(void)
{
	u32 rounds = atom_load(&decay.rounds);
	bool begin = decay.ending == ENDING_CACHES;

	if (decay.ending < ENDING_LISTS) {
		if (reclaim_idle_hook && reclaim_idle_hook(begin)) {
			atom_store(&decay.ending, ENDING_CACHES_ON);
			return false;
		}
		decay.list = 0;
		atom_store(&decay.ending, ENDING_LISTS);
		return false;
	}
	if (pcp_drain_some(&decay.list))
		return false;
	phys_run_deferred();
	if (rounds)
		atom_cas(&decay.rounds, &rounds, rounds - 1); /* or there was a free just now */
	return true;
}

static void decay_step(u32 now_ms)
{
	u32 round = kmem_machine.opt.decay_ms / 2, rest = 1;

	if (!atom_load(&decay.due_ms)) {
		rest = round;
	} else if (!decay.ending) {
		if (phys_decay(&decay.hand, DECAY_STEP))
			atom_store(&decay.ending, ENDING_CACHES);
	} else if (decay_end_some()) {
		atom_store(&decay.ending, ENDING_NOT);
		rest = round;
	}
	/* An odd number is never 0. */
	atom_store(&decay.due_ms, (now_ms + rest) | 1);
}

/* True: and there is more to do at once. */
static noinline bool decay_look(void)
{
	u32 due = atom_load(&decay.due_ms), now_ms;
	bool more = atom_load(&decay.ending) != ENDING_NOT;

	if (!context_may_sleep())
		return false;
	now_ms = decay_now();
	if ((due && !more && (s32)(now_ms - due) < 0) || atom_xchg(&decay.turn, 1u))
		return false; /* pairs with the release below */
	decay_step(now_ms);
	more = decay.ending != ENDING_NOT;
	atom_store_rel(&decay.turn, 0u);
	return more;
}

/* Where kswapd has not begun yet, the next free tries again. */
static noinline void decay_wake(void)
{
	u32 all = DECAY_ROUNDS;

	if (atom_xchg(&decay.rounds, all) == 0 && !kswapd_nudge())
		atom_cas(&decay.rounds, &all, 0u);
}

u64 decay_background(void)
{
	s32 rest;

	if (!kmem_machine.opt.decay_thread || !atom_load(&decay.rounds))
		return UINT64_MAX;
	while (decay_look())
		;
	rest = (s32)(atom_load(&decay.due_ms) - decay_now());
	return (u64)(rest > 0 ? rest : 1) * NS_A_MS;
}

void reclaim_decay(void)
{
	u32 frees;

	if (!kmem_machine.opt.decay_ms)
		return;
	if (kmem_machine.opt.decay_thread && atom_load(&decay.rounds) != DECAY_ROUNDS)
		decay_wake();
	frees = atom_load(&decay.frees) + 1;
	atom_store(&decay.frees, frees);
	if (unlikely(frees % DECAY_GLANCE == 0 || atom_load(&decay.ending)))
		decay_look();
}

/* Also in a fork's child, whose parent may have been at it. */
void decay_reset(void)
{
	__builtin_memset(&decay, 0, sizeof(decay));
}
