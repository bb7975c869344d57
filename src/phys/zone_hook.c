/* SPDX-License-Identifier: MIT */
/*
 * zone hooks: what the platform does to the frames of a zone before they are used, and after.
 *
 * They go with the commit of a section (commit.c). A section's byte has three values where hooks
 * watch over some of it, and never BUSY where none do:
 *
 *	NOT_BACKED --claim--> BUSY --port_commit, populate--> BACKED --trim, release--> NOT_BACKED
 *	     ^                  |                                |
 *	     +----refused-------+                                +--shutdown, release--> gone
 *
 * Whoever claims calls the hooks, without a lock; others wait for the byte to change if they may wait.
 * A section may belong to several zones, and have holes: each stretch that is usable and of one
 * zone is a range, and a call. The ranges follow from the port's and the zone table, which do not
 * change, so release sees the ones that populate saw. Of a section in which one range is refused the
 * ranges before it are released again.
 *
 * A task inside a hook has task->zone_hook set, and gets no section that would call another.
 *
 * Locks: none. Cost without hooks: a load when a section is committed.
 */
#include "phys/internal.h"

struct zone_hook {
	struct kmem_zone_ops ops;
	void *arg;
};
static struct zone_hook hooks[KMEM_NR_ZONES];
static bool any; /* some zone has hooks */

int kmem_zone_set_ops(int zone, const struct kmem_zone_ops *ops, void *arg)
{
	if (zone < 0 || zone >= KMEM_NR_ZONES || (ops && !ops->populate))
		return -KE_INVAL;
	if (atom_load_acq(&kmem_machine.state) != MACHINE_OFF)
		return -KE_BUSY;
	hooks[zone] = (struct zone_hook){.arg = arg};
	if (ops)
		hooks[zone].ops = *ops;
	any = false;
	for (u32 i = 0; i < KMEM_NR_ZONES; i++)
		any = any || hooks[i].ops.populate;
	return 0;
}

/* ---- Ranges --------------------------------------------------------------------------------------- */

/* A stretch of frames that is usable, and of a zone with hooks. */
struct hook_range {
	const struct zone_hook *hook;
	pfn_t pfn;
	unsigned long nr;
};

/* The next range of a zone with hooks in [from, end). */
static bool range_next(pfn_t from, pfn_t end, struct hook_range *r)
{
	for_each_zone (z) {
		pfn_t start = size_max(from, z->start), stop = size_min(end, z->end);

		if (!hooks[z->index].ops.populate || start >= stop ||
		    !memblock_next(&start, &stop, false))
			continue;
		*r = (struct hook_range){&hooks[z->index], start, stop - start};
		return true;
	}
	return false;
}

static void *range_addr(const struct hook_range *r)
{
	return r->pfn < kmem_machine.low_end ? addr_of_page(page_of_pfn(r->pfn)) : NULL;
}

static bool range_populate(const struct hook_range *r)
{
	struct port_task *task = port_task();
	int rc;

	assert_debug(!task->zone_hook && task->held == 0);
	task->zone_hook = 1;
	rc = r->hook->ops.populate(range_addr(r), r->nr << PAGE_SHIFT, r->pfn, r->hook->arg);
	task->zone_hook = 0;
	return rc == 0;
}

static void range_release(const struct hook_range *r)
{
	struct port_task *task = port_task();

	assert_debug(!task->zone_hook && task->held == 0);
	if (!r->hook->ops.release)
		return;
	task->zone_hook = 1;
	r->hook->ops.release(range_addr(r), r->nr << PAGE_SHIFT, r->pfn, r->hook->arg);
	task->zone_hook = 0;
}

/* ---- Sections ------------------------------------------------------------------------------------- */

bool zone_hooked(pfn_t start, pfn_t end)
{
	struct hook_range r;

	return unlikely(any) && range_next(start, end, &r);
}

void zone_hooks_release(pfn_t start, pfn_t end)
{
	struct hook_range r;

	/* A child's hooks would undo what is the parent's. */
	if (!any || phys.forked)
		return;
	for (; range_next(start, end, &r); start = r.pfn + r.nr)
		range_release(&r);
}

bool zone_hooks_populate(pfn_t start, pfn_t end)
{
	struct hook_range r;
	pfn_t at = start;

	if (phys.forked)
		return false;
	for (; range_next(at, end, &r); at = r.pfn + r.nr) {
		if (range_populate(&r))
			continue;
		zone_hooks_release(start, r.pfn);
		return false;
	}
	return true;
}

bool zone_hooks_may_wait(bool try)
{
	return !try && !phys.forked && context_may_sleep() && !port_task()->zone_hook;
}

void zone_hooks_exit(void)
{
	for (pfn_t s = 0; any && phys.live && s << MAX_PAGE_ORDER < kmem_machine.end; s++)
		if (atom_load(&phys.committed[s]) == SECTION_BACKED)
			zone_hooks_release(s << MAX_PAGE_ORDER, section_end(s));
	__builtin_memset(hooks, 0, sizeof(hooks));
	any = false;
}

int zone_hooks_check(void)
{
	int faults = 0;

	for (pfn_t s = 0; s << MAX_PAGE_ORDER < kmem_machine.end; s++) {
		u8 state = atom_load(&phys.committed[s]);

		assert_audit(state <= SECTION_BACKED || phys.forked,
			     "section %lu is in state %u, and nobody is in a hook", s, state);
	}
	return faults;
}
