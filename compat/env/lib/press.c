// SPDX-License-Identifier: MIT
/*
 * Pressure from outside: "env.press" fills the machine with pages that reclaim may take back, or
 * "env.press=ORDER" with larger blocks for code that asks for such, and fills it again a millisecond
 * later, for as long as the program runs. So code that has no shrinker of its own meets direct reclaim,
 * kswapd and failing GFP_NOWAIT requests at all times, and yet never a machine that has nothing left.
 *
 * The pages are a list under a lock; a shrinker gives them back, whoever asks. Nobody allocates with the
 * lock held. Memory goes down to the low marks: the hoard asks with a mask that neither waits nor wakes
 * anybody.
 */
#include "internal.h"
#include <kmem/page.h>
#include <kmem/shrinker.h>
#include <linux/kthread.h>
#include <linux/spinlock.h>

struct hoarded {
	struct hoarded *next;
};

static DEFINE_SPINLOCK(lock);
static struct hoarded *hoard;
static unsigned long nr_hoarded, nr_squeezed;
static unsigned int order;
static struct task_struct *filler;

static unsigned long count(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return __atomic_load_n(&nr_hoarded, __ATOMIC_RELAXED);
}

static unsigned long scan(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long freed = 0;

	(void)s;
	spin_lock(&lock);
	for (; hoard && freed < sc->nr_to_scan; freed++) {
		struct hoarded *h = hoard;

		hoard = h->next;
		__atomic_fetch_sub(&nr_hoarded, 1, __ATOMIC_RELAXED);
		free_pages((unsigned long)h, order);
	}
	spin_unlock(&lock);
	__atomic_fetch_add(&nr_squeezed, freed << order, __ATOMIC_RELAXED);
	mm_account_reclaimed_pages(freed << order);
	return freed;
}

static struct shrinker shrinker;

static bool fill_one(void)
{
	struct hoarded *h = (struct hoarded *)__get_free_pages(__GFP_NOWARN, order);

	if (!h)
		return false;
	spin_lock(&lock);
	h->next = hoard;
	hoard = h;
	__atomic_fetch_add(&nr_hoarded, 1, __ATOMIC_RELAXED);
	spin_unlock(&lock);
	return true;
}

static int fill(void *arg)
{
	(void)arg;
	while (!kthread_should_stop()) {
		while (!kthread_should_stop() && fill_one())
			;
		kmem_env_sleep_ns(1000000);
	}
	return 0;
}

void env_press_start(unsigned int block_order)
{
	order = block_order;
	shrinker = (struct shrinker){.count_objects = count, .scan_objects = scan, .seeks = 2};
	if (register_shrinker(&shrinker, "env.press"))
		panic("env.press: no shrinker\n");
	while (fill_one())
		;
	filler = kthread_run(fill, NULL, "env.press");
}

unsigned long env_press_stop(void)
{
	if (!filler)
		return 0;
	kthread_stop(filler);
	filler = NULL;
	unregister_shrinker(&shrinker);
	while (hoard) {
		struct hoarded *h = hoard;

		hoard = h->next;
		free_pages((unsigned long)h, order);
	}
	nr_hoarded = 0;
	return nr_squeezed;
}
