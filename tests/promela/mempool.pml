/* spin: -m100000 */
/* SPDX-License-Identifier: MIT */
/*
 * How a mempool's waiters and those who free find each other (src/pool/mempool.c).
 *
 *	waiter		gets an element from alloc_fn, else from the reserve, else sleeps; keeps it
 *	freer		has one element; before it frees it, memory may get free for a call of alloc_fn;
 *			nested: it has interrupted somebody, and only tries the lock
 *
 * There are as many elements and willing calls as waiters, so every waiter must come to its end
 * though none of them frees: all that a wake-up was for must reach somebody. The 5 s after which a
 * waiter looks again by itself are left out: here a lost wake-up is a sleep without end, which the
 * search reports as an invalid end. BUG=n plants a mistake; each must be found.
 *
 * A step here is one access to shared memory there, in one order for all. The word that tasks sleep
 * on is a bit for each: has it moved since they looked? A wake moves it for all, and ends one sleep.
 */
#ifndef BUG
#define BUG 0
#endif

#define WAITERS 2
#define MIN 2 /* what the reserve keeps */

bit lock;
byte curr, aside, waiters, willing;
bit changed[WAITERS], asleep[WAITERS];

inline wake(n)
{
	if
	:: n == 0
#if BUG == 4
	:: n > 0 && waiters == 0 -> n = 0
#endif
	:: n > 0 && (BUG != 4 || waiters > 0) ->
		d_step { changed[0] = 1; changed[1] = 1 };
		do
		:: atomic { n > 0 && waiters > 0 -> n--;
			if
			:: asleep[0] -> asleep[0] = 0
			:: asleep[1] -> asleep[1] = 0
			:: else
			fi }
		:: atomic { n == 0 || waiters == 0 -> n = 0; break }
		od
	fi
}

/* Under the lock: what lies aside fills the reserve up. */
inline intake(n)
{
	do
	:: atomic { curr < MIN && aside > 0 -> aside-- }; d_step { curr++; n++ }
	:: curr == MIN || aside == 0 -> break
	od
}

/* Whoever has left something aside, or has let go of the lock, looks once more. */
inline settle(n)
{
	do
	:: aside > 0 && curr < MIN ->
		if
		:: atomic { lock == 0 -> lock = 1 }; intake(n); lock = 0; wake(n)
		:: lock == 1 -> break /* who has it looks when he lets go */
		fi
	:: aside == 0 || curr == MIN -> break
	od
}

inline unlock(n)
{
	intake(n);
	lock = 0;
	wake(n);
#if BUG != 3
	settle(n)
#endif
}

proctype waiter(byte me)
{
	byte n;
	bit got;

	waiters = waiters + (BUG != 4);
	do
	:: true ->
		changed[me] = (BUG == 1 -> changed[me] : 0);
		atomic {
			if
			:: willing > 0 -> willing--; got = 1; break
			:: else
			fi
		};
		atomic { lock == 0 -> lock = 1 };
		intake(n);
		atomic {
			if
			:: curr > 0 -> curr--; got = 1
			:: else
			fi
		};
		unlock(n);
		if
		:: got -> break
		:: !got -> waiters = waiters + (BUG == 4)
		fi;
		changed[me] = (BUG == 1 -> 0 : changed[me]);
		atomic { asleep[me] = !changed[me] };
		asleep[me] == 0 -> waiters = waiters - (BUG == 4)
	od;
	atomic { got = 0; waiters = waiters - (BUG != 4) };
	n = (curr > 0 && BUG != 2);
	wake(n)
}

proctype freer(bit nested, memory)
{
	byte n;

	willing = willing + memory;
	if
	:: atomic { lock == 0 -> lock = 1 };
		d_step { assert(curr < MIN); curr++; n = 1 };
		unlock(n)
	:: nested && lock == 1 -> aside++; settle(n)
	fi
}

init
{
	atomic {
		run waiter(0);
		run waiter(1);
		if
		:: run freer(0, 1)
		:: run freer(0, 0); run freer(0, 0)
		:: run freer(0, 0); run freer(1, 0)
		:: run freer(1, 0); run freer(1, 0)
		fi
	}
}
