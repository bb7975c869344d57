/* SPDX-License-Identifier: MIT */
/*
 * Swap: pages that need not be in memory. Each has a handle; while nobody has it mapped, and a swap area
 * is on, reclaim may write it to the area and take its memory. Mapping it brings it back.
 *
 *	kmem_file_store_open(&f, "swap", 256 << 20, true);
 *	kmem_swapon(&f.store);
 *	h = kmem_swap_alloc(GFP_HIGHUSER);
 *	if (kmem_swap_map(h, GFP_HIGHUSER, &p) == 0) {
 *		memcpy(p, data, PAGE_SIZE);
 *		kmem_swap_unmap(h, p, true);
 *	}
 *
 * Nothing is lost by a failing area. A page that cannot be written (area full, -ENOSPC, -EIO) stays in
 * memory; one that cannot be read, or whose checksum is not what it was, is an error of the call that
 * wanted it, and the call may be repeated. Both are reported, at most five times in ten seconds. Never is
 * there other data than what was written last.
 *
 * Reclaim writes only under masks with __GFP_IO. Reading back is I/O too, and is done whatever the mask:
 * that is for the memory alone.
 *
 * All calls are for task context, and sleep; where nothing may sleep they are reported
 * (KMEM_MISUSE_CONTEXT) and refused with -EBUSY, NULL or nothing done. Handles may be used by any number
 * of tasks at once; who frees one must be its last user.
 *
 * fork: the area is the parent's. The child writes nothing to it and gives nothing up that is in memory;
 * what was out at the fork it can read until the parent uses that place again, and has -EIO from then
 * on.
 */
#ifndef KMEM_SWAP_H
#define KMEM_SWAP_H

#include <stdbool.h>
#include <kmem/gfp.h>
#include <kmem/page.h>
#include <kmem/store.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/*
 * Starts swapping to the store, which stays the caller's and must outlive it; there is one area. What
 * the store holds is overwritten. 0, or -EINVAL (smaller than a page, or read-only), -EBUSY (an area is
 * on), -ENOMEM, -ENOSPC (too many LRU owners).
 */
int kmem_swapon(struct kmem_store *store);
/*
 * Brings every page back and stops. 0, or -EINVAL (none is on), -ENOMEM (the pages do not fit), or the
 * error of a page that cannot be read: then the area is still on, and nothing is lost.
 */
int kmem_swapoff(void);

struct kmem_swap_page;

/* A page and its handle, in memory; contents unknown without __GFP_ZERO. NULL: no memory. Also without
 * an area; it can then not be swapped, until there is one. */
struct kmem_swap_page *kmem_swap_alloc(gfp_t gfp);
/* Gives up page and place. NULL is a no-op. A mapped page is reported (KMEM_MISUSE_LRU), and stays. */
void kmem_swap_free(struct kmem_swap_page *h);
/* Brings the page in, and counts as a use of it; it may be out again at any time. 0, -ENOMEM, -EIO or the
 * store's error. */
int kmem_swap_in(struct kmem_swap_page *h, gfp_t gfp);
/*
 * As above, and keeps it in memory and mapped at *addr until kmem_swap_unmap, once for each map. dirty:
 * it was written to through this mapping. A page of HIGHMEM is mapped by kmap(): keep few of them.
 */
int kmem_swap_map(struct kmem_swap_page *h, gfp_t gfp, void **addr);
void kmem_swap_unmap(struct kmem_swap_page *h, void *addr, bool dirty);
/* Is it in memory now? A guess, for statistics. */
bool kmem_swap_resident(struct kmem_swap_page *h);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
