/* SPDX-License-Identifier: MIT */
/*
 * Failures made on purpose (semantics 10.9): the decision, which page and object allocation share,
 * and the page allocator's own injector.
 *
 * A decision goes through gates in a fixed order; the first that says "pass" ends it:
 *
 *	fail_nth of the task	set: fails exactly when the count runs out, nothing else is asked
 *	probability 0, times 0	pass
 *	space			size still fits: it is used up, pass
 *	interval		not the interval-th that came so far: pass
 *	probability		the port's random number says: pass
 *
 * The counts are shared by all tasks and move by atomics, so that of any number of concurrent
 * decisions exactly `times` fail.
 */
#include "gfp/gfp.h"

enum { PERCENT = 100, FAULT_MIN_ORDER = 1 };

static struct fault_attr fault_page = {.name = "fail_page_alloc"};

/* ---- Parsing ------------------------------------------------------------------------------------ */

/* A decimal number, '-' allowed; moves *s behind it. */
static bool parse_s32(const char **s, s32 *value)
{
	const char *p = *s;
	bool negative = *p == '-';
	u64 v;
	size_t n;

	p += negative;
	if (*p < '0' || *p > '9')
		return false;
	n = str_parse_size(p, &v);
	if (n == 0 || v > INT32_MAX)
		return false;
	p += n;
	if (*p && *p != ',')
		return false;
	*value = negative ? -(s32)v : (s32)v;
	*s = p;
	return true;
}

static bool parse_flag(const char **s, bool *flag)
{
	char c = **s;

	if (c == 'Y' || c == 'y' || c == '1')
		*flag = true;
	else if (c == 'N' || c == 'n' || c == '0')
		*flag = false;
	else
		return false;
	*s += 1;
	return **s == '\0' || **s == ',';
}

/* "name=": moves *s behind it. */
static bool parse_name(const char **s, const char *name)
{
	size_t len = str_len(name);

	if (!str_neq(*s, name, len) || (*s)[len] != '=')
		return false;
	*s += len + 1;
	return true;
}

static bool parse_extra(const char **s, struct fault_attr *attr)
{
	s32 order;

	if (parse_name(s, "ignore-gfp-wait"))
		return parse_flag(s, &attr->ignore_wait);
	if (parse_name(s, "ignore-gfp-highmem"))
		return parse_flag(s, &attr->ignore_highmem);
	if (parse_name(s, "cache-filter"))
		return parse_flag(s, &attr->cache_filter);
	if (!parse_name(s, "min-order") || !parse_s32(s, &order) || order < 0)
		return false;
	attr->min_order = (u32)order;
	return true;
}

static bool parse_numbers(const char **s, struct fault_attr *attr)
{
	s32 v[4];

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		if (i > 0 && *(*s)++ != ',')
			return false;
		if (!parse_s32(s, &v[i]))
			return false;
	}
	if (v[0] < 0 || v[1] < 0 || v[1] > PERCENT || v[2] < 0 || v[3] < -1)
		return false;
	attr->interval = (u32)v[0];
	attr->probability = (u32)v[1];
	attr->space = v[2];
	attr->times = v[3];
	return true;
}

int fault_parse(struct fault_attr *attr, const char *text)
{
	struct fault_attr parsed = {
		.name = attr->name,
		.ignore_wait = true,
		.ignore_highmem = true,
		.min_order = FAULT_MIN_ORDER,
		.interval = 1,
		.times = 1,
	};

	if (text && *text) {
		if (!parse_numbers(&text, &parsed))
			return -KE_INVAL;
		while (*text++ == ',')
			if (!parse_extra(&text, &parsed))
				return -KE_INVAL;
		parsed.active = true;
	}
	*attr = parsed;
	return 0;
}

int fault_setup(const char *text)
{
	return fault_parse(&fault_page, text);
}

/* ---- The decision ------------------------------------------------------------------------------- */

static bool space_left(struct fault_attr *attr, long size)
{
	s32 space = atom_load(&attr->space);

	while (space > size)
		if (atom_cas(&attr->space, &space, space - (s32)size))
			return true;
	return false;
}

/* left: failures that were left before this one. */
static bool times_take(struct fault_attr *attr, s32 *left)
{
	*left = atom_load(&attr->times);
	while (*left > 0)
		if (atom_cas(&attr->times, left, *left - 1))
			return true;
	return *left < 0;
}

static bool fault_decide(struct fault_attr *attr, long size, s32 *left)
{
	struct port_task *task = port_task();
	u32 interval = attr->interval;

	*left = atom_load(&attr->times);
	if (task->fail_nth > 0)
		return --task->fail_nth == 0;
	if (attr->probability == 0 || *left == 0)
		return false;
	if (space_left(attr, size))
		return false;
	if (interval > 1 && (atom_add(&attr->count, 1) + 1) % interval != 0)
		return false;
	if (attr->probability <= (u32)(port_random64() >> 32) % PERCENT)
		return false;
	return times_take(attr, left);
}

bool fault_should_fail(struct fault_attr *attr, long size, gfp_t gfp)
{
	s32 left;

	assert_debug(size > 0);
	if (!fault_decide(attr, size, &left))
		return false;
	if (!(gfp & __GFP_NOWARN))
		report(KMEM_LOG_WARN,
		       "FAULT_INJECTION: forcing a failure.\n"
		       "name %s, interval %u, probability %u, space %d, times %d",
		       attr->name ? attr->name : "failslab", attr->interval, attr->probability,
		       (int)atom_load(&attr->space), (int)left);
	return true;
}

/* With fail_nth set blocking and highmem requests are failable too: what it is for is trying all. */
bool gfp_should_fail(gfp_t gfp, unsigned int order)
{
	bool nth = unlikely(port_task()->fail_nth > 0);

	if (likely(!fault_page.active && !nth))
		return false;
	if (order < fault_page.min_order || gfp & (__GFP_NOFAIL | __GFP_KMEM_TRYLOCK))
		return false;
	if (!nth && fault_page.ignore_highmem && gfp & __GFP_HIGHMEM)
		return false;
	if (!nth && fault_page.ignore_wait && gfp & __GFP_DIRECT_RECLAIM)
		return false;
	return fault_should_fail(&fault_page, 1L << order, gfp);
}
