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
	default: /* not an event of this version: no text, and the buffer says so */
		n = fmt_snprintf(buf, len, "%s", "");
	}
	assert_debug(n >= 0);
	return (size_t)n;
}
