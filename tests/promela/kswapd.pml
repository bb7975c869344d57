/* spin: -m20000 */
/* SPDX-License-Identifier: MIT */
/*
 * The handshake of src/reclaim/kswapd.c between those who want background reclaim, kswapd, and those
 * who are throttled until kswapd has helped. An inline has the name of the function it stands for.
 *
 *	taker		a request: below HIGH it wakes kswapd, below MIN it is throttled; then it frees
 *	handler		an interrupt: takes a page and leaves a wish, and starts no task
 *	idle		the embedding's own call of kmem_kswapd_run(), and then kmem_check()
 *	kswapd		a step, a nap, a sleep; started by the first who may, unless the port refuses
 *	stopper		the shutdown, when all others have ended
 *
 * All loads and stores are steps of their own, in one order for all: what the orderings of real
 * memory add is the business of ThreadSanitizer and of the partners named in the source. port_wait
 * looks at the word and falls asleep in one step. The word `relief` changes with each wake; whether
 * it has changed since somebody looked is all that matters, so it is a bit for each of them. Sixteen
 * looks, after which a throttled task goes on, are more than there are wakes here.
 *
 * What must hold: each run ends with all ended, and no wish is left when kswapd sleeps and all is
 * quiet. A lost wake-up, a throttled task left behind and a stop that never ends are states without
 * a way on, which the search reports as invalid ends. BUG=n plants a mistake; each must be found.
 */
#ifndef BUG
#define BUG 0
#endif

#define HIGH 2 /* kswapd is content; below it is woken */
#define MIN 1  /* below it tasks are throttled */
#define TAKERS 2
#define HELD 1 /* pages that reclaim can bring back; then a balance is fruitless */
#define HOPELESS 2

#define IDLE TAKERS /* sleepers, by number */
#define STOPPER (TAKERS + 1)
#define KSWAPD (TAKERS + 2)
#define SLEEPERS (TAKERS + 3)

mtype = { NONE, SPAWNED, REFUSED };

byte free = HIGH - 1, held = HELD, failures;
bit wish, stop; /* the word `wanted` */
bit turn;
mtype task = NONE;
bit changed[TAKERS];	    /* relief, since the taker looked */
bit asleep[SLEEPERS];
bit at_turn[SLEEPERS];	    /* on the word turn, not on the sleeper's other one */
bit napping;
byte working = TAKERS + 1;

/* ---- Waiting -------------------------------------------------------------------------------- */

inline wake_relief() /* throttled_look */
{
	atomic {
		changed[0] = 1;
		asleep[0] = 0;
		changed[1] = 1;
		asleep[1] = 0
	}
}

inline wake_wanted()
{
	atomic {
		if
		:: !at_turn[KSWAPD] -> asleep[KSWAPD] = 0
		:: else
		fi
	}
}

inline wait_wanted()
{
	atomic { asleep[KSWAPD] = (!wish && !stop) };
	asleep[KSWAPD] == 0
}

inline nap_wanted() /* or the time is over */
{
	atomic { asleep[KSWAPD] = (!wish && !stop); napping = 1 };
	if
	:: atomic { asleep[KSWAPD] == 0 -> napping = 0 }
	:: atomic { asleep[KSWAPD] -> asleep[KSWAPD] = 0; napping = 0 }
	fi
}

inline kswapd_hold(me)
{
	do
	:: atomic { !turn -> turn = 1 };
		break
	:: turn ->
		atomic { asleep[me] = turn; at_turn[me] = turn };
		asleep[me] == 0
	od
}

inline kswapd_let()
{
	turn = 0;
#if BUG != 1
	atomic {
		if
		:: at_turn[IDLE] -> at_turn[IDLE] = 0; asleep[IDLE] = 0
		:: else
		fi;
		if
		:: at_turn[KSWAPD] -> at_turn[KSWAPD] = 0; asleep[KSWAPD] = 0
		:: else
		fi
	}
#endif
}

/* ---- Wishes ------------------------------------------------------------------------------------- */

inline wish_raise()
{
#if BUG == 2
	/* The sleeper is woken before there is anything to see. */
	wake_wanted();
	wish = 1;
#else
	atomic { was = wish || stop; wish = 1 };
	if
	:: atomic { !was; wake_wanted() }
	:: else -> was = 0
	fi
#endif
}

inline kswapd_begin()
{
	if
	:: atomic { task == NONE -> task = SPAWNED };
		if
		:: run kswapd()
		:: true ->
			task = REFUSED;
#if BUG != 3
			wake_relief()
#endif
		fi
	:: task != NONE
	fi
}

inline kswapd_wake()
{
	if
	:: free >= HIGH || failures >= HOPELESS
	:: else ->
		wish_raise()
	fi
}

/* ---- Those who take ------------------------------------------------------------------------------ */

#define passes (task != SPAWNED || free >= MIN || failures >= HOPELESS)

inline throttle_direct(me)
{
	do
	::
#if BUG != 4
		changed[me] = 0;
#endif
		if
		:: passes -> break
		:: else
		fi;
#if BUG == 4
		/* Relief between the look and here is not noticed. */
		changed[me] = 0;
#endif
		wish_raise();
		atomic { asleep[me] = !changed[me] };
		asleep[me] == 0
	od;
	changed[me] = 0
}

proctype taker(byte me)
{
	bit was, mine;

	kswapd_begin();
	if
	:: free < HIGH -> kswapd_wake()
	:: else
	fi;
	throttle_direct(me);
	atomic {
		if
		:: free > 0 -> free--; mine = 1
		:: else
		fi
	};
	/* A zone that is lifted over its high mark ends hopelessness. */
	atomic {
		free = free + mine;
		if
		:: free >= HIGH -> failures = 0
		:: else
		fi;
		mine = 0
	};
	working--
}

proctype handler()
{
	bit was;

	atomic { free = (free > 0 -> free - 1 : 0) };
	if
	:: free < HIGH -> kswapd_wake()
	:: else
	fi;
	working--
}

/* ---- Those who reclaim ------------------------------------------------------------------------ */

inline balance()
{
	do
	:: free >= HIGH || stop -> break
	:: free < HIGH && !stop ->
		if
		:: atomic { held > 0 -> held--; free++; failures = 0; freed = 1 };
			wake_relief()
		:: atomic { held == 0 -> failures = failures + !freed };
			break
		fi
	od;
	freed = 0;
#if BUG != 5
	wake_relief()
#endif
}

/* worked: there was a wish. */
inline kswapd_step()
{
	atomic {
		worked = wish && !stop;
		wish = 0;
#if BUG == 6
		/* The whole word is cleared, and with it the order to stop. */
		stop = 0;
#endif
	};
	if
	:: worked ->
		balance();
		if
		:: free < HIGH && failures < HOPELESS -> wish_raise()
		:: else
		fi
	:: else
	fi
}

proctype idle()
{
	bit was, worked, freed;

	if
	:: atomic { !turn -> turn = 1 };
		kswapd_step();
		kswapd_let()
	:: turn
	fi;
	kswapd_hold(IDLE);
	kswapd_let();
	atomic { worked = 0; working-- }
}

proctype kswapd()
{
	bit was, worked, freed;

	do
	:: stop -> break
	:: !stop ->
		kswapd_hold(KSWAPD);
		kswapd_step();
		kswapd_let();
		if
		:: worked && !wish && !stop ->
			nap_wanted();
			if
			:: !wish && free < HIGH && failures < HOPELESS -> wish_raise()
			:: else
			fi
		:: !worked -> wait_wanted()
		:: else
		fi;
		worked = 0
	od;
	task = NONE;
	asleep[STOPPER] = 0
}

proctype stopper()
{
	working == 0;
	if
	:: true /* at once, or when all is quiet */
	:: atomic {
			task != SPAWNED || (asleep[KSWAPD] && !at_turn[KSWAPD] && !napping);
			assert(task != SPAWNED || !wish)
		}
	fi;
	stop = 1;
#if BUG != 7
	wake_wanted();
#endif
	do
	:: task != SPAWNED -> break
	:: task == SPAWNED ->
		atomic { asleep[STOPPER] = (task == SPAWNED) };
		asleep[STOPPER] == 0
	od
}

init
{
	atomic {
		run taker(0);
		run taker(1);
		if /* with both there are too many states */
		:: run handler()
		:: run idle()
		fi;
		run stopper()
	}
}
