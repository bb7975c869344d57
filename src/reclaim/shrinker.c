/* SPDX-License-Identifier: MIT */
/*
 * Shrinkers: how much of a cache is scanned at a priority (semantics 7.2).
 *
 *	delta = seeks ? (freeable >> priority) * 4 / seeks : freeable / 2
 *	total = min((deferred >> priority) + delta, 2 * freeable)
 *	while total >= batch or total >= freeable: scan min(batch, total); total -= scanned
 *	deferred = clamp(deferred + delta - scanned, 0, 2 * freeable)
 *
 * What is less than a batch, or is refused with SHRINK_STOP, is put off, and comes due when memory
 * gets shorter: little by little a cache that is always asked for less than a batch gives as well.
 * Several tasks may ask one shrinker at once; what was put off is taken by the first of them.
 *
 * Progress is not counted in objects, of which a slab needs all to be free, but in the pages that
 * come back meanwhile: the slab floor tells them to the running task (reclaim_note_pages).
 *
 * Locks: none while a shrinker is called.
 */
#include "reclaim/reclaim.h"

enum { SHRINK_BATCH = 128 };

struct registry shrinkers = {.lock = {.rank = RANK_LEAF}};

/* ---- Registration -------------------------------------------------------------------------------- */

static int shrinker_add(struct shrinker *s)
{
	bool whole = s && s->count_objects && s->scan_objects;

	if (whole && registry_add(&shrinkers, &s->registered, 0)) {
		kswapd_begin();
		return 0;
	}
	report_misuse(KMEM_MISUSE_SHRINKER, s, "shrinker %p (%s): %s", (const void *)s,
		      s ? s->name : "", whole ? "is registered already" : "a callback is missing");
	return -KE_INVAL;
}

void shrinker_register(struct shrinker *s)
{
	shrinker_add(s);
}

int register_shrinker(struct shrinker *s, const char *fmt, ...)
{
	va_list ap;

	if (s && fmt) {
		va_start(ap, fmt);
		fmt_vsnprintf(s->name, sizeof(s->name), fmt, ap);
		va_end(ap);
	}
	return shrinker_add(s);
}

void unregister_shrinker(struct shrinker *s)
{
	if (s && registry_remove(&shrinkers, &s->registered))
		s->nr_deferred = 0;
}

/* ---- Scanning ------------------------------------------------------------------------------------ */

struct shrink_due {
	u64 freeable, deferred, delta, total;
	u64 freed; /* by what the scans say */
};

static struct shrink_due shrink_due(struct shrinker *s, u64 freeable, int priority)
{
	struct shrink_due due = {.freeable = freeable};

	due.deferred = atom_xchg(&s->nr_deferred, 0ul);
	if (s->seeks > 0)
		due.delta = div_u64((freeable >> priority) * 4, (u64)s->seeks);
	else
		due.delta = freeable / 2;
	due.total = u64_min((due.deferred >> priority) + due.delta, 2 * freeable);
	return due;
}

/* One portion; how many were looked at, 0: no more in this pass. */
static u64 shrinker_scan(struct shrinker *s, struct shrink_control *sc, u64 nr, u64 *freed)
{
	unsigned long got;

	sc->nr_to_scan = (unsigned long)nr;
	sc->nr_scanned = sc->nr_to_scan;
	got = s->scan_objects(s, sc);
	if (got == SHRINK_STOP)
		return 0;
	*freed += got;
	vm_event_add(KMEM_EV_slabs_scanned, sc->nr_scanned);
	return sc->nr_scanned;
}

static void shrink_started(const struct shrinker *s, const struct shrink_control *sc, int priority,
			   const struct shrink_due *due)
{
	trace_shrink_start(
		(const void *)(uintptr_t)s->scan_objects, s, sc->gfp_mask, priority,
		(s64[]){(s64)due->deferred, (s64)due->freeable, (s64)due->delta, (s64)due->total});
}

static void shrink_ended(const struct shrinker *s, const struct shrink_due *due, u64 deferred,
			 u64 left)
{
	trace_shrink_end((const void *)(uintptr_t)s->scan_objects, s,
			 (s64[]){(s64)due->deferred, (s64)deferred, (s64)left, (s64)due->freed});
}

static void shrinker_ask(struct shrinker *s, struct shrink_control *sc, int priority)
{
	unsigned long freeable = s->count_objects(s, sc);
	u64 batch = s->batch > 0 ? (u64)s->batch : SHRINK_BATCH;
	u64 scanned = 0, nr = 1, left, deferred;
	struct shrink_due due;

	if (freeable == 0 || freeable == SHRINK_EMPTY)
		return;
	due = shrink_due(s, freeable, priority);
	shrink_started(s, sc, priority, &due);
	for (left = due.total; nr && (left >= batch || left >= freeable);
	     left -= u64_min(nr, left)) {
		nr = shrinker_scan(s, sc, u64_min(batch, left), &due.freed);
		scanned += nr;
	}
	deferred = due.deferred + due.delta;
	deferred -= u64_min(scanned, deferred);
	deferred = u64_min(deferred, 2 * due.freeable);
	deferred += atom_add(&s->nr_deferred, (unsigned long)deferred);
	shrink_ended(s, &due, deferred, left);
}

void shrinkers_scan(const struct reclaim *r)
{
	struct kmem_registered *e = NULL;

	assert_debug(r->priority >= 0 && r->priority <= DEF_PRIORITY);
	assert_debug(port_task()->pf & PF_MEMALLOC);
	while ((e = registry_next(&shrinkers, e))) {
		struct shrink_control sc = {.gfp_mask = r->gfp};

		shrinker_ask(container_of(e, struct shrinker, registered), &sc, r->priority);
	}
}

void mm_account_reclaimed_pages(unsigned long pages)
{
	reclaim_note_pages(pages);
}
