/* SPDX-License-Identifier: MIT */
/*
 * Writing dirty blocks to the file. A block is copied to a bounce page and written from there, so that
 * nobody waits for the disk in order to read it.
 *
 * Who frees memory must not depend on memory: when every page is dirty, only a write makes one free.
 * So the bounce page comes from a pool that keeps some, and whoever has one needs nothing else to get
 * done. And reclaim that is started here must not come back here: it would wait for c->writing, which
 * its own task holds. Hence NOFS.
 *
 * The dirty list is in the order in which blocks became dirty. A block leaves it when it is copied; one
 * that is changed while it is written, or whose write fails, is at its end again.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include "blockcache.h"

enum {
	BOUNCE_PAGES = 4,      /* kept: writes that go on when there is no memory at all */
	THROTTLE_BLOCKS = 32,  /* written by one who wants to write, at most */
	DIRTY_ALWAYS = 32,     /* dirty blocks that are never too many */
	TICK_NS = 5 * 1000000, /* of the timer */
};

/* Asks the thread to write; made in the timer's signal. */
struct work {
	struct work *next;
	unsigned long nr_blocks;
};

void mark_dirty(struct cache *c, struct block *b)
{
	if (!list_empty(&b->dirty))
		return;
	b->stamp = ++c->stamp;
	list_add_after(&b->dirty, c->dirty.prev);
	c->nr_dirty++;
}

/* The block, if it is dirty, is copied to the buffer, and clean. */
static bool copy_out(struct cache *c, struct block *b, void *buffer)
{
	bool dirty;
	void *data;

	lock(&b->lock);
	lock(&c->lock);
	dirty = !list_empty(&b->dirty);
	if (dirty) {
		list_del(&b->dirty);
		c->nr_dirty--;
	}
	unlock(&c->lock);
	if (dirty) {
		data = kmap_local_page(b->page);
		memcpy(buffer, data, PAGE_SIZE);
		kunmap_local(data);
	}
	unlock(&b->lock);
	return dirty;
}

int write_block(struct cache *c, struct block *b)
{
	struct page *bounce;
	unsigned int nofs;
	int rc = 0;

	b->pins++;
	unlock(&c->lock);
	lock(&c->writing);
	nofs = memalloc_nofs_save();
	bounce = mempool_alloc(c->bounce, GFP_KERNEL); /* may wait, so it is never NULL */
	if (copy_out(c, b, page_address(bounce)))
		rc = io_write(c->io, b->nr, page_address(bounce));
	mempool_free(bounce, c->bounce);
	memalloc_nofs_restore(nofs);
	lock(&c->lock);
	if (rc) {
		mark_dirty(c, b);
		c->nr_failed++;
		c->error = rc;
	}
	b->pins--;
	unlock(&c->writing);
	return rc;
}

/* A share of the cache may be dirty: the rest can be dropped at once. */
static unsigned long too_many(struct cache *c, unsigned long share)
{
	unsigned long dirty = c->nr_dirty, most = c->nr_blocks / share;

	if (most < DIRTY_ALWAYS)
		most = DIRTY_ALWAYS;
	return dirty > most ? dirty - most : 0;
}

/* The oldest first, up to nr, none that became dirty after the stamp. 0, or the last error. */
static int write_oldest(struct cache *c, unsigned long nr, uint64_t stamp)
{
	int rc = 0;

	lock(&c->lock);
	for (; nr > 0 && !list_empty(&c->dirty); nr--) {
		struct block *b = list_entry(c->dirty.next, struct block, dirty);
		int failed;

		if (b->stamp > stamp)
			break;
		failed = write_block(c, b);
		rc = failed ? failed : rc;
	}
	unlock(&c->lock);
	return rc;
}

int throttle(struct cache *c)
{
	unsigned long nr = too_many(c, 4);

	return nr ? write_oldest(c, nr < THROTTLE_BLOCKS ? nr : THROTTLE_BLOCKS, (uint64_t)-1) : 0;
}

int cache_flush(struct cache *c)
{
	unsigned long failed;
	uint64_t stamp;
	int rc;

	lock(&c->lock);
	stamp = c->stamp;
	failed = c->nr_failed;
	unlock(&c->lock);
	write_oldest(c, (unsigned long)-1, stamp);
	/* Others may have been writing. They are done when the lock is ours, and may have failed. */
	lock(&c->writing);
	lock(&c->lock);
	rc = c->nr_failed == failed ? 0 : c->error;
	unlock(&c->lock);
	unlock(&c->writing);
	return rc ? rc : io_sync(c->io);
}

/* ---- The thread, and the signal of its timer ------------------------------------------------------ */

static struct cache *ticking;

/*
 * This may have interrupted any instruction of any thread, one of the allocator's included: so
 * GFP_ATOMIC, which waits for nothing and may use the reserve. No memory: the next tick will do.
 */
static void tick(int signal)
{
	struct cache *c = ticking;
	int saved = errno;
	struct work *w;

	(void)signal;
	kmem_irq_enter();
	w = kmem_cache_alloc(c->works, GFP_ATOMIC);
	c->nr_ticks++;
	if (w) {
		w->nr_blocks = too_many(c, 8);
		w->next = c->work;
		while (!atomic_compare_exchange_weak(&c->work, &w->next, w))
			;
		sem_post(&c->wake);
	} else {
		c->nr_ticks_missed++;
	}
	kmem_irq_exit();
	errno = saved;
}

/* Takes all work there is; returns the blocks to write. */
static unsigned long work_take(struct cache *c)
{
	struct work *w = atomic_exchange(&c->work, NULL);
	unsigned long nr = w ? w->nr_blocks : 0; /* the newest one's: the others are history */

	while (w) {
		struct work *next = w->next;

		kmem_cache_free(c->works, w);
		w = next;
	}
	return nr;
}

static void *writeout_thread(void *arg)
{
	struct cache *c = arg;

	while (!c->stopping) {
		sem_wait(&c->wake);
		write_oldest(c, work_take(c),
			     (uint64_t)-1); /* an error: the block stays dirty, a flush tells */
	}
	return NULL;
}

int writeout_start(struct cache *c)
{
	struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
	struct itimerspec every = {.it_interval.tv_nsec = TICK_NS, .it_value.tv_nsec = TICK_NS};
	int rc;

	ticking = c;
	sem_init(&c->wake, 0, 0);
	if (sigaction(SIGALRM, &action, NULL) || timer_create(CLOCK_MONOTONIC, &event, &c->timer))
		return -errno;
	rc = pthread_create(&c->thread, NULL, writeout_thread, c);
	if (rc) {
		timer_delete(c->timer);
		return -rc;
	}
	timer_settime(c->timer, 0, &every, NULL);
	return 0;
}

void writeout_stop(struct cache *c)
{
	timer_delete(c->timer);
	signal(SIGALRM, SIG_IGN); /* one may be pending */
	c->stopping = true;
	sem_post(&c->wake);
	pthread_join(c->thread, NULL);
	work_take(c);
}

int writeout_create(struct cache *c)
{
	c->works = KMEM_CACHE(work, 0);
	c->bounce = mempool_create_page_pool(BOUNCE_PAGES, 0);
	return c->works && c->bounce ? 0 : -ENOMEM;
}

void writeout_destroy(struct cache *c)
{
	mempool_destroy(c->bounce);
	kmem_cache_destroy(c->works);
}
