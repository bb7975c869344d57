/* SPDX-License-Identifier: MIT */
/*
 * Floor 7, pool: what stands on pages and objects together.
 *
 * Glossary
 *	owner	who lets go of a page that is on the LRU lists (kmem/lru.h)
 *	element	what a mempool hands out: a pointer, of which the pool knows nothing else
 *	reserve	the elements a mempool keeps; last in, first out
 *	area	pages in a row at addresses of vmalloc's range, and a page that traps
 *	aside	where a handler that could not have the reserve's lock leaves an element
 */
#pragma once
#include "slab/slab.h"
#include <kmem/mempool.h>

/* Where nothing may be waited for, whatever the caller asked: locks are tried. */
static inline bool pool_must_try(void)
{
	return sync_nested() || context_in_nmi();
}

/* ---- lru.c -------------------------------------------------------------------------------------- */

void lru_init(void); /* forgets owners and lists; at boot and shutdown */
extern struct kmem_provider lru_provider;
int lru_check(void);
void lru_fork_lock(void);
void lru_fork_unlock(bool child);

/* ---- swap.c ------------------------------------------------------------------------------------- */

void swap_init(void); /* forgets area and handles; at boot and shutdown */
int swap_check(void);
void swap_fork_lock(void);
void swap_fork_unlock(bool child);

/* ---- filecache.c --------------------------------------------------------------------------------- */

void filecache_init(void); /* forgets all caches; at boot and shutdown */
int filecache_check(void);
void filecache_fork_lock(void); /* before lru_fork_lock: its locks are taken in the same order */
void filecache_fork_unlock(bool child);

/* ---- mempool.c ------------------------------------------------------------------------------------ */

void mempool_fork_lock(void);
void mempool_fork_unlock(bool child);

/* ---- mempool_element.c: the library's own kinds of elements ------------------------------------- */

/* Are things of so many bytes to be poisoned while they are in a pool (slab_debug=P, checking
 * builds)? */
bool pool_poison_wanted(size_t size);
/* How many bytes of an element in reserve are poisoned; 0: none. */
size_t element_poison_bytes(const mempool_t *pool);
/* Before it goes into the reserve, and after it has left it; nobody else has it then. */
void element_rests(const mempool_t *pool, void *el);
void element_leaves(const mempool_t *pool, void *el);
/* Offset of the first byte that is not what element_rests() wrote; the poison's length: none. */
size_t element_damage(const mempool_t *pool, void *el);

/* ---- percpu_alloc.c ------------------------------------------------------------------------------- */

/* At shutdown: objects that are left; their memory goes all the same. */
unsigned long pcpu_report_leaks(void);
void pcpu_reset(void);
void pcpu_fork_lock(void);
void pcpu_fork_unlock(bool child);

/* ---- vspace.c: addresses of a range, in pages; no lock ------------------------------------------- */

struct varea {
	struct varea *left, *right;
	size_t start, end; /* end: the first page behind it */
	size_t lo, hi;	   /* of the subtree: first start, last end */
	size_t gap;	   /* the widest hole in between */
	u32 prio;
};
struct vspace {
	struct varea *root;
	size_t pages; /* of the range */
};
/* At the lowest place where there is room; false: there is none. */
bool vspace_insert(struct vspace *s, struct varea *a, size_t pages);
void vspace_erase(struct vspace *s, struct varea *a);
/* The one that has the page, and the first that starts there or behind it; or NULL. */
struct varea *vspace_find(const struct vspace *s, size_t page);
struct varea *vspace_next(const struct vspace *s, size_t page);
int vspace_check(const struct vspace *s);

/* ---- vmalloc.c ------------------------------------------------------------------------------------ */

/* Areas that were freed where nothing may sleep. Task context. */
void vmalloc_run_deferred(void);
/* At shutdown: areas that are left; they go all the same. */
unsigned long vmalloc_report_leaks(void);
void vmalloc_reset(void);
int vmalloc_check(void);
void vmalloc_fork_lock(void);
void vmalloc_fork_unlock(bool child);
