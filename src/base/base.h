/* SPDX-License-Identifier: MIT */
/*
 * Floor 0, base: what every other floor stands on. C only: types, alignment, bits, checked sizes,
 * assertions in three grades, lists, formatting, and the one root of all state.
 *
 * Glossary
 *	pfn	page frame number: physical address >> PAGE_SHIFT
 *	order	log2 of a number of pages
 *	report	a message to the user through report_*(); never allocates, any context
 *	misuse	a wrong call by the user: reported with a stable code, and refused
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <kmem/config.h>
#include <kmem/gfp.h>
#include <kmem/kmem.h>
#include <kmem/stat.h>
#include <kmem/port.h>
#include <build_config.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;
typedef unsigned long pfn_t;

#define likely(x)     __builtin_expect(!!(x), 1)
#define unlikely(x)   __builtin_expect(!!(x), 0)
#define noinline      __attribute__((noinline))
#define always_inline __attribute__((always_inline))
/* Declarations too: what the compiler knows to be in the same object is reached without a table. */
#define HIDDEN			      __attribute__((visibility("hidden")))
#define ARRAY_SIZE(a)		      (sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, member) ((type *)(void *)((char *)(p)-offsetof(type, member)))

/* Errors are the kernel's numbers, negative, in a core that has no <errno.h>. */
enum {
	KE_NOENT = 2,
	KE_IO = 5,
	KE_AGAIN = 11,
	KE_NOMEM = 12,
	KE_BUSY = 16,
	KE_EXIST = 17,
	KE_INVAL = 22,
	KE_NOSPC = 28,
	KE_ROFS = 30,
	KE_NOSYS = 38,
};

static inline size_t size_min(size_t a, size_t b)
{
	return a < b ? a : b;
}
static inline size_t size_max(size_t a, size_t b)
{
	return a > b ? a : b;
}
static inline u64 u64_min(u64 a, u64 b)
{
	return a < b ? a : b;
}
static inline u64 u64_max(u64 a, u64 b)
{
	return a > b ? a : b;
}
static inline bool is_pow2(size_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}
/* align is a power of two. */
static inline size_t align_up(size_t n, size_t align)
{
	return (n + align - 1) & ~(align - 1);
}
static inline size_t align_down(size_t n, size_t align)
{
	return n & ~(align - 1);
}
/* Index of the top set bit counting from 1; 0 for 0. */
static inline unsigned int fls_ulong(unsigned long x)
{
	return x ? (unsigned int)(8 * sizeof(x)) - (unsigned int)__builtin_clzl(x) : 0;
}
static inline unsigned int ilog2_ulong(unsigned long x)
{
	return fls_ulong(x) - 1;
}
static inline bool size_mul_ok(size_t a, size_t b, size_t *r)
{
	return !__builtin_mul_overflow(a, b, r);
}
static inline bool size_add_ok(size_t a, size_t b, size_t *r)
{
	return !__builtin_add_overflow(a, b, r);
}
u64 isqrt_u64(u64 n);
/* 64-bit division that needs no helper of the compiler's library on 32-bit targets. */
u64 div_u64(u64 n, u64 d);

/* ---- Assertions: always traps; debug is compiled out of release builds; audit walks ----------- */

void assert_fail(const char *expr, const char *file, int line) __attribute__((noreturn));
#define assert_always(e)                                     \
	do {                                                 \
		if (unlikely(!(e)))                          \
			assert_fail(#e, __FILE__, __LINE__); \
	} while (0)
#define assert_debug(e)                                      \
	do {                                                 \
		if (KMEM_DEBUG && unlikely(!(e)))            \
			assert_fail(#e, __FILE__, __LINE__); \
	} while (0)
/* In a *_check() function: reports and counts in the variable `faults` of the caller. */
#define assert_audit(e, ...)                                               \
	do {                                                               \
		if (unlikely(!(e))) {                                      \
			faults++;                                          \
			report_audit(#e, __FILE__, __LINE__, __VA_ARGS__); \
		}                                                          \
	} while (0)
void report_audit(const char *expr, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* ---- fmt.c: a subset of printf: %d %i %u %x %X %o %c %s %p %% with flags - 0 # + space, width and
 * precision (also *), lengths h l ll z t j. No floats. Reentrant. As the kernel has it, %p is all
 * digits without 0x, and %#x prefixes zero too. ---------------------------------------------------- */

int fmt_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int fmt_snprintf(char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
size_t str_len(const char *s);
bool str_eq(const char *a, const char *b);
bool str_neq(const char *a, const char *b, size_t n);	/* equal in the first n characters */
void str_copy(char *dst, const char *src, size_t size); /* always terminated */
/* Parses decimal, or hex after 0x, with an optional suffix K M G T (either case). Returns the
 * number of characters used, 0 if there is no number or it overflows. */
size_t str_parse_size(const char *s, u64 *value);

/* ---- report.c: messages and misuse. At home in sync/, for its atomics. Hooks are user code: hold no
 * lock. A call is one message of at most 510 characters; its last line is ended if it is not. ----- */

void report(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Counts, tells the hook, then prints the line (with a stack) at warning level. */
void report_misuse(enum kmem_misuse code, const void *addr, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void report_stack(int level); /* the callers, one a line, " [<addr>] symbol" */
/* A title, and such lines for a place remembered earlier: at most n addresses, up to the first 0. */
void report_site(int level, const char *title, const uintptr_t *pc, unsigned int n);
/* At most burst in every interval; state belongs to the call site. */
struct ratelimit {
	u64 begin_ns;
	u32 interval_ms, burst, printed, missed;
	u32 busy; /* 0 at the start; guards the others */
};
bool ratelimit_ok(struct ratelimit *rl);

/* ---- The machine: the root of all state ------------------------------------------------------- */

enum { KMEM_MAX_RANGES = 32 };

/* The command line, parsed and checked; see boot/tunables.c. Zero pages of a zone: not there. */
struct kmem_options {
	u64 mem_bytes;
	u64 zone_start_pfn[KMEM_NR_ZONES], zone_end_pfn[KMEM_NR_ZONES];
	bool zone_configured[KMEM_NR_ZONES];
	bool zone_dma_too[KMEM_NR_ZONES]; /* "normal:880M:dma": __GFP_DMA searches it as well */
	u64 min_free_kbytes;		  /* 0: computed */
	u32 watermark_scale_factor;	  /* in 1/10000, default 10 */
	u32 lowmem_reserve_ratio[KMEM_NR_ZONES];
	u32 nr_cpus;
	u64 seed;
	bool percpu_pages, mobility, init_on_alloc, init_on_free, slab_merge, hardened, page_poison;
	bool oom_panic, huge_pages, highatomic, kswapd, lockdep, atomic_stack, sanitize,
		decay_thread;
	u32 decay_ms;
	u32 kmap_slots; /* at most; 0: what the port's windows allow */
	u32 slab_min_objects, slab_min_order, slab_max_order;
	char slab_debug[128]; /* raw text; empty: off. Parsed by slab/debug.c */
	/* Four numbers (36) and as many of the other words as anybody will want at once. */
	char failslab[256], fail_page_alloc[256];
};

struct page;
struct zone;
struct kmem_cache;
struct kmem_machine {
	/* Hot: what address <-> page arithmetic needs. */
	unsigned char *lowmem; /* address of pfn 0 in the direct map */
	struct page *memmap;   /* descriptor of pfn 0 */
	pfn_t low_end;	       /* first pfn outside the direct map */
	void **owner;	       /* of each such pfn: see page_owner() */
	void **owner_at;       /* the same by address >> PAGE_SHIFT, or NULL (port_owners) */
	pfn_t end;	       /* first pfn outside the machine */
	u32 nr_cpus;
	u32 state;		   /* enum machine_state */
	bool watched;		   /* sanitize=1, and a tool is there to tell */
	bool tracing;		   /* slow paths look at it; fast paths are out of use meanwhile */
	struct zone *zones;	   /* KMEM_NR_ZONES of them */
	struct kmem_cache *caches; /* list of all caches, newest first */
	struct kmem_stat *stat;
	struct kmem_options opt;
	gfp_t gfp_allowed;
	char boot_error[160];
};
enum machine_state { MACHINE_OFF, MACHINE_BOOTING, MACHINE_ON, MACHINE_STOPPING };
extern struct kmem_machine kmem_machine HIDDEN;

/* Boots lazily if the machine is off and the port allows it. True if it is on now. */
bool machine_ensure(void); /* boot/boot.c; the one call upward, through kmem_boot_hook */
extern bool (*kmem_boot_hook)(void);
