/* SPDX-License-Identifier: MIT */
/*
 * Decay: memory that has been free for a while goes back to the host (decay_ms=, 0: never).
 *
 * A clock hand goes round over the machine's sections of 4 MiB. One that is free as a whole gets a
 * mark, which goes with its first use; one that still has the mark when the hand comes by again is
 * given back. A round takes half of decay_ms, so what goes has been free for that long at least, and
 * what stays for decay_ms at most. With each round the caches that were not used in it empty their
 * barns, and with these, slabs.
 *
 *	decay	every free that gives whole slabs, runs or large blocks back comes by; each 16th looks
 *		at the clock
 *	step	64 sections, of which one is given back; or, at the end of a round, the barns
 *	rest	a millisecond between steps, half of decay_ms between rounds
 *
 * Nobody is woken for it: while nothing is freed nothing decays (kmem_trim() is for that), and no
 * process gets a thread it did not ask for.
 *
 * Locks: none held. Only tasks that may sleep take a step, one at a time. Cost: two loads and a
 * store, beside a lock of the zone's that the caller has just let go.
 */
#include "reclaim/reclaim.h"

enum { DECAY_GLANCE = 16, DECAY_STEP = 64, NS_A_MS = 1000000 };

static struct {
	u32 frees;  /* since the start; a few may be lost */
	u32 due_ms; /* the next step; 0: not begun */
	u32 turn;   /* 1: somebody is at it */
	pfn_t hand; /* the turn's */
} decay;

void (*reclaim_idle_hook)(void);

static void decay_step(u32 now_ms)
{
	u32 round = kmem_machine.opt.decay_ms / 2;
	bool begun = atom_load(&decay.due_ms) != 0, end = false;

	if (begun)
		end = phys_decay(&decay.hand, DECAY_STEP);
	if (end && reclaim_idle_hook)
		reclaim_idle_hook();
	/* An odd number is never 0. */
	atom_store(&decay.due_ms, (now_ms + (begun && !end ? 1 : round)) | 1);
}

static noinline void decay_look(void)
{
	u32 due = atom_load(&decay.due_ms), now_ms;

	if (!context_may_sleep())
		return;
	now_ms = (u32)div_u64(port_now_ns(), NS_A_MS);
	if ((due && (s32)(now_ms - due) < 0) || atom_xchg(&decay.turn, 1u))
		return; /* pairs with the release below */
	decay_step(now_ms);
	atom_store_rel(&decay.turn, 0u);
}

void reclaim_decay(void)
{
	u32 frees;

	if (!kmem_machine.opt.decay_ms)
		return;
	frees = atom_load(&decay.frees) + 1;
	atom_store(&decay.frees, frees);
	if (unlikely(frees % DECAY_GLANCE == 0))
		decay_look();
}

/* Also in a fork's child, whose parent may have been at it. */
void decay_reset(void)
{
	__builtin_memset(&decay, 0, sizeof(decay));
}
