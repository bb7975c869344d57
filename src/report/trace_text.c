/* SPDX-License-Identifier: MIT */
/*
 * One event as one line, in the words of the kernel's trace files (semantics 10.7). It stands on this
 * floor because the names of the flags do not belong to the floor of the ring.
 */
#include "report/report.h"
#include <kmem/trace.h>

enum { SITE_MAX = 128, GFP_MAX = 512 };

/* node -1: the request preferred none, as there is only one. */
static int text_alloc(const struct kmem_trace_event *ev, const char *site, const char *gfp,
		      char *buf, size_t len)
{
	const void *p = (const void *)(uintptr_t)ev->ptr;
	bool named = ev->kind == KMEM_TRACE_CACHE_ALLOC;

	return fmt_snprintf(buf, len,
			    "%s: call_site=%s ptr=%p%s%s bytes_req=%llu bytes_alloc=%llu "
			    "gfp_flags=%s node=%d accounted=%s",
			    named ? "kmem_cache_alloc" : "kmalloc", site, p, named ? " name=" : "",
			    named ? ev->name : "", (unsigned long long)ev->bytes_req,
			    (unsigned long long)ev->bytes_alloc, gfp, -1,
			    ev->accounted ? "true" : "false");
}

static int text_free(const struct kmem_trace_event *ev, const char *site, char *buf, size_t len)
{
	const void *p = (const void *)(uintptr_t)ev->ptr;

	if (ev->kind == KMEM_TRACE_KFREE)
		return fmt_snprintf(buf, len, "kfree: call_site=%s ptr=%p", site, p);
	return fmt_snprintf(buf, len, "kmem_cache_free: call_site=%s ptr=%p name=%s", site, p,
			    ev->name);
}

static int text_page(const struct kmem_trace_event *ev, const char *gfp, char *buf, size_t len)
{
	const void *page = (const void *)(uintptr_t)ev->ptr;
	unsigned long long pfn = ev->pfn;

	if (ev->kind == KMEM_TRACE_PAGE_FREE)
		return fmt_snprintf(buf, len, "mm_page_free: page=%p pfn=0x%llx order=%d", page,
				    pfn, ev->order);
	return fmt_snprintf(
		buf, len, "mm_page_alloc: page=%p pfn=0x%llx order=%d migratetype=%d gfp_flags=%s",
		page, pfn, ev->order, ev->migratetype, gfp);
}

/* ---- Reclaim -------------------------------------------------------------------------------------- */

static int text_kswapd(const struct kmem_trace_event *ev, const char *gfp, char *buf, size_t len)
{
	if (ev->kind == KMEM_TRACE_KSWAPD_SLEEP)
		return fmt_snprintf(buf, len, "mm_vmscan_kswapd_sleep: nid=%d", 0);
	if (ev->kind == KMEM_TRACE_KSWAPD_WAKE)
		return fmt_snprintf(buf, len, "mm_vmscan_kswapd_wake: nid=%d order=%d", 0,
				    ev->order);
	return fmt_snprintf(buf, len, "mm_vmscan_wakeup_kswapd: nid=%d order=%d gfp_flags=%s", 0,
			    ev->order, gfp);
}

static int text_direct(const struct kmem_trace_event *ev, const char *gfp, char *buf, size_t len)
{
	if (ev->kind == KMEM_TRACE_DIRECT_END)
		return fmt_snprintf(buf, len, "mm_vmscan_direct_reclaim_end: nr_reclaimed=%lld",
				    (long long)ev->count[0]);
	return fmt_snprintf(buf, len, "mm_vmscan_direct_reclaim_begin: order=%d gfp_flags=%s",
			    ev->order, gfp);
}

static int text_shrink(const struct kmem_trace_event *ev, const char *site, const char *gfp,
		       char *buf, size_t len)
{
	const void *p = (const void *)(uintptr_t)ev->ptr;
	long long n[TRACE_COUNTS];

	for (unsigned int i = 0; i < TRACE_COUNTS; i++)
		n[i] = ev->count[i];
	if (ev->kind == KMEM_TRACE_SHRINK_END)
		return fmt_snprintf(buf, len,
				    "mm_shrink_slab_end: %s %p: nid: %d unused scan count %lld new "
				    "scan count %lld total_scan %lld last shrinker return val %lld",
				    site, p, 0, n[0], n[1], n[2], n[3]);
	return fmt_snprintf(buf, len,
			    "mm_shrink_slab_start: %s %p: nid: %d objects to shrink %lld gfp_flags "
			    "%s cache items %lld delta %lld total_scan %lld priority %d",
			    site, p, 0, n[0], gfp, n[1], n[2], n[3], ev->order);
}

static int text_oom(const struct kmem_trace_event *ev, char *buf, size_t len)
{
	const char *zone = kmem_zone_name((unsigned int)ev->zone);

	if (ev->kind == KMEM_TRACE_MARK_VICTIM)
		return fmt_snprintf(buf, len, "mark_victim: pid=%lld", (long long)ev->count[0]);
	return fmt_snprintf(buf, len,
			    "reclaim_retry_zone: node=%d zone=%-8s order=%d reclaimable=%lld "
			    "available=%lld min_wmark=%lld no_progress_loops=%lld wmark_check=%d",
			    0, zone, ev->order, (long long)ev->count[0], (long long)ev->count[1],
			    (long long)ev->count[2], (long long)ev->count[3], ev->wmark_ok);
}

size_t kmem_trace_text(const struct kmem_trace_event *ev, char *buf, size_t len)
{
	char site[SITE_MAX], gfp[GFP_MAX];
	int n;

	port_symbol((const void *)(uintptr_t)ev->call_site, site, sizeof(site));
	kmem_gfp_text(__KMEM_GFP(ev->gfp), gfp, sizeof(gfp));
	switch (ev->kind) {
	case KMEM_TRACE_KMALLOC:
	case KMEM_TRACE_CACHE_ALLOC:
		n = text_alloc(ev, site, gfp, buf, len);
		break;
	case KMEM_TRACE_KFREE:
	case KMEM_TRACE_CACHE_FREE:
		n = text_free(ev, site, buf, len);
		break;
	case KMEM_TRACE_PAGE_ALLOC:
	case KMEM_TRACE_PAGE_FREE:
		n = text_page(ev, gfp, buf, len);
		break;
	case KMEM_TRACE_WAKEUP_KSWAPD:
	case KMEM_TRACE_KSWAPD_WAKE:
	case KMEM_TRACE_KSWAPD_SLEEP:
		n = text_kswapd(ev, gfp, buf, len);
		break;
	case KMEM_TRACE_DIRECT_BEGIN:
	case KMEM_TRACE_DIRECT_END:
		n = text_direct(ev, gfp, buf, len);
		break;
	case KMEM_TRACE_SHRINK_START:
	case KMEM_TRACE_SHRINK_END:
		n = text_shrink(ev, site, gfp, buf, len);
		break;
	case KMEM_TRACE_RETRY_ZONE:
	case KMEM_TRACE_MARK_VICTIM:
		n = text_oom(ev, buf, len);
		break;
	default: /* not an event of this version: no text, and the buffer says so */
		n = fmt_snprintf(buf, len, "%s", "");
	}
	assert_debug(n >= 0);
	return (size_t)n;
}
