/* SPDX-License-Identifier: MIT */
/*
 * The command line: one table of options, and the zone table.
 *
 * Syntax is the kernel's: words separated by blanks, "name=value" or "name"; '"' makes blanks part
 * of a word; '-' and '_' are the same letter in a name; the last word of a name wins. One table
 * drives parsing, help text and manual page, so that they cannot disagree.
 *
 * Parsing has two steps because a zone table can say "the rest" and the amount of memory may come
 * from the port. After tunables_parse() zone_end_pfn[z] holds the pages *wanted* by a configured
 * zone (ZONE_REST: all that is left) and zone_start_pfn[z] is 0. tunables_zones() lays them one
 * after the other from frame 0:
 *
 *	start[z] = end[previous configured zone]		end[z] = min(start[z] + want[z], mem)
 *
 * so a zone that begins above the memory is configured and has no page, as on a small PC.
 *
 * Everything works on a copy of the options: a refused line changes nothing. No locks, no
 * allocation, a few hundred bytes of stack; cost is linear in the line.
 */
#include "boot/boot.h"

enum {
	WORD_MAX = 320,	     /* longest word: slab_debug's 128 bytes and room for a zone table */
	MEM_MIN_PAGES = 256, /* 1 MiB: below it the tables of the caches would not fit */
	SCALE_MAX = 3000,    /* the kernel's limit of watermark_scale_factor, in 1/10000 */
};

/* Links between frames are 32-bit numbers, and one of them means "none". */
#define MEM_MAX_PAGES 0xffffffffull
#define ZONE_REST     UINT64_MAX

enum tunable_kind {
	TUNE_BOOL,  /* 0 1 on off y n; the bare name means 1 */
	TUNE_SET,   /* bare name: true */
	TUNE_CLEAR, /* bare name: false */
	TUNE_U32,
	TUNE_U64,
	TUNE_SIZE,   /* bytes, suffix K M G T, rounded down to pages */
	TUNE_RATIOS, /* list of numbers, one a zone */
	TUNE_ZONES,
	TUNE_FAULT,
	TUNE_DEBUG,
	TUNE_HARDENED,
};

struct tunable {
	const char *name, *alias; /* alias: another name of the field, or NULL */
	enum tunable_kind kind;
	u32 offset; /* in struct kmem_options */
	u64 min, max;
	const char *unit, *def, *help;
};

#define AT(field) ((u32)offsetof(struct kmem_options, field))

static const struct tunable tunables[] = {
	{"mem", NULL, TUNE_SIZE, AT(mem_bytes), MEM_MIN_PAGES << PAGE_SHIFT,
	 MEM_MAX_PAGES << PAGE_SHIFT, "bytes", "port", "memory of the machine, all zones together"},
	{"zones", NULL, TUNE_ZONES, 0, 0, 0, "table", "x86_64",
	 "i386, x86_64, flat, or NAME:SIZE[:dma],... with names dma dma32 normal highmem movable "
	 "in this order; the last size may be rest"},
	{"min_free_kbytes", NULL, TUNE_U64, AT(min_free_kbytes), 0, MEM_MAX_PAGES << 2, "KiB",
	 "computed", "free memory the watermarks are derived from; 0: from the size of lowmem"},
	{"watermark_scale_factor", NULL, TUNE_U32, AT(watermark_scale_factor), 1, SCALE_MAX,
	 "1/10000", "10", "distance between watermarks, in parts of the zone"},
	{"lowmem_reserve_ratio", NULL, TUNE_RATIOS, AT(lowmem_reserve_ratio), 0, UINT32_MAX,
	 "ratio", "256,256,32,0,0",
	 "1/n of the higher zones is kept from their requests: dma,dma32,normal,highmem,movable"},
	{"percpu_pages", NULL, TUNE_BOOL, AT(percpu_pages), 0, 1, "bool", "1",
	 "per-CPU page lists"},
	{"mobility", NULL, TUNE_BOOL, AT(mobility), 0, 1, "bool", "0",
	 "group page blocks by mobility type"},
	{"highatomic", NULL, TUNE_BOOL, AT(highatomic), 0, 1, "bool", "0",
	 "reserve page blocks for atomic requests of high order"},
	{"huge_pages", NULL, TUNE_BOOL, AT(huge_pages), 0, 1, "bool", "0",
	 "ask the host for huge pages under the direct map"},
	{"init_on_alloc", NULL, TUNE_BOOL, AT(init_on_alloc), 0, 1, "bool", "0",
	 "zero pages and objects when they are allocated"},
	{"init_on_free", NULL, TUNE_BOOL, AT(init_on_free), 0, 1, "bool", "0",
	 "zero pages and objects when they are freed"},
	{"page_poison", NULL, TUNE_BOOL, AT(page_poison), 0, 1, "bool", "0",
	 "fill free pages with a pattern"},
	{"hardened", NULL, TUNE_HARDENED, AT(hardened), 0, 1, "bool", "0",
	 "security profile: every free checked (no sheaves), init_on_alloc, init_on_free, "
	 "slab_nomerge"},
	{"sanitize", NULL, TUNE_BOOL, AT(sanitize), 0, 1, "bool", "0",
	 "tell AddressSanitizer or valgrind which bytes may be touched"},
	{"oom_panic", NULL, TUNE_BOOL, AT(oom_panic), 0, 1, "bool", "0",
	 "panic when memory is out and nobody can give any back"},
	{"kswapd", NULL, TUNE_BOOL, AT(kswapd), 0, 1, "bool", "1",
	 "a task of its own for background reclaim, once there is somebody to ask"},
	{"decay_ms", NULL, TUNE_U32, AT(decay_ms), 0, 1 << 30, "ms", "10000",
	 "sections of 4 MiB that are free as long go back to the host; 0: none; 0 in debug builds"},
	{"decay_thread", NULL, TUNE_BOOL, AT(decay_thread), 0, 1, "bool", "0",
	 "kswapd sees to it, so that an idle process gives memory back as well"},
	{"kmap_slots", NULL, TUNE_U32, AT(kmap_slots), 1, 512, "slots", "512",
	 "pages of HIGHMEM that kmap maps at once, at most"},
	{"lockdep", NULL, TUNE_BOOL, AT(lockdep), 0, 1, "bool", "0",
	 "look for locks taken in reclaim and held over requests; 1 in debug builds"},
	{"atomic_stack", NULL, TUNE_BOOL, AT(atomic_stack), 0, 1, "bool", "0",
	 "remember the stack of whoever makes a task atomic, for reports; 1 in debug builds"},
	{"slab_nomerge", "slub_nomerge", TUNE_CLEAR, AT(slab_merge), 0, 0, "flag", "on",
	 "every cache has slabs of its own"},
	{"slab_merge", "slub_merge", TUNE_SET, AT(slab_merge), 0, 0, "flag", "off",
	 "caches of one geometry share slabs"},
	{"slab_debug", "slub_debug", TUNE_DEBUG, AT(slab_debug), 0, 0, "text", "off",
	 "[FLAGS][,CACHE...][;...] with flags F Z P U T A O, or - for none"},
	{"slab_min_objects", "slub_min_objects", TUNE_U32, AT(slab_min_objects), 0, 512, "objects",
	 "0", "objects a slab should hold at least; 0: by the number of CPUs"},
	{"slab_min_order", "slub_min_order", TUNE_U32, AT(slab_min_order), 0, MAX_PAGE_ORDER,
	 "order", "0", "smallest order of slabs"},
	{"slab_max_order", "slub_max_order", TUNE_U32, AT(slab_max_order), 0, MAX_PAGE_ORDER,
	 "order", "3", "largest order of slabs, unless one object needs more"},
	{"failslab", NULL, TUNE_FAULT, AT(failslab), 0, 0, "text", "off",
	 "interval,probability,space,times[,WORD=VALUE...]: objects fail"},
	{"fail_page_alloc", NULL, TUNE_FAULT, AT(fail_page_alloc), 0, 0, "text", "off",
	 "interval,probability,space,times[,WORD=VALUE...]: pages fail"},
	{"nr_cpus", NULL, TUNE_U32, AT(nr_cpus), 1, KMEM_MAX_CPUS, "CPUs", "host",
	 "upper bound of CPUs"},
	{"seed", NULL, TUNE_U64, AT(seed), 0, UINT64_MAX, "number", "random",
	 "seed of all randomness; 0: the host's choice"},
};

/* ---- Characters ------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static char to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Names are equal with '-' for '_', as for the kernel's parameters. */
static bool name_eq(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		char x = *a == '-' ? '_' : *a, y = *b == '-' ? '_' : *b;

		if (x != y)
			return false;
	}
	return *a == *b;
}

/* Are the n bytes at s the text, in letters of either case? */
static bool text_is(const char *s, size_t n, const char *text)
{
	if (n != str_len(text))
		return false;
	for (size_t i = 0; i < n; i++)
		if (to_lower(s[i]) != text[i])
			return false;
	return true;
}

static size_t span_until(const char *s, size_t n, char stop)
{
	size_t i = 0;

	while (i < n && s[i] != stop)
		i++;
	return i;
}

/* A decimal number, or hex after 0x, and nothing else. No suffix. */
static bool parse_number(const char *s, size_t n, u64 *value)
{
	bool hex = n > 2 && s[0] == '0' && to_lower(s[1]) == 'x';
	u64 v = 0;

	if (n == 0)
		return false;
	for (size_t i = hex ? 2 : 0; i < n; i++) {
		char c = to_lower(s[i]);
		u64 digit = c >= '0' && c <= '9'	  ? (u64)(c - '0')
			    : hex && c >= 'a' && c <= 'f' ? (u64)(c - 'a') + 10
							  : UINT64_MAX;

		if (digit == UINT64_MAX || __builtin_mul_overflow(v, hex ? 16u : 10u, &v) ||
		    __builtin_add_overflow(v, digit, &v))
			return false;
	}
	*value = v;
	return true;
}

/* ---- Values: each returns why it refuses, or NULL ------------------------------------------- */

static const char *parse_bool(const char *value, bool *out)
{
	static const char *const yes[] = {"1", "y", "on", "yes"}, *const no[] = {"0", "n", "off",
										 "no"};
	size_t n = value ? str_len(value) : 0;

	if (!value) {
		*out = true;
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (text_is(value, n, yes[i]) || text_is(value, n, no[i])) {
			*out = text_is(value, n, yes[i]);
			return NULL;
		}
	}
	return "not a boolean (0, 1, on, off, y, n)";
}

static const char *parse_ranged(const struct tunable *t, const char *value, u64 *out)
{
	if (!value || !parse_number(value, str_len(value), out))
		return "not a number";
	return *out < t->min || *out > t->max ? "out of range" : NULL;
}

static const char *parse_mem(const struct tunable *t, const char *value, u64 *out)
{
	u64 bytes;

	if (!value || !*value || str_parse_size(value, &bytes) != str_len(value))
		return "not a size";
	bytes &= ~(u64)(PAGE_SIZE - 1);
	if (bytes < t->min)
		return "less than the least machine, 1M";
	if (bytes > t->max)
		return "more than 2^32 - 1 pages";
	*out = bytes;
	return NULL;
}

/* "256,256,32" or "256 256 32": zones that are not named keep theirs. */
static const char *parse_ratios(const char *value, u32 *ratio)
{
	unsigned int nr = 0;
	u64 v;

	while (value && *value) {
		size_t n = 0;

		while (value[n] && value[n] != ',' && !is_blank(value[n]))
			n++;
		if (nr == KMEM_NR_ZONES)
			return "more numbers than zones";
		if (!parse_number(value, n, &v) || v > UINT32_MAX)
			return "not a list of numbers";
		ratio[nr++] = (u32)v;
		value += n;
		if (*value == ',' && !value[1])
			return "not a list of numbers";
		if (*value)
			value++;
		while (is_blank(*value))
			value++;
	}
	return nr ? NULL : "not a list of numbers";
}

/* The injectors are told apart later; what they can read is decided by the one that reads it. */
static const char *parse_fault(const char *value, char *out, size_t size)
{
	struct fault_attr scratch = {.name = "scratch"};

	if (!value || !*value || fault_parse(&scratch, value) != 0)
		return "not interval,probability,space,times";
	if (str_len(value) >= size)
		return "too long";
	str_copy(out, value, size);
	return NULL;
}

/* Blocks "FLAGS,names" separated by ';'. Names are the slab floor's business, letters are checked. */
static const char *parse_debug(const char *value, char *out, size_t size)
{
	static const char letters[] = "fzputao-";
	bool in_flags = true;

	/* The bare word asks for everything that finds errors. */
	if (!value || !*value)
		value = "FZPU";
	if (str_len(value) >= size)
		return "too long";
	for (const char *s = value; *s; s++) {
		bool known = false;

		if (*s == ',' || *s == ';')
			in_flags = *s == ';';
		for (const char *l = letters; *l; l++)
			known = known || to_lower(*s) == *l;
		if (in_flags && *s != ';' && !known)
			return "unknown letter (F Z P U T A O or -)";
	}
	str_copy(out, value, size);
	return NULL;
}

static const char *parse_hardened(const char *value, struct kmem_options *opt)
{
	const char *why = parse_bool(value, &opt->hardened);

	if (!why && opt->hardened) {
		opt->init_on_alloc = true;
		opt->init_on_free = true;
		opt->slab_merge = false;
	}
	return why;
}

/* ---- Zones ---------------------------------------------------------------------------------- */

static const char *const zone_words[KMEM_NR_ZONES] = {"dma", "dma32", "normal", "highmem",
						      "movable"};

struct zone_preset {
	const char *name;
	u64 pages[KMEM_NR_ZONES]; /* 0 and not listed in mask: not configured */
	u32 mask;
};

#define ZONE_BIT(z) (1u << KMEM_ZONE_##z)

/* Sizes are distances between the boundaries of semantics 3.1: 16 MiB, 896 MiB, 4 GiB. A kernel of
 * these machines always has ZONE_MOVABLE, empty unless asked for. */
static const struct zone_preset zone_presets[] = {
	{"i386",
	 {4096, 0, 229376 - 4096, ZONE_REST, 0},
	 ZONE_BIT(DMA) | ZONE_BIT(NORMAL) | ZONE_BIT(HIGHMEM) | ZONE_BIT(MOVABLE)},
	{"x86_64",
	 {4096, 1048576 - 4096, ZONE_REST, 0, 0},
	 ZONE_BIT(DMA) | ZONE_BIT(DMA32) | ZONE_BIT(NORMAL) | ZONE_BIT(MOVABLE)},
	{"flat", {0, 0, ZONE_REST, 0, 0}, ZONE_BIT(NORMAL)},
};

static void zones_clear(struct kmem_options *opt)
{
	for (unsigned int z = 0; z < KMEM_NR_ZONES; z++) {
		opt->zone_configured[z] = false;
		opt->zone_dma_too[z] = false;
		opt->zone_start_pfn[z] = 0;
		opt->zone_end_pfn[z] = 0;
	}
}

static bool zones_preset(struct kmem_options *opt, const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(zone_presets); i++) {
		const struct zone_preset *p = &zone_presets[i];

		if (!text_is(name, n, p->name))
			continue;
		zones_clear(opt);
		for (unsigned int z = 0; z < KMEM_NR_ZONES; z++) {
			opt->zone_configured[z] = (p->mask >> z & 1u) != 0;
			opt->zone_end_pfn[z] = p->pages[z];
		}
		return true;
	}
	return false;
}

/* "16M" or "rest", into pages. */
static const char *zone_size(const char *s, size_t n, u64 *pages)
{
	char buf[24];
	u64 bytes;

	if (text_is(s, n, "rest")) {
		*pages = ZONE_REST;
		return NULL;
	}
	if (n == 0 || n >= sizeof(buf))
		return "a zone has no size";
	__builtin_memcpy(buf, s, n);
	buf[n] = '\0';
	if (str_parse_size(buf, &bytes) != n)
		return "a zone's size is not a size";
	if (bytes & (PAGE_SIZE - 1))
		return "a zone's size is not a multiple of the page size";
	*pages = bytes >> PAGE_SHIFT;
	return *pages > MEM_MAX_PAGES ? "a zone is larger than 2^32 - 1 pages" : NULL;
}

/* One "name:size[:dma]"; *next is the lowest zone that may still come. */
static const char *zone_entry(struct kmem_options *opt, const char *s, size_t n, unsigned int *next)
{
	size_t name_len = span_until(s, n, ':'), rest = n - name_len, size_len;
	unsigned int z = 0;
	const char *why;

	while (z < KMEM_NR_ZONES && !text_is(s, name_len, zone_words[z]))
		z++;
	if (z == KMEM_NR_ZONES)
		return "unknown zone (dma, dma32, normal, highmem, movable)";
	if (z < *next)
		return "zones must ascend: dma, dma32, normal, highmem, movable";
	if (rest < 2)
		return "a zone has no size";
	s += name_len + 1;
	rest--;
	size_len = span_until(s, rest, ':');
	why = zone_size(s, size_len, &opt->zone_end_pfn[z]);
	if (why)
		return why;
	if (size_len < rest && !text_is(s + size_len + 1, rest - size_len - 1, "dma"))
		return "only :dma may follow a zone's size";
	if (size_len < rest && (z == KMEM_ZONE_HIGHMEM || z == KMEM_ZONE_MOVABLE))
		return "what __GFP_DMA gives must have an address: not from this zone";
	opt->zone_dma_too[z] = size_len < rest;
	opt->zone_configured[z] = true;
	*next = z + 1;
	return NULL;
}

static const char *parse_zones(const char *value, struct kmem_options *opt)
{
	size_t left = value ? str_len(value) : 0;
	unsigned int next = 0;

	if (left == 0)
		return "no preset and no table";
	if (zones_preset(opt, value, left))
		return NULL;
	if (span_until(value, left, ':') == left)
		return "unknown preset (i386, x86_64, flat)";
	zones_clear(opt);
	for (;;) {
		size_t n = span_until(value, left, ',');
		const char *why;

		if (next && opt->zone_end_pfn[next - 1] == ZONE_REST)
			return "only the last zone may have the rest";
		why = zone_entry(opt, value, n, &next);
		if (why || n == left)
			return why;
		value += n + 1;
		left -= n + 1;
	}
}

/* Pages of all zones; *open: one of them takes the rest. */
static u64 zones_wanted(const struct kmem_options *opt, bool *open)
{
	u64 sum = 0;

	*open = false;
	for (unsigned int z = 0; z < KMEM_NR_ZONES; z++) {
		if (!opt->zone_configured[z])
			continue;
		if (opt->zone_end_pfn[z] == ZONE_REST)
			*open = true;
		else
			sum += opt->zone_end_pfn[z];
	}
	return sum;
}

static void zones_lay(struct kmem_options *opt, u64 pages)
{
	u64 at = 0;

	for (unsigned int z = 0; z < KMEM_NR_ZONES; z++) {
		u64 want = opt->zone_end_pfn[z];

		if (!opt->zone_configured[z])
			continue;
		opt->zone_start_pfn[z] = at;
		at = want < pages - at ? at + want : pages;
		opt->zone_end_pfn[z] = at;
	}
	assert_always(at == pages);
}

int tunables_zones(struct kmem_options *opt, u64 mem_bytes, char *err, size_t err_len)
{
	struct kmem_options o = *opt;
	u64 pages = mem_bytes >> PAGE_SHIFT, sum, low = 0;
	const char *why = NULL;
	bool open;

	sum = zones_wanted(opt, &open);
	/* A table without a rest says how much memory there is, if nobody else does. */
	if (!open && !opt->mem_bytes)
		pages = sum;
	if (!open && sum < pages)
		why = "the table covers less than mem=; let the last size be rest";
	else if (pages < MEM_MIN_PAGES)
		why = "less than the least machine, 1M";
	else if (pages > MEM_MAX_PAGES)
		why = "more than 2^32 - 1 pages";
	if (!why) {
		zones_lay(&o, pages);
		for (unsigned int z = KMEM_ZONE_DMA; z <= KMEM_ZONE_NORMAL; z++)
			low += o.zone_end_pfn[z] - o.zone_start_pfn[z];
		if (low == 0)
			why = "no memory below highmem and movable";
	}
	if (why) {
		fmt_snprintf(err, err_len, "zones: %s", why);
		return -KE_INVAL;
	}
	o.mem_bytes = pages << PAGE_SHIFT;
	*opt = o;
	return 0;
}

/* ---- Words ---------------------------------------------------------------------------------- */

static const struct tunable *tunable_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(tunables); i++) {
		const struct tunable *t = &tunables[i];

		if (name_eq(name, t->name) || (t->alias && name_eq(name, t->alias)))
			return t;
	}
	return NULL;
}

static const char *tunable_number(const struct tunable *t, const char *value, void *field)
{
	u64 v;
	const char *why = parse_ranged(t, value, &v);

	if (!why && t->kind == TUNE_U32)
		*(u32 *)field = (u32)v;
	else if (!why)
		*(u64 *)field = v;
	return why;
}

static const char *tunable_flag(const struct tunable *t, const char *value, bool *field)
{
	bool on;
	const char *why = parse_bool(value, &on);

	/* "slab_nomerge=0" is not a word the kernel knows; the opposite has a name of its own. */
	if (value)
		return "takes no value";
	*field = t->kind == TUNE_SET;
	return why;
}

static const char *tunable_apply(const struct tunable *t, const char *value,
				 struct kmem_options *opt)
{
	void *field = (char *)opt + t->offset;

	switch (t->kind) {
	case TUNE_BOOL:
		return parse_bool(value, field);
	case TUNE_SET:
	case TUNE_CLEAR:
		return tunable_flag(t, value, field);
	case TUNE_U32:
	case TUNE_U64:
		return tunable_number(t, value, field);
	case TUNE_SIZE:
		return parse_mem(t, value, field);
	case TUNE_RATIOS:
		return parse_ratios(value, field);
	case TUNE_ZONES:
		return parse_zones(value, opt);
	case TUNE_FAULT:
		return parse_fault(value, field, sizeof(opt->failslab));
	case TUNE_DEBUG:
		return parse_debug(value, field, sizeof(opt->slab_debug));
	case TUNE_HARDENED:
		return parse_hardened(value, opt);
	}
	return "unknown option";
}

/*
 * Copies the next word without its quotes. Returns what follows it; NULL at the end of the line.
 * *why is set if the word cannot be taken.
 */
static const char *next_word(const char *s, char *word, const char **why)
{
	bool quoted = false;
	size_t n = 0;

	while (is_blank(*s))
		s++;
	if (!*s)
		return NULL;
	for (; *s && (quoted || !is_blank(*s)); s++) {
		if (*s == '"')
			quoted = !quoted;
		else if (n < WORD_MAX - 1)
			word[n++] = *s;
		else
			*why = "too long";
	}
	word[n] = '\0';
	if (quoted)
		*why = "quote is not closed";
	return s;
}

static const char *word_apply(const char *word, struct kmem_options *opt)
{
	size_t name_len = span_until(word, str_len(word), '=');
	char name[40];
	const struct tunable *t = NULL;

	if (name_len < sizeof(name)) {
		__builtin_memcpy(name, word, name_len);
		name[name_len] = '\0';
		t = tunable_find(name);
	}
	if (!t)
		return "unknown option";
	return tunable_apply(t, word[name_len] ? word + name_len + 1 : NULL, opt);
}

static void tunables_default(struct kmem_options *opt)
{
	__builtin_memset(opt, 0, sizeof(*opt));
	zones_preset(opt, "x86_64", str_len("x86_64"));
	opt->watermark_scale_factor = 10;
	opt->lowmem_reserve_ratio[KMEM_ZONE_DMA] = 256;
	opt->lowmem_reserve_ratio[KMEM_ZONE_DMA32] = 256;
	opt->lowmem_reserve_ratio[KMEM_ZONE_NORMAL] = 32;
	opt->percpu_pages = true;
	opt->kswapd = true;
	opt->decay_ms = KMEM_DEBUG ? 0 : 10000;
	opt->slab_merge = false; /* unlike the kernel: reports name the cache that was asked for */
	opt->slab_max_order = PAGE_ALLOC_COSTLY_ORDER;
	opt->lockdep = KMEM_DEBUG;
	opt->atomic_stack = KMEM_DEBUG;
}

int tunables_parse(const char *cmdline, struct kmem_options *opt, char *err, size_t err_len)
{
	struct kmem_options o;
	const char *why = NULL, *s = cmdline ? cmdline : "";
	char word[WORD_MAX];

	tunables_default(&o);
	while (!why && (s = next_word(s, word, &why)) != NULL)
		if (!why)
			why = word_apply(word, &o);
	if (why) {
		fmt_snprintf(err, err_len, "%.90s: %s", word, why);
		return -KE_INVAL;
	}
	if (o.slab_min_order > o.slab_max_order) {
		fmt_snprintf(err, err_len, "slab_min_order=%u: above slab_max_order=%u",
			     o.slab_min_order, o.slab_max_order);
		return -KE_INVAL;
	}
	*opt = o;
	return 0;
}

int tunables_set(const char *name, const char *value, struct kmem_options *opt)
{
	static const char *const writable[] = {"min_free_kbytes", "watermark_scale_factor",
					       "lowmem_reserve_ratio"};

	for (size_t i = 0; i < ARRAY_SIZE(writable); i++) {
		struct kmem_options o = *opt;

		if (!str_eq(name, writable[i]))
			continue;
		if (tunable_apply(tunable_find(name), value, &o))
			return -KE_INVAL;
		/* Others read the rest of the options without a lock: only these are written. */
		opt->min_free_kbytes = o.min_free_kbytes;
		opt->watermark_scale_factor = o.watermark_scale_factor;
		for (u32 z = 0; z < KMEM_NR_ZONES; z++)
			opt->lowmem_reserve_ratio[z] = o.lowmem_reserve_ratio[z];
		return 0;
	}
	return -KE_INVAL;
}

/* ---- Help ----------------------------------------------------------------------------------- */

static int tunable_range(const struct tunable *t, char *buf, size_t len)
{
	switch (t->kind) {
	case TUNE_U32:
	case TUNE_U64:
	case TUNE_RATIOS:
		return fmt_snprintf(buf, len, "%llu..%llu", (unsigned long long)t->min,
				    (unsigned long long)t->max);
	case TUNE_SIZE:
		return fmt_snprintf(buf, len, "%lluK..%lluK", (unsigned long long)(t->min >> 10),
				    (unsigned long long)(t->max >> 10));
	case TUNE_BOOL:
	case TUNE_HARDENED:
		return fmt_snprintf(buf, len, "0,1");
	default:
		return fmt_snprintf(buf, len, "-");
	}
}

size_t kmem_options_help(char *buf, size_t len)
{
	size_t used = 0;
	char range[48];

	for (size_t i = 0; i < ARRAY_SIZE(tunables); i++) {
		const struct tunable *t = &tunables[i];
		size_t at = size_min(used, len);

		tunable_range(t, range, sizeof(range));
		used += (size_t)fmt_snprintf(buf ? buf + at : NULL, len - at,
					     "%s\t%s\t%s\t%s\t%s\n", t->name, t->unit, t->def,
					     range, t->help);
	}
	return used;
}
