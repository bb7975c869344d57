/* SPDX-License-Identifier: MIT */
/*
 * commit: which frames have memory, and which of them are known to be zero.
 *
 * The port backs frames a section (4 MiB) at a time, when a block of it first leaves the free lists;
 * phys.committed has a byte for each section.
 *
 * Fresh memory reads as zero where the port says so, and stays zero until somebody has owned it. So a
 * bit for each frame says "soiled": set when the frame is freed, or at once where the port promised
 * nothing. A request for zeroes clears soiled frames only: what was never owned is not even touched.
 *
 *	commit, zeroed ---> clean ---free---> soiled ---trim---> not backed ---> commit ...
 *
 * Locks: none held; bits move by atomics. Cost: one load on a free of a block that is soiled already.
 */
#include "phys/internal.h"

enum { BITS = 8 * sizeof(unsigned long) };

/* The bits of [pfn, pfn + *nr) in pfn's word; *nr becomes how many they are. */
static unsigned long soil_mask(pfn_t pfn, unsigned long *nr)
{
	unsigned long shift = pfn % BITS;

	*nr = size_min(*nr, BITS - shift);
	return (*nr == BITS ? ~0ul : (1ul << *nr) - 1) << shift;
}

void frames_soil(pfn_t pfn, unsigned long nr)
{
	while (nr) {
		unsigned long n = nr, mask = soil_mask(pfn, &n);
		unsigned long *word = &phys.soiled[pfn / BITS];

		if ((atom_load(word) & mask) != mask)
			atom_or(word, mask);
		pfn += n;
		nr -= n;
	}
}

/* A section that is the caller's alone and not backed. */
static void frames_unsoil(pfn_t pfn)
{
	for (pfn_t p = pfn; p < pfn + SECTION_PAGES; p += BITS)
		atom_store(&phys.soiled[p / BITS], 0ul);
}

bool frames_discard(pfn_t pfn, unsigned long nr)
{
	unsigned long n = nr, mask = soil_mask(pfn, &n);

	assert_debug(n == nr && n <= SECTION_PAGES);
	if (!(atom_load(&phys.soiled[pfn / BITS]) & mask) || zone_hooked(pfn, pfn + nr))
		return true;
	atom_and(&phys.soiled[pfn / BITS], ~mask);
	port_decommit(pfn, nr);
	return port_commit(pfn, nr) >= 0;
}

/* How many of the nr frames from pfn on are soiled as the first is, or not: as far as its word tells. */
static unsigned long soil_stretch(pfn_t pfn, unsigned long nr, bool *soiled)
{
	unsigned long bits = atom_load(&phys.soiled[pfn / BITS]) >> pfn % BITS;

	*soiled = bits & 1;
	if (*soiled)
		bits = ~bits;
	return size_min(nr, bits ? (unsigned long)__builtin_ctzl(bits) : BITS - pfn % BITS);
}

void page_clear_soiled(struct page *page, unsigned long nr)
{
	pfn_t pfn = pfn_of_page(page);

	for (unsigned long n; nr; pfn += n, nr -= n) {
		bool soiled;

		n = soil_stretch(pfn, nr, &soiled);
		assert_debug(n > 0);
		if (soiled)
			frames_clear(pfn, n);
	}
}

/* The port is asked for stretches that are usable, and in the direct map or not, as a whole. */
static bool section_commit(pfn_t start, pfn_t end)
{
	for (pfn_t from = start, to = end; memblock_next(&from, &to, false); from = to, to = end) {
		if (from < kmem_machine.low_end && to > kmem_machine.low_end)
			to = kmem_machine.low_end;
		int zeroed = port_commit(from, to - from);

		if (zeroed < 0)
			return false;
		if (zeroed == 0)
			frames_soil(from, to - from);
	}
	return true;
}

/* Where hooks watch over the section one task is in them, and the others wait (zone_hook.c). */
static bool section_populate(pfn_t s, bool try)
{
	u8 *state = &phys.committed[s], seen;
	bool ok;

	for (;;) {
		seen = SECTION_NOT_BACKED;
		if (!zone_hooks_may_wait(try))
			return false;
		if (atom_cas(state, &seen, (u8)SECTION_BUSY))
			break;
		if (seen == SECTION_BACKED)
			return true;
		port_relax();
	}
	ok = section_commit(s << MAX_PAGE_ORDER, section_end(s)) &&
	     zone_hooks_populate(s << MAX_PAGE_ORDER, section_end(s));
	/* Pairs with frames_commit's acquire, and with that of the claim. */
	atom_store_rel(state, (u8)(ok ? SECTION_BACKED : SECTION_NOT_BACKED));
	return ok;
}

bool frames_commit(pfn_t pfn, unsigned long nr, bool try)
{
	pfn_t last = (pfn + nr - 1) >> MAX_PAGE_ORDER;

	for (pfn_t s = pfn >> MAX_PAGE_ORDER; s <= last; s++) {
		/* Pairs with the release below, and in section_populate. */
		if (likely(atom_load_acq(&phys.committed[s]) == SECTION_BACKED))
			continue;
		if (zone_hooked(s << MAX_PAGE_ORDER, section_end(s))) {
			if (!section_populate(s, try))
				return false;
			continue;
		}
		/* Two who commit at once do no harm. */
		if (!section_commit(s << MAX_PAGE_ORDER, section_end(s)))
			return false;
		atom_store_rel(&phys.committed[s], (u8)SECTION_BACKED);
	}
	return true;
}

bool phys_backed(pfn_t pfn)
{
	return atom_load(&phys.committed[pfn >> MAX_PAGE_ORDER]) == SECTION_BACKED;
}

/* Takes the section out of the zone if it is free as a whole and backed; then nobody but the
 * caller can look at its byte. idle: if it bears the mark, which it gets now; whoever takes the
 * section or a part of it takes the mark off. */
static bool section_isolate(struct zone *z, pfn_t pfn, bool idle)
{
	struct page *page = page_of_pfn(pfn);
	u8 *state = &phys.committed[pfn >> MAX_PAGE_ORDER];
	irqflags_t flags;
	bool found;

	if (page_state(page) != PAGE_FREE || atom_load(state) != SECTION_BACKED)
		return false;
	zone_lock(z, false, &flags);
	/* Again: another trim may have been faster. */
	found = page_state(page) == PAGE_FREE && page->order == MAX_PAGE_ORDER &&
		atom_load(state) == SECTION_BACKED;
	if (found && idle && !(page->flags & PAGE_IDLE)) {
		page->flags |= PAGE_IDLE;
		found = false;
	}
	if (found)
		buddy_take_block(z, page);
	zone_unlock(z, flags);
	return found;
}

static bool section_trim(struct zone *z, pfn_t pfn, bool idle)
{
	irqflags_t flags;

	if (!section_isolate(z, pfn, idle))
		return false;
	zone_hooks_release(pfn, pfn + SECTION_PAGES);
	port_decommit(pfn, SECTION_PAGES);
	atom_store(&phys.committed[pfn >> MAX_PAGE_ORDER], (u8)SECTION_NOT_BACKED);
	frames_unsoil(pfn);
	zone_lock(z, false, &flags);
	buddy_free(z, page_of_pfn(pfn), MAX_PAGE_ORDER, true);
	zone_unlock(z, flags);
	return true;
}

static unsigned long zone_trim(struct zone *z)
{
	unsigned long nr = 0;

	for (pfn_t pfn = align_up(z->start, SECTION_PAGES); pfn + SECTION_PAGES <= z->end;
	     pfn += SECTION_PAGES) {
		pfn = zone_skip_fresh(z, pfn);
		if (pfn + SECTION_PAGES <= z->end && section_trim(z, pfn, false))
			nr += SECTION_PAGES;
	}
	return nr;
}

unsigned long phys_trim(void)
{
	unsigned long nr = 0;

	if (!phys.live)
		return 0;
	for_each_zone (z)
		nr += zone_trim(z);
	return nr;
}

/* Hooks may wait, and a free that comes by here may not. */
static bool section_decay(struct zone *z, pfn_t pfn)
{
	return pfn >= z->start && pfn + SECTION_PAGES <= z->end &&
	       !zone_hooked(pfn, pfn + SECTION_PAGES) && section_trim(z, pfn, true);
}

bool phys_decay(pfn_t *from, unsigned int nr)
{
	bool gave = false;

	assert_debug(*from % SECTION_PAGES == 0);
	for (; nr && !gave && *from < kmem_machine.end; nr--) {
		struct zone *z = zone_of_pfn(*from);

		if (z) {
			*from = zone_skip_fresh(z, *from);
			gave = section_decay(z, *from);
		}
		*from += SECTION_PAGES;
	}
	if (*from < kmem_machine.end)
		return false;
	*from = 0;
	return true;
}
