/* SPDX-License-Identifier: MIT */
/*
 * What a machine that is too small may take back (--reclaim): pages of users and of the page cache
 * through a page provider, objects of caches that the kernel reclaims through a shrinker; the oldest
 * first. What was dropped the recording goes on to use and to free; a later free of it is expected, and
 * counted.
 *
 * As in the kernel, a page goes only where the request may do I/O, since it would be written, and an
 * object only where it may enter a file system. There is no thread: kswapd runs when the operation
 * that woke it is over, and while one that loops waits, so that the same file gives the same figures.
 *
 * A queue a zone for pages and one for objects. An entry is good while its slot has the birth that the
 * entry has; entries of what was freed meanwhile are passed over.
 */
#include "replay.h"
#include "cmd.h"

#include <stdlib.h>
#include <string.h>

#include <kmem/kmem.h>
#include <kmem/shrinker.h>
#include <kmem/stat.h>

enum { OBJECTS = KMEM_NR_ZONES, DROPPED = 0, GIVE_UP_ROUNDS = 32 };

struct entry {
	uint32_t slot, birth;
};

struct queue {
	struct entry *entry;
	size_t head, nr, cap;
	unsigned long live; /* pages, or objects */
};

/* There is one replay at a time; the callbacks have no argument. */
static struct {
	const struct plan *p;
	struct result *r;
	void (*drop)(void *arg, uint32_t slot);
	void *arg;
	struct queue queue[KMEM_NR_ZONES + 1];
	uint32_t *birth; /* of what is in the slot and could be dropped; DROPPED, or NOTHING */
	uint8_t *place;	 /* its queue */
	uint8_t *order;
	uint32_t last;
	bool wanted; /* kswapd has been woken */
} drops;

#define NOTHING UINT32_MAX

/* ---- What may go ------------------------------------------------------------------------------- */

/* The kernel's caches with SLAB_RECLAIM_ACCOUNT, by name. */
bool drop_cache(const char *name)
{
	static const char *const names[] = {"dentry",	       "buffer_head",	 "extent_status",
					    "mb_cache_entry",  "xfs_buf",	 "btrfs_extent_map",
					    "radix_tree_node", "lsm_inode_cache"};
	size_t len = strlen(name), tail = strlen("inode_cache");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return len > tail && strcmp(name + len - tail, "inode_cache") == 0;
}

static bool droppable(const struct op *op)
{
	if (op->kind == OP_PAGE_ALLOC || op->kind == OP_PAGE_SPLIT)
		return op->gfp & __GFP_MOVABLE;
	return op->kind == OP_CACHE_ALLOC && drop_cache(drops.p->trace->cache[op->cache].text);
}

static void queue_add(struct queue *q, struct entry e)
{
	if (q->nr == q->cap) {
		q->cap = q->cap ? q->cap * 2 : 1024;
		q->entry = cmd_grow(q->entry, q->cap, sizeof(*q->entry));
	}
	q->entry[q->nr++] = e;
}

static void leaves(uint32_t slot)
{
	drops.queue[drops.place[slot]].live -= 1ul << drops.order[slot];
}

void drop_born(const struct op *op, uint32_t slot, const struct page *page)
{
	unsigned int place = page ? (unsigned int)page_zonenum(page) : OBJECTS;

	if (!drops.p)
		return;
	drops.birth[slot] = NOTHING;
	if (!droppable(op))
		return;
	drops.birth[slot] = ++drops.last;
	drops.place[slot] = (uint8_t)place;
	drops.order[slot] = op->kind == OP_PAGE_ALLOC ? op->order : 0;
	drops.queue[place].live += 1ul << drops.order[slot];
	queue_add(&drops.queue[place], (struct entry){slot, drops.last});
}

void drop_freed(uint32_t slot)
{
	if (!drops.p)
		return;
	if (drops.birth[slot] == DROPPED)
		drops.r->dropped_freed++;
	else if (drops.birth[slot] != NOTHING)
		leaves(slot);
	drops.birth[slot] = NOTHING;
}

/* ---- Giving back -------------------------------------------------------------------------------- */

static unsigned long drop_oldest(struct queue *q, unsigned long nr)
{
	unsigned long dropped = 0;

	while (dropped < nr && q->head < q->nr) {
		struct entry e = q->entry[q->head++];

		if (drops.birth[e.slot] != e.birth)
			continue;
		leaves(e.slot);
		drops.birth[e.slot] = DROPPED;
		drops.drop(drops.arg, e.slot);
		dropped += 1ul << drops.order[e.slot];
	}
	return dropped;
}

static unsigned long on_count(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return drops.queue[OBJECTS].live;
}

static unsigned long on_scan(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long dropped;

	(void)s;
	if (!(sc->gfp_mask & __GFP_FS))
		return SHRINK_STOP;
	dropped = drop_oldest(&drops.queue[OBJECTS], sc->nr_to_scan);
	drops.r->dropped_objects += dropped;
	return dropped;
}

static unsigned long on_count_pages(struct kmem_provider *p, int zone)
{
	(void)p;
	return drops.queue[zone].live;
}

static unsigned long on_reclaim(struct kmem_provider *p, int zone, unsigned long nr, int priority,
				gfp_t gfp)
{
	unsigned long dropped;

	(void)p;
	(void)priority;
	if (!(gfp & __GFP_IO))
		return 0;
	dropped = drop_oldest(&drops.queue[zone], nr);
	drops.r->dropped_pages += dropped;
	return dropped;
}

static struct shrinker shrinker = {
	.count_objects = on_count, .scan_objects = on_scan, .seeks = DEFAULT_SEEKS};
static struct kmem_provider provider = {
	.name = "replay", .count_pages = on_count_pages, .reclaim = on_reclaim};

/* ---- kswapd ----------------------------------------------------------------------------------------- */

static void on_wake(int node, unsigned int order, int zone, void *arg)
{
	(void)node;
	(void)order;
	(void)zone;
	(void)arg;
	drops.wanted = true;
}

void drop_in_background(void)
{
	if (!drops.wanted)
		return;
	drops.wanted = false;
	kmem_kswapd_run();
}

bool drop_waits(unsigned long rounds)
{
	if (!drops.p || rounds >= GIVE_UP_ROUNDS)
		return false;
	drop_in_background();
	return true;
}

/* ---- Beginning and end ------------------------------------------------------------------------------ */

void drop_begin(const struct plan *p, struct result *r, void (*drop)(void *, uint32_t), void *arg)
{
	memset(&drops, 0, sizeof(drops));
	drops.p = p;
	drops.r = r;
	drops.drop = drop;
	drops.arg = arg;
	drops.birth = cmd_grow(NULL, p->nr_slots, sizeof(*drops.birth));
	drops.place = cmd_grow(NULL, p->nr_slots, 1);
	drops.order = cmd_grow(NULL, p->nr_slots, 1);
	memset(drops.birth, 0xff, p->nr_slots * sizeof(*drops.birth));
	register_shrinker(&shrinker, "replay");
	kmem_provider_register(&provider);
	kmem_set_kswapd_wake(on_wake, NULL);
}

static uint64_t events(enum kmem_event ev)
{
	return kmem_stat_events(kmem_stat_get(), ev);
}

static uint64_t stalls(void)
{
	uint64_t sum = 0;

	for (int z = 0; z < KMEM_NR_ZONES; z++)
		sum += events((enum kmem_event)(KMEM_EV_allocstall_dma + z));
	return sum;
}

void drop_end(void)
{
	if (!drops.p)
		return;
	drops.r->reclaimed = true;
	drops.r->by_kswapd = events(KMEM_EV_pgsteal_kswapd);
	drops.r->by_requests = events(KMEM_EV_pgsteal_direct);
	drops.r->slabs_scanned = events(KMEM_EV_slabs_scanned);
	drops.r->kswapd_runs = events(KMEM_EV_pageoutrun);
	drops.r->stalls = stalls();
	kmem_set_kswapd_wake(NULL, NULL);
	kmem_provider_unregister(&provider);
	unregister_shrinker(&shrinker);
	for (unsigned int i = 0; i <= KMEM_NR_ZONES; i++)
		free(drops.queue[i].entry);
	free(drops.birth);
	free(drops.place);
	free(drops.order);
	memset(&drops, 0, sizeof(drops));
}
