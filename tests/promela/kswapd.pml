/* spin: -m20000 */
/* SPDX-License-Identifier: MIT */
/*
 * The handshake between those who want background reclaim, kswapd, and those who wait for kswapd.
 *
 *	taker		a request: takes pages; below LOW it wakes kswapd, below MIN it is throttled
 *	handler		an interrupt: takes one page, may wake, and never waits
 *	kswapd		balances when asked, else sleeps; started by the first who wants it
 *	stopper		the shutdown: asks for kswapd's end and waits for it
 *
 * All loads and stores are steps of their own, in one order for all: what the orderings of real
 * memory add is the business of ThreadSanitizer and of the fences named in the source.
 *
 * A word that tasks sleep on changes with each wake. Whether it has changed since somebody looked is
 * all that matters, so here it is a bit for each of them: look() clears it, a wake sets it, and who
 * finds it set does not fall asleep.
 *
 * What must hold: each run ends with all ended, and no request is left when all is quiet. A lost wake-up, a throttled task left behind and a
 * stop that never ends are states without a way on, which the search reports as invalid ends. BUG=n
 * plants a mistake; each must be found.
 */
#ifndef BUG
#define BUG 0
#endif

#define HIGH 3 /* kswapd is content */
#define LOW 2  /* below it kswapd is woken */
#define MIN 1  /* below it tasks are throttled */
#define TAKERS 2
#ifdef FULL
#define TAKES 3
#else
#define TAKES 2
#endif
#define HELD 1 /* pages that reclaim can bring back; then its runs are fruitless */
#define HOPELESS 2

#define STOPPER TAKERS
#define KSWAPD (TAKERS + 1)

byte free = HIGH, held = HELD, failures;
bit request;	       /* somebody wants pages */
bit started, alive;    /* who spawns is decided by an exchange */
bit stop;
byte working = TAKERS + 1; /* the machine is not stopped before they have ended */
bit changed[KSWAPD + 1], asleep[KSWAPD + 1];

inline look(me)
{
	changed[me] = 0
}

/* port_wait: sees whether the word has changed and falls asleep in one step. */
inline sleep_on(me)
{
	atomic { asleep[me] = !changed[me] };
	asleep[me] == 0
}

inline wake(who)
{
	changed[who] = 1;
	asleep[who] = 0
}

inline wake_throttled()
{
	atomic { wake(0); wake(1) }
}

inline kswapd_wake()
{
	if
	:: failures >= HOPELESS || free >= HIGH
	:: else ->
#if BUG == 1
		/* The sleeper is woken before the request can be seen. */
		atomic { wake(KSWAPD) };
		request = 1;
#else
		request = 1;
		atomic { wake(KSWAPD) };
#endif
		atomic {
			if
			:: !started -> started = 1; alive = 1; run kswapd()
			:: else
			fi
		}
	fi
}

/* Not when kswapd has given up: it would not come. */
inline throttle(me)
{
	do
	:: look(me);
		if
		:: free >= MIN || failures >= HOPELESS -> break
		:: else
		fi;
		kswapd_wake();
		sleep_on(me)
	od
}

proctype taker(byte me)
{
	byte n;

	for (n : 1 .. TAKES) {
		if
		:: free < LOW -> kswapd_wake()
		:: else
		fi;
		throttle(me);
		atomic { free = (free > 0 -> free - 1 : 0) }
	};
	working--
}

proctype handler()
{
	atomic { free = (free > 0 -> free - 1 : 0) };
	if
	:: free < LOW -> kswapd_wake()
	:: else
	fi;
	working--
}

inline balance()
{
	do
	:: free >= HIGH -> break
	:: free < HIGH ->
		if
		:: atomic { held > 0 -> held--; free++; failures = 0 };
			wake_throttled()
		:: held == 0 ->
			failures++;
			break
		fi
	od;
#if BUG != 2
	wake_throttled()
#endif
}

proctype kswapd()
{
	do
	::
#if BUG != 3
		look(KSWAPD);
#endif
		if
		:: stop -> break
		:: else
		fi;
		if
		:: request ->
			request = 0;
			balance()
		:: else ->
#if BUG == 3
			look(KSWAPD);
#endif
			sleep_on(KSWAPD)
		fi
	od;
	alive = 0;
	atomic { wake(STOPPER) }
}

proctype stopper()
{
	working == 0;
	!started || asleep[KSWAPD];
	assert(!request);
	stop = 1;
#if BUG != 4
	atomic { wake(KSWAPD) };
#endif
	do
	:: look(STOPPER);
		if
		:: !alive -> break
		:: else
		fi;
		sleep_on(STOPPER)
	od
}

init
{
	atomic {
		run taker(0);
		run taker(1);
		run handler();
		run stopper()
	}
}
