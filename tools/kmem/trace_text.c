/* SPDX-License-Identifier: MIT */
/*
 * Recordings as text: trace-cmd report (with and without -l), perf script, and the raw trace file
 * of tracefs. All of them print a head and then what the kernel's own format prints:
 *
 *	kmemrec:  rm-29041   1d.s1.  2624.791944: kmalloc:  (f+0x3b) call_site=... ptr=0x...	trace-cmd -l
 *	          rm-29041 [001]     2624.791944: kmalloc:  (f+0x3b) call_site=... ptr=0x...	trace-cmd
 *	          rm-29041 [001] d.s1. 2624.791944: kmalloc: call_site=... ptr=00000000...	tracefs
 *	rm 29041 [001]  2624.791944: kmem:kmalloc: call_site=... ptr=0x...			perf
 *
 * So the event's name is the first known word before a colon; what stands before it is read from
 * its end backwards (time, flags, CPU), since command names may hold anything; what stands behind
 * it is found by key.
 */
#include "cmd.h"
#include "trace.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kmem/config.h>

struct span {
	const char *p;
	size_t len;
};

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || c == '_';
}

/* The event of the line; head_len is how much stands before its name, body what stands behind. */
static enum trace_kind find_event(const char *line, size_t *head_len, const char **body)
{
	for (const char *colon = strchr(line, ':'); colon; colon = strchr(colon + 1, ':')) {
		const char *start = colon;
		enum trace_kind kind;

		while (start > line && is_word(start[-1]))
			start--;
		kind = trace_kind_of(start, (size_t)(colon - start));
		if (kind == TRACE_NR_KINDS)
			continue;
		if (start - line >= 5 && !memcmp(start - 5, "kmem:", 5))
			start -= 5;
		*head_len = (size_t)(start - line);
		*body = colon + 1;
		return kind;
	}
	return TRACE_NR_KINDS;
}

/* ---- The head ------------------------------------------------------------------------------ */

/* Takes the last word off the head. */
static struct span last_word(const char *line, size_t *len)
{
	struct span w;

	while (*len && isspace((unsigned char)line[*len - 1]))
		(*len)--;
	w.len = 0;
	while (*len && !isspace((unsigned char)line[*len - 1])) {
		(*len)--;
		w.len++;
	}
	w.p = line + *len;
	return w;
}

/* "2624.791944:" as nanoseconds. */
static bool parse_time(struct span w, uint64_t *ns)
{
	uint64_t value = 0;
	int digits = -1; /* behind the point */

	if (w.len && w.p[w.len - 1] == ':')
		w.len--;
	for (size_t i = 0; i < w.len; i++) {
		if (w.p[i] == '.' && digits < 0) {
			digits = 0;
			continue;
		}
		if (!isdigit((unsigned char)w.p[i]) || digits == 9 || value > UINT64_MAX / 16)
			return false;
		value = value * 10 + (uint64_t)(w.p[i] - '0');
		digits += digits >= 0;
	}
	if (w.len == 0 || digits < 0)
		return false;
	for (; digits < 9; digits++)
		value *= 10;
	*ns = value;
	return true;
}

/* "[001]" */
static bool parse_cpu(struct span w, uint16_t *cpu)
{
	unsigned int n = 0;

	if (w.len < 3 || w.p[0] != '[' || w.p[w.len - 1] != ']')
		return false;
	for (size_t i = 1; i + 1 < w.len; i++) {
		if (!isdigit((unsigned char)w.p[i]) || n >= TRACE_MAX_CPUS)
			return false;
		n = n * 10 + (unsigned int)(w.p[i] - '0');
	}
	if (n >= TRACE_MAX_CPUS)
		return false;
	*cpu = (uint16_t)n;
	return true;
}

/* "d.s1." and the older four letters: interrupts off, reschedule, context, preempt depth. */
static bool parse_flags(const char *f, size_t len, uint8_t *ctx)
{
	uint8_t c = 0;

	if (len < 4 || len > 6 || !strchr(".dDbBX", f[0]) || !strchr(".hHszZ", f[2]))
		return false;
	if (f[0] == 'd' || f[0] == 'D')
		c |= TRACE_IRQS_OFF;
	if (f[2] == 's')
		c |= TRACE_SOFTIRQ;
	if (f[2] == 'h' || f[2] == 'H')
		c |= TRACE_HARDIRQ;
	if (f[2] == 'z' || f[2] == 'Z')
		c |= TRACE_NMI;
	if (f[3] != '.' && f[3] != '0')
		c |= TRACE_NO_PREEMPT;
	*ctx = c;
	return true;
}

/* "1d.s1.": the CPU's number and the flags in one word. */
static bool parse_cpu_flags(struct span w, struct trace_event *ev)
{
	unsigned int cpu = 0;
	size_t i = 0;

	for (; i < w.len && isdigit((unsigned char)w.p[i]) && cpu < TRACE_MAX_CPUS; i++)
		cpu = cpu * 10 + (unsigned int)(w.p[i] - '0');
	if (i == 0 || cpu >= TRACE_MAX_CPUS || !parse_flags(w.p + i, w.len - i, &ev->ctx))
		return false;
	ev->cpu = (uint16_t)cpu;
	return true;
}

/* False if there is no CPU in it: then this is not the head of an event. */
static bool parse_head(const char *line, size_t len, struct trace_event *ev, uint64_t *ns)
{
	struct span w = last_word(line, &len);

	*ns = 0;
	if (!parse_time(w, ns))
		return false;
	w = last_word(line, &len);
	if (parse_cpu(w, &ev->cpu) || parse_cpu_flags(w, ev))
		return true;
	return parse_flags(w.p, w.len, &ev->ctx) && parse_cpu(last_word(line, &len), &ev->cpu);
}

/* ---- The body ------------------------------------------------------------------------------ */

/* Value of " key=" up to the next blank; absent: p is NULL. */
static struct span field(const char *body, const char *key)
{
	size_t n = strlen(key);
	struct span v = {NULL, 0};

	for (const char *p = strstr(body, key); p; p = strstr(p + 1, key)) {
		if (p > body && p[-1] == ' ' && p[n] == '=') {
			v.p = p + n + 1;
			v.len = strcspn(v.p, " \t\r\n");
			return v;
		}
	}
	return v;
}

/* Decimal, 0x hex, "(nil)"; in base 16 also bare digits, as tracefs prints pointers. */
static bool number(struct span v, int base, uint64_t *value)
{
	char digits[32], *end;

	if (!v.p || v.len == 0 || v.len >= sizeof(digits))
		return false;
	if ((v.len == 5 && !memcmp(v.p, "(nil)", 5)) || (v.len == 6 && !memcmp(v.p, "(null)", 6))) {
		*value = 0;
		return true;
	}
	memcpy(digits, v.p, v.len);
	digits[v.len] = '\0';
	errno = 0;
	*value = strtoull(digits, &end, base);
	return isxdigit((unsigned char)digits[0]) && *end == '\0' && errno == 0;
}

static bool number32(struct span v, uint32_t max, uint32_t *value)
{
	uint64_t n;

	if (!number(v, 0, &n) || n > max)
		return false;
	*value = (uint32_t)n;
	return true;
}

/* A cache's name may hold blanks: it ends where the next key begins, or with the line. */
static uint16_t parse_name(struct trace *t, const char *body, struct trace_event *ev)
{
	struct span v = field(body, "name");
	const char *end;
	char made[32];

	if (!v.p) { /* before 6.1 an allocation did not tell its cache */
		int n = snprintf(made, sizeof(made), "size-%u", ev->alloc);

		return ev->alloc ? trace_cache(t, made, (size_t)n) : TRACE_NO_CACHE;
	}
	end = strstr(v.p, " bytes_req=");
	v.len = end ? (size_t)(end - v.p) : strcspn(v.p, "\r\n");
	while (v.len && v.p[v.len - 1] == ' ')
		v.len--;
	return trace_cache(t, v.p, v.len);
}

static bool parse_gfp(struct trace *t, const char *body, struct trace_event *ev)
{
	static struct { /* a recording has a few dozen masks, in long runs */
		char text[256];
		size_t len;
		uint32_t gfp;
		uint64_t unknown;
	} cache[8];
	struct span v = field(body, "gfp_flags");
	size_t slot = v.len % 8;

	if (!v.p || v.len == 0)
		return false;
	if (v.len < sizeof(cache[0].text) && cache[slot].len == v.len &&
	    !memcmp(cache[slot].text, v.p, v.len)) {
		ev->gfp = cache[slot].gfp;
		t->gfp_unknown += cache[slot].unknown;
		return true;
	}
	cache[slot].unknown = t->gfp_unknown;
	ev->gfp = trace_gfp(t, v.p, v.len);
	cache[slot].unknown = t->gfp_unknown - cache[slot].unknown;
	cache[slot].gfp = ev->gfp;
	cache[slot].len = v.len < sizeof(cache[0].text) ? v.len : 0;
	memcpy(cache[slot].text, v.p, cache[slot].len);
	return true;
}

static bool parse_slab(struct trace *t, const char *body, struct trace_event *ev)
{
	if (!number(field(body, "ptr"), 16, &ev->addr))
		return false;
	if (ev->kind == TRACE_KFREE)
		return true;
	if (ev->kind == TRACE_CACHE_FREE) {
		ev->cache = parse_name(t, body, ev);
		return true;
	}
	if (!number32(field(body, "bytes_req"), UINT32_MAX, &ev->req) ||
	    !number32(field(body, "bytes_alloc"), UINT32_MAX, &ev->alloc) ||
	    !parse_gfp(t, body, ev))
		return false;
	if (ev->kind == TRACE_KMALLOC)
		return true;
	ev->cache = parse_name(t, body, ev);
	return ev->cache != TRACE_NO_CACHE;
}

static bool parse_page(struct trace *t, const char *body, struct trace_event *ev)
{
	struct span page = field(body, "page");
	uint32_t order;

	if (!number(field(body, "pfn"), 0, &ev->addr) ||
	    !number32(field(body, "order"), MAX_PAGE_ORDER, &order))
		return false;
	ev->order = (uint8_t)order;
	if (page.p && page.len > 4 && page.p[0] == '(')
		ev->addr = 0; /* "(nil)", "(null)": the allocation failed */
	return ev->kind == TRACE_PAGE_FREE || parse_gfp(t, body, ev);
}

/* ---- Lines --------------------------------------------------------------------------------- */

/* "CPU:1 [LOST 10 EVENTS]" and "CPU 1 [10 EVENTS DROPPED]" */
static uint64_t parse_lost(const char *line)
{
	const char *p = strstr(line, "EVENTS");
	const char *open = p ? strchr(line, '[') : NULL;

	if (!open || open > p)
		return 0;
	while (open < p && !isdigit((unsigned char)*open))
		open++;
	return open < p ? strtoull(open, NULL, 10) : 0;
}

static void parse_line(struct trace *t, const char *line)
{
	struct trace_event ev = {.cache = TRACE_NO_CACHE};
	size_t head_len = 0;
	const char *body = NULL;
	uint64_t ns;
	bool ok;
	enum trace_kind kind = find_event(line, &head_len, &body);

	if (kind == TRACE_NR_KINDS) {
		t->lost += parse_lost(line);
		t->other += line[0] != '#' && line[strspn(line, " \t\r\n")] != '\0';
		return;
	}
	ev.kind = (uint8_t)kind;
	ok = parse_head(line, head_len, &ev, &ns) &&
	     (kind >= TRACE_PAGE_ALLOC ? parse_page(t, body, &ev) : parse_slab(t, body, &ev));
	if (ok)
		trace_add(t, &ev, ns);
	else
		trace_add_bad(t, line);
}

const char *trace_read_text(struct trace *t, int fd)
{
	int own = dup(fd);
	FILE *in = own < 0 ? NULL : fdopen(own, "r");
	char *line = NULL;
	size_t cap = 0;
	bool binary = false, failed;

	if (!in)
		return "cannot be read";
	rewind(in);
	for (ssize_t n; !binary && (n = getline(&line, &cap, in)) >= 0;) {
		binary = memchr(line, 0, (size_t)n) != NULL;
		if (!binary)
			parse_line(t, line);
	}
	failed = ferror(in) != 0;
	free(line);
	fclose(in);
	snprintf(t->format, sizeof(t->format), "text");
	if (binary)
		return "damaged: there is binary data in the text";
	return failed ? "read error" : NULL;
}
