/* SPDX-License-Identifier: MIT */
/*
 * kswapd: reclaim in the background, before those who may not wait find nothing (semantics 7.4).
 *
 * The handshake. One word, `wanted`, says what is asked of kswapd: the largest order and the highest
 * class of all who woke it since it looked last; 0: nothing. Who raises it from 0 wakes the sleeper.
 *
 *	waker				kswapd
 *	raise wanted			STEP	wish = wanted, wanted = 0; if it was 0: SLEEP
 *	it was 0: wake				balance for the wish
 *						not content, and not hopeless: raise wanted; STEP
 *					NAP	wait while wanted is 0, a tenth of a second; if it
 *						still is, and the wish still granted: SLEEP; else STEP
 *					SLEEP	wait while wanted is 0; STEP
 *
 * port_wait() looks at the word in the very step in which it falls asleep, so a wish is either seen
 * before or wakes. Stop is a bit of the same word, which a step leaves where it is.
 *
 * The task. Making a thread is nothing for a handler, and one that does not say that it is one cannot be
 * told from its task. So no wish makes kswapd, and no free: who registers a shrinker or a provider does,
 * and, where there is one or decay_thread=1, a request for pages that may block (after a fork, say). A
 * wish waits for that. Where there are no threads the embedding calls kmem_kswapd_run() instead.
 *
 *	NONE --spawned--> SPAWNED --stop--> NONE		REFUSED: the port has no tasks to give
 *
 * Balance. Passes from priority 12 to 1, each for the sum of the zones' high marks, until one zone of
 * the class passes its high mark. The priority rises unless a pass has looked at all it was to, and
 * freed something. For an order above 0 twice its pages are enough: what follows is for order 0.
 *
 * Hopeless. A balance that frees nothing is a failure; after 16 in a row wake-ups are ignored, and
 * direct reclaim is on its own. Any pass that frees something ends that, and so does a free that
 * lifts a zone over its high mark: such zones are marked, and the mark is looked at when the zone's
 * lock goes (zone_unlock), which no free that stays on a CPU's list comes by.
 *
 * Turn. One balance at a time; kmem_check() takes the turn to keep kswapd out.
 *
 * Throttle. Who would reclaim while half of the reserve is gone waits for kswapd first: what is left
 * is for those who free. Not for ever: slabs that come and go by themselves look like progress, and
 * then kswapd never becomes hopeless. After sixteen looks it is the task's own turn.
 *
 * Locks: none held.
 */
#include "reclaim/reclaim.h"

enum kswapd_task { KSWAPD_NONE, KSWAPD_SPAWNED, KSWAPD_REFUSED };

enum {
	KSWAPD_NAP_NS = 100000000,     /* HZ / 10 */
	THROTTLE_MOST_NS = 1000000000, /* HZ */
};

static struct {
	u32 wanted;   /* a wish, or 0 */
	u32 task;     /* enum kswapd_task */
	u32 turn;     /* 1: somebody balances, or keeps kswapd out */
	u32 failures; /* balances in a row that freed nothing */
	u32 given_up; /* bit z: zone z was below high when there were too many */
	u32 relief;   /* counts the moments in which throttled tasks look again */
} kswapd;

/* ---- Wishes -------------------------------------------------------------------------------------- */

#define WISH_STOP  ((u32)1 << 31)
#define WISH_DECAY ((u32)1 << 30) /* free memory is to be looked at: no wish of anybody's */

static u32 wish_of(unsigned int order, u32 class)
{
	assert_debug(order <= MAX_PAGE_ORDER && class < KMEM_NR_ZONES);
	return (order + 1) | class << 8;
}

static unsigned int wish_order(u32 wish)
{
	return (wish & 0xff) - 1;
}

static u32 wish_class(u32 wish)
{
	return wish >> 8 & 0xff;
}

/* False: that and more has been asked for already. */
static bool wish_raise(u32 wish)
{
	u32 seen = atom_load(&kswapd.wanted), both;

	do {
		both = (seen & (WISH_STOP | WISH_DECAY)) | (u32)size_max(seen & 0xff, wish & 0xff) |
		       (u32)size_max(seen & 0xff00, wish & 0xff00);
		if (both == seen)
			return false;
	} while (!atom_cas(&kswapd.wanted, &seen, both));
	if (seen == 0)
		port_wake(&kswapd.wanted, UINT32_MAX);
	return true;
}

static bool machine_is_on(void)
{
	return atom_load_acq(&kmem_machine.state) == MACHINE_ON;
}

static bool kswapd_stopping(void)
{
	return atom_load_acq(&kswapd.wanted) & WISH_STOP;
}

/* ---- What there is to do ------------------------------------------------------------------------- */

/* Some zone of the class is at its high mark: nothing to be done in the background. */
static bool node_balanced(unsigned int order, u32 class)
{
	for_each_zone (z)
		if (zone_serves(z, class) &&
		    zone_watermark_ok(z, order, atom_load(&z->mark[ALLOC_WMARK_HIGH]), class, 0,
				      zone_free_pages(z)))
			return true;
	return false;
}

/* The turn is the caller's. The marks come first: whoever sees the number sees them. */
static void kswapd_failed(void)
{
	u32 failures = atom_load(&kswapd.failures) + 1, given_up = 0;

	if (failures == MAX_RECLAIM_RETRIES) {
		for_each_zone (z)
			given_up |= (u32)zone_give_up(z) << z->index;
		atom_store(&kswapd.given_up, given_up);
	}
	atom_store_rel(&kswapd.failures, failures); /* pairs with kswapd_hopeless */
}

void kswapd_progress(void)
{
	if (unlikely(atom_load(&kswapd.failures)))
		atom_store(&kswapd.failures, 0u);
}

static bool kswapd_hopeless(void)
{
	if (likely(atom_load_acq(&kswapd.failures) < MAX_RECLAIM_RETRIES))
		return false;
	for_each_zone (z) {
		if (atom_load(&kswapd.given_up) >> z->index & 1 && !atom_load(&z->given_up)) {
			kswapd_progress();
			return false;
		}
	}
	return true;
}

static bool wish_granted(u32 wish)
{
	return node_balanced(wish_order(wish), wish_class(wish)) || kswapd_hopeless();
}

/* ---- Balance ------------------------------------------------------------------------------------- */

static unsigned long pass_target(u32 class)
{
	unsigned long pages = 0;

	for_each_zone (z)
		if (zone_serves(z, class))
			pages += size_max(atom_load(&z->mark[ALLOC_WMARK_HIGH]), SWAP_CLUSTER_MAX);
	return pages;
}

static void throttled_look(void)
{
	atom_add_sc(&kswapd.relief, 1); /* after what was freed; pairs with throttle_direct */
	port_wake(&kswapd.relief, UINT32_MAX);
}

/* True: the priority is to rise. */
static bool balance_pass(struct reclaim *r)
{
	unsigned long before = r->freed, wanted = pass_target(r->class);

	r->target = before + wanted;
	r->scanned = 0;
	reclaim_pass(r);
	throttled_look();
	return r->scanned < wanted || r->freed == before;
}

/* The wish that is left: the same, or for order 0. */
static u32 balance(u32 wish)
{
	struct reclaim r = {.gfp = GFP_KERNEL, .class = wish_class(wish), .kswapd = true};
	unsigned int order = wish_order(wish);
	u32 fresh = reclaim_begin(PF_MEMALLOC | PF_KTHREAD);

	vm_event(KMEM_EV_pageoutrun);
	trace_kswapd_wake(order);
	for (r.priority = DEF_PRIORITY; r.priority > 0;) {
		if (node_balanced(order, r.class) || kswapd_stopping())
			break;
		r.priority -= balance_pass(&r);
		if (order && r.freed >= 2ul << order)
			order = 0;
	}
	if (r.priority == 0)
		reclaim_drain(&r);
	if (r.priority == 0 && r.freed == 0)
		kswapd_failed();
	reclaim_end(fresh);
	throttled_look();
	return wish_of(order, r.class);
}

/* The turn is the caller's. The wish that was worked on, or 0: there was none. */
static u32 kswapd_step(void)
{
	u32 wish = atom_and(&kswapd.wanted, WISH_STOP) & ~WISH_DECAY;

	if (!wish || wish & WISH_STOP)
		return 0;
	wish = balance(wish);
	if (!wish_granted(wish)) {
		vm_event(KMEM_EV_kswapd_high_wmark_hit_quickly);
		wish_raise(wish);
	}
	return wish;
}

/* ---- The task ------------------------------------------------------------------------------------ */

void kswapd_hold(void)
{
	while (atom_xchg(&kswapd.turn, 1u) != 0) /* pairs with the release below */
		port_wait(&kswapd.turn, 1, UINT64_MAX);
}

void kswapd_let(void)
{
	atom_store_rel(&kswapd.turn, 0u);
	port_wake(&kswapd.turn, UINT32_MAX);
}

static void kswapd_nap(u32 wish)
{
	port_wait(&kswapd.wanted, 0, KSWAPD_NAP_NS);
	if (atom_load(&kswapd.wanted)) {
		vm_event(KMEM_EV_kswapd_low_wmark_hit_quickly);
	} else if (!wish_granted(wish)) {
		vm_event(KMEM_EV_kswapd_high_wmark_hit_quickly);
		wish_raise(wish);
	}
}

static void kswapd_sleep(u64 ns)
{
	trace_kswapd_sleep();
	port_wait(&kswapd.wanted, 0, ns);
}

static void kswapd_main(void *arg)
{
	(void)arg;
	while (!kswapd_stopping()) {
		u64 rest = UINT64_MAX;
		u32 wish;

		kswapd_hold();
		wish = kswapd_step();
		if (!wish)
			rest = decay_background();
		kswapd_let();
		if (wish && atom_load(&kswapd.wanted) == 0)
			kswapd_nap(wish);
		else if (!wish)
			kswapd_sleep(rest);
	}
	/* The last of its stores; pairs with the load in kswapd_stop(). */
	atom_store_rel(&kswapd.task, (u32)KSWAPD_NONE);
	port_wake(&kswapd.task, UINT32_MAX);
}

/* Making a thread allocates, and comes back here. */
void kswapd_begin(void)
{
	u32 none = KSWAPD_NONE;

	if (atom_load(&kswapd.task) != KSWAPD_NONE || !machine_is_on() || !kmem_machine.opt.kswapd)
		return;
	if (!registry_any(&shrinkers) && !registry_any(&providers) &&
	    !kmem_machine.opt.decay_thread)
		return;
	if (!context_may_sleep() || port_task()->pf & PF_MEMALLOC)
		return;
	if (!atom_cas(&kswapd.task, &none, (u32)KSWAPD_SPAWNED) ||
	    port_spawn(kswapd_main, NULL, "kswapd0") == 0)
		return;
	atom_store(&kswapd.task, (u32)KSWAPD_REFUSED);
	throttled_look(); /* somebody may have counted on it already */
}

bool kswapd_wake(gfp_t gfp, unsigned int order, u32 class)
{
	if (node_balanced(order, class) || kswapd_hopeless())
		return false;
	if (wish_raise(wish_of(order, class)))
		trace_wakeup_kswapd(order, gfp);
	return true;
}

bool kswapd_nudge(void)
{
	if (atom_or(&kswapd.wanted, WISH_DECAY) == 0)
		port_wake(&kswapd.wanted, UINT32_MAX);
	return atom_load(&kswapd.task) != KSWAPD_NONE;
}

bool kmem_kswapd_run(void)
{
	bool worked;

	if (!machine_is_on() || port_task()->pf & PF_MEMALLOC)
		return false;
	if (!context_check_sleep(KMEM_MISUSE_CONTEXT, NULL, "kmem_kswapd_run"))
		return false;
	if (atom_xchg(&kswapd.turn, 1u) != 0)
		return false;
	worked = kswapd_step() != 0;
	kswapd_let();
	return worked;
}

/* ---- The throttle -------------------------------------------------------------------------------- */

/* Half of the reserves that can be filled up again is there; or nobody is going to fill them up. */
static bool reserve_ok(void)
{
	unsigned long reserve = 0, free = 0;

	for_each_zone (z) {
		if (!zone_serves(z, KMEM_ZONE_NORMAL) || reclaim_reclaimable(z) == 0)
			continue;
		reserve += atom_load(&z->mark[ALLOC_WMARK_MIN]);
		free += zone_free_pages(z);
	}
	return reserve == 0 || free > reserve / 2 || node_balanced(0, KMEM_ZONE_NORMAL) ||
	       kswapd_hopeless();
}

static bool throttle_passes(void)
{
	return atom_load_acq(&kswapd.task) != KSWAPD_SPAWNED || reserve_ok();
}

void throttle_direct(gfp_t gfp)
{
	u64 now, end;

	if (port_task()->pf & (PF_KTHREAD | PF_KMEM_OOM_VICTIM) || throttle_passes())
		return;
	vm_event(KMEM_EV_pgscan_direct_throttle);
	now = port_now_ns();
	end = gfp & __GFP_FS ? UINT64_MAX : now + THROTTLE_MOST_NS;
	for (u32 looks = 0; now < end && looks < MAX_RECLAIM_RETRIES; looks++) {
		u32 seen = atom_load_acq(&kswapd.relief);

		if (throttle_passes())
			break;
		wish_raise(wish_of(0, KMEM_ZONE_NORMAL));
		port_wait(&kswapd.relief, seen, end - now);
		now = port_now_ns();
	}
}

/* ---- The end, fork ------------------------------------------------------------------------------- */

void kswapd_stop(void)
{
	atom_or(&kswapd.wanted, WISH_STOP);
	port_wake(&kswapd.wanted, UINT32_MAX);
	while (atom_load_acq(&kswapd.task) == KSWAPD_SPAWNED)
		port_wait(&kswapd.task, KSWAPD_SPAWNED, UINT64_MAX);
}

/* Nobody is in here: the machine is down, or this is a fork's child, which has no kswapd yet. */
void kswapd_reset(void)
{
	atom_store(&kswapd.wanted, 0u);
	atom_store(&kswapd.task, (u32)KSWAPD_NONE);
	atom_store(&kswapd.turn, 0u);
	kswapd_progress();
}
