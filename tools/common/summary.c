/* SPDX-License-Identifier: MIT */
/*
 * One text for all who show a machine: `kmem run --stat`, `kmem stat`, `kmem replay`, and the malloc
 * library at a program's exit.
 *
 *	zone        used of managed                                                  min low high
 *	  DMA32     [##########..............................HLm]   1.2 MiB of 15.0 MiB   ...
 *
 * A bar is the zone's managed memory: '#' used, '.' free. What is free shrinks from the left, so the
 * watermarks stand at its right end: 'h' where reclaim stops, 'l' where kswapd wakes, 'm' where
 * ordinary requests must reclaim; a capital letter says that the mark has been crossed. Marks that
 * fall on one column show the most urgent.
 *
 * Public headers only; a snapshot of another process may be torn or hostile, so names are printed by
 * length, divisions looked after, and no index comes out of it unchecked.
 */
#include "summary.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { BAR = 40, TOP = 10 };

struct text {
	char *buf;
	size_t len, used; /* used counts on past the end */
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *fmt, ...)
{
	size_t room = t->used < t->len ? t->len - t->used : 0;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room != 0 ? t->buf + t->used : NULL, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->used += (size_t)n;
}

char *kmem_summary_size(uint64_t bytes, char *buf)
{
	static const char unit[] = "KMGTPE";
	uint64_t tenths;
	unsigned int u = 0;

	if (bytes < 1024) {
		snprintf(buf, 16, "%u B", (unsigned int)bytes);
		return buf;
	}
	while (bytes >= 1024 * 1024 && u < 5) {
		bytes >>= 10;
		u++;
	}
	tenths = (bytes * 10 + 512) / 1024;
	snprintf(buf, 16, "%u.%u %ciB", (unsigned int)(tenths / 10), (unsigned int)(tenths % 10),
		 unit[u]);
	return buf;
}

/* part/whole of n, rounded down; whole 0 gives 0. */
static unsigned int scale(uint64_t part, uint64_t whole, unsigned int n)
{
	if (whole == 0)
		return 0;
	if (part >= whole)
		return n;
	/* Keep the product inside 64 bits: 2^57 pages are more than there are. */
	while (part > UINT64_MAX / 128) {
		part >>= 8;
		whole >>= 8;
	}
	return (unsigned int)(part * n / whole);
}

static void bar_mark(char *bar, const struct kmem_stat_zone *z, uint64_t mark, char c)
{
	uint64_t at = mark < z->managed ? z->managed - mark : 0;
	unsigned int col = scale(at, z->managed, BAR);

	if (mark == 0)
		return;
	if (z->free <= mark)
		c = (char)(c - 'a' + 'A');
	bar[col < BAR ? col : BAR - 1] = c;
}

/* bar has BAR + 1 bytes. */
static void bar_draw(char *bar, const struct kmem_stat_zone *z)
{
	uint64_t used = z->free < z->managed ? z->managed - z->free : 0;
	unsigned int full = scale(used, z->managed, BAR);

	if (used != 0 && full == 0)
		full = 1;
	memset(bar, '#', full);
	memset(bar + full, '.', BAR - full);
	bar[BAR] = '\0';
	bar_mark(bar, z, z->high, 'h');
	bar_mark(bar, z, z->low, 'l');
	bar_mark(bar, z, z->min, 'm');
}

static void put_zone(struct text *t, const struct kmem_stat_zone *z, uint64_t page)
{
	char bar[BAR + 1], used[16], managed[16], min[16], low[16], high[16];

	bar_draw(bar, z);
	kmem_summary_size((z->free < z->managed ? z->managed - z->free : 0) * page, used);
	kmem_summary_size(z->managed * page, managed);
	kmem_summary_size(z->min * page, min);
	kmem_summary_size(z->low * page, low);
	kmem_summary_size(z->high * page, high);
	put(t, "  %-8.16s [%s] %10s of %10s  %9s %9s %9s\n", z->name, bar, used, managed, min, low,
	    high);
}

static void put_zones(struct text *t, const struct kmem_stat *st)
{
	put(t, "zones    %-*s %24s  %9s %9s %9s\n", BAR + 4, "", "used of managed", "min", "low",
	    "high");
	for (unsigned int i = 0; i < KMEM_NR_ZONES; i++) {
		if (st->zone[i].populated)
			put_zone(t, &st->zone[i], st->page_size);
	}
}

static uint64_t cache_bytes(const struct kmem_stat *st, const struct kmem_stat_cache *c)
{
	return c->nr_slabs * c->pages_per_slab * st->page_size;
}

/* The n busiest caches, most memory first; returns how many there are. */
static unsigned int caches_top(const struct kmem_stat *st, unsigned int *top, unsigned int n)
{
	unsigned int max = st->max_caches < KMEM_MAX_CACHES ? st->max_caches : KMEM_MAX_CACHES;
	unsigned int have = 0;

	for (unsigned int i = 0; i < max; i++) {
		uint64_t bytes = cache_bytes(st, &st->cache[i]);
		unsigned int at = have;

		if (st->cache[i].name[0] == '\0' || bytes == 0)
			continue;
		while (at > 0 && cache_bytes(st, &st->cache[top[at - 1]]) < bytes)
			at--;
		if (at == n)
			continue;
		if (have < n)
			have++;
		memmove(&top[at + 1], &top[at], (have - 1 - at) * sizeof(*top));
		top[at] = i;
	}
	return have;
}

static void put_caches(struct text *t, const struct kmem_stat *st)
{
	unsigned int top[TOP], n = caches_top(st, top, TOP);
	char memory[16];

	if (n == 0)
		return;
	put(t, "%-24s %10s %10s %10s %8s %8s %10s\n", "caches", "taken", "resting", "objects",
	    "size", "slabs", "memory");
	for (unsigned int i = 0; i < n; i++) {
		const struct kmem_stat_cache *c = &st->cache[top[i]];
		uint64_t idle = c->free_objs + c->cached_objs;

		put(t, "  %-22.*s %10llu %10llu %10llu %8u %8llu %10s\n", KMEM_NAME_MAX, c->name,
		    (unsigned long long)(c->nr_objs > idle ? c->nr_objs - idle : 0),
		    (unsigned long long)idle, (unsigned long long)c->nr_objs, c->size,
		    (unsigned long long)c->nr_slabs, kmem_summary_size(cache_bytes(st, c), memory));
	}
}

/* Only what happened. */
static void put_events(struct text *t, const struct kmem_stat *st)
{
	static const char *const name[] = {
#define X(ev) #ev,
		KMEM_EVENTS(X)
#undef X
	};
	unsigned int column = 0;

	for (unsigned int i = 0; i < KMEM_NR_EVENTS; i++) {
		uint64_t n = kmem_stat_events(st, (enum kmem_event)i);

		if (n == 0)
			continue;
		if (column == 0)
			put(t, "events  ");
		else if (column % 4 == 0)
			put(t, "\n        ");
		put(t, " %s %llu", name[i], (unsigned long long)n);
		column++;
	}
	if (column != 0)
		put(t, "\n");
	if (st->misuses != 0)
		put(t, "misuse   %llu wrong calls were reported\n",
		    (unsigned long long)st->misuses);
}

size_t kmem_summary(const struct kmem_stat *st, char *buf, size_t len)
{
	struct text t = {.buf = buf, .len = len};

	if (st->magic != KMEM_STAT_MAGIC || st->version != KMEM_STAT_VERSION) {
		put(&t, "not the statistics of a machine of this version\n");
		return t.used;
	}
	put(&t, "machine  pid %u, %u CPUs, %llu pages of %u bytes", st->pid, st->nr_cpus,
	    (unsigned long long)st->total_pages, st->page_size);
	if (st->cmdline[0] != '\0')
		put(&t, ", \"%.*s\"", (int)sizeof(st->cmdline), st->cmdline);
	put(&t, "\n");
	put_zones(&t, st);
	put_caches(&t, st);
	put_events(&t, st);
	return t.used;
}
