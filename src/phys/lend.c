// SPDX-License-Identifier: MIT
/*
 * lend: frames in a row at other addresses than their own.
 *
 * Where the port can have a frame of the direct map in one place only (port_vmap_moves), such a frame
 * is lent meanwhile: PAGE_LENT is set, page_address() and with it kmap name the new place, which
 * phys.alias keeps, and freeing it is refused as long as that lasts. Whoever would use its own address
 * finds no memory there.
 *
 *	owned ---frames_map---> lent ---frames_unmap---> owned
 *
 * A frame of a slab is refused: its other objects would be gone as well. So is one that is nobody's, and
 * one of a zone with hooks, which have done what they did to this memory at this place.
 *
 * Frames outside the direct map, and all frames where they can be in many places, are not changed by
 * being mapped, and not marked.
 *
 * Lock: RANK_LEAF, for asking the port for its range, once. Cost: an atomic a frame, and the host's
 * calls.
 */
#include "phys/internal.h"

static struct lock range_lock = {.rank = RANK_LEAF};
static unsigned char *range_base; /* set once a machine, after range_bytes */
static size_t range_bytes;

unsigned char *vmap_range(size_t *bytes)
{
	irqflags_t flags;
	size_t size = 0;

	/* Pairs with the release below. */
	if (!atom_load_acq(&range_base)) {
		flags = lock_take(&range_lock);
		if (!range_base) {
			unsigned char *base = port_vmap_base(&size);

			atom_store(&range_bytes, size & PAGE_MASK);
			atom_store_rel(&range_base, base);
		}
		lock_release(&range_lock, flags);
	}
	*bytes = atom_load(&range_bytes);
	return atom_load(&range_base);
}

bool vmap_range_has(const void *p)
{
	unsigned char *base = atom_load_acq(&range_base);

	return base && (uintptr_t)p - (uintptr_t)base < atom_load(&range_bytes);
}

void *lent_address(const struct page *page)
{
	u32 alias = atom_load(&phys.alias[pfn_of_page(page)]);

	/* None yet, or no more. */
	if (alias == 0)
		return addr_of_page(page);
	return atom_load(&range_base) + ((size_t)(alias - 1) << PAGE_SHIFT);
}

static bool frame_moves(pfn_t pfn)
{
	return pfn < kmem_machine.low_end && port_vmap_moves();
}

static void frames_give_back(const pfn_t *pfn, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (!frame_moves(pfn[i]))
			continue;
		assert_debug(page_is_lent(page_of_pfn(pfn[i])));
		atom_store(&phys.alias[pfn[i]], 0u);
		atom_and(&page_of_pfn(pfn[i])->flags, (u8)~PAGE_LENT);
	}
}

static bool frame_may_move(const struct page *page)
{
	pfn_t pfn = pfn_of_page(page);
	u8 state = page_state(page);

	return !zone_hooked(pfn, pfn + 1) && state != PAGE_FREE && state != PAGE_PCP &&
	       state != PAGE_HOLE && !(atom_load(&page->flags) & PAGE_IN_SLAB);
}

/* False: one of them may not, or is lent already, maybe further up in the same list. */
static bool frames_lend(const unsigned char *va, const pfn_t *pfn, unsigned int n)
{
	u32 place = (u32)((size_t)(va - range_base) >> PAGE_SHIFT);

	for (unsigned int i = 0; i < n; i++) {
		if (!frame_moves(pfn[i]))
			continue;
		if (!frame_may_move(page_of_pfn(pfn[i])) ||
		    atom_or(&page_of_pfn(pfn[i])->flags, (u8)PAGE_LENT) & PAGE_LENT) {
			frames_give_back(pfn, i);
			return false;
		}
		atom_store(&phys.alias[pfn[i]], place + i + 1);
	}
	return true;
}

bool frames_map(void *va, const pfn_t *pfn, unsigned int n, bool keep, bool *zeroed)
{
	int rc;

	assert_always(vmap_range_has(va) && n > 0);
	if (!frames_lend(va, pfn, n))
		return false;
	rc = port_vmap(va, pfn, n, keep);
	if (rc < 0) {
		frames_give_back(pfn, n);
		return false;
	}
	*zeroed = rc & PORT_VMAP_ZEROED;
	return true;
}

void frames_unmap(void *va, const pfn_t *pfn, unsigned int n, bool keep)
{
	assert_always(vmap_range_has(va) && n > 0);
	port_vunmap(va, pfn, n, keep);
	frames_give_back(pfn, n);
}

void lend_reset(void)
{
	range_base = NULL;
	range_bytes = 0;
}

void lend_fork_lock(void)
{
	lock_fork_take(&range_lock);
}

void lend_fork_unlock(bool child)
{
	if (child)
		lock_reset(&range_lock);
	else
		lock_fork_drop(&range_lock);
}
