/* SPDX-License-Identifier: MIT */
/*
 * Carrying the plan out. One thread, in the order of the recording, so that the same file gives the
 * same result; each operation in the context it was recorded in. The clock covers the operations
 * alone: not the reading, the planning, the creation of the caches or the clean-up.
 *
 * When the recording ends the zones and slabs are noted, the machine proves its invariants
 * (kmem_check), everything still live is freed, the caches are destroyed and the machine is stopped:
 * anything left then is a fault of the library, and a finding.
 */
#include "replay.h"
#include "cmd.h"
#include "../common/summary.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <kmem/kmem.h>
#include <kmem/shrinker.h>

struct replay {
	const struct plan *p;
	struct result *r;
	struct kmem_cache **cache;
	void **slot;	 /* object, or struct page */
	uint32_t *bytes; /* what the object in the slot takes */
	uint8_t *kind;	 /* enum op_kind that filled it, + 1; 0: empty */
	uint8_t *order;
	bool pin, reclaim;
	unsigned int cpu;
};

/* ---- Listening ----------------------------------------------------------------------------- */

static void on_log(int level, const char *text, size_t len, void *arg)
{
	struct result *r = arg;

	if (level > KMEM_LOG_WARN)
		return;
	if (r->log_lines++ == 0)
		snprintf(r->first_log, sizeof(r->first_log), "%.*s", (int)(len < 400 ? len : 400),
			 text);
	r->first_log[strcspn(r->first_log, "\n")] = '\0';
}

/* There is one thread: nobody but kswapd will free anything while a request waits, so it is given up. */
static bool on_livelock(gfp_t gfp, unsigned int order, unsigned long rounds, void *arg)
{
	struct result *r = arg;

	(void)gfp;
	(void)order;
	if (drop_waits(rounds))
		return false;
	r->gave_up++;
	return true;
}

/* ---- One operation ------------------------------------------------------------------------- */

static void enter(uint8_t ctx)
{
	if (ctx & TRACE_NMI)
		kmem_nmi_enter();
	else if (ctx & TRACE_HARDIRQ)
		kmem_irq_enter();
	else if (ctx & TRACE_SOFTIRQ)
		kmem_softirq_enter();
	if (ctx & (TRACE_IRQS_OFF | TRACE_NO_PREEMPT))
		kmem_preempt_disable();
}

static void leave(uint8_t ctx)
{
	if (ctx & (TRACE_IRQS_OFF | TRACE_NO_PREEMPT))
		kmem_preempt_enable();
	if (ctx & TRACE_NMI)
		kmem_nmi_exit();
	else if (ctx & TRACE_HARDIRQ)
		kmem_irq_exit();
	else if (ctx & TRACE_SOFTIRQ)
		kmem_softirq_exit();
}

static void failed(struct replay *x, const struct op *op)
{
	x->r->failed++;
	x->r->class_failed[op->class]++;
	x->r->order_failed[op->order]++;
}

static void filled(struct replay *x, const struct op *op, void *p, uint32_t bytes)
{
	struct result_cache *c =
		&x->r->cache[op->kind == OP_KMALLOC ? x->p->trace->nr_caches : op->cache];

	x->slot[op->slot] = p;
	x->kind[op->slot] = (uint8_t)(op->kind + 1);
	x->bytes[op->slot] = bytes;
	c->slot = bytes;
	c->allocs++;
	c->bytes += bytes;
	x->r->live_bytes += bytes;
	if (x->r->live_bytes > x->r->peak_bytes)
		x->r->peak_bytes = x->r->live_bytes;
}

/* The slot size of a cache is asked for once; a kmalloc's depends on its size. */
static void slab_alloc(struct replay *x, const struct op *op)
{
	uint32_t bytes = 0;
	void *p;

	if (op->kind == OP_KMALLOC) {
		p = kmalloc(op->req, op->gfp);
		if (p)
			bytes = (uint32_t)ksize(p);
	} else {
		p = kmem_cache_alloc(x->cache[op->cache], op->gfp);
		if (p)
			bytes = x->r->cache[op->cache].slot;
		if (p && bytes == 0)
			bytes = (uint32_t)ksize(p);
	}
	if (!p) {
		failed(x, op);
		return;
	}
	filled(x, op, p, bytes);
	drop_born(op, op->slot, NULL);
}

/* Reclaim takes it; a later free finds the slot empty. */
static void drop(void *arg, uint32_t slot)
{
	struct replay *x = arg;

	if (x->kind[slot] == OP_PAGE_ALLOC + 1) {
		__free_pages(x->slot[slot], x->order[slot]);
	} else {
		x->r->live_bytes -= x->bytes[slot];
		kfree(x->slot[slot]);
	}
	x->kind[slot] = 0;
}

static void slab_free(struct replay *x, const struct op *op)
{
	if (op->slot == NO_SLOT) {
		kfree(NULL);
		return;
	}
	drop_freed(op->slot);
	if (!x->kind[op->slot]) /* its allocation failed here, or it was dropped */
		return;
	x->r->live_bytes -= x->bytes[op->slot];
	x->kind[op->slot] = 0;
	if (op->kind == OP_KFREE)
		kfree(x->slot[op->slot]);
	else
		kmem_cache_free(x->cache[op->cache], x->slot[op->slot]);
}

static void page_alloc(struct replay *x, const struct op *op)
{
	bool split = op->kind == OP_PAGE_SPLIT;
	struct page *page = alloc_pages(split ? op->gfp & ~__GFP_COMP : op->gfp, op->order);
	uint32_t nr = split ? UINT32_C(1) << op->order : 1;
	unsigned long pfn;

	if (!page) {
		failed(x, op);
		return;
	}
	if (split)
		split_page(page, op->order);
	pfn = page_to_pfn(page);
	for (uint32_t i = 0; i < nr; i++) {
		x->slot[op->slot + i] = i ? pfn_to_page(pfn + i) : page;
		x->order[op->slot + i] = split ? 0 : op->order;
		x->kind[op->slot + i] = OP_PAGE_ALLOC + 1;
		drop_born(op, op->slot + i, x->slot[op->slot + i]);
	}
}

static void page_free(struct replay *x, const struct op *op)
{
	drop_freed(op->slot);
	if (!x->kind[op->slot])
		return;
	x->kind[op->slot] = 0;
	__free_pages(x->slot[op->slot], op->order);
}

static void carry_out(struct replay *x, const struct op *op)
{
	switch (op->kind) {
	case OP_KMALLOC:
	case OP_CACHE_ALLOC:
		slab_alloc(x, op);
		break;
	case OP_KFREE:
	case OP_CACHE_FREE:
		slab_free(x, op);
		break;
	case OP_PAGE_FREE:
		page_free(x, op);
		break;
	default:
		page_alloc(x, op);
	}
}

static bool move_to(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu % CPU_SETSIZE, &set);
	return sched_setaffinity(0, sizeof(set), &set) == 0;
}

static void pin_to(struct replay *x, unsigned int cpu)
{
	if (cpu == x->cpu)
		return;
	x->cpu = cpu;
	if (!move_to(cpu)) {
		cmd_warn("replay: CPU %u: %s; going on without --pin", cpu, strerror(errno));
		x->pin = false;
	}
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/*
 * Without --pin the whole of it stays on the CPU it begins on: per-CPU lists and sheaves then hold
 * the same at the end of every run.
 */
static void carry_out_all(struct replay *x)
{
	cpu_set_t before;
	bool moved = sched_getaffinity(0, sizeof(before), &before) == 0;
	double start;

	if (!x->pin)
		move_to((unsigned int)sched_getcpu());
	start = now();

	for (size_t i = 0; i < x->p->nr; i++) {
		const struct op *op = &x->p->op[i];

		if (x->pin)
			pin_to(x, op->cpu);
		if (op->ctx) {
			enter(op->ctx);
			carry_out(x, op);
			leave(op->ctx);
		} else {
			carry_out(x, op);
		}
		drop_in_background();
	}
	x->r->seconds = now() - start;
	if (moved)
		sched_setaffinity(0, sizeof(before), &before);
}

/* ---- Before and after ---------------------------------------------------------------------- */

static int create_caches(struct replay *x)
{
	for (unsigned int i = 0; i < x->p->trace->nr_caches; i++) {
		const struct plan_cache *c = &x->p->cache[i];
		char name[KMEM_NAME_MAX];

		/* A name that is only freed needs no cache: those objects are older. */
		if (!c->allocs)
			continue;
		snprintf(name, sizeof(name), "%.*s", KMEM_NAME_MAX - 1, x->p->trace->cache[i].text);
		x->cache[i] = kmem_cache_create_ctor(
			name, c->object_size, 8,
			x->reclaim && drop_cache(name) ? SLAB_RECLAIM_ACCOUNT : 0, NULL);
		if (!x->cache[i])
			return cmd_env("replay: the cache %s of %u bytes cannot be created: %s",
				       name, c->object_size, x->r->first_log);
	}
	return CMD_FINE;
}

/* The slabs of our caches, found by name: the machine was told not to merge. */
static void note_slabs(struct replay *x)
{
	const struct kmem_stat *st = kmem_stat_get();
	size_t n;

	for (unsigned int k = 0; st && k < KMEM_MAX_CACHES; k++) {
		const struct kmem_stat_cache *sc = &st->cache[k];
		struct result_cache *rc = NULL;

		for (unsigned int i = 0; i < x->p->trace->nr_caches && !rc; i++) {
			if (x->cache[i] && !strcmp(kmem_cache_name(x->cache[i]), sc->name))
				rc = &x->r->cache[i];
		}
		if (!rc && (sc->flags & SLAB_KMALLOC))
			rc = &x->r->cache[x->p->trace->nr_caches];
		if (rc && sc->name[0]) {
			rc->slabs += sc->nr_slabs;
			rc->slab_pages += sc->nr_slabs * sc->pages_per_slab;
		}
	}
	n = st ? kmem_summary(st, NULL, 0) : 0;
	x->r->summary = cmd_grow(NULL, n + 1, 1);
	x->r->summary[0] = '\0';
	if (st)
		kmem_summary(st, x->r->summary, n + 1);
}

static void clean_up(struct replay *x)
{
	for (uint32_t i = 0; i < x->p->nr_slots; i++) {
		if (x->kind[i] == OP_PAGE_ALLOC + 1)
			__free_pages(x->slot[i], x->order[i]);
		else if (x->kind[i])
			kfree(x->slot[i]);
		x->kind[i] = 0;
	}
	for (unsigned int i = 0; i < x->p->trace->nr_caches; i++) {
		if (x->cache[i] && kmem_cache_destroy(x->cache[i]) != 0)
			x->r->undestroyed++;
	}
}

static void allocate(struct replay *x)
{
	size_t slots = x->p->nr_slots, caches = x->p->trace->nr_caches + 1u;

	x->slot = cmd_grow(NULL, slots, sizeof(*x->slot));
	x->bytes = cmd_grow(NULL, slots, sizeof(*x->bytes));
	x->kind = cmd_grow(NULL, slots, 1);
	x->order = cmd_grow(NULL, slots, 1);
	x->cache = cmd_grow(NULL, caches, sizeof(struct kmem_cache *));
	x->r->cache = cmd_grow(NULL, caches, sizeof(*x->r->cache));
	/* Written now, so that the clock does not see the host hand out these pages. */
	memset(x->slot, 0, slots * sizeof(*x->slot));
	memset(x->bytes, 0, slots * sizeof(*x->bytes));
	memset(x->kind, 0, slots);
	memset(x->order, 0, slots);
	memset(x->cache, 0, caches * sizeof(struct kmem_cache *));
	memset(x->r->cache, 0, caches * sizeof(*x->r->cache));
}

static void release(struct replay *x)
{
	free(x->slot);
	free(x->bytes);
	free(x->kind);
	free(x->order);
	free(x->cache);
}

int replay_run(const struct plan *p, const struct replay_how *how, struct result *r)
{
	struct replay x = {
		.p = p, .r = r, .pin = how->pin, .reclaim = how->reclaim, .cpu = UINT32_MAX};
	int rc;

	memset(r, 0, sizeof(*r));
	kmem_set_log(on_log, r);
	if (kmem_boot(how->cmdline) != 0)
		return cmd_usage("replay: the machine '%s': %s", how->cmdline, kmem_boot_error());
	kmem_set_livelock_guard(on_livelock, r);
	allocate(&x);
	rc = create_caches(&x);
	if (rc == CMD_FINE) {
		uint64_t misuses = kmem_misuse_count();

		if (x.reclaim)
			drop_begin(p, r, drop, &x);
		carry_out_all(&x);
		r->misuses = kmem_misuse_count() - misuses;
		note_slabs(&x);
		drop_end();
		r->faults = (uint64_t)kmem_check();
		clean_up(&x);
		r->faults += (uint64_t)kmem_check();
	}
	kmem_set_livelock_guard(NULL, NULL);
	r->leaks = kmem_shutdown();
	kmem_set_log(NULL, NULL);
	release(&x);
	return rc;
}

void result_free(struct result *r)
{
	free(r->cache);
	free(r->summary);
}
