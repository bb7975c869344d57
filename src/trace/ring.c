/* SPDX-License-Identifier: MIT */
/*
 * The event ring: one a CPU, of a fixed number of slots.
 *
 * Any number of writers (tasks migrate, handlers interrupt writers), one reader at a time. Positions
 * count up for ever and are taken modulo the number of slots. A slot's `turn` says whose turn it is,
 * relative to the slot's first use, so that zeroed memory is an empty ring:
 *
 *	turn = n * SLOTS	free for the writer of its n-th use
 *	turn = n * SLOTS + 1	holds that event, the reader's
 *	... (n + 1) * SLOTS	read, free for the next use
 *
 * A writer owns its slot once it has moved `head` on by compare-and-swap, fills it, and then passes the
 * turn on. A writer that is interrupted in between holds the reader up at its slot, never another
 * writer: those go on until the ring is full, and then the event is dropped and counted.
 *
 * An event's number is its position plus the drops counted when the position was taken. The drops are
 * read between reading head and moving it, so numbers rise with positions, and a gap is what was
 * dropped.
 *
 * Lock: ring_read_lock, RANK_LEAF, for readers alone. Cost of a write: one compare-and-swap and the
 * copy of 104 bytes; nothing here allocates or waits.
 */
#include "trace/trace.h"

struct ring_slot {
	u32 turn;
	u32 number; /* low half of the event's number */
	struct kmem_trace_event ev;
};

struct ring {
	u32 head, dropped;
	u32 tail __attribute__((aligned(KMEM_CACHE_LINE))); /* reader's, under ring_read_lock */
	u64 read;					    /* number of the event last read */
	struct ring_slot slot[TRACE_RING_SLOTS] __attribute__((aligned(KMEM_CACHE_LINE)));
};

_Static_assert((TRACE_RING_SLOTS & (TRACE_RING_SLOTS - 1)) == 0, "positions wrap with the slots");

void (*trace_switch_hook)(bool on);

static struct ring *rings; /* nr_rings of them, or NULL */
static unsigned int nr_rings;
static struct lock ring_read_lock = {.rank = RANK_LEAF};
static struct hook event_hook;
static unsigned long event_seq[KMEM_MAX_CPUS]; /* numbers of events that go to the hook */

size_t trace_ring_bytes(unsigned int nr_cpus)
{
	return (size_t)nr_cpus * sizeof(struct ring);
}

void trace_ring_init(void *mem, unsigned int nr_cpus)
{
	assert_always(nr_cpus <= KMEM_MAX_CPUS);
	assert_always((uintptr_t)mem % KMEM_CACHE_LINE == 0);
	rings = mem;
	nr_rings = mem ? nr_cpus : 0;
}

/* How far the slot's turn is from what the user of this position waits for: 0 means it is its own. */
static s32 slot_turn(struct ring_slot *slot, u32 pos, u32 want)
{
	u32 first_use = pos & ~(u32)(TRACE_RING_SLOTS - 1);

	/* Pairs with the release of whoever passed the turn on. */
	return (s32)(atom_load_acq(&slot->turn) - (first_use + want));
}

static void slot_pass(struct ring_slot *slot, u32 pos, u32 turn)
{
	atom_store_rel(&slot->turn, (pos & ~(u32)(TRACE_RING_SLOTS - 1)) + turn);
}

static void ring_drop(struct ring *ring)
{
	if (ring)
		atom_add(&ring->dropped, 1);
	vm_event(KMEM_EV_kmem_trace_dropped);
}

static void ring_write(struct ring *ring, const struct kmem_trace_event *ev)
{
	struct ring_slot *slot;
	u32 pos = atom_load_acq(&ring->head), dropped;
	bool mine = false;
	s32 turn;

	while (!mine) {
		slot = &ring->slot[pos % TRACE_RING_SLOTS];
		dropped = atom_load(&ring->dropped);
		turn = slot_turn(slot, pos, 0);
		if (turn < 0) {
			ring_drop(ring);
			return;
		}
		if (turn == 0)
			mine = atom_cas(&ring->head, &pos, pos + 1);
		else
			pos = atom_load_acq(&ring->head);
	}
	slot->number = pos + dropped;
	slot->ev = *ev;
	slot_pass(slot, pos, 1);
}

static bool ring_read(struct ring *ring, struct kmem_trace_event *ev)
{
	struct ring_slot *slot = &ring->slot[ring->tail % TRACE_RING_SLOTS];

	if (slot_turn(slot, ring->tail, 1) != 0)
		return false;
	*ev = slot->ev;
	/* The number's upper half: numbers rise, by less than 2^32 from one event to the next. */
	ring->read += (u32)(slot->number - (u32)ring->read);
	ev->seq = ring->read;
	slot_pass(slot, ring->tail, TRACE_RING_SLOTS);
	ring->tail++;
	return true;
}

void trace_emit(struct kmem_trace_event *ev, const char *name)
{
	unsigned int cpu = port_cpu();
	hook_fn fn;
	void *arg;

	assert_debug(ev->kind < KMEM_NR_TRACE);
	ev->cpu = cpu;
	if (name)
		str_copy(ev->name, name, sizeof(ev->name));
	if (hook_get(&event_hook, &fn, &arg)) {
		ev->seq = atom_add(&event_seq[cpu], 1);
		((kmem_trace_fn)fn)(ev, arg);
	} else if (cpu < nr_rings) {
		ring_write(&rings[cpu], ev);
	} else {
		ring_drop(NULL);
	}
}

static void trace_object(enum kmem_trace_kind kind, const void *site, const void *p,
			 const char *name)
{
	struct kmem_trace_event ev = {.kind = kind};

	ev.call_site = (uintptr_t)site;
	ev.ptr = (uintptr_t)p;
	trace_emit(&ev, name);
}

void trace_kmalloc(const void *site, const void *p, size_t req, size_t alloc, gfp_t gfp)
{
	struct kmem_trace_event ev = {.kind = KMEM_TRACE_KMALLOC};

	if (!trace_on())
		return;
	ev.call_site = (uintptr_t)site;
	ev.ptr = (uintptr_t)p;
	ev.bytes_req = req;
	ev.bytes_alloc = alloc;
	ev.gfp = (__kmem_force u32)gfp;
	ev.accounted = (gfp & __GFP_ACCOUNT) != 0;
	trace_emit(&ev, NULL);
}

void trace_cache_alloc(const void *site, const void *p, const char *name, size_t req, size_t alloc,
		       gfp_t gfp, bool accounted)
{
	struct kmem_trace_event ev = {.kind = KMEM_TRACE_CACHE_ALLOC};

	if (!trace_on())
		return;
	ev.call_site = (uintptr_t)site;
	ev.ptr = (uintptr_t)p;
	ev.bytes_req = req;
	ev.bytes_alloc = alloc;
	ev.gfp = (__kmem_force u32)gfp;
	ev.accounted = accounted || (gfp & __GFP_ACCOUNT) != 0;
	trace_emit(&ev, name);
}

void trace_kfree(const void *site, const void *p)
{
	if (trace_on())
		trace_object(KMEM_TRACE_KFREE, site, p, NULL);
}

void trace_cache_free(const void *site, const void *p, const char *name)
{
	if (trace_on())
		trace_object(KMEM_TRACE_CACHE_FREE, site, p, name);
}

void trace_page_alloc(const void *page, pfn_t pfn, unsigned int order, int migratetype, gfp_t gfp)
{
	struct kmem_trace_event ev = {.kind = KMEM_TRACE_PAGE_ALLOC};

	if (!trace_on())
		return;
	ev.ptr = (uintptr_t)page;
	ev.pfn = page ? pfn : 0;
	ev.order = (s32)order;
	ev.migratetype = migratetype;
	ev.gfp = (__kmem_force u32)gfp;
	trace_emit(&ev, NULL);
}

void trace_page_free(const void *page, pfn_t pfn, unsigned int order)
{
	struct kmem_trace_event ev = {.kind = KMEM_TRACE_PAGE_FREE};

	if (!trace_on())
		return;
	ev.ptr = (uintptr_t)page;
	ev.pfn = pfn;
	ev.order = (s32)order;
	trace_emit(&ev, NULL);
}

void kmem_trace_start(kmem_trace_fn fn, void *arg)
{
	if (!machine_ensure())
		return;
	hook_set(&event_hook, (hook_fn)fn, arg);
	/* Events first, then the switch: what the floors above do slowly from now on is seen. */
	if (!atom_xchg(&kmem_machine.tracing, true) && trace_switch_hook)
		trace_switch_hook(true);
}

void kmem_trace_stop(void)
{
	if (atom_xchg(&kmem_machine.tracing, false) && trace_switch_hook)
		trace_switch_hook(false);
	hook_set(&event_hook, NULL, NULL);
}

int kmem_trace_read(unsigned int cpu, struct kmem_trace_event *ev)
{
	irqflags_t flags;
	bool got;

	if (cpu >= nr_rings || !lock_take_or_try(&ring_read_lock, sync_nested(), &flags))
		return 0;
	got = ring_read(&rings[cpu], ev);
	lock_release(&ring_read_lock, flags);
	return got;
}

/* Boot and shutdown: the ring's memory is gone, or not there yet. */
void trace_reset(void)
{
	atom_store(&kmem_machine.tracing, false);
	hook_set(&event_hook, NULL, NULL);
	nr_rings = 0;
	rings = NULL;
}

void trace_fork_lock(void)
{
	lock_fork_take(&ring_read_lock);
}

/* Writers of other tasks are not there in the child to pass their slots on: its rings start empty. */
void trace_fork_unlock(bool child)
{
	if (!child) {
		lock_fork_drop(&ring_read_lock);
		return;
	}
	for (unsigned int cpu = 0; cpu < nr_rings; cpu++)
		if (atom_load(&rings[cpu].head) != 0)
			__builtin_memset(&rings[cpu], 0, sizeof(rings[cpu]));
	lock_reset(&ring_read_lock);
}
