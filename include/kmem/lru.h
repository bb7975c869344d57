/* SPDX-License-Identifier: MIT */
/*
 * User pages that can be taken back: a least-recently-used order of pages, each with an owner who
 * lets go of it when memory is short. Direct reclaim and kswapd drive it: it is one provider of
 * kmem/shrinker.h, registered while there is an owner.
 *
 *	             kmem_lru_add                      used twice
 *	nowhere --------------------> INACTIVE ---------------------------> ACTIVE
 *	   ^                          |   ^  ^    long not used               |
 *	   |            reclaim takes |   |  +--------------------------------+
 *	   |           the oldest one |   | not written, or release() said no
 *	   |                          v   |
 *	   +---------------------- ISOLATED   in the hands of one task, which calls the owner
 *	     release() said yes:
 *	     the page is freed                kmem_lru_del: from all three back to nowhere; waits
 *	                                      while the page is ISOLATED
 *
 * Beside its place a page has three marks:
 *
 *	referenced	kmem_lru_mark_accessed: one more round on the list it is on. A second time while
 *			it is inactive makes it active. At priority 0 a reference saves nothing
 *	dirty		its contents are nowhere else: it is written before it is released
 *	writeback	writepage() runs. Always ISOLATED then
 *
 * What is not tried. A dirty page under a mask without __GFP_IO; any page of an owner with
 * KMEM_LRU_NEEDS_FS under a mask without __GFP_FS; a page somebody else holds a reference of
 * (get_page). Such pages stay where they are, and the owner is not asked.
 *
 * All calls are for task context, hold no lock when they return, and may be made from the callbacks
 * unless they say otherwise; a wrong page is reported (KMEM_MISUSE_LRU) and nothing changes.
 */
#ifndef KMEM_LRU_H
#define KMEM_LRU_H

#include <stdbool.h>
#include <kmem/gfp.h>
#include <kmem/page.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum kmem_lru_owner_flag {
	KMEM_LRU_FILE = 1,     /* counted as file pages; without it as anonymous ones */
	KMEM_LRU_NEEDS_FS = 2, /* its callbacks may enter a file system */
};

/*
 * The callbacks run in the task that reclaims (a requester, or kswapd), with PF_MEMALLOC set and no
 * lock of the library held; gfp is the requester's mask after scopes. They must not wait for anybody
 * who may be waiting for memory: a lock that is busy means no.
 *
 * writepage: make the contents safe elsewhere. The dirty mark is cleared before; a page that is
 * dirtied again meanwhile stays dirty. 0, or a negative errno: it is dirty again and stays. NULL:
 * dirty pages of the owner are not written.
 *
 * release: let go of the page. true: the owner has forgotten it, and its reference passes to the
 * library, which frees the page. false: it is in use, or kmem_lru_dirty says it was dirtied since;
 * nothing has changed. Whoever finds the page through the owner must be shut out between that look
 * and the forgetting, by the owner's own lock.
 */
struct kmem_lru_owner {
	const char *name;
	unsigned int flags; /* enum kmem_lru_owner_flag */
	int (*writepage)(struct kmem_lru_owner *o, struct page *page, gfp_t gfp);
	bool (*release)(struct kmem_lru_owner *o, struct page *page, gfp_t gfp);
	/* The library's. */
	unsigned int id;
	unsigned long nr_pages, nr_isolated;
};

/* 0, or -EINVAL (release missing, registered already, unknown flag), -ENOSPC (64 are), -ENOMEM
 * (no machine). Not from a callback. The structure stays the library's until it is unregistered, or
 * kmem_shutdown. */
int kmem_lru_owner_register(struct kmem_lru_owner *o);
/* Waits until no task is in its callbacks. 0, or -EINVAL (not registered), -EBUSY (it has pages) and
 * nothing has changed. Not from a callback. */
int kmem_lru_owner_unregister(struct kmem_lru_owner *o);

/*
 * Puts a page on its zone's inactive list. An allocated page of order 0 that is on no list; the
 * caller's reference is what release() passes on. key is the owner's own, for kmem_lru_key.
 * 0, or -EINVAL.
 */
int kmem_lru_add(struct page *page, struct kmem_lru_owner *o, void *key, bool dirty);
/*
 * Takes a page off the lists: it is the caller's again, no callback runs for it, and none will. The
 * owner must see to it that release() says no from before this call on. Waits for a callback that
 * runs for the page, so not from one of that page, and with no lock held that callbacks wait for.
 * 0, or -EINVAL.
 */
int kmem_lru_del(struct page *page);

/* Of a page on the lists, for its owner. mark_accessed and set_dirty wait for nothing but the list's
 * lock. */
void *kmem_lru_key(const struct page *page);
void kmem_lru_mark_accessed(struct page *page);
void kmem_lru_set_dirty(struct page *page);
bool kmem_lru_dirty(const struct page *page);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
