/* SPDX-License-Identifier: MIT */
/*
 * Who has registered callbacks with this floor: shrinkers, providers, out-of-memory notifiers. A
 * registry is a list of entries that lie in their users' memory, by falling priority, then in order
 * of registration.
 *
 *	         add                   remove, pinned              last pin gone
 *	OUT ------------> LISTED ------------------> LEAVING ------------------> OUT
 *	 ^                  |
 *	 +------------------+ remove, not pinned
 *
 * A walker calls an entry's callbacks without a lock, so it pins the entry it stands on, one at a
 * time. Nobody steps onto an entry that is leaving, but it stays linked while it is pinned: whoever
 * stands on it finds the way on. The remover sleeps until then, and only for the walkers of this
 * entry: another one's callback may take as long as it likes.
 *
 * Lock: RANK_LEAF, for a step. Cost: one lock an entry and walk.
 */
#include "reclaim/reclaim.h"

/* The link that leads to the entry, or the last one. Lock held. */
static struct kmem_registered **registry_link(struct registry *r, const struct kmem_registered *e)
{
	struct kmem_registered **link = &r->head;

	while (*link && *link != e)
		link = &(*link)->next;
	return link;
}

/* True: a remover may wait for this, and is to be woken. Lock held. */
static bool registry_unpin(struct registry *r, struct kmem_registered *e)
{
	/* In a fork's child the walks of the parent are not counted. */
	if (!e || e->pins == 0)
		return false;
	e->pins--;
	if (e->pins || !e->leaving)
		return false;
	atom_add(&r->left, 1);
	return true;
}

bool registry_add(struct registry *r, struct kmem_registered *e, int priority)
{
	irqflags_t flags = lock_take(&r->lock);
	bool fresh = *registry_link(r, e) == NULL;
	struct kmem_registered **link = &r->head;

	if (fresh) {
		while (*link && (*link)->priority >= priority)
			link = &(*link)->next;
		e->next = *link;
		e->priority = priority;
		e->pins = 0;
		e->leaving = false;
		atom_store(link, e); /* registry_any() looks without the lock */
	}
	lock_release(&r->lock, flags);
	return fresh;
}

bool registry_remove(struct registry *r, struct kmem_registered *e)
{
	irqflags_t flags = lock_take(&r->lock);
	bool found = *registry_link(r, e) == e && !e->leaving;

	if (found)
		e->leaving = true;
	while (found && e->pins) {
		u32 seen = atom_load(&r->left);

		lock_release(&r->lock, flags);
		port_wait(&r->left, seen, UINT64_MAX);
		flags = lock_take(&r->lock);
	}
	if (found)
		atom_store(registry_link(r, e), e->next);
	lock_release(&r->lock, flags);
	return found;
}

struct kmem_registered *registry_next(struct registry *r, struct kmem_registered *prev)
{
	irqflags_t flags = lock_take(&r->lock);
	struct kmem_registered *e = prev ? prev->next : r->head;
	bool wake;

	while (e && e->leaving)
		e = e->next;
	if (e)
		e->pins++;
	wake = registry_unpin(r, prev);
	lock_release(&r->lock, flags);
	if (wake)
		port_wake(&r->left, UINT32_MAX);
	return e;
}

void registry_leave(struct registry *r, struct kmem_registered *e)
{
	irqflags_t flags = lock_take(&r->lock);
	bool wake = registry_unpin(r, e);

	lock_release(&r->lock, flags);
	if (wake)
		port_wake(&r->left, UINT32_MAX);
}

/* ---- The end, fork, check ------------------------------------------------------------------------ */

void registry_reset(struct registry *r)
{
	atom_store(&r->head, NULL);
}

void registry_fork_lock(struct registry *r)
{
	lock_fork_take(&r->lock);
}

/* The walkers and removers of the parent are not in the child. */
void registry_fork_unlock(struct registry *r, bool child)
{
	if (!child) {
		lock_fork_drop(&r->lock);
		return;
	}
	for (struct kmem_registered **link = &r->head; *link;) {
		struct kmem_registered *e = *link;

		e->pins = 0;
		if (e->leaving)
			*link = e->next;
		else
			link = &e->next;
	}
	lock_reset(&r->lock);
}

int registry_check(struct registry *r)
{
	int faults = 0, last = INT32_MAX;

	for (const struct kmem_registered *e = r->head; e; e = e->next) {
		assert_audit(e->pins == 0 && !e->leaving, "registered %p: %u pins, leaving %d",
			     (const void *)e, e->pins, e->leaving);
		assert_audit(e->priority <= last, "registered %p: priority %d after %d",
			     (const void *)e, e->priority, last);
		last = e->priority;
	}
	return faults;
}
