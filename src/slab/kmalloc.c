/* SPDX-License-Identifier: MIT */
/*
 * kmalloc: a row of caches per family, and whole pages above them (semantics 5).
 *
 *	bytes	8 16 32 64 96 128 192 256 512 1k 2k 4k 8k	above: a block of pages
 *	index	3  4  5  6  1   7   2   8   9 10 11 12 13
 *
 * A request goes to the first family that fits: DMA, reclaimable, charged (__GFP_ACCOUNT while a
 * charge hook is set), normal. An object of n bytes is
 * aligned to the largest power of two that divides its class, since slots are packed from the start
 * of a page.
 *
 * kfree(p) asks p's frame: a slab's frame names the cache; a large block's head has PAGE_LARGE.
 */
#include "slab/slab.h"

static const u32 class_size[NR_CLASSES] = {0,	96,  192, 8,	16,   32,   64,
					   128, 256, 512, 1024, 2048, 4096, 8192};
static const char *const class_suffix[NR_CLASSES] = {"",    "96",  "192", "8",	"16", "32", "64",
						     "128", "256", "512", "1k", "2k", "4k", "8k"};
const u8 kmalloc_class[KMALLOC_SIZES] = {
	[0] = 3,
	[1] = 4,
	[2 ... 3] = 5,
	[4 ... 7] = 6,
	[8 ... 11] = 1,
	[12 ... 15] = 7,
	[16 ... 23] = 2,
	[24 ... 31] = 8,
	[32 ... 63] = 9,
	[64 ... 127] = 10,
	[128 ... 255] = 11,
	[256 ... 511] = 12,
	[512 ... 1023] = 13,
};
_Static_assert(sizeof(kmalloc_class) == 1024, "each size has a class");
struct kmem_cache *kmalloc_caches[NR_FAMILIES][NR_CLASSES];
struct port_stack *kmalloc_fast[KMALLOC_SIZES];
struct kmem_hit_machine kmem_hit_v2 = {.kmalloc = kmalloc_fast};
static struct ratelimit large_limit = {.interval_ms = 1000, .burst = 10};

/* KMALLOC_MINALIGN above 8 takes small classes away (semantics 5.3). */
static bool class_exists(u32 index)
{
	u32 size = class_size[index];

	if (size < KMALLOC_MINALIGN)
		return false;
	return !(size == 96 && KMALLOC_MINALIGN >= 64) && !(size == 192 && KMALLOC_MINALIGN >= 128);
}

static inline u32 class_index(size_t size)
{
	return kmalloc_class[(size - 1) / 8];
}

/* For the sizes whose class does not exist, the next that does. */
static u32 class_for(size_t size)
{
	u32 index = class_index(size);

	while (!class_exists(index)) {
		size = class_size[index] + 1;
		index = class_index(size);
	}
	return index;
}

_Static_assert(sizeof(void *) == 4 || (offsetof(struct hits, starts) == KMEM_HIT_STARTS &&
				       offsetof(struct hits, main) == 0 &&
				       offsetof(struct kmem_cache, fast) ==
					       offsetof(struct kmem_hit_cache, fast) &&
				       offsetof(struct kmem_cache, starts) ==
					       offsetof(struct kmem_hit_cache, starts)),
	       "hits inside of programs know these offsets");

/* ---- Bring-up ---------------------------------------------------------------------------------- */

static struct kmem_cache kmalloc_storage[NR_FAMILIES][NR_CLASSES];

static slab_flags_t family_flags(u32 family)
{
	static const slab_flags_t flags[NR_FAMILIES] = {0, SLAB_CACHE_DMA, SLAB_RECLAIM_ACCOUNT,
							SLAB_ACCOUNT};

	return flags[family] | SLAB_KMALLOC | SLAB_NO_MERGE;
}

static int class_create(u32 family, u32 index)
{
	static const char *const prefix[NR_FAMILIES] = {"kmalloc-", "dma-kmalloc-", "kmalloc-rcl-",
							"kmalloc-cg-"};
	struct kmem_cache *c = &kmalloc_storage[family][index];
	u32 size = class_size[index];
	struct kmem_cache_args args = {
		.align = (u32)size_max(KMALLOC_MINALIGN, size & -size),
	};
	char name[KMEM_NAME_MAX];
	int err;

	fmt_snprintf(name, sizeof(name), "%s%s", prefix[family], class_suffix[index]);
	__builtin_memset(c, 0, sizeof(*c));
	err = cache_init(c, name, size, &args, family_flags(family), true);
	if (!err)
		err = cache_enlist(c);
	if (!err)
		kmalloc_caches[family][index] = c;
	return err;
}

static struct kmem_cache *size_cache(u32 i)
{
	return kmalloc_caches[FAMILY_NORMAL][kmalloc_class[i]];
}

/* Who finds a size's stack may allocate: all else is made. */
static void sizes_init(void)
{
	atom_store(&kmem_hit_v2.owner, (struct port_stack **)(void *)kmem_machine.owner_at);
	for (u32 i = 0, n; i < KMALLOC_SIZES; i += n) {
		for (n = 1; i + n < KMALLOC_SIZES && size_cache(i + n) == size_cache(i);)
			n++;
		cache_serve(size_cache(i), &kmalloc_fast[i], n);
	}
}

int kmalloc_init(void)
{
	for (u32 family = 0; family < NR_FAMILIES; family++) {
		for (u32 index = 1; index < NR_CLASSES; index++) {
			int err = class_exists(index) ? class_create(family, index) : 0;

			if (err)
				return err;
		}
		for (u32 index = 1; index < NR_CLASSES; index++) {
			u32 next = class_for(class_size[index]);

			if (!class_exists(index))
				kmalloc_caches[family][index] = kmalloc_caches[family][next];
		}
	}
	sizes_init();
	return 0;
}

void kmalloc_exit(void)
{
	__builtin_memset(kmalloc_caches, 0, sizeof(kmalloc_caches));
	__builtin_memset(kmalloc_fast, 0, sizeof(kmalloc_fast));
	atom_store(&kmem_hit_v2.owner, (struct port_stack **)NULL);
}

/* ---- Allocation ---------------------------------------------------------------------------------- */

bool page_is_large(const struct page *page)
{
	return atom_load(&page->state) == PAGE_LARGE;
}

static void *large_alloc(size_t size, gfp_t gfp, const void *site)
{
	u32 order = get_order(size);
	struct page *page;

	gfp = gfp_fix_slab(gfp);
	page = gfp_alloc(gfp | __GFP_COMP, order, site);
	if (!page)
		return NULL;
	atom_store(&page->state, (u8)PAGE_LARGE);
	trace_kmalloc(site, addr_of_page(page), size, PAGE_SIZE << order, gfp);
	return addr_of_page(page);
}

/* As one that hits: without a wish of its own. */
static inline always_inline void *large_hit(size_t size, gfp_t gfp)
{
	struct page *page;
	void *p;

	if (unlikely(gfp & GFP_ZONEMASK))
		return NULL;
	page = gfp_hit(gfp & ~__GFP_COMP, get_order(size), PAGE_COMPOUND);
	if (unlikely(!page))
		return NULL;
	page_turn(page, page->kind, PAGE_ALLOC, PAGE_LARGE);
	p = addr_of_page(page);
	if (!p)
		__builtin_unreachable();
	return p;
}

static void *refuse_size(size_t size, gfp_t gfp)
{
	if (!(gfp & __GFP_NOWARN) && ratelimit_ok(&large_limit))
		report_misuse(KMEM_MISUSE_SIZE, NULL, "kmalloc of %zu bytes: the maximum is %lu",
			      size, (unsigned long)KMALLOC_MAX_SIZE);
	return NULL;
}

static struct kmem_cache *class_cache(size_t size, gfp_t gfp)
{
	u32 family = gfp & __GFP_DMA			  ? FAMILY_DMA
		     : gfp & __GFP_RECLAIMABLE		  ? FAMILY_RECLAIM
		     : gfp & __GFP_ACCOUNT && charge_on() ? FAMILY_CHARGED
							  : FAMILY_NORMAL;

	return kmalloc_caches[family][class_index(size)];
}

static noinline void *kmalloc_long(size_t size, gfp_t gfp, const void *site)
{
	if (size == 0)
		return ZERO_SIZE_PTR;
	if (size > KMALLOC_MAX_SIZE)
		return refuse_size(size, gfp);
	if (!machine_ensure())
		return NULL;
	if (size > KMALLOC_MAX_CACHE_SIZE)
		return large_alloc(size, gfp, site);
	return cache_alloc_miss(class_cache(size, gfp), gfp, size, site);
}

/* What is no hit of a class may be one of a large block's list. */
static noinline void *kmalloc_slow(size_t size, gfp_t gfp, const void *site)
{
	void *p = size > KMALLOC_MAX_CACHE_SIZE && size <= KMALLOC_MAX_SIZE ? large_hit(size, gfp)
									    : NULL;

	return likely(p) ? p : kmalloc_long(size, gfp, site);
}

/* NULL: there is no machine yet. Another task may be booting: who sees the size's stack sees all of it. */
static inline always_inline void *size_hit(size_t i, gfp_t gfp)
{
	struct port_stack *fast = atom_load_acq(&kmalloc_fast[i]);

	return likely(fast) ? fast_hit(fast, gfp) : NULL;
}

static inline always_inline void *kmalloc_hit(size_t size, gfp_t gfp)
{
	return likely(size - 1 < KMALLOC_MAX_CACHE_SIZE) ? size_hit((size - 1) / 8, gfp) : NULL;
}

static inline void *kmalloc_site(size_t size, gfp_t gfp, const void *site)
{
	void *p = kmalloc_hit(size, gfp);

	return likely(p) ? p : kmalloc_slow(size, gfp, site);
}

void *kmalloc(size_t size, gfp_t gfp)
{
	void *p = kmalloc_hit(size, gfp);

	if (likely(p))
		return p;
	return kmalloc_slow(size, gfp, __builtin_return_address(0));
}

void *kmem_call_kmalloc(size_t size, gfp_t gfp) __attribute__((alias("kmalloc")));

void *kmem_kmalloc_size(size_t size, gfp_t gfp, size_t index)
{
	void *p = size_hit(index, gfp);

	if (likely(p))
		return p;
	return kmalloc_slow(size, gfp, __builtin_return_address(0));
}

void *kmalloc_node(size_t size, gfp_t gfp, int node)
{
	if (node > 0 && gfp & __GFP_THISNODE)
		return NULL;
	return kmalloc_site(size, gfp, __builtin_return_address(0));
}

/* All of a class is zeroed, as on the long way: krealloc may hand out more of it. */
static inline void *kzalloc_site(size_t size, gfp_t gfp, const void *site)
{
	void *p = kmalloc_hit(size, gfp & ~__GFP_ZERO);

	if (likely(p))
		return __builtin_memset(p, 0, class_size[class_for(size)]);
	return kmalloc_slow(size, gfp | __GFP_ZERO, site);
}

void *kzalloc(size_t size, gfp_t gfp)
{
	return kzalloc_site(size, gfp, __builtin_return_address(0));
}

void *kmem_call_kzalloc(size_t size, gfp_t gfp) __attribute__((alias("kzalloc")));

void *kmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (!size_mul_ok(n, size, &bytes))
		return NULL;
	return kmalloc_site(bytes, gfp, __builtin_return_address(0));
}

void *kcalloc(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (!size_mul_ok(n, size, &bytes))
		return NULL;
	return kzalloc_site(bytes, gfp, __builtin_return_address(0));
}

/* On contention, once more in the next class: other slabs, other locks. */
void *kmalloc_nolock(size_t size, gfp_t gfp, int node)
{
	const void *site = __builtin_return_address(0);
	void *p;

	if (gfp & ~(__GFP_ACCOUNT | __GFP_ZERO | __GFP_NO_OBJ_EXT)) {
		report_misuse(KMEM_MISUSE_GFP_NOLOCK, NULL, "kmalloc_nolock: gfp %#x not allowed",
			      (unsigned int)gfp);
		return NULL;
	}
	if (size == 0)
		return ZERO_SIZE_PTR;
	if (size > KMALLOC_MAX_CACHE_SIZE || node > 0 ||
	    atom_load_acq(&kmem_machine.state) != MACHINE_ON)
		return NULL;
	gfp |= __GFP_NOWARN | __GFP_NOMEMALLOC;
	p = cache_alloc_try(class_cache(size, gfp), gfp, size, site);
	if (!p && size <= KMALLOC_MAX_CACHE_SIZE / 2)
		p = cache_alloc_try(class_cache(kmalloc_size_roundup(size) + 1, gfp), gfp, size,
				    site);
	return p;
}

/* ---- Free ------------------------------------------------------------------------------------------ */

static void large_free(struct page *page, const void *p, const void *site)
{
	u8 large = PAGE_LARGE;
	u32 order = page->order;

	if (p != addr_of_page(page)) {
		report_misuse(KMEM_MISUSE_SLAB_INTERIOR, p,
			      "kfree(%p): inside a block of %lu bytes at %p", p,
			      (unsigned long)PAGE_SIZE << order, addr_of_page(page));
		return;
	}
	trace_kfree(site, p);
	/* Of two frees that race, one wins. */
	if (atom_cas(&page->state, &large, (u8)PAGE_ALLOC))
		gfp_free(page, order, false, site);
}

/* Whatever is not a sound slab object. */
static noinline void kfree_odd(struct page *page, const void *p, const void *site)
{
	u32 state = page ? atom_load(&page->state) : (u32)PAGE_HOLE;

	if (state == PAGE_LARGE) {
		large_free(page, p, site);
		return;
	}
	if (state == PAGE_TAIL && page_is_large(page_of_pfn(page->u.tail.head))) {
		large_free(page_of_pfn(page->u.tail.head), p, site);
		return;
	}
	report_misuse(KMEM_MISUSE_SLAB_FOREIGN, p, "Not a kmalloc allocation: kfree(%p)%s", p,
		      !page					? ": outside the machine's memory"
		      : state == PAGE_FREE || state == PAGE_PCP ? ": its page is free"
								: ": its page is not from kmalloc");
}

static noinline void kfree_slow(const void *p, const void *site)
{
	void *obj = (void *)(uintptr_t)p;
	struct page *page = page_of_addr(p);
	struct kmem_cache *c;

	if (ZERO_OR_NULL_PTR(p)) {
		trace_kfree(site, p);
		return;
	}
	if (!page || !(atom_load(&page->flags) & PAGE_IN_SLAB)) {
		kfree_odd(page, p, site);
		return;
	}
	c = cache_of_object(p, &page);
	if (c)
		cache_free_slow(c, page, obj, site);
}

/* Of two who free it at once one drops the reference. */
static inline always_inline bool large_free_hit(const void *p)
{
	size_t off = lowmem_off(p);
	pfn_t pfn = off >> PAGE_SHIFT;

	if (unlikely(pfn >= kmem_machine.low_end) || unlikely(off & ~PAGE_MASK) ||
	    unlikely(task_in_nmi()))
		return false;
	return page_give_kmalloc(page_of_pfn(pfn), pfn);
}

static noinline void kfree_other(const void *p, const void *site)
{
	if (free_miss_hit((void *)(uintptr_t)p))
		return;
	check_nmi_free(page_of_addr(p), p);
	kfree_slow(p, site);
}

/* The two hits apart: so neither needs a frame. */
static noinline void kfree_miss(const void *p, const void *site)
{
	if (unlikely(!large_free_hit(p)))
		kfree_other(p, site);
}

static inline always_inline bool kfree_hit(const void *p)
{
	return free_hit((void *)(uintptr_t)p, false);
}

static void kfree_site(const void *p, const void *site)
{
	if (!kfree_hit(p))
		kfree_miss(p, site);
}

void kfree(const void *p)
{
	if (likely(kfree_hit(p)))
		return;
	kfree_miss(p, __builtin_return_address(0));
}

void kmem_call_kfree(const void *p) __attribute__((alias("kfree")));

void kfree_nolock(const void *p)
{
	struct page *page = page_of_addr(p);

	if (page && page_is_large(page)) {
		report_misuse(KMEM_MISUSE_GFP_NOLOCK, p, "kfree_nolock(%p): a large kmalloc", p);
		return;
	}
	if (!free_hit((void *)(uintptr_t)p, true))
		kfree_slow(p, __builtin_return_address(0));
}

void kfree_const(const void *p)
{
	if (!port_rodata(p))
		kfree_site(p, __builtin_return_address(0));
}

/* The bytes must go even where the compiler sees that nobody reads them again. */
void kfree_sensitive(const void *p)
{
	size_t size = ksize(p);
	void *mem = (void *)(uintptr_t)p;

	if (size) {
		__builtin_memset(mem, 0, size);
		__asm__("" : : "r"(mem) : "memory");
	}
	kfree_site(p, __builtin_return_address(0));
}

/* ---- Sizes ------------------------------------------------------------------------------------------- */

size_t object_usable(const struct kmem_cache *c)
{
	if (c->flags & (SLAB_RED_ZONE | SLAB_POISON) || cache_watched(c))
		return c->object_size;
	if (c->flags & (SLAB_STORE_USER | SLAB_TYPESAFE_BY_RCU) ||
	    debug_info_start(c) > c->inuse_end)
		return c->inuse_end;
	return c->size;
}

static noinline size_t ksize_slow(const void *p)
{
	struct page *page = page_of_addr(p);
	struct kmem_cache *c;

	if (ZERO_OR_NULL_PTR(p))
		return 0;
	if (page && page_is_large(page) && p == addr_of_page(page))
		return PAGE_SIZE << page->order;
	c = cache_of_object(p, &page);
	if (!c)
		return 0;
	if (c->orig_off)
		debug_set_orig_size(c, (void *)(uintptr_t)p, c->object_size);
	if (cache_watched(c))
		watch_ksize(c, p);
	return object_usable(c);
}

size_t ksize(const void *p)
{
	size_t usable = ksize_hit(p);

	return likely(usable) ? usable : ksize_slow(p);
}

size_t kmalloc_size_roundup(size_t size)
{
	if (size == 0)
		return 0;
	if (size <= KMALLOC_MAX_CACHE_SIZE)
		return class_size[class_for(size)];
	if (size > KMALLOC_MAX_SIZE)
		return size;
	return PAGE_SIZE << get_order(size);
}

/* Bytes of p that hold the user's data: what was asked for, where that is known. */
static size_t data_size(const void *p, size_t usable)
{
	struct page *page = page_of_addr(p);
	size_t orig = 0;

	if (page && page->flags & PAGE_IN_SLAB)
		orig = debug_orig_size(page->u.slab.cache, (void *)(uintptr_t)p);
	return orig ? orig : usable;
}

static noinline void *krealloc_long(const void *p, size_t size, gfp_t gfp, const void *site)
{
	struct page *page = page_of_addr(p);
	size_t usable, old;
	char *mem = (char *)(uintptr_t)p;
	void *new;

	if (ZERO_OR_NULL_PTR(p))
		return kmalloc_site(size, gfp, site);
	if (size == 0) {
		kfree_site(p, site);
		return ZERO_SIZE_PTR;
	}
	/* The tracked size must be read before ksize() raises it. */
	old = page && page->flags & PAGE_IN_SLAB ? data_size(p, 0) : 0;
	usable = ksize(p);
	if (!usable)
		return NULL;
	if (!old)
		old = usable;
	if (size <= usable) {
		if (gfp & __GFP_ZERO && size < usable)
			__builtin_memset(mem + size, 0, usable - size);
		if (gfp & __GFP_ZERO && old < size)
			__builtin_memset(mem + old, 0, size - old);
		return mem;
	}
	new = kmalloc_site(size, gfp, site);
	if (!new)
		return NULL;
	__builtin_memcpy(new, p, old);
	kfree_site(p, site);
	return new;
}

/* What stays where it is, with nothing to be zeroed; nor is a size tracked where frees hit. */
void *krealloc(const void *p, size_t size, gfp_t gfp)
{
	if (likely(size - 1 < ksize_hit(p)) && likely(!(gfp & __GFP_ZERO)))
		return (void *)(uintptr_t)p;
	return krealloc_long(p, size, gfp, __builtin_return_address(0));
}

void *krealloc_array(const void *p, size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (!size_mul_ok(n, size, &bytes))
		return NULL;
	return krealloc(p, bytes, gfp);
}
