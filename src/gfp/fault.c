/* SPDX-License-Identifier: MIT */
/*
 * Failures made on purpose (semantics 10.9): the decision, which page and object allocation share,
 * and the page allocator's own injector.
 *
 * A decision goes through gates in a fixed order; the first that says "pass" ends it:
 *
 *	the port's agent	there is one: it decides (kmem sweep)
 *	fail_nth of the task	set: fails exactly when the count runs out, nothing else is asked
 *	calls			given: the task and stack filters, then its place in the list decides
 *	probability 0		pass
 *	task-filter		not a marked task in task context: pass
 *	times 0			pass
 *	stack range		a frame in the rejected range, or none in the required one: pass
 *	space			size still fits: it is used up, pass
 *	interval		not the interval-th that came so far: pass
 *	probability		the port's random number says: pass
 *
 * The counts are shared by all tasks and move by atomics, so that of any number of concurrent
 * decisions exactly `times` fail.
 */
#include "gfp/gfp.h"

enum { PERCENT = 100 };

static struct fault_attr fault_page = {.name = "fail_page_alloc"};
static port_fault_fn fault_agent; /* the port's, or NULL */
static unsigned long failures;
static u32 nth_armed; /* a task has set fail_nth since the machine was started */

void fault_start(void)
{
	atom_store(&fault_agent, port_fault());
	atom_store(&failures, 0ul);
	atom_store(&nth_armed, 0u);
}

bool fault_arm_nth(void)
{
	return !atom_xchg(&nth_armed, 1u);
}

bool fault_armed(void)
{
	return atom_load(&nth_armed) || fault_has_agent();
}

bool gfp_fault_armed(void)
{
	return fault_page.active || fault_armed();
}

int fault_setup(const char *text)
{
	return fault_parse(&fault_page, text);
}

bool fault_asks_all(void)
{
	return port_task()->fail_nth > 0 || atom_load(&fault_agent);
}

bool fault_has_agent(void)
{
	return atom_load(&fault_agent) != NULL;
}

unsigned long kmem_fault_count(void)
{
	return atom_load(&failures);
}

bool kmem_fault_task(bool on)
{
	struct port_task *task = port_task();
	bool was = task->pf & PF_KMEM_MAKE_IT_FAIL;

	task->pf = on ? task->pf | PF_KMEM_MAKE_IT_FAIL : task->pf & ~PF_KMEM_MAKE_IT_FAIL;
	return was;
}

/* ---- The decision ------------------------------------------------------------------------------- */

static bool space_left(struct fault_attr *attr, long size)
{
	s32 space = atom_load(&attr->space);

	while (space > size)
		if (atom_cas(&attr->space, &space, space - (s32)size))
			return true;
	return false;
}

/* left: failures that were left before this one. */
static bool times_take(struct fault_attr *attr, s32 *left)
{
	*left = atom_load(&attr->times);
	while (*left > 0)
		if (atom_cas(&attr->times, left, *left - 1))
			return true;
	return *left < 0;
}

static bool in_range(uintptr_t pc, uintptr_t start, uintptr_t end)
{
	return pc >= start && pc < end;
}

/* A walk only for who asks for one: it costs more than all the rest. */
static bool stack_passes(const struct fault_attr *attr)
{
	bool found = attr->require_start == 0 && attr->require_end == UINTPTR_MAX;
	void *pc[FAULT_DEPTH_MAX];
	unsigned int n;

	if (found && attr->reject_end == 0)
		return true;
	n = port_backtrace(pc, attr->depth);
	for (unsigned int i = 0; i < n; i++) {
		if (in_range((uintptr_t)pc[i], attr->reject_start, attr->reject_end))
			return false;
		found |= in_range((uintptr_t)pc[i], attr->require_start, attr->require_end);
	}
	return found;
}

static bool task_passes(const struct fault_attr *attr)
{
	return !attr->task_filter ||
	       (port_task()->pf & PF_KMEM_MAKE_IT_FAIL && port_context() == PORT_TASK);
}

static bool call_listed(struct fault_attr *attr)
{
	u32 call = atom_add(&attr->count, 1) + 1;

	for (u32 i = 0; i < attr->nr_calls; i++) {
		if (attr->calls[i] == call)
			return true;
	}
	return false;
}

static bool fault_decide(struct fault_attr *attr, long size, s32 *left)
{
	struct port_task *task = port_task();
	port_fault_fn agent = atom_load(&fault_agent);
	u32 interval = attr->interval;

	*left = atom_load(&attr->times);
	if (agent)
		return agent();
	if (task->fail_nth > 0)
		return --task->fail_nth == 0;
	if (attr->nr_calls)
		return task_passes(attr) && stack_passes(attr) && call_listed(attr);
	if (attr->probability == 0 || !task_passes(attr) || *left == 0 || !stack_passes(attr))
		return false;
	if (space_left(attr, size))
		return false;
	if (interval > 1 && (atom_add(&attr->count, 1) + 1) % interval != 0)
		return false;
	if (attr->probability <= (u32)(port_random64() >> 32) % PERCENT)
		return false;
	return times_take(attr, left);
}

/* The stack is what tells one failure from another. */
static void fault_tell(struct fault_attr *attr, s32 left)
{
	if (attr->verbose == 0 || (attr->limit.interval_ms && !ratelimit_ok(&attr->limit)))
		return;
	report(KMEM_LOG_WARN,
	       "FAULT_INJECTION: forcing a failure.\n"
	       "name %s, interval %u, probability %u, space %d, times %d",
	       attr->name, attr->interval, attr->probability, (int)atom_load(&attr->space),
	       (int)left);
	if (attr->verbose > 1)
		report_stack(KMEM_LOG_WARN);
}

bool fault_should_fail(struct fault_attr *attr, long size, gfp_t gfp)
{
	s32 left;

	assert_debug(size > 0 && attr->name);
	if (!fault_decide(attr, size, &left))
		return false;
	atom_add(&failures, 1ul);
	if (!(gfp & __GFP_NOWARN))
		fault_tell(attr, left);
	return true;
}

/* Whoever decides about all requests is asked for blocking and highmem ones too; the agent, which
 * wants every request there is, for single pages as well. */
bool gfp_should_fail(gfp_t gfp, unsigned int order)
{
	bool all = unlikely(fault_asks_all());

	if (likely(!fault_page.active && !all))
		return false;
	if (gfp & (__GFP_NOFAIL | __GFP_KMEM_TRYLOCK))
		return false;
	if (order < fault_page.min_order && !fault_has_agent())
		return false;
	if (!all && fault_page.ignore_highmem && gfp & __GFP_HIGHMEM)
		return false;
	if (!all && fault_page.ignore_wait && gfp & __GFP_DIRECT_RECLAIM)
		return false;
	return fault_should_fail(&fault_page, 1L << order, gfp);
}
