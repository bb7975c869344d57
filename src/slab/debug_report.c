/* SPDX-License-Identifier: MIT */
/* The report frame of a debugging cache, in the kernel's form (semantics 10.8). */
#include "slab/slab.h"

enum { FRAME_WIDTH = 77, DUMP_ROW = 16, DUMP_MAX = 256 };

static void rule(char ch)
{
	char line[FRAME_WIDTH + 1];

	__builtin_memset(line, ch, FRAME_WIDTH);
	line[FRAME_WIDTH] = '\0';
	report(KMEM_LOG_ERR, "%s", line);
}

static void dump_row(const char *title, const unsigned char *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char hex[3 * DUMP_ROW + 1], text[DUMP_ROW + 1];

	__builtin_memset(hex, ' ', sizeof(hex) - 1);
	for (size_t i = 0; i < n; i++) {
		hex[3 * i] = digits[p[i] >> 4];
		hex[3 * i + 1] = digits[p[i] & 15];
		text[i] = p[i] >= ' ' && p[i] < 127 ? (char)p[i] : '.';
	}
	hex[sizeof(hex) - 1] = '\0';
	text[n] = '\0';
	report(KMEM_LOG_ERR, "%s%p: %s %s", title, (const void *)p, hex, text);
}

static void dump(const char *title, const unsigned char *p, size_t n)
{
	n = size_min(n, DUMP_MAX);
	for (size_t i = 0; i < n; i += DUMP_ROW)
		dump_row(title, p + i, size_min(DUMP_ROW, n - i));
}

static void report_track(const char *verb, const struct track *t)
{
	char name[96];
	u64 age = div_u64(port_now_ns(), 1000000);

	if (!t->site)
		return;
	port_symbol((const void *)(uintptr_t)t->site, name, sizeof(name));
	report(KMEM_LOG_ERR, "%s in %s age=%llu cpu=%u pid=%u", verb, name,
	       (unsigned long long)(age - t->when_ms), t->cpu, t->pid);
}

static void report_tracks(struct kmem_cache *c, void *obj)
{
	if (!c->track_off)
		return;
	report_track("Allocated", debug_track(c, obj, false));
	report_track("Freed", debug_track(c, obj, true));
}

static void report_bug(const struct kmem_cache *c, const char *reason)
{
	rule('=');
	report(KMEM_LOG_ERR, "BUG %s (Not tainted): %s", c->name, reason);
	rule('-');
	report(KMEM_LOG_ERR, "%s", "");
}

static void report_slab(const struct kmem_cache *c, const struct page *head)
{
	report(KMEM_LOG_ERR, "Slab %p objects=%u used=%u fp=%p flags=0x%x", (const void *)head,
	       head->u.slab.objects, head->u.slab.inuse, debug_first_free(c, head), head->flags);
}

void debug_report_slab(struct kmem_cache *c, struct page *head, const char *reason)
{
	report_bug(c, reason);
	report_slab(c, head);
	report_stack(KMEM_LOG_ERR);
}

void debug_report(struct kmem_cache *c, struct page *head, void *obj, const char *reason)
{
	unsigned char *p = obj, *base = slab_base(head);
	size_t tail = c->track_off ? c->track_off + 2 * sizeof(struct track) : debug_info_start(c);

	report_bug(c, reason);
	report_tracks(c, obj);
	report_slab(c, head);
	report(KMEM_LOG_ERR, "Object %p @offset=%zu fp=%p", obj, (size_t)(p - base),
	       debug_link(c, obj));
	report(KMEM_LOG_ERR, "%s", "");
	if (c->flags & SLAB_RED_ZONE)
		dump("Redzone  ", p - c->left_pad, c->left_pad);
	else if (p > base)
		dump("Bytes b4 ", p - size_min((size_t)(p - base), DUMP_ROW),
		     size_min((size_t)(p - base), DUMP_ROW));
	dump("Object   ", p, c->object_size);
	if (c->flags & SLAB_RED_ZONE)
		dump("Redzone  ", p + c->object_size, c->inuse_end - c->object_size);
	if (tail + c->left_pad < c->size)
		dump("Padding  ", p + tail, c->size - c->left_pad - tail);
	report_stack(KMEM_LOG_ERR);
}

void debug_report_live(struct kmem_cache *c, struct page *head, void *obj)
{
	report(KMEM_LOG_ERR, "Object %p @offset=%zu", obj,
	       (size_t)((unsigned char *)obj - slab_base(head)));
	report_tracks(c, obj);
}
