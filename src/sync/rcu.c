/* SPDX-License-Identifier: MIT */
/*
 * Grace periods: a moment after which no read section that was open at the start is open any more.
 *
 * Readers. Every CPU has two pairs of counters, entered and left; `idx` says which pair new readers
 * use. A section counts `entered` up on the way in and `left` of the same pair on the way out, on
 * whatever CPU it then is. The pair is kept in the task's word (top bit), so leave matches enter
 * across a change of `idx`; inner sections only count the word's depth. Each way is one atomic on
 * this CPU's line, so a reader may be a signal handler, or be interrupted by one, at any point.
 *
 * A pair is drained when the sum of `left`, read first, equals the sum of `entered`, read after:
 * whoever is counted in the first sum is counted in the second, so equality leaves nobody inside.
 *
 * The grace period is a state machine in the low bits of `rcu_seq`; the rest counts those finished:
 *
 *	        wanted            pair idx^1 drained;         pair idx^1 drained
 *	                          idx ^= 1
 *	IDLE ------------> FIRST --------------------> LAST --------------------> IDLE, count + 1
 *
 * FIRST waits for stragglers: readers that looked at idx before an earlier flip and counted
 * themselves after it. Then the flip turns new readers away, and LAST waits for the rest. Readers
 * that come for ever therefore cannot hold a grace period up for ever.
 *
 * Order. A reader's fence stands between its counter and its loads; rcu_start's between the caller's
 * unlinking and the look at rcu_seq; the scan's between the change of state and the counters. So a
 * reader that saw the object before it was unlinked is seen by the scan (store buffering with a
 * fence on both sides), and what it did is ordered before the caller's next step by the chain
 * left -> scan -> rcu_seq -> rcu_elapsed.
 *
 * A cookie taken while a period is under way must wait for the next one, as the reader it is about
 * may have been missed. A cookie is a value of rcu_seq; where an unsigned long is 32 bits it wraps
 * after 2^30 periods, and a cookie kept for half of that waits longer than it must, never shorter.
 *
 * Lock: rcu_lock, RANK_LEAF, over the changes of state; only ever tried, so rcu_elapsed never waits
 * and may be called from anywhere.
 */
#include "sync/sync.h"

enum rcu_state { RCU_IDLE, RCU_FIRST, RCU_LAST, RCU_STATE_MASK = 3, RCU_PERIOD = 4 };
enum { RCU_PAIRS = 2, RCU_INDEX_SHIFT = 31, RCU_POLL_NS = 100000, RCU_SPINS = 64 };

static struct rcu_cpu {
	unsigned long entered[RCU_PAIRS], left[RCU_PAIRS];
} __attribute__((aligned(KMEM_CACHE_LINE))) rcu_cpu[KMEM_MAX_CPUS];

static struct lock rcu_lock = {.rank = RANK_LEAF};
static unsigned long rcu_seq;
static u32 rcu_idx;

static u32 word_depth(u32 word)
{
	return word & (((u32)1 << RCU_INDEX_SHIFT) - 1);
}

void rcu_read_enter(void)
{
	u32 *word = &port_task()->rcu;
	u32 idx;

	if (word_depth(*word) > 0) {
		(*word)++;
		return;
	}
	idx = atom_load(&rcu_idx);
	assert_debug(idx < RCU_PAIRS);
	/* A handler between these two lines is a section of its own and leaves the word zero. */
	atom_add_sc(&rcu_cpu[port_cpu()].entered[idx], 1);
	*word = idx << RCU_INDEX_SHIFT | 1;
	atom_fence(); /* the counter before the section's loads; pairs with the fence in step_period */
}

void rcu_read_leave(void)
{
	u32 *word = &port_task()->rcu;
	u32 idx = *word >> RCU_INDEX_SHIFT;

	assert_always(word_depth(*word) > 0);
	if (word_depth(*word) > 1) {
		(*word)--;
		return;
	}
	*word = 0;
	/* Releases the section to the scan's acquiring load. */
	atom_add_sc(&rcu_cpu[port_cpu()].left[idx], 1);
}

static bool pair_drained(u32 idx)
{
	unsigned long entered = 0, left = 0;
	unsigned int nr_cpus = port_ncpu();

	assert_debug(nr_cpus > 0 && nr_cpus <= KMEM_MAX_CPUS);
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		left += atom_load_acq(&rcu_cpu[cpu].left[idx]);
	atom_fence(); /* left before entered: see the theory */
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		entered += atom_load(&rcu_cpu[cpu].entered[idx]);
	return left == entered;
}

/* One transition of the machine, under the lock; false: readers hold it up. */
static bool step_period(void)
{
	unsigned long seq = atom_load(&rcu_seq);

	assert_always((seq & RCU_STATE_MASK) <= RCU_LAST);
	switch (seq & RCU_STATE_MASK) {
	case RCU_IDLE:
		atom_store(&rcu_seq, seq + 1);
		atom_fence(); /* begun before the first scan */
		return true;
	case RCU_FIRST:
		if (!pair_drained(atom_load(&rcu_idx) ^ 1))
			return false;
		atom_fence(); /* the scan before readers of the other pair */
		atom_store(&rcu_idx, atom_load(&rcu_idx) ^ 1);
		atom_store(&rcu_seq, seq + 1);
		atom_fence(); /* the flip before the second scan; pairs with rcu_read_enter */
		return true;
	default:
		if (!pair_drained(atom_load(&rcu_idx) ^ 1))
			return false;
		atom_fence();
		/* Pairs with the acquire of period_over. */
		atom_store_rel(&rcu_seq, (seq & ~(unsigned long)RCU_STATE_MASK) + RCU_PERIOD);
		return true;
	}
}

static bool period_over(unsigned long target)
{
	return (long)(atom_load_acq(&rcu_seq) - target) >= 0;
}

struct rcu_cookie rcu_start(void)
{
	struct rcu_cookie c;
	unsigned long seq;

	atom_fence(); /* the caller's unlinking before the look at the state */
	seq = atom_load_acq(&rcu_seq);
	c.gp = (seq & ~(unsigned long)RCU_STATE_MASK) + RCU_PERIOD;
	if ((seq & RCU_STATE_MASK) != RCU_IDLE)
		c.gp = (unsigned long)c.gp + RCU_PERIOD;
	assert_debug(c.gp % RCU_PERIOD == 0);
	return c;
}

bool rcu_elapsed(struct rcu_cookie c)
{
	unsigned long target = (unsigned long)c.gp;
	irqflags_t flags;
	bool moved = true;

	if (period_over(target))
		return true;
	if (!lock_try(&rcu_lock, &flags))
		return false;
	/* At most six steps: the rest of one period, and one more. */
	while (moved && !period_over(target))
		moved = step_period();
	lock_release(&rcu_lock, flags);
	return period_over(target);
}

void rcu_wait(struct rcu_cookie c)
{
	static u32 never; /* nobody wakes it: the wait is a sleep that virtual time knows about */
	unsigned int spins = 0;

	/* A section that waits for itself would wait for ever. */
	assert_always(word_depth(port_task()->rcu) == 0);
	while (!rcu_elapsed(c)) {
		if (++spins < RCU_SPINS)
			port_relax();
		else
			port_wait(&never, 0, RCU_POLL_NS);
	}
}

/*
 * Only the running task is left (a fork's child, or a test): sections of others are over, its own
 * stays open. A period under way begins again. Boot and shutdown do it too, since the number of CPUs,
 * over which the sums run, may change between them.
 */
void rcu_reset(void)
{
	u32 word = port_task()->rcu;

	for (unsigned int cpu = 0; cpu < KMEM_MAX_CPUS; cpu++) {
		for (unsigned int idx = 0; idx < RCU_PAIRS; idx++) {
			atom_store(&rcu_cpu[cpu].entered[idx], 0);
			atom_store(&rcu_cpu[cpu].left[idx], 0);
		}
	}
	if (word_depth(word) > 0)
		atom_store(&rcu_cpu[port_cpu()].entered[word >> RCU_INDEX_SHIFT], 1);
	lock_reset(&rcu_lock);
	atom_store(&rcu_seq, atom_load(&rcu_seq) & ~(unsigned long)RCU_STATE_MASK);
}

void kmem_rcu_read_lock(void)
{
	rcu_read_enter();
}

void kmem_rcu_read_unlock(void)
{
	rcu_read_leave();
}

void kmem_synchronize_rcu(void)
{
	rcu_wait(rcu_start());
}
