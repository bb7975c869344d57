/* SPDX-License-Identifier: MIT */
/*
 * What the bits of a GFP word say. Nothing else under src/gfp knows them; the rest works on the
 * decoded request.
 *
 *	gfp_t --fix-ups--> --allowed mask--> --task scopes--> --context--> struct alloc_request
 *
 * Fix-ups. A wrong word is reported with a stable code and made right in the direction that is safe
 * for the caller: two zone selectors become the more restrictive one, an unknown bit is dropped, a
 * blocking word in atomic context does not block. Only what has no safe reading is refused: an order
 * no list has, a request from NMI context.
 *
 * Zones (semantics 1.4). The selectors name a class, the highest zone of the walk; every populated
 * zone at or below it is walked, from high to low:
 *
 *	MOVABLE|HIGHMEM -> Movable     HIGHMEM -> HighMem     none -> Normal
 *	DMA32 -> DMA32                 DMA -> DMA
 *
 * and a class that the machine does not have is Normal. What a zone says of itself, that devices
 * reach it, adds it to the walks of DMA and DMA32 requests.
 *
 * Marks (semantics 1.5). The first pass of everybody stops at low. The slow path stops at min, less a
 * half for __GFP_HIGH and real-time tasks, less a quarter of the rest if the request cannot block.
 *
 * Cost: no memory is written but the request; a good word takes a few dozen instructions.
 */
#include "gfp/gfp.h"

enum { WARN_SITES = 256, WARN_CODES = 128, NAMES_MAX = 160 };

#define GFP_KNOWN    (__GFP_BITS_MASK | __GFP_COLD | __GFP_KMEM_TRYLOCK)
#define GFP_ONE_OF   (__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM)
#define GFP_MOBILITY (__GFP_MOVABLE | __GFP_RECLAIMABLE)

static uintptr_t warned[WARN_SITES];

/* ---- Names -------------------------------------------------------------------------------------- */

struct gfp_name {
	gfp_t bits;
	const char *name;
};

/* Compositions first, so that a word reads as what the caller wrote; the order is the kernel's. */
static const struct gfp_name gfp_names[] = {
	{GFP_TRANSHUGE, "GFP_TRANSHUGE"},
	{GFP_TRANSHUGE_LIGHT, "GFP_TRANSHUGE_LIGHT"},
	{GFP_HIGHUSER_MOVABLE, "GFP_HIGHUSER_MOVABLE"},
	{GFP_HIGHUSER, "GFP_HIGHUSER"},
	{GFP_USER, "GFP_USER"},
	{GFP_KERNEL_ACCOUNT, "GFP_KERNEL_ACCOUNT"},
	{GFP_KERNEL, "GFP_KERNEL"},
	{GFP_NOFS, "GFP_NOFS"},
	{GFP_ATOMIC, "GFP_ATOMIC"},
	{GFP_NOIO, "GFP_NOIO"},
	{GFP_NOWAIT, "GFP_NOWAIT"},
	{GFP_DMA, "GFP_DMA"},
	{GFP_DMA32, "GFP_DMA32"},
	{__GFP_RECLAIM, "__GFP_RECLAIM"},
	{__GFP_DMA, "__GFP_DMA"},
	{__GFP_HIGHMEM, "__GFP_HIGHMEM"},
	{__GFP_DMA32, "__GFP_DMA32"},
	{__GFP_MOVABLE, "__GFP_MOVABLE"},
	{__GFP_RECLAIMABLE, "__GFP_RECLAIMABLE"},
	{__GFP_HIGH, "__GFP_HIGH"},
	{__GFP_IO, "__GFP_IO"},
	{__GFP_FS, "__GFP_FS"},
	{__GFP_ZERO, "__GFP_ZERO"},
	{__GFP_DIRECT_RECLAIM, "__GFP_DIRECT_RECLAIM"},
	{__GFP_KSWAPD_RECLAIM, "__GFP_KSWAPD_RECLAIM"},
	{__GFP_WRITE, "__GFP_WRITE"},
	{__GFP_NOWARN, "__GFP_NOWARN"},
	{__GFP_RETRY_MAYFAIL, "__GFP_RETRY_MAYFAIL"},
	{__GFP_NOFAIL, "__GFP_NOFAIL"},
	{__GFP_NORETRY, "__GFP_NORETRY"},
	{__GFP_MEMALLOC, "__GFP_MEMALLOC"},
	{__GFP_COMP, "__GFP_COMP"},
	{__GFP_NOMEMALLOC, "__GFP_NOMEMALLOC"},
	{__GFP_HARDWALL, "__GFP_HARDWALL"},
	{__GFP_THISNODE, "__GFP_THISNODE"},
	{__GFP_ACCOUNT, "__GFP_ACCOUNT"},
	{__GFP_ZEROTAGS, "__GFP_ZEROTAGS"},
	{__GFP_NO_OBJ_EXT, "__GFP_NO_OBJ_EXT"},
	{__GFP_COLD, "__GFP_COLD"},
};

/* Text that may be longer than its buffer: what does not fit is counted and dropped. */
struct text {
	char *buf;
	size_t size, len;
};

static void text_add(struct text *t, const char *s)
{
	for (; *s; s++, t->len++)
		if (t->len + 1 < t->size)
			t->buf[t->len] = *s;
}

static void text_add_word(struct text *t, const char *word)
{
	if (t->len)
		text_add(t, "|");
	text_add(t, word);
}

unsigned long kmem_gfp_text(gfp_t gfp, char *buf, unsigned long size)
{
	struct text t = {.buf = buf, .size = size};
	char hex[24];

	for (size_t i = 0; i < ARRAY_SIZE(gfp_names); i++) {
		if ((gfp & gfp_names[i].bits) != gfp_names[i].bits)
			continue;
		text_add_word(&t, gfp_names[i].name);
		gfp &= ~gfp_names[i].bits;
	}
	if (gfp) {
		fmt_snprintf(hex, sizeof(hex), "0x%lx", (unsigned long)(__kmem_force u32)gfp);
		text_add_word(&t, hex);
	}
	if (t.len == 0)
		text_add(&t, "none");
	if (size)
		buf[size_min(t.len, size - 1)] = '\0';
	return t.len;
}

/* "0x" and up to eight digits. */
static bool word_is_hex(const char *word, size_t len, gfp_t *gfp)
{
	u32 v = 0;

	if (len < 3 || len > 10 || word[0] != '0' || (word[1] != 'x' && word[1] != 'X'))
		return false;
	for (size_t i = 2; i < len; i++) {
		char c = word[i];
		u32 digit = c >= '0' && c <= '9'   ? (u32)(c - '0')
			    : c >= 'a' && c <= 'f' ? (u32)(c - 'a') + 10
			    : c >= 'A' && c <= 'F' ? (u32)(c - 'A') + 10
						   : 16;

		if (digit == 16)
			return false;
		v = v << 4 | digit;
	}
	*gfp = __KMEM_GFP(v);
	return true;
}

static bool word_parse(const char *word, size_t len, gfp_t *gfp)
{
	for (size_t i = 0; i < ARRAY_SIZE(gfp_names); i++) {
		const char *name = gfp_names[i].name;

		if (str_len(name) == len && str_neq(word, name, len)) {
			*gfp = gfp_names[i].bits;
			return true;
		}
	}
	if (len == 4 && str_neq(word, "none", len)) {
		*gfp = __KMEM_GFP(0);
		return true;
	}
	return word_is_hex(word, len, gfp);
}

int kmem_gfp_parse(const char *text, unsigned long len, gfp_t *gfp)
{
	gfp_t all = __KMEM_GFP(0), one;
	size_t begin = 0;

	if (!text || !gfp)
		return -KE_INVAL;
	for (size_t i = 0; i <= len; i++) {
		if (i < len && text[i] != '|')
			continue;
		if (!word_parse(text + begin, i - begin, &one))
			return -KE_INVAL;
		all |= one;
		begin = i + 1;
	}
	*gfp = all;
	return 0;
}

/* ---- Reports ------------------------------------------------------------------------------------ */

/* An open-addressed set that only grows. Full: better the same report twice than none. */
bool gfp_warn_once(const void *site, enum kmem_misuse code)
{
	uintptr_t key = (uintptr_t)site * WARN_CODES + (uintptr_t)code;
	size_t first = (size_t)((u32)(key >> 2) * 2654435761u >> 16);

	assert_debug((u32)code < WARN_CODES && key != 0);
	for (size_t i = 0; i < WARN_SITES; i++) {
		uintptr_t *slot = &warned[(first + i) % WARN_SITES];
		uintptr_t seen = atom_load(slot);

		if (seen == 0 && atom_cas(slot, &seen, key))
			return true;
		if (seen == key)
			return false;
	}
	return true;
}

static void report_order(gfp_t gfp, unsigned int order, const void *site)
{
	char names[NAMES_MAX];

	if (gfp & __GFP_NOWARN || !gfp_warn_once(site, KMEM_MISUSE_GFP_ORDER))
		return;
	kmem_gfp_text(gfp_shown(gfp), names, sizeof(names));
	report_misuse(KMEM_MISUSE_GFP_ORDER, site,
		      "page allocation of order %u, the largest is %u: mode:%#x(%s)", order,
		      MAX_PAGE_ORDER, (u32)gfp_shown(gfp), names);
}

static void report_fixup(enum kmem_misuse code, const void *site, gfp_t was, gfp_t now)
{
	char a[NAMES_MAX], b[NAMES_MAX];

	kmem_gfp_text(gfp_shown(was), a, sizeof(a));
	kmem_gfp_text(gfp_shown(now), b, sizeof(b));
	report_misuse(code, site,
		      "Unexpected gfp: %#x (%s). Fixing up to gfp: %#x (%s). Fix your code!",
		      (u32)gfp_shown(was), a, (u32)gfp_shown(now), b);
}

void gfp_check_nofail(const struct alloc_request *req)
{
	const char *why = !req->may_block		  ? "it may not block"
			  : port_task()->pf & PF_MEMALLOC ? "the task is PF_MEMALLOC"
			  : req->order > 1		  ? "its order is above 1"
							  : NULL;
	char names[NAMES_MAX];

	if (!(req->gfp & __GFP_NOFAIL) || !why || !gfp_warn_once(req->site, KMEM_MISUSE_GFP_NOFAIL))
		return;
	kmem_gfp_text(gfp_shown(req->gfp), names, sizeof(names));
	report_misuse(KMEM_MISUSE_GFP_NOFAIL, req->site,
		      "__GFP_NOFAIL cannot be promised, %s: order:%u, mode:%#x(%s)", why,
		      req->order, (u32)gfp_shown(req->gfp), names);
}

/* ---- Contexts and scopes ------------------------------------------------------------------------ */

gfp_t gfp_might_sleep(gfp_t gfp, const void *site)
{
	if (likely(!(gfp & __GFP_DIRECT_RECLAIM)))
		return gfp;
	if (!context_check_sleep(KMEM_MISUSE_GFP_SLEEP_ATOMIC, site, "the request does not block"))
		return gfp & ~__GFP_DIRECT_RECLAIM;
	if (gfp & __GFP_FS)
		lockdep_request(site);
	return gfp;
}

/* Zero, as a machine is born, allows everything. */
gfp_t kmem_set_allowed_mask(gfp_t mask)
{
	gfp_t old = atom_xchg(&kmem_machine.gfp_allowed, mask);

	gfp_hits_refresh();
	return old ? old : GFP_KNOWN & ~__GFP_KMEM_TRYLOCK;
}

gfp_t gfp_current(gfp_t gfp)
{
	gfp_t allowed = atom_load(&kmem_machine.gfp_allowed);
	u32 pf = port_task()->pf;

	if (unlikely(allowed))
		gfp &= allowed | __GFP_KMEM_TRYLOCK;
	if (likely(!(pf & (PF_MEMALLOC_NOIO | PF_MEMALLOC_NOFS | PF_MEMALLOC_PIN))))
		return gfp;
	if (pf & PF_MEMALLOC_NOIO)
		gfp &= ~(__GFP_IO | __GFP_FS);
	else if (pf & PF_MEMALLOC_NOFS)
		gfp &= ~__GFP_FS;
	if (pf & PF_MEMALLOC_PIN)
		gfp &= ~__GFP_MOVABLE;
	return gfp;
}

/* ---- Fix-ups ------------------------------------------------------------------------------------ */

gfp_t gfp_fix_public(gfp_t gfp)
{
	if (likely(!(gfp & __GFP_KMEM_TRYLOCK)))
		return gfp;
	report_misuse(KMEM_MISUSE_GFP_UNKNOWN_BITS, NULL, "Unexpected gfp: %#x: unknown bit %#x",
		      (u32)gfp, (u32)__GFP_KMEM_TRYLOCK);
	return gfp & ~__GFP_KMEM_TRYLOCK;
}

gfp_t gfp_fix_slab(gfp_t gfp)
{
	gfp_t fixed = gfp & GFP_KNOWN & ~(__GFP_HIGHMEM | __GFP_DMA32 | __GFP_KMEM_TRYLOCK);

	if (unlikely(fixed != gfp))
		report_fixup(gfp & (__GFP_HIGHMEM | __GFP_DMA32) ? KMEM_MISUSE_GFP_UNEXPECTED
								 : KMEM_MISUSE_GFP_UNKNOWN_BITS,
			     NULL, gfp, fixed);
	return fixed;
}

/* Of two selectors that exclude each other the more restrictive one is always safe. */
static gfp_t fix_zone(gfp_t gfp, const void *site)
{
	gfp_t select = gfp & GFP_ONE_OF, fixed;

	if (likely(!(select & (select - 1))))
		return gfp;
	fixed = gfp & ~GFP_ONE_OF;
	fixed |= select & __GFP_DMA ? __GFP_DMA : __GFP_DMA32;
	report_fixup(KMEM_MISUSE_GFP_BAD_ZONE, site, gfp, fixed);
	return fixed;
}

static gfp_t fix_mobility(gfp_t gfp, const void *site)
{
	gfp_t fixed = gfp & ~__GFP_MOVABLE;

	if (likely((gfp & GFP_MOBILITY) != GFP_MOBILITY))
		return gfp;
	report_fixup(KMEM_MISUSE_GFP_MOBILITY, site, gfp, fixed);
	return fixed;
}

static gfp_t fix_unknown(gfp_t gfp, const void *site)
{
	if (likely(!(gfp & ~GFP_KNOWN)))
		return gfp;
	report_fixup(KMEM_MISUSE_GFP_UNKNOWN_BITS, site, gfp, gfp & GFP_KNOWN);
	return gfp & GFP_KNOWN;
}

/* ---- Zones -------------------------------------------------------------------------------------- */

/* The machine's own zone for a class: itself, or what stands in for it. */
static u32 class_configured(u32 class)
{
	const struct zone *zones = kmem_machine.zones;

	if (likely(zones[class].configured))
		return class;
	if (class == KMEM_ZONE_MOVABLE && zones[KMEM_ZONE_HIGHMEM].configured)
		return KMEM_ZONE_HIGHMEM;
	for (class = KMEM_ZONE_NORMAL; class > 0 && !zones[class].configured;)
		class --;
	return class;
}

static u32 class_of(gfp_t gfp)
{
	if (gfp & __GFP_DMA)
		return class_configured(KMEM_ZONE_DMA);
	if (gfp & __GFP_DMA32)
		return class_configured(KMEM_ZONE_DMA32);
	if (!(gfp & __GFP_HIGHMEM))
		return class_configured(KMEM_ZONE_NORMAL);
	return class_configured(gfp & __GFP_MOVABLE ? KMEM_ZONE_MOVABLE : KMEM_ZONE_HIGHMEM);
}

static u32 zone_mask_of(u32 class)
{
	u32 mask = 0;

	for_each_zone (z)
		if (zone_serves(z, class))
			mask |= 1u << z->index;
	return mask;
}

/* ---- Hits ---------------------------------------------------------------------------------------- */

u8 gfp_hit_class[(u32)GFP_ZONEMASK + 1];

/* Movable memory may not be for a task that pins what it gets: where there is such a zone, each request
 * for it is looked at. */
static u32 hit_class_of(gfp_t gfp)
{
	gfp_t select = gfp & GFP_ONE_OF;
	u32 class = class_of(gfp);

	return select & (select - 1) || class == KMEM_ZONE_MOVABLE ? (u32)KMEM_NR_ZONES : class;
}

void gfp_hits_refresh(void)
{
	gfp_t allowed = atom_load(&kmem_machine.gfp_allowed);
	bool none = kmem_machine.opt.init_on_alloc || kmem_machine.watched || gfp_fault_armed() ||
		    (allowed && ~allowed & GFP_KNOWN & ~__GFP_KMEM_TRYLOCK);

	for (u32 select = 0; kmem_machine.zones && select < ARRAY_SIZE(gfp_hit_class); select++)
		atom_store(&gfp_hit_class[select],
			   (u8)(none ? (u32)KMEM_NR_ZONES : hit_class_of(__KMEM_GFP(select))));
}

/* ---- Requests ----------------------------------------------------------------------------------- */

/* What every walk of the request carries, whatever mark it stops at. */
static u32 aflags_always(const struct alloc_request *req)
{
	return (req->gfp & __GFP_COLD ? ALLOC_COLD : 0u) | (req->nested ? ALLOC_TRYLOCK : 0u);
}

/* Pages of the wrong mobility are not broken up at once where a lower zone can serve instead. */
static u32 aflags_fast(const struct alloc_request *req)
{
	u32 aflags = ALLOC_WMARK_LOW | aflags_always(req);

	if (req->class == KMEM_ZONE_NORMAL && kmem_machine.zones[KMEM_ZONE_DMA32].managed)
		aflags |= ALLOC_NOFRAGMENT;
	return aflags;
}

bool gfp_decode(gfp_t gfp, unsigned int order, const void *site, struct alloc_request *req)
{
	if (unlikely(order > MAX_PAGE_ORDER)) {
		report_order(gfp, order, site);
		return false;
	}
	if (unlikely(context_in_nmi()) && !(gfp & __GFP_KMEM_TRYLOCK)) {
		context_report_nmi(site, "page allocation");
		return false;
	}
	gfp = fix_unknown(gfp, site);
	gfp = fix_zone(gfp, site);
	gfp = fix_mobility(gfp, site);
	gfp = gfp_current(gfp);
	if (unlikely(gfp & __GFP_KMEM_TRYLOCK))
		gfp &= ~__GFP_DIRECT_RECLAIM;
	gfp = gfp_might_sleep(gfp, site);
	req->gfp = gfp;
	req->order = order;
	req->site = site;
	req->may_block = (gfp & __GFP_DIRECT_RECLAIM) != 0;
	req->nested = sync_nested() || (gfp & __GFP_KMEM_TRYLOCK) != 0;
	req->class = class_of(gfp);
	req->zone_mask = zone_mask_of(req->class);
	req->mt =
		kmem_machine.opt.mobility ? (u32)(gfp & GFP_MOBILITY) >> 3 : (u32)KMEM_MT_UNMOVABLE;
	req->aflags_fast = aflags_fast(req);
	assert_debug(!req->may_block || !req->nested);
	if (KMEM_DEBUG && order > 1)
		gfp_check_nofail(req);
	return true;
}

u32 gfp_slow_aflags(const struct alloc_request *req)
{
	u32 aflags = ALLOC_WMARK_MIN | aflags_always(req);

	if (req->gfp & __GFP_HIGH)
		aflags |= ALLOC_MIN_RESERVE;
	if (req->may_block) {
		if (port_task()->pf & PF_KMEM_RT && port_context() == PORT_TASK)
			aflags |= ALLOC_MIN_RESERVE;
	} else if (!(req->gfp & __GFP_NOMEMALLOC)) {
		aflags |= ALLOC_NON_BLOCK;
		if (req->order > 0 && req->gfp & __GFP_HIGH)
			aflags |= ALLOC_HIGHATOMIC;
	}
	return aflags;
}

/*
 * A handler's request is not the interrupted task's: in hardirq context the task's privileges do not
 * count, nor in a handler that found the task in the middle of the library.
 */
u32 gfp_reserve_aflags(const struct alloc_request *req)
{
	enum port_context context = port_context();
	u32 pf = port_task()->pf;

	if (req->gfp & __GFP_NOMEMALLOC)
		return 0;
	if (req->gfp & __GFP_MEMALLOC)
		return ALLOC_NO_WATERMARKS;
	if (sync_nested() || (context != PORT_TASK && context != PORT_SOFTIRQ))
		return 0;
	if (pf & PF_MEMALLOC)
		return ALLOC_NO_WATERMARKS;
	return context == PORT_TASK && pf & PF_KMEM_OOM_VICTIM ? ALLOC_OOM : 0;
}

void gfp_flags_reset(void)
{
	__builtin_memset(warned, 0, sizeof(warned));
	__builtin_memset(gfp_hit_class, KMEM_NR_ZONES, sizeof(gfp_hit_class));
	kmem_machine.gfp_allowed = __KMEM_GFP(0);
}
