/* SPDX-License-Identifier: MIT */
/*
 * How many instructions a hit costs, and the worst call of a steady load, against the limits that
 * docs/performance.md states. Both read the same table, so neither can say what the other does not
 * know. Nothing here is a time.
 *
 *	COUNT_LIB=FILE.so	counts that library's malloc and free in place of ours
 *	COUNT_TRACE=1		writes the address of each instruction counted to stderr
 */
#include <dlfcn.h>
#include <limits.h>
#include <libgen.h>
#include <unistd.h>
#include "support.h"
#include "lib/inlined.h"
#include "lib/stepper.h"
#include "slab/slab.h"

enum {
	WARM = 200,
	HITS = 20,
	LIVE = 512,
	STEADY = 20000,
	STEPPED = 600,
	BURST = 900,
	SMALL = 64,
	LARGE = 64 << 10
};

/* ---- What is called ------------------------------------------------------------------------------- */

struct face {
	const char *name;	       /* of the pair, as the table has it */
	void *(*alloc)(size_t, gfp_t); /* whichever of these four there is */
	void (*free)(const void *);
	struct kmem_cache *cache;
	size_t size; /* of hits; 0: SMALL */
	unsigned int order;
	bool pages;
	gfp_t gfp;
};

static void *(*malloc_of)(size_t);
static void (*free_of)(void *);
static void *(*realloc_of)(void *, size_t);

static void *face_malloc(size_t size, gfp_t gfp)
{
	(void)gfp;
	return malloc_of(size);
}

static void face_free(const void *p)
{
	free_of((void *)(uintptr_t)p);
}

static void *face_kmalloc_size(size_t size, gfp_t gfp)
{
	return kmem_kmalloc_size(size, gfp, (SMALL - 1) / 8);
}

static void *face_alloc(const struct face *f, size_t size)
{
	if (f->pages)
		return alloc_pages(f->gfp, f->order);
	return f->cache ? kmem_cache_alloc(f->cache, f->gfp) : f->alloc(size, f->gfp);
}

static void face_free_one(const struct face *f, void *p)
{
	if (f->pages)
		__free_pages(p, f->order);
	else if (f->cache)
		kmem_cache_free(f->cache, p);
	else
		f->free(p);
}

static void watch(const struct face *f, struct step_fn fn[2])
{
	memset(fn, 0, 2 * sizeof(*fn));
	fn[0].fn = f->pages			   ? (const void *)alloc_pages
		   : f->cache			   ? (const void *)kmem_cache_alloc
		   : f->alloc == face_malloc	   ? (const void *)malloc_of
		   : f->alloc == face_kmalloc_size ? (const void *)kmem_kmalloc_size
						   : (const void *)f->alloc;
	fn[1].fn = f->pages		  ? (const void *)__free_pages
		   : f->cache		  ? (const void *)kmem_cache_free
		   : f->free == face_free ? (const void *)free_of
					  : (const void *)f->free;
}

/* The library's own face for malloc lies beside this program. */
static bool malloc_open(void)
{
	char path[PATH_MAX], dir[PATH_MAX];
	const char *other = getenv("COUNT_LIB");
	ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	void *lib;

	dir[n > 0 ? n : 0] = '\0';
	snprintf(path, sizeof(path), "%s/../../libkmem-malloc.so.0", dirname(dir));
	lib = dlopen(other ? other : path, RTLD_NOW | RTLD_LOCAL);
	if (!lib)
		return false;
	malloc_of = (void *(*)(size_t))dlsym(lib, "malloc");
	free_of = (void (*)(void *))dlsym(lib, "free");
	realloc_of = (void *(*)(void *, size_t))dlsym(lib, "realloc");
	return malloc_of && free_of && realloc_of;
}

/* ---- The limits ------------------------------------------------------------------------------------ */

/* The first number of the row | `name` | limit | ... of the document; 0: there is no such row. */
static unsigned long limit_of(const char *name)
{
	char line[512], key[80];
	unsigned long limit = 0;
	FILE *f = fopen("docs/performance.md", "r");

	snprintf(key, sizeof(key), "| `%s` |", name);
	while (f && !limit && fgets(line, sizeof(line), f))
		if (strncmp(line, key, strlen(key)) == 0)
			limit = strtoul(line + strlen(key), NULL, 10);
	if (f)
		fclose(f);
	return limit;
}

static void within(const char *name, unsigned long count)
{
	unsigned long limit = limit_of(name);

	diag("%-32s %4lu instructions, limit %lu", name, count, limit);
	ok(limit != 0, "docs/performance.md has a limit for %s", name);
	ok(count > 0 && count <= limit, "%s: %lu instructions, %lu are allowed", name, count,
	   limit);
}

/* ---- Hits ------------------------------------------------------------------------------------------- */

static void load_hits(void *arg)
{
	const struct face *f = arg;
	size_t size = f->size ? f->size : SMALL;

	for (int i = 0; i < WARM; i++)
		face_free_one(f, face_alloc(f, size));
	step_here();
	for (int i = 0; i < HITS; i++)
		face_free_one(f, face_alloc(f, size));
}

/* Of a hit nothing but the least is asked; all calls of the load are hits. */
static void count_hits(const struct face *f, const char *alloc, const char *free)
{
	struct step_fn fn[2];
	char pair[80];

	watch(f, fn);
	ok(step_run(load_hits, (void *)(uintptr_t)f, fn, 2), "the load is stepped through");
	is(fn[0].calls, HITS, "allocations seen");
	is(fn[1].calls, HITS, "frees seen");
	within(alloc, fn[0].min);
	within(free, fn[1].min);
	snprintf(pair, sizeof(pair), "%s + %s", alloc, free);
	within(pair, fn[0].min + fn[1].min);
}

#define NO_SEQUENCES "this host has no restartable sequences: nothing is counted"

static bool machine_counts(void)
{
	is(kmem_boot("mem=256M"), 0, "%s", kmem_boot_error());
	return port_rseq_cpus != 0;
}

TEST(a_hit_of_a_cache_stays_within_its_limit)
{
	struct face f = {.gfp = GFP_KERNEL};

	if (!machine_counts())
		skip_loudly(NO_SEQUENCES);
	f.cache = kmem_cache_create("counted", SMALL, 0, 0, NULL);
	count_hits(&f, "kmem_cache_alloc", "kmem_cache_free");
}

TEST(a_hit_of_kmalloc_stays_within_its_limit)
{
	struct face f = {.alloc = kmalloc, .free = kfree, .gfp = GFP_KERNEL};

	if (!machine_counts())
		skip_loudly(NO_SEQUENCES);
	count_hits(&f, "kmalloc", "kfree");
}

TEST(a_hit_of_kzalloc_stays_within_its_limit)
{
	struct face f = {.alloc = kzalloc, .free = kfree, .gfp = GFP_KERNEL};

	if (!machine_counts())
		skip_loudly(NO_SEQUENCES);
	count_hits(&f, "kzalloc", "kfree");
}

TEST(a_hit_of_a_kmalloc_of_a_constant_size_stays_within_its_limit)
{
	struct face f = {.alloc = face_kmalloc_size, .free = kfree, .gfp = GFP_KERNEL};

	if (!machine_counts())
		skip_loudly(NO_SEQUENCES);
	count_hits(&f, "kmalloc(64)", "kfree");
}

enum { BULK = 16 };

static void load_bulk(void *arg)
{
	struct kmem_cache *c = arg;
	void *objs[BULK];

	for (int i = 0; i < WARM + HITS; i++) {
		if (i == WARM)
			step_here();
		if (kmem_cache_alloc_bulk(c, GFP_KERNEL, BULK, objs) != BULK)
			_exit(1);
		kmem_cache_free_bulk(c, BULK, objs);
	}
}

TEST(a_hit_of_many_stays_within_its_limit)
{
	struct step_fn fn[] = {{.fn = (const void *)kmem_cache_alloc_bulk},
			       {.fn = (const void *)kmem_cache_free_bulk}};

	if (!machine_counts())
		skip_loudly(NO_SEQUENCES);
	ok(step_run(load_bulk, kmem_cache_create("counted", SMALL, 0, 0, NULL), fn, ARRAY_SIZE(fn)),
	   "the load is stepped through");
	is(fn[0].calls, HITS, "allocations seen");
	is(fn[1].calls, HITS, "frees seen");
	within("kmem_cache_alloc_bulk of 16", fn[0].min);
	within("kmem_cache_free_bulk of 16", fn[1].min);
}

static void load_inlined(void *arg)
{
	struct kmem_cache *c = arg;

	for (int i = 0; i < WARM + HITS; i++) {
		if (i == WARM)
			step_here();
		inlined_cache_free(c, inlined_cache_alloc(c));
		inlined_kfree(inlined_kmalloc());
		inlined_kfree(inlined_kzalloc());
	}
}

TEST(a_hit_inside_of_a_program_stays_within_its_limit)
{
	struct step_fn fn[] = {{.fn = (const void *)inlined_cache_alloc},
			       {.fn = (const void *)inlined_cache_free},
			       {.fn = (const void *)inlined_kmalloc},
			       {.fn = (const void *)inlined_kzalloc},
			       {.fn = (const void *)inlined_kfree}};

	if (!machine_counts())
		skip_loudly(NO_SEQUENCES);
	ok(step_run(load_inlined, kmem_cache_create("counted", SMALL, 0, 0, NULL), fn,
		    ARRAY_SIZE(fn)),
	   "the load is stepped through");
	for (unsigned int i = 0; i < ARRAY_SIZE(fn); i++)
		is(fn[i].calls, fn[i].fn == (const void *)inlined_kfree ? 2 * HITS : HITS,
		   "calls seen");
	within("inlined kmem_cache_alloc", fn[0].min);
	within("inlined kmem_cache_free", fn[1].min);
	within("inlined kmem_cache_alloc + kmem_cache_free", fn[0].min + fn[1].min);
	within("inlined kmalloc(64)", fn[2].min);
	within("inlined kzalloc(64)", fn[3].min);
	within("inlined kfree", fn[4].min);
	within("inlined kmalloc(64) + kfree", fn[2].min + fn[4].min);
	within("inlined kzalloc(64) + kfree", fn[3].min + fn[4].min);
}

TEST(a_hit_of_malloc_stays_within_its_limit)
{
	struct face f = {.alloc = face_malloc, .free = face_free};

	if (!machine_counts())
		skip_loudly(NO_SEQUENCES);
	ok(malloc_open(), "the library for malloc is there: %s", dlerror());
	count_hits(&f, "malloc", "free");
}

TEST(a_hit_of_a_large_malloc_stays_within_its_limit)
{
	struct face f = {.alloc = face_malloc, .free = face_free, .size = LARGE};

	if (!machine_counts())
		skip_loudly(NO_SEQUENCES);
	ok(malloc_open(), "the library for malloc is there: %s", dlerror());
	count_hits(&f, "malloc(64 KiB)", "free(64 KiB)");
}

TEST(a_hit_of_a_large_kmalloc_stays_within_its_limit)
{
	struct face f = {.alloc = kmalloc, .free = kfree, .gfp = GFP_KERNEL, .size = LARGE};

	if (!machine_counts())
		skip_loudly(NO_SEQUENCES);
	count_hits(&f, "kmalloc(64 KiB)", "kfree(64 KiB)");
}

/* Sizes that both have the same place for. */
static void load_resizes(void *arg)
{
	void *p = malloc_of(SMALL), *k = kmalloc(SMALL, GFP_KERNEL);

	(void)arg;
	step_here();
	for (int i = 0; i < HITS; i++) {
		size_t size = SMALL - (size_t)(i % 2) * 20;

		if (realloc_of(p, size) != p || krealloc(k, size, GFP_KERNEL) != k)
			_exit(1);
	}
}

TEST(a_resize_where_the_block_lies_stays_within_its_limit)
{
	struct step_fn fn[2] = {{.fn = NULL}, {.fn = (const void *)krealloc}};

	if (!machine_counts())
		skip_loudly(NO_SEQUENCES);
	ok(malloc_open(), "the library for malloc is there: %s", dlerror());
	fn[0].fn = (const void *)realloc_of;
	ok(step_run(load_resizes, NULL, fn, 2), "the load is stepped through");
	is(fn[0].calls, HITS);
	is(fn[1].calls, HITS);
	within("realloc in place", fn[0].max);
	within("krealloc in place", fn[1].max);
}

TEST(a_hit_of_the_page_allocator_stays_within_its_limit)
{
	struct face f = {.pages = true, .gfp = GFP_KERNEL};

	if (!machine_counts())
		skip_loudly(NO_SEQUENCES);
	count_hits(&f, "alloc_page", "free_page");
}

/* ---- The worst call of a steady load ---------------------------------------------------------------- */

struct steady {
	const struct face *face;
	uint64_t rand;
	void *live[LIVE];
};

static uint64_t steady_rand(struct steady *s)
{
	s->rand ^= s->rand << 13;
	s->rand ^= s->rand >> 7;
	s->rand ^= s->rand << 17;
	return s->rand;
}

/* Sizes of 1 to 2,048 bytes, small ones oftener: uniform in their logarithm. */
static void steady_step(struct steady *s)
{
	uint64_t r = steady_rand(s);
	void **slot = &s->live[r % LIVE];
	size_t top = (size_t)1 << ((r >> 16) % 12);

	if (*slot) {
		face_free_one(s->face, *slot);
		*slot = NULL;
	} else {
		*slot = face_alloc(s->face, top / 2 + 1 + (size_t)(r >> 32) % ((top + 1) / 2));
	}
}

static void load_steady(void *arg)
{
	struct steady *s = arg;

	for (int i = 0; i < STEADY; i++)
		steady_step(s);
	step_here();
	for (int i = 0; i < STEPPED; i++)
		steady_step(s);
}

/* From nothing to a burst and back: sheaves, slabs and pages are all made, filled and given back. */
static void load_burst(void *arg)
{
	struct steady *s = arg;
	static void *burst[BURST];

	step_here();
	for (int i = 0; i < BURST; i++)
		burst[i] = face_alloc(s->face, SMALL);
	for (int i = 0; i < BURST; i++)
		face_free_one(s->face, burst[i]);
}

static void count_worst(const struct face *f, void (*load)(void *), const char *alloc,
			const char *free)
{
	static struct steady s;
	struct step_fn fn[2];

	s = (struct steady){.face = f, .rand = 88172645463325252u};
	watch(f, fn);
	ok(step_run(load, &s, fn, 2), "the load is stepped through");
	diag("%lu allocations, %lu on average; %lu frees, %lu", fn[0].calls,
	     fn[0].calls ? fn[0].total / fn[0].calls : 0, fn[1].calls,
	     fn[1].calls ? fn[1].total / fn[1].calls : 0);
	within(alloc, fn[0].max);
	within(free, fn[1].max);
}

TEST(the_worst_kmalloc_of_a_steady_load_stays_within_its_limit)
{
	struct face f = {.alloc = kmalloc, .free = kfree, .gfp = GFP_ATOMIC};

	if (!machine_counts())
		skip_loudly(NO_SEQUENCES);
	count_worst(&f, load_steady, "worst kmalloc", "worst kfree");
}

TEST(the_worst_malloc_of_a_steady_load_stays_within_its_limit)
{
	struct face f = {.alloc = face_malloc, .free = face_free};

	if (!machine_counts())
		skip_loudly(NO_SEQUENCES);
	ok(malloc_open(), "the library for malloc is there: %s", dlerror());
	count_worst(&f, load_steady, "worst malloc", "worst free");
}

/* ---- Growth ------------------------------------------------------------------------------------------ */

enum { CLASSES = 40, EACH = 60, GROWN = 1000, GROWN_SIZE = 1000 };

/* Caches of many sizes rest, half of their objects free; then the program grows by another size. */
static void load_growth(void *arg)
{
	const struct face *f = arg;
	static void *out[EACH];

	for (size_t size = 16; size <= 16 * CLASSES; size += 16) {
		for (int i = 0; i < EACH; i++)
			out[i] = face_alloc(f, size);
		for (int i = 0; i < EACH; i += 2)
			face_free_one(f, out[i]);
	}
	step_here();
	for (int i = 0; i < GROWN; i++)
		face_alloc(f, GROWN_SIZE);
}

TEST(a_malloc_of_a_program_that_grows_stays_within_its_limit)
{
	struct face f = {.alloc = face_malloc, .free = face_free};
	struct step_fn fn[2];

	if (!machine_counts())
		skip_loudly(NO_SEQUENCES);
	ok(malloc_open(), "the library for malloc is there: %s", dlerror());
	watch(&f, fn);
	ok(step_run(load_growth, &f, fn, 2), "the load is stepped through");
	is(fn[0].calls, GROWN, "allocations seen");
	diag("%lu on average", fn[0].total / fn[0].calls);
	within("growing malloc", fn[0].max);
}

/* ---- Many out, and all back ------------------------------------------------------------------------- */

/* Of 64 bytes in a machine of 64 MiB, FEW rest in the CPU's two sheaves, and of MANY a third goes to the
 * slabs, beyond a barn of two sheaves, and comes from there. */
enum { FEW = 1000, MANY = 3000 };

struct batch {
	const struct face *face;
	int n;
};

static void batch_round(const struct batch *b)
{
	static void *out[MANY];

	for (int i = 0; i < b->n; i++)
		out[i] = face_alloc(b->face, SMALL);
	for (int i = 0; i < b->n; i++)
		face_free_one(b->face, out[i]);
}

static void load_batch(void *arg)
{
	batch_round(arg);
	batch_round(arg);
	step_here();
	batch_round(arg);
}

/* Of all calls, hits and misses, the mean, rounded up. Nothing decays: that goes by the clock. */
static void count_batch(int n, const char *alloc, const char *free)
{
	struct face f = {.gfp = GFP_KERNEL};
	struct batch b = {&f, n};
	struct step_fn fn[2];
	unsigned long nr = (unsigned long)n;

	is(kmem_boot("mem=64M decay_ms=0"), 0, "%s", kmem_boot_error());
	if (!port_rseq_cpus)
		skip_loudly(NO_SEQUENCES);
	f.cache = kmem_cache_create("counted", SMALL, 0, 0, NULL);
	watch(&f, fn);
	ok(step_run(load_batch, &b, fn, 2), "the load is stepped through");
	is(fn[0].calls, nr, "allocations seen");
	is(fn[1].calls, nr, "frees seen");
	diag("the longest: %lu and %lu instructions", fn[0].max, fn[1].max);
	within(alloc, (fn[0].total + nr - 1) / nr);
	within(free, (fn[1].total + nr - 1) / nr);
}

TEST(a_thousand_objects_out_and_back_cost_little_more_than_hits)
{
	count_batch(FEW, "1,000 allocations", "1,000 frees");
}

TEST(objects_that_go_to_slabs_and_come_from_there_stay_within_their_limit)
{
	count_batch(MANY, "3,000 allocations", "3,000 frees");
}

/* ---- Decay ------------------------------------------------------------------------------------------- */

enum { IDLE = 1, RESTING = 1100, PAGES = 100, DECAYING = 60 };

struct decay {
	const struct face *face;
	struct kmem_cache *idle[IDLE];
};

static void out_and_back(const struct face *f, int n)
{
	static void *out[RESTING];

	for (int i = 0; i < n; i++)
		out[i] = face_alloc(f, SMALL);
	for (int i = 0; i < n; i++)
		face_free_one(f, out[i]);
}

static bool all_given_back(const struct decay *d)
{
	for (int i = 0; i < IDLE; i++)
		if (d->idle[i]->nr_slabs)
			return false;
	return true;
}

/* Caches rest that nobody uses any more, and the lists are full of pages. Another is used until all of
 * that is given back, and that is no more than a part at a time. */
static void load_decay(void *arg)
{
	const struct decay *d = arg;
	struct face pages = {.pages = true, .gfp = GFP_KERNEL};

	for (int i = 0; i < IDLE; i++) {
		struct face f = {.cache = d->idle[i], .gfp = GFP_KERNEL};

		out_and_back(&f, RESTING);
	}
	out_and_back(&pages, PAGES);
	step_here();
	while (!all_given_back(d))
		out_and_back(d->face, DECAYING);
}

TEST(a_call_that_memory_decays_in_stays_within_its_limit)
{
	struct face f = {.gfp = GFP_KERNEL};
	struct decay d = {.face = &f};
	struct step_fn fn[2];

	is(kmem_boot("mem=1G decay_ms=20"), 0, "%s", kmem_boot_error());
	if (!port_rseq_cpus)
		skip_loudly(NO_SEQUENCES);
	f.cache = kmem_cache_create("used", 4096, 0, 0, NULL);
	d.idle[0] = kmem_cache_create("idle", SMALL, 0, SLAB_NO_MERGE, NULL);
	watch(&f, fn);
	ok(step_run(load_decay, &d, fn, 2), "the load is stepped through");
	diag("%lu frees; the longest allocation: %lu instructions", fn[1].calls, fn[0].max);
	within("free with decay", fn[1].max);
}

TEST(the_worst_kmalloc_of_a_burst_stays_within_its_limit)
{
	struct face f = {.alloc = kmalloc, .free = kfree, .gfp = GFP_ATOMIC};

	if (!machine_counts())
		skip_loudly(NO_SEQUENCES);
	count_worst(&f, load_burst, "burst kmalloc", "burst kfree");
}
