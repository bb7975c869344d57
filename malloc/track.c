/* SPDX-License-Identifier: MIT */
/*
 * The ledger: what the program asked for and did not give back, by the stack that asked.
 *
 * Two hash tables with linear probing, both in memory of their own from mmap, doubled when they are
 * three quarters full:
 *
 *	blocks	address -> size and stack	one slot of 24 bytes a live block
 *	stacks	up to 8 return addresses -> live bytes and blocks
 *
 * so that a report is a walk of the stacks, whose number is small. A freed block's slot is closed by
 * moving back what follows it; stacks are never removed, so a slot number of one is good until the
 * table is doubled, when the blocks are renumbered.
 *
 * One lock, held for the update of the tables only. A signal handler that comes in the middle of it
 * must not wait for its own thread: the thread's mark `inside` says so, and the event is counted as
 * missed instead. The same mark keeps out the unwinder's own allocations.
 *
 * Cost: walking the stack, some microseconds a block. Nothing of it runs unless it is asked for.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "internal.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unwind.h>

enum { STACK_MAX = 8, TABLE_FIRST = 4096 };

struct block {
	uintptr_t addr; /* 0: free slot */
	size_t size;
	uint32_t stack;
};

static struct {
	uint32_t lock;
	bool on, ledger;
	struct block *blocks;
	struct track_stack *stacks;
	size_t blocks_cap, blocks_used, stacks_cap, stacks_used;
	struct track_counts counts; /* but for the next two */
	uint64_t missed, failures;
} track;

static _Thread_local bool inside __attribute__((tls_model("initial-exec")));

/* This object's own text, whose frames are no part of a caller's stack. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

/* These two are counted without the lock. */
static void count_missed(void)
{
	__atomic_fetch_add(&track.missed, 1, __ATOMIC_RELAXED);
}

void track_failure(void)
{
	__atomic_fetch_add(&track.failures, 1, __ATOMIC_RELAXED);
}

/* False: this thread holds the lock already, or is inside the unwinder. */
static bool track_enter(void)
{
	if (inside) {
		count_missed();
		return false;
	}
	inside = true;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return true;
}

static void track_leave(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	inside = false;
}

static void lock(void)
{
	/* Acquire pairs with the release in unlock. */
	while (__atomic_exchange_n(&track.lock, 1u, __ATOMIC_ACQUIRE) != 0)
		sched_yield();
}

static void unlock(void)
{
	__atomic_store_n(&track.lock, 0u, __ATOMIC_RELEASE);
}

static void *table_new(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static size_t mix(uintptr_t x)
{
	uint64_t h = (uint64_t)x * 0x9e3779b97f4a7c15ULL;

	return (size_t)(h >> 32);
}

/* ---- blocks ------------------------------------------------------------------------------------ */

/* The slot of the address, or the free slot where it would go. */
static struct block *block_slot(struct block *table, size_t cap, uintptr_t addr)
{
	size_t i = mix(addr) & (cap - 1);

	while (table[i].addr != 0 && table[i].addr != addr)
		i = (i + 1) & (cap - 1);
	return &table[i];
}

static bool blocks_grow(void)
{
	size_t cap = track.blocks_cap * 2;
	struct block *table = table_new(cap * sizeof(*table));

	if (!table)
		return false;
	for (size_t i = 0; i < track.blocks_cap; i++) {
		if (track.blocks[i].addr != 0)
			*block_slot(table, cap, track.blocks[i].addr) = track.blocks[i];
	}
	munmap(track.blocks, track.blocks_cap * sizeof(*table));
	track.blocks = table;
	track.blocks_cap = cap;
	return true;
}

/* Closes the slot: whatever follows without a gap and would be found from it moves back. */
static void block_remove(struct block *slot)
{
	size_t mask = track.blocks_cap - 1;
	size_t hole = (size_t)(slot - track.blocks);

	for (size_t i = (hole + 1) & mask; track.blocks[i].addr != 0; i = (i + 1) & mask) {
		size_t home = mix(track.blocks[i].addr) & mask;

		if (((i - home) & mask) >= ((i - hole) & mask)) {
			track.blocks[hole] = track.blocks[i];
			hole = i;
		}
	}
	track.blocks[hole].addr = 0;
	track.blocks_used--;
}

/* ---- stacks ------------------------------------------------------------------------------------ */

static bool stack_same(const struct track_stack *a, const struct track_stack *b)
{
	return a->hash == b->hash && a->depth == b->depth &&
	       __builtin_memcmp(a->pc, b->pc, a->depth * sizeof(a->pc[0])) == 0;
}

static size_t stack_slot(const struct track_stack *table, size_t cap, const struct track_stack *s)
{
	size_t i = s->hash & (cap - 1);

	while (table[i].depth != 0 && !stack_same(&table[i], s))
		i = (i + 1) & (cap - 1);
	return i;
}

static bool stacks_grow(void)
{
	size_t cap = track.stacks_cap * 2;
	struct track_stack *table = table_new(cap * sizeof(*table));

	if (!table)
		return false;
	for (size_t i = 0; i < track.stacks_cap; i++) {
		if (track.stacks[i].depth != 0)
			table[stack_slot(table, cap, &track.stacks[i])] = track.stacks[i];
	}
	for (size_t i = 0; i < track.blocks_cap; i++) {
		struct block *b = &track.blocks[i];

		if (b->addr != 0)
			b->stack = (uint32_t)stack_slot(table, cap, &track.stacks[b->stack]);
	}
	munmap(track.stacks, track.stacks_cap * sizeof(*table));
	track.stacks = table;
	track.stacks_cap = cap;
	return true;
}

static _Unwind_Reason_Code stack_frame(struct _Unwind_Context *context, void *arg)
{
	struct track_stack *s = arg;
	uintptr_t pc = _Unwind_GetIP(context);

	if (pc == 0 || s->depth == STACK_MAX)
		return _URC_END_OF_STACK;
	if (pc < (uintptr_t)__ehdr_start || pc >= (uintptr_t)_end)
		s->pc[s->depth++] = (void *)pc;
	return _URC_NO_REASON;
}

/*
 * The callers outside this object, nearest first; at least one, if only "unknown". The compiler's
 * unwinder is linked in: the C library's backtrace() loads it with dlopen, which allocates.
 */
static void stack_walk(struct track_stack *s)
{
	*s = (struct track_stack){0};
	_Unwind_Backtrace(stack_frame, s);
	if (s->depth == 0)
		s->depth = 1;
	for (uint32_t i = 0; i < s->depth; i++)
		s->hash = s->hash * 31u + (uint32_t)mix((uintptr_t)s->pc[i]);
}

/* ---- The three events -------------------------------------------------------------------------- */

static void ledger_insert(const void *p, size_t size, const struct track_stack *s)
{
	struct block *b;
	size_t i;

	if ((track.blocks_used >= track.blocks_cap / 4 * 3 && !blocks_grow()) ||
	    (track.stacks_used >= track.stacks_cap / 4 * 3 && !stacks_grow())) {
		count_missed();
		return;
	}
	i = stack_slot(track.stacks, track.stacks_cap, s);
	if (track.stacks[i].depth == 0) {
		track.stacks[i] = *s;
		track.stacks_used++;
	}
	b = block_slot(track.blocks, track.blocks_cap, (uintptr_t)p);
	if (b->addr != 0) { /* its free was missed */
		track.stacks[b->stack].bytes -= b->size;
		track.stacks[b->stack].blocks--;
	} else {
		track.blocks_used++;
	}
	*b = (struct block){.addr = (uintptr_t)p, .size = size, .stack = (uint32_t)i};
	track.stacks[i].bytes += size;
	track.stacks[i].blocks++;
}

static void ledger_remove(const void *p)
{
	struct block *b = block_slot(track.blocks, track.blocks_cap, (uintptr_t)p);

	if (b->addr == 0) /* older than the ledger, or missed */
		return;
	track.stacks[b->stack].bytes -= b->size;
	track.stacks[b->stack].blocks--;
	block_remove(b);
}

static void count_alloc(uint64_t bytes)
{
	struct track_counts *c = &track.counts;

	c->allocs++;
	c->live_blocks++;
	c->live_bytes += bytes;
	if (c->live_bytes > c->peak_bytes)
		c->peak_bytes = c->live_bytes;
}

/* Blocks older than the ledger are freed too: the counts stop at zero. */
static void count_free(uint64_t bytes)
{
	struct track_counts *c = &track.counts;

	c->frees++;
	c->live_blocks -= c->live_blocks != 0;
	c->live_bytes -= bytes < c->live_bytes ? bytes : c->live_bytes;
}

void track_alloc(const void *p, size_t size)
{
	int saved = errno;
	struct track_stack s;
	size_t bytes;
	bool ledger;

	if (!track.on || !track_enter())
		return;
	bytes = block_size(p);
	ledger = __atomic_load_n(&track.ledger, __ATOMIC_RELAXED); /* until it has ended */
	if (ledger)
		stack_walk(&s);
	lock();
	count_alloc(bytes);
	if (ledger && track.ledger)
		ledger_insert(p, size, &s);
	unlock();
	track_leave();
	errno = saved;
}

void track_free(const void *p)
{
	size_t bytes;

	if (!track.on || !virt_addr_valid(p) || !track_enter())
		return;
	bytes = block_size(p);
	lock();
	count_free(bytes);
	if (track.ledger)
		ledger_remove(p);
	unlock();
	track_leave();
}

/* ---- fork: the child must not find the lock held by a thread that it does not have ------------- */

static void fork_prepare(void)
{
	inside = true;
	lock();
}

static void fork_done(void)
{
	unlock();
	inside = false;
}

void track_start(bool ledger)
{
	inside = true;
	if (ledger) {
		track.blocks_cap = TABLE_FIRST;
		track.stacks_cap = TABLE_FIRST;
		track.blocks = table_new(TABLE_FIRST * sizeof(*track.blocks));
		track.stacks = table_new(TABLE_FIRST * sizeof(*track.stacks));
		track.ledger = track.blocks && track.stacks;
	}
	pthread_atfork(fork_prepare, fork_done, fork_done);
	track.on = true;
	track.counts = (struct track_counts){0};
	track.missed = 0;
	track.failures = 0;
	inside = false;
}

void track_read(struct track_counts *c)
{
	bool entered = track_enter();

	if (entered)
		lock();
	*c = track.counts;
	c->missed = __atomic_load_n(&track.missed, __ATOMIC_RELAXED);
	c->failures = __atomic_load_n(&track.failures, __ATOMIC_RELAXED);
	if (entered) {
		unlock();
		track_leave();
	}
}

/* ---- The end ----------------------------------------------------------------------------------- */

static void stack_sift(struct track_stack *a, size_t root, size_t n)
{
	for (size_t child = 2 * root + 1; child < n; child = 2 * root + 1) {
		struct track_stack tmp = a[root];

		if (child + 1 < n && a[child + 1].bytes < a[child].bytes)
			child++;
		if (a[root].bytes <= a[child].bytes)
			return;
		a[root] = a[child];
		a[child] = tmp;
		root = child;
	}
}

/* Heapsort, most bytes first: qsort of the C library may allocate. */
static void stacks_sort(struct track_stack *a, size_t n)
{
	for (size_t i = n / 2; i-- > 0;)
		stack_sift(a, i, n);
	for (size_t end = n; end-- > 1;) {
		struct track_stack tmp = a[0];

		a[0] = a[end];
		a[end] = tmp;
		stack_sift(a, 0, end);
	}
}

const struct track_stack *track_finish(size_t *n)
{
	size_t live = 0;

	*n = 0;
	if (!__atomic_load_n(&track.ledger, __ATOMIC_RELAXED) || !track_enter())
		return NULL;
	lock();
	__atomic_store_n(&track.ledger, false, __ATOMIC_RELAXED);
	for (size_t i = 0; i < track.stacks_cap; i++) {
		if (track.stacks[i].depth != 0 && track.stacks[i].blocks != 0)
			track.stacks[live++] = track.stacks[i];
	}
	unlock();
	track_leave();
	stacks_sort(track.stacks, live);
	*n = live;
	return track.stacks;
}
