/* SPDX-License-Identifier: MIT */
/*
 * Out of memory: the notifiers, then the embedding's handler, by one task at a time.
 *
 *	turn taken? --no--> a tick, RETRY
 *	   |
 *	notifiers --pages were freed--> FREED
 *	   |
 *	no __GFP_FS --> a tick, RETRY: nobody is killed for it
 *	   |
 *	handler --> what it says; NONE without one
 *
 * The turn is a word taken by exchange, not a lock: nothing may be held while users' code runs, and who
 * finds it taken does not want it but the memory that the other one is about to free. It sleeps a tick
 * and tries its request again. A handler that itself runs out of memory gets no second one.
 */
#include "reclaim/reclaim.h"

struct registry oom_notifiers = {.lock = {.rank = RANK_LEAF}};

static struct hook oom_hook;
static u32 oom_busy;
static struct port_task *oom_task; /* whose turn it is */

void kmem_set_oom_handler(kmem_oom_fn fn, void *arg)
{
	hook_set(&oom_hook, (hook_fn)fn, arg);
}

int register_oom_notifier(struct notifier_block *nb)
{
	if (!nb || !nb->notifier_call)
		return -KE_INVAL;
	return registry_add(&oom_notifiers, &nb->registered, nb->priority) ? 0 : -KE_INVAL;
}

int unregister_oom_notifier(struct notifier_block *nb)
{
	if (nb)
		registry_remove(&oom_notifiers, &nb->registered);
	return 0;
}

static unsigned long oom_notify(void)
{
	struct kmem_registered *e = NULL;
	unsigned long freed = 0;

	while ((e = registry_next(&oom_notifiers, e))) {
		struct notifier_block *nb = container_of(e, struct notifier_block, registered);

		if (nb->notifier_call(nb, 0, &freed) & NOTIFY_STOP_MASK) {
			registry_leave(&oom_notifiers, e);
			break;
		}
	}
	return freed;
}

static enum kmem_oom_result oom_handle(gfp_t gfp, unsigned int order)
{
	enum kmem_oom_result result;
	hook_fn fn;
	void *arg;

	assert_debug(!(port_task()->pf & PF_MEMALLOC));
	if (oom_notify() > 0)
		return KMEM_OOM_FREED;
	if (!(gfp & __GFP_FS))
		return KMEM_OOM_RETRY;
	if (!hook_get(&oom_hook, &fn, &arg))
		return KMEM_OOM_NONE;
	result = ((kmem_oom_fn)fn)(gfp, order, arg);
	if (result == KMEM_OOM_FREED)
		vm_event(KMEM_EV_oom_kill);
	return result;
}

enum kmem_oom_result oom_call(gfp_t gfp, unsigned int order)
{
	enum kmem_oom_result result;

	if (atom_load(&oom_task) == port_task())
		return KMEM_OOM_NONE;
	if (atom_xchg(&oom_busy, 1u) != 0) { /* pairs with the release below */
		reclaim_tick();
		return KMEM_OOM_RETRY;
	}
	atom_store(&oom_task, port_task());
	result = oom_handle(gfp, order);
	atom_store(&oom_task, NULL);
	atom_store_rel(&oom_busy, 0u);
	if (result == KMEM_OOM_RETRY)
		reclaim_tick();
	return result;
}

void oom_reset(void)
{
	hook_set(&oom_hook, NULL, NULL);
	oom_turn_reset();
}

void oom_turn_reset(void)
{
	atom_store(&oom_task, NULL);
	atom_store(&oom_busy, 0u);
}
