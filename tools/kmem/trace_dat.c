/* SPDX-License-Identifier: MIT */
/*
 * trace.dat, the binary recording of trace-cmd, through libtracecmd and libtraceevent. Built only
 * where both are found (rules.mk); trace_nodat.c stands in otherwise.
 *
 * The file carries the layout of each event of the kernel that was recorded, so fields are found by
 * name. Each is checked against the record's size before it is read. GFP words are the recorded
 * kernel's own bits: each distinct word is turned into names by the file's format and back into a
 * word by this library's table, once.
 */
#include "cmd.h"
#include "trace.h"

#include <stdlib.h>
#include <string.h>

#include <kmem/gfp.h>

#include <event-parse.h>
#include <trace-seq.h>

/*
 * The part of trace-cmd.h used here. Including that header would need the headers of a third
 * library, libtracefs, of which nothing else is used; these have been the same since 1.0.
 */
struct tracecmd_input;
struct tracecmd_input *tracecmd_open(const char *file, int flags);
void tracecmd_close(struct tracecmd_input *handle);
struct tep_handle *tracecmd_get_tep(struct tracecmd_input *handle);
int tracecmd_buffer_instances(struct tracecmd_input *handle);
struct tracecmd_input *tracecmd_buffer_instance_handle(struct tracecmd_input *handle, int indx);
int tracecmd_iterate_events_multi(struct tracecmd_input **handles, int nr_handles,
				  int (*callback)(struct tracecmd_input *handle,
						  struct tep_record *, int, void *),
				  void *callback_data);
void tracecmd_set_loglevel(enum tep_loglevel level);
enum { NO_PLUGINS = 1 | 2 }; /* TRACECMD_FL_LOAD_NO_PLUGINS, .._NO_SYSTEM_PLUGINS */

const bool trace_dat_supported = true;

enum { MAX_EVENT_ID = 65536, MAX_BUFFERS = 64, MAX_GFP = 1024, FLAG_NMI = 0x40 };

/* Where the fields of one kind of event lie. */
struct event_layout {
	struct tep_event *event;
	enum trace_kind kind;
	struct tep_format_field *addr, *req, *alloc, *gfp, *name, *order;
};

struct dat {
	struct trace *t;
	struct tep_handle *tep;
	struct event_layout layout[TRACE_NR_KINDS * 2]; /* with the _node names of older kernels */
	int nr_layouts;
	signed char by_id[MAX_EVENT_ID]; /* 0: not seen yet, -1: not ours, else layout + 1 */
	struct {
		uint64_t raw;
		uint32_t gfp;
		bool unknown;
	} gfp[MAX_GFP];
	int nr_gfp;
};

static void find_fields(struct event_layout *l, struct tep_event *event)
{
	bool page = l->kind >= TRACE_PAGE_ALLOC;

	l->event = event;
	l->addr = tep_find_field(event, page ? "pfn" : "ptr");
	l->req = tep_find_field(event, "bytes_req");
	l->alloc = tep_find_field(event, "bytes_alloc");
	l->gfp = tep_find_field(event, "gfp_flags");
	l->name = tep_find_field(event, "name");
	l->order = tep_find_field(event, "order");
}

static struct event_layout *layout_of(struct dat *d, struct tep_record *rec)
{
	int id = tep_data_type(d->tep, rec);
	struct tep_event *event;
	enum trace_kind kind;

	if (id < 0 || id >= MAX_EVENT_ID || d->by_id[id] < 0)
		return NULL;
	if (d->by_id[id] > 0)
		return &d->layout[d->by_id[id] - 1];
	d->by_id[id] = -1;
	event = tep_find_event(d->tep, id);
	if (!event || !event->system || !event->name || strcmp(event->system, "kmem") != 0)
		return NULL;
	kind = trace_kind_of(event->name, strlen(event->name));
	if (kind == TRACE_NR_KINDS || d->nr_layouts == TRACE_NR_KINDS * 2)
		return NULL;
	d->layout[d->nr_layouts].kind = kind;
	find_fields(&d->layout[d->nr_layouts], event);
	d->by_id[id] = (signed char)++d->nr_layouts;
	return &d->layout[d->nr_layouts - 1];
}

static bool read_field(const struct tep_format_field *f, const struct tep_record *rec, uint64_t *v)
{
	unsigned long long n = 0;

	if (!f || f->offset < 0 || f->size <= 0 || f->offset > rec->size - f->size ||
	    tep_read_number_field((struct tep_format_field *)f, rec->data, &n) != 0)
		return false;
	*v = n;
	return true;
}

static bool read_field32(const struct tep_format_field *f, const struct tep_record *rec,
			 uint32_t max, uint32_t *v)
{
	uint64_t n;

	if (!read_field(f, rec, &n) || n > max)
		return false;
	*v = (uint32_t)n;
	return true;
}

/* __data_loc: offset in the low half, length with the terminator in the high half. */
static uint16_t read_name(struct dat *d, const struct event_layout *l, const struct tep_record *rec)
{
	uint32_t loc, offset, len;
	const char *s;

	if (!l->name || !(l->name->flags & TEP_FIELD_IS_DYNAMIC) || l->name->size != 4 ||
	    l->name->offset < 0 || l->name->offset > rec->size - 4)
		return TRACE_NO_CACHE;
	loc = (uint32_t)tep_read_number(d->tep, (char *)rec->data + l->name->offset, 4);
	offset = loc & 0xffff;
	len = loc >> 16;
	if (l->name->flags & TEP_FIELD_IS_RELATIVE)
		offset += (uint32_t)(l->name->offset + l->name->size);
	if (offset + len > (uint32_t)rec->size || len == 0)
		return TRACE_NO_CACHE;
	s = (const char *)rec->data + offset;
	return trace_cache(d->t, s, strnlen(s, len));
}

/* The word in this library's bits, through the names that the file's own format gives it. */
static uint32_t translate_gfp(struct dat *d, struct tep_record *rec, uint64_t raw, bool *unknown)
{
	uint64_t before = d->t->gfp_unknown;
	uint32_t gfp = (uint32_t)raw;
	struct trace_seq s;
	const char *p;

	trace_seq_init(&s);
	tep_print_event(d->tep, &s, rec, "%s", TEP_PRINT_INFO);
	trace_seq_terminate(&s);
	p = s.buffer ? strstr(s.buffer, "gfp_flags=") : NULL;
	if (p) {
		p += strlen("gfp_flags=");
		gfp = trace_gfp(d->t, p, strcspn(p, " \n"));
	}
	trace_seq_destroy(&s);
	*unknown = d->t->gfp_unknown != before;
	d->t->gfp_unknown = before;
	return gfp;
}

static bool read_gfp(struct dat *d, const struct event_layout *l, struct tep_record *rec,
		     uint32_t *gfp)
{
	uint64_t raw;
	int i = 0;

	if (!read_field(l->gfp, rec, &raw))
		return false;
	while (i < d->nr_gfp && d->gfp[i].raw != raw)
		i++;
	if (i == MAX_GFP)
		return false;
	if (i == d->nr_gfp) {
		d->gfp[i].raw = raw;
		d->gfp[i].gfp = translate_gfp(d, rec, raw, &d->gfp[i].unknown);
		d->nr_gfp++;
	}
	*gfp = d->gfp[i].gfp;
	d->t->gfp_unknown += d->gfp[i].unknown;
	return true;
}

static bool read_event(struct dat *d, const struct event_layout *l, struct tep_record *rec,
		       struct trace_event *ev)
{
	uint32_t order = 0;

	if (!read_field(l->addr, rec, &ev->addr))
		return false;
	switch (l->kind) {
	case TRACE_KMALLOC:
	case TRACE_CACHE_ALLOC:
		if (!read_field32(l->req, rec, UINT32_MAX, &ev->req) ||
		    !read_field32(l->alloc, rec, UINT32_MAX, &ev->alloc) ||
		    !read_gfp(d, l, rec, &ev->gfp))
			return false;
		if (l->kind == TRACE_KMALLOC)
			return true;
		ev->cache = read_name(d, l, rec);
		return ev->cache != TRACE_NO_CACHE;
	case TRACE_CACHE_FREE:
		ev->cache = read_name(d, l, rec);
		return true;
	case TRACE_PAGE_ALLOC:
	case TRACE_PAGE_FREE:
		if (!read_field32(l->order, rec, MAX_PAGE_ORDER, &order))
			return false;
		ev->order = (uint8_t)order;
		if (ev->addr == UINT64_MAX)
			ev->addr = 0; /* pfn -1: the allocation failed */
		return l->kind == TRACE_PAGE_FREE || read_gfp(d, l, rec, &ev->gfp);
	default:
		return true;
	}
}

static uint8_t context_of(struct dat *d, struct tep_record *rec)
{
	int flags = tep_data_flags(d->tep, rec), preempt = tep_data_preempt_count(d->tep, rec);
	int ctx = 0;

	if (flags & TRACE_FLAG_HARDIRQ)
		ctx |= TRACE_HARDIRQ;
	else if (flags & TRACE_FLAG_SOFTIRQ)
		ctx |= TRACE_SOFTIRQ;
	if (flags & FLAG_NMI)
		ctx = TRACE_NMI;
	if (flags & TRACE_FLAG_IRQS_OFF)
		ctx |= TRACE_IRQS_OFF;
	if (preempt & 0xf)
		ctx |= TRACE_NO_PREEMPT;
	return (uint8_t)ctx;
}

/* The third argument numbers CPUs across buffers; the record knows its own. */
static int on_record(struct tracecmd_input *handle, struct tep_record *rec, int nr, void *arg)
{
	struct dat *d = arg;
	struct trace_event ev = {.cache = TRACE_NO_CACHE};
	struct event_layout *l;

	(void)handle;
	(void)nr;
	if (rec->missed_events > 0)
		d->t->lost += (uint64_t)rec->missed_events;
	l = layout_of(d, rec);
	if (!l) {
		d->t->other++;
		return 0;
	}
	ev.kind = (uint8_t)l->kind;
	ev.cpu = (uint16_t)(rec->cpu >= 0 && rec->cpu < TRACE_MAX_CPUS ? rec->cpu : 0);
	ev.ctx = context_of(d, rec);
	if (read_event(d, l, rec, &ev)) {
		trace_add(d->t, &ev, rec->ts);
	} else {
		char what[96];

		snprintf(what, sizeof(what), "%s of %d bytes at %llu ns", trace_kind_name[l->kind],
			 rec->size, rec->ts);
		trace_add_bad(d->t, what);
	}
	return 0;
}

const char *trace_read_dat(struct trace *t, const char *path)
{
	struct tracecmd_input *in, *handle[MAX_BUFFERS];
	struct dat *d = cmd_grow(NULL, 1, sizeof(*d));
	int n = 1, instances;

	memset(d, 0, sizeof(*d));
	tracecmd_set_loglevel(TEP_LOG_NONE);
	tep_set_loglevel(TEP_LOG_NONE);
	in = tracecmd_open(path, NO_PLUGINS);
	if (!in)
		return "broken trace.dat: its header or its sections are damaged or cut off";
	d->t = t;
	d->tep = tracecmd_get_tep(in);
	handle[0] = in;
	instances = tracecmd_buffer_instances(in);
	for (int i = 0; i < instances && n < MAX_BUFFERS; i++) {
		handle[n] = tracecmd_buffer_instance_handle(in, i);
		if (!handle[n])
			return "broken trace.dat: the data of a buffer is damaged or cut off";
		n++;
	}
	if (tracecmd_iterate_events_multi(handle, n, on_record, d) != 0)
		return "broken trace.dat: its events cannot be read";
	snprintf(t->format, sizeof(t->format), "trace.dat");
	/* The child ends here; what the library holds goes with it. */
	return NULL;
}
