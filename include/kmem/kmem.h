/* SPDX-License-Identifier: MIT */
/*
 * The machine: starting it, stopping it, asking it. One machine per process or kernel image.
 *
 *	kmem_boot("mem=64M zones=i386");
 *	void *p = kmalloc(120, GFP_KERNEL);
 *	kfree(p);
 *	kmem_shutdown();
 *
 * On posix the first allocation boots a machine from the environment variable KMEM_CMDLINE when
 * kmem_boot was not called.
 */
#ifndef KMEM_H
#define KMEM_H

#include <kmem/config.h>
#include <kmem/context.h>
#include <kmem/fault.h>
#include <kmem/gfp.h>
#include <kmem/lockdep.h>
#include <kmem/page.h>
#include <kmem/slab.h>
#include <kmem/zone.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/*
 * Starts the machine from a kernel command line; kmem(7) lists the options. NULL means KMEM_CMDLINE,
 * then defaults. 0, or -EINVAL (unknown option, bad value, impossible zone table), -ENOMEM, -EBUSY
 * (running, starting or stopping); kmem_boot_error() then says which word and why, and nothing is
 * left half-started. Whoever has called this, or kmem_shutdown, gets no machine by first use any
 * more. Task context, may sleep.
 */
int kmem_boot(const char *cmdline);
/* Why the last start was refused; "" after one that was not. Good until the next start. */
const char *kmem_boot_error(void);
/*
 * The table of options, one a line: name, unit, default, range and help, separated by tabs. As
 * snprintf: returns the full length. Any context, machine on or off.
 */
size_t kmem_options_help(char *buf, size_t len);
bool kmem_booted(void); /* is the machine on? Any context */
/*
 * Stops the machine and gives its memory back to the host. Every cache with live objects and all
 * pages still allocated are reported first. Returns the number of leaks (objects + page blocks); 0
 * if no machine was running. What was registered goes with it (providers, handlers, allowed mask),
 * but for the log and misuse hooks. No other thread may be inside the library. Task context.
 */
unsigned long kmem_shutdown(void);

/* Walks everything and proves the invariants. 0, or the number of faults, each reported. Nobody
 * else may use the machine meanwhile. Task context; 0 if no machine is running. */
int kmem_check(void);
int kmem_zones_check(void);
int kmem_caches_check(void);

/* "slabinfo", "buddyinfo", "zoneinfo", "vmstat", "pagetypeinfo": the kernel's text, as snprintf
 * fills a buffer. Returns the full length, or -ENOENT (no such text, no machine). Any context. */
long kmem_read(const char *name, char *buf, size_t len);

/* Empties all per-CPU page lists and sheaves, and gives empty slabs back to the zones, but for
 * SLAB_NO_REAP caches. Task context. */
void kmem_drain(void);

/*
 * kmem_drain(), and then whole free 4 MiB sections go back to the host, which backs them again when
 * they are needed. Returns how many pages went. Task context.
 */
unsigned long kmem_trim(void);

/* Tunables after boot; names as in sysctl: min_free_kbytes, watermark_scale_factor,
 * lowmem_reserve_ratio ("256 256 32", or with commas). Recomputes marks and reserves at once. 0, or
 * -EINVAL (no such name, bad value, no machine) and nothing has changed. Task context. */
int kmem_sysctl(const char *name, const char *value);

/* Reports: everything printed goes through here, in whole lines of up to 510 characters, in the
 * context of the call that reports; fn must not allocate from the library. NULL restores the port's
 * own log. Setting is for task context; calls under way may still use the old one. */
enum kmem_log_level { KMEM_LOG_ERR = 3, KMEM_LOG_WARN = 4, KMEM_LOG_INFO = 6 };
typedef void (*kmem_log_fn)(int level, const char *text, size_t len, void *arg);
void kmem_set_log(kmem_log_fn fn, void *arg);

/* Misuse: stable codes, independent of the text. docs/gfp.md says what happens after each. */
enum kmem_misuse {
	KMEM_MISUSE_NONE = 0,
	KMEM_MISUSE_GFP_BAD_ZONE = 1,	/* two zone selectors */
	KMEM_MISUSE_GFP_UNEXPECTED = 2, /* highmem or DMA32 to kmalloc or slab */
	KMEM_MISUSE_GFP_UNKNOWN_BITS = 3,
	KMEM_MISUSE_GFP_MOBILITY = 4,	  /* MOVABLE|RECLAIMABLE */
	KMEM_MISUSE_GFP_ORDER = 5,	  /* order > MAX_PAGE_ORDER */
	KMEM_MISUSE_GFP_NOFAIL = 6,	  /* NOFAIL non-blocking, order > 1, under PF_MEMALLOC */
	KMEM_MISUSE_GFP_ZERO_CTOR = 7,	  /* __GFP_ZERO to a cache with a constructor */
	KMEM_MISUSE_GFP_SLEEP_ATOMIC = 8, /* blocking mask in atomic context */
	KMEM_MISUSE_GFP_EXACT = 9,	  /* COMP or HIGHMEM to alloc_pages_exact */
	KMEM_MISUSE_GFP_NOLOCK = 10,	  /* flags not allowed in _nolock */
	KMEM_MISUSE_GFP_NMI = 11,	  /* an ordinary call from NMI context */
	KMEM_MISUSE_PAGE_FOREIGN = 20,	  /* not a frame of this machine */
	KMEM_MISUSE_PAGE_DOUBLE_FREE = 21,
	KMEM_MISUSE_PAGE_WRONG_ORDER = 22,
	KMEM_MISUSE_PAGE_TAIL = 23,
	KMEM_MISUSE_PAGE_SLAB = 24, /* page call on a page that belongs to a slab */
	KMEM_MISUSE_PAGE_REFCOUNT = 25,
	KMEM_MISUSE_SLAB_DOUBLE_FREE = 40,
	KMEM_MISUSE_SLAB_INTERIOR = 41, /* not the start of an object */
	KMEM_MISUSE_SLAB_FOREIGN = 42,	/* not a slab object, nor from kmalloc */
	KMEM_MISUSE_SLAB_WRONG_CACHE = 43,
	KMEM_MISUSE_SLAB_NULL = 44,
	KMEM_MISUSE_SLAB_CREATE = 45,
	KMEM_MISUSE_SLAB_DESTROY_LIVE = 46,
	KMEM_MISUSE_SLAB_DEAD_CACHE = 47,
	KMEM_MISUSE_SLAB_CONTEXT = 48,	  /* create, destroy, shrink, reap in interrupt context */
	KMEM_MISUSE_SLAB_CORRUPT = 49,	  /* red zone, poison or padding overwritten */
	KMEM_MISUSE_SIZE = 50,		  /* kmalloc above the maximum */
	KMEM_MISUSE_MEMPOOL_BUSY = 60,	  /* destroyed with elements out */
	KMEM_MISUSE_MEMPOOL_ZERO = 61,	  /* __GFP_ZERO to a pool */
	KMEM_MISUSE_MEMPOOL_CORRUPT = 62, /* a reserved element was written to */
	KMEM_MISUSE_KMAP_UNBALANCED = 65, /* more unmaps than maps */
	KMEM_MISUSE_KMAP_ORDER = 66,	  /* kmap_local not undone last in, first out */
	KMEM_MISUSE_KMAP_DEPTH = 67,	  /* nested too deep */
	KMEM_MISUSE_VMALLOC_SIZE = 70,	  /* 0, or more than there is */
	KMEM_MISUSE_VMALLOC_FREE = 71,	  /* not the start of an area */
	KMEM_MISUSE_PERCPU_SIZE = 75,	  /* size or alignment out of range */
	KMEM_MISUSE_PERCPU_FREE = 76,	  /* not what alloc_percpu returned */
	KMEM_MISUSE_DMAPOOL_FREE = 80,	  /* not a block of the pool, or free already */
	KMEM_MISUSE_DMAPOOL_BUSY = 81,	  /* destroyed with blocks out */
	KMEM_MISUSE_SHRINKER = 85,	  /* registered twice, callback missing */
	KMEM_MISUSE_LRU = 86,		  /* a page that is on no list, or on one already */
	KMEM_MISUSE_RECLAIM_RECURSION =
		90,		  /* a lock is taken in a shrinker and held over a request */
	KMEM_MISUSE_CONTEXT = 91, /* a call that may sleep, where nothing may */
};
/* Called before the text is printed, in the context of the call and as often as that is reported.
 * addr: the object, page or caller concerned, or NULL. The count is of the process, over all
 * machines. */
typedef void (*kmem_misuse_fn)(enum kmem_misuse code, const void *addr, void *arg);
void kmem_set_misuse_hook(kmem_misuse_fn fn, void *arg);
unsigned long kmem_misuse_count(void);

/* RCU read sections, for objects of SLAB_TYPESAFE_BY_RCU caches. Nest; any context. */
void kmem_rcu_read_lock(void);
void kmem_rcu_read_unlock(void);
/* Waits until every section begun before is over. Task context, sleeps; not in a section. */
void kmem_synchronize_rcu(void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
