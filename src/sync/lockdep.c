/* SPDX-License-Identifier: MIT */
/*
 * The check of locks against reclaim (semantics 7.8). Reclaim is treated as a lock that is held
 * during every pass whose request has __GFP_FS, and that every request which may reclaim takes for a
 * moment. A class of the user's locks has two marks, each the first place it was seen at:
 *
 *	in reclaim	taken, waiting, while the task was in a pass	(reclaim -> class)
 *	over reclaim	held by a task whose request may reclaim	(class -> reclaim)
 *
 * Both together are a cycle of two, and reported when the second mark is made. Longer cycles, through
 * a third lock, are not looked for.
 *
 *	lock_acquired ----> class, task->lock_class[] ----> in a pass? ----> in reclaim --+
 *	                                   |                                               +--> both?
 *	request that may reclaim ----------+ for each class held -------> over reclaim --+
 *
 * Classes live in a fixed table, open-addressed by the key; a slot once taken stays its key's for the
 * life of the process, so that numbers in tasks' words stay good. A new machine begins without marks.
 *
 * A task that holds a class has CONTEXT_WATCHED set in its word, which keeps it off the fast paths:
 * so every request of it comes by here, and those of others cost nothing.
 *
 * Locks: none. A slot's key is claimed by compare-and-swap, and so is each mark.
 */
#include "sync/sync.h"

enum { CLASSES = 128, CLASS_NAME = 32 };

struct lock_class {
	uintptr_t key;	     /* 0: free */
	uintptr_t in_site;   /* taken in reclaim, here; 0: never */
	uintptr_t over_site; /* held over a request, here; 0: never */
	u32 named, reported;
	char name[CLASS_NAME];
};

static struct lock_class classes[CLASSES];
static u32 full_said, deep_said;

_Static_assert(CLASSES < UINT8_MAX, "a class's number and 1 fit a byte");

static struct lock_class *class_find(uintptr_t key, const char *name)
{
	size_t first = (size_t)((u32)(key >> 3) * 2654435761u >> 16);

	for (size_t i = 0; i < CLASSES; i++) {
		struct lock_class *c = &classes[(first + i) % CLASSES];
		uintptr_t seen = atom_load(&c->key);

		if (seen == 0 && name && atom_cas(&c->key, &seen, key)) {
			str_copy(c->name, name, sizeof(c->name));
			atom_store_rel(&c->named, 1u); /* pairs with class_report */
			return c;
		}
		if (seen == key)
			return c;
		if (seen == 0 && !name)
			return NULL;
	}
	return NULL;
}

static void say_once(u32 *said, const char *what, const char *name)
{
	if (!atom_xchg(said, 1u))
		report(KMEM_LOG_ERR, "kmem: lock check: %s: \"%s\" and later ones are not followed",
		       what, name);
}

/* The task's own request made the second mark: it is the one whose stack shows. */
static void class_report(struct lock_class *c)
{
	uintptr_t in = atom_load(&c->in_site), over = atom_load(&c->over_site);
	const char *name = atom_load_acq(&c->named) ? c->name : "?";

	if (!in || !over || atom_xchg(&c->reported, 1u))
		return;
	report_misuse(KMEM_MISUSE_RECLAIM_RECURSION, (const void *)atom_load(&c->key),
		      "WARNING: possible reclaim recursion detected\n"
		      "lock class \"%s\" is taken in reclaim, and held over a request that may "
		      "reclaim",
		      name);
	report_site(KMEM_LOG_WARN, "taken in reclaim at:", &in, 1);
	report_site(KMEM_LOG_WARN, "held over a request at:", &over, 1);
}

static void class_mark(struct lock_class *c, uintptr_t *mark, const void *site)
{
	uintptr_t none = 0;

	assert_debug(site);
	if (!atom_load(mark))
		(void)atom_cas(mark, &none, (uintptr_t)site);
	class_report(c);
}

/* ---- The user's locks ----------------------------------------------------------------------------- */

/* Plain stores: a handler in between leaves the array as it found it. */
static bool held_add(struct port_task *task, const struct lock_class *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(task->lock_class); i++) {
		if (task->lock_class[i])
			continue;
		task->lock_class[i] = (u8)(c - classes + 1);
		port_task_set(task->preempt | CONTEXT_WATCHED);
		return true;
	}
	return false;
}

static void lock_note(const void *key, const char *name, const void *site, bool waited)
{
	struct port_task *task = port_task();
	struct lock_class *c;

	/* Pairs with boot's release when everything stands, the options too. */
	if (atom_load_acq(&kmem_machine.state) != MACHINE_ON || !kmem_machine.opt.lockdep || !key)
		return;
	c = class_find((uintptr_t)key, name ? name : "?");
	if (!c) {
		say_once(&full_said, "too many classes", name ? name : "?");
		return;
	}
	if (!held_add(task, c))
		say_once(&deep_said, "a task holds too many locks", name ? name : "?");
	/* A handler's locks are not the shrinker's that it interrupted. */
	if (waited && task->in_reclaim && port_context() == PORT_TASK)
		class_mark(c, &c->in_site, site);
}

void kmem_lock_acquired(const void *class_key, const char *name, const void *site)
{
	lock_note(class_key, name, site ? site : __builtin_return_address(0), true);
}

void kmem_lock_tried(const void *class_key, const char *name, const void *site)
{
	lock_note(class_key, name, site ? site : __builtin_return_address(0), false);
}

/* The newest of the class. The array has no holes, so that the handlers' ones lie behind. */
void kmem_lock_released(const void *class_key)
{
	struct port_task *task = port_task();
	struct lock_class *c;
	size_t n = 0, at;

	if (!(task->preempt & CONTEXT_WATCHED))
		return;
	c = class_find((uintptr_t)class_key, NULL);
	while (n < ARRAY_SIZE(task->lock_class) && task->lock_class[n])
		n++;
	for (at = n; c && at > 0 && task->lock_class[at - 1] != (u8)(c - classes + 1);)
		at--;
	if (!c || at == 0)
		return;
	for (; at < n; at++)
		task->lock_class[at - 1] = task->lock_class[at];
	task->lock_class[n - 1] = 0;
	if (n == 1)
		port_task_set(task->preempt & ~CONTEXT_WATCHED);
}

/* ---- Reclaim -------------------------------------------------------------------------------------- */

bool lockdep_reclaim_enter(bool fs)
{
	struct port_task *task = port_task();
	bool was = task->in_reclaim;

	task->in_reclaim = was || fs;
	return was;
}

void lockdep_reclaim_leave(bool was)
{
	port_task()->in_reclaim = was;
}

void lockdep_request_slow(const void *site)
{
	const struct port_task *task = port_task();

	if (task->pf & (PF_MEMALLOC | PF_MEMALLOC_NOFS | PF_MEMALLOC_NOIO) ||
	    !kmem_machine.opt.lockdep)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(task->lock_class) && task->lock_class[i]; i++) {
		struct lock_class *c = &classes[task->lock_class[i] - 1];

		assert_debug(atom_load(&c->key) != 0);
		class_mark(c, &c->over_site, site);
	}
}

void lockdep_reset(void)
{
	for (size_t i = 0; i < CLASSES; i++) {
		classes[i].in_site = 0;
		classes[i].over_site = 0;
		classes[i].reported = 0;
	}
	full_said = 0;
	deep_said = 0;
}
