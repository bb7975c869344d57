/* SPDX-License-Identifier: MIT */
/*
 * The statistics of a machine, as one flat structure. The library keeps it current by plain stores
 * whenever it takes a slow step; on posix it lies in a memfd named "kmem-stat", so `kmem stat PID`
 * reads another process's through /proc/PID/fd, guarded by the kernel's own permission check.
 *
 * Readers: check magic, version and size first. Counters are those of a moment; they agree with
 * each other when the process is quiet.
 */
#ifndef KMEM_STAT_H
#define KMEM_STAT_H

#include <stddef.h>
#include <stdint.h>
#include <kmem/config.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define KMEM_STAT_MAGIC	  0x54534d4bu /* "KMST" */
#define KMEM_STAT_VERSION 3u

/* Zone indexes, low to high. */
enum kmem_zone_index {
	KMEM_ZONE_DMA,
	KMEM_ZONE_DMA32,
	KMEM_ZONE_NORMAL,
	KMEM_ZONE_HIGHMEM,
	KMEM_ZONE_MOVABLE,
	KMEM_NR_ZONES
};

enum kmem_migratetype {
	KMEM_MT_UNMOVABLE,
	KMEM_MT_MOVABLE,
	KMEM_MT_RECLAIMABLE,
	KMEM_MT_HIGHATOMIC,
	KMEM_NR_MT
};

/* Pages on the LRU lists of a zone (kmem/lru.h), by place and kind, and by what is to be done with
 * them. */
enum kmem_lru_stat {
	KMEM_LRU_INACTIVE_ANON,
	KMEM_LRU_INACTIVE_FILE,
	KMEM_LRU_ACTIVE_ANON,
	KMEM_LRU_ACTIVE_FILE,
	KMEM_LRU_ISOLATED_ANON,
	KMEM_LRU_ISOLATED_FILE,
	KMEM_LRU_DIRTY,
	KMEM_LRU_WRITEBACK,
	KMEM_NR_LRU_STATS
};

/* Event counters, in the order /proc/vmstat prints them. */
/* clang-format off */
#define KMEM_EVENTS(X)                                                                             \
	X(pswpin) X(pswpout) X(pgalloc_dma) X(pgalloc_dma32) X(pgalloc_normal) X(pgalloc_high) X(pgalloc_movable)       \
	X(allocstall_dma) X(allocstall_dma32) X(allocstall_normal) X(allocstall_high)              \
	X(allocstall_movable) X(pgfree) X(pgactivate) X(pgdeactivate)                              \
	X(pgscan_kswapd) X(pgscan_direct)                                                          \
	X(pgscan_direct_throttle) X(pgsteal_kswapd) X(pgsteal_direct) X(slabs_scanned)             \
	X(kswapd_low_wmark_hit_quickly) X(kswapd_high_wmark_hit_quickly) X(pageoutrun)             \
	X(drop_slab) X(oom_kill) X(compact_stall) X(compact_fail) X(compact_success)               \
	X(kmem_alloc_fail) X(kmem_trace_dropped)
enum kmem_event {
#define X(name) KMEM_EV_##name,
	KMEM_EVENTS(X)
#undef X
	KMEM_NR_EVENTS
};
/* clang-format on */

struct kmem_stat_zone {
	char name[16];
	uint32_t configured; /* the zone table has it */
	uint32_t populated;  /* present pages > 0 */
	uint64_t start_pfn, spanned, present, managed;
	uint64_t free, boost, min, low, high, promo;
	uint64_t protection[KMEM_NR_ZONES];
	uint64_t nr_free_highatomic, reserved_highatomic;
	uint64_t nr_free[KMEM_NR_MT][NR_PAGE_ORDERS]; /* blocks */
	uint64_t nr_blocks[KMEM_NR_MT];		      /* page blocks of each mobility type */
	uint32_t pcp_batch, pcp_high_min, pcp_high_max, stat_threshold;
	uint64_t lru[KMEM_NR_LRU_STATS];
};

struct kmem_stat_cache {
	char name[KMEM_NAME_MAX]; /* empty: slot unused */
	uint64_t seq;		  /* creation order, from 1; slabinfo lists newest first */
	uint32_t object_size, size, align, flags;
	uint32_t objs_per_slab, pages_per_slab, sheaf_capacity, pad;
	uint64_t nr_slabs, nr_partial, nr_objs, free_objs; /* free_objs: on partial slabs */
	uint64_t cached_objs; /* room of the barn's full sheaves, at their last change */
	uint64_t alloc_fail;
};

/* Whole cache lines: each CPU writes its own. */
struct kmem_stat_cpu {
	uint64_t event[KMEM_NR_EVENTS];
	uint32_t pcp_count[KMEM_NR_ZONES]; /* pages on this CPU's lists, at the last slow step */
} __attribute__((aligned(KMEM_CACHE_LINE)));

struct kmem_stat {
	uint32_t magic, version, size, page_size;
	uint32_t nr_cpus, nr_caches, max_caches, pid;
	uint64_t boots;
	uint64_t total_pages, totalreserve_pages, min_free_kbytes;
	uint64_t nr_slab_reclaimable, nr_slab_unreclaimable;
	uint64_t misuses;
	uint64_t swap_total, swap_free; /* pages of the swap area */
	uint32_t mobility, pad;
	char cmdline[256];
	struct kmem_stat_zone zone[KMEM_NR_ZONES];
	/* One more than nr_cpus: the last counts events of tasks that ran where the machine has no CPU. */
	struct kmem_stat_cpu cpu[KMEM_MAX_CPUS + 1];
	struct kmem_stat_cache cache[KMEM_MAX_CACHES];
};

/* The running machine's own statistics, brought up to date; NULL if it is not booted. Valid until
 * kmem_shutdown. Any context. */
const struct kmem_stat *kmem_stat_get(void);

/*
 * Formats one of the kernel's texts from a snapshot: "slabinfo", "buddyinfo", "zoneinfo",
 * "vmstat", "pagetypeinfo". Returns the full length, as snprintf does, or -2 (ENOENT). Any
 * context, no machine needed.
 */
long kmem_stat_text(const struct kmem_stat *stat, const char *name, char *buf, size_t len);

/* How often an event was counted, on all CPUs; 0 where stat is NULL. Any context, no machine needed. */
uint64_t kmem_stat_events(const struct kmem_stat *stat, enum kmem_event event);

/* Name of an event counter, zone or mobility type, as the kernel prints it. NULL past the end. */
const char *kmem_event_name(unsigned int event);
const char *kmem_zone_name(unsigned int zone);
const char *kmem_migratetype_name(unsigned int mt);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
