/* SPDX-License-Identifier: MIT */
/*
 * The text of an injector (semantics 10.9): four numbers, which the kernel takes on its command line,
 * and after them what it has as files under debugfs, by the same names. One table says what there is.
 */
#include "gfp/gfp.h"

enum { PERCENT = 100, FAULT_MIN_ORDER = 1, VERBOSE_ALL = 2 };
enum attr_kind { ATTR_FLAG, ATTR_U32, ATTR_ADDRESS, ATTR_CALLS };

struct attr_word {
	const char *name;
	size_t at;
	enum attr_kind kind;
	u32 max;
};
#define AT(field) offsetof(struct fault_attr, field)

static const struct attr_word words[] = {
	{"ignore-gfp-wait", AT(ignore_wait), ATTR_FLAG, 0},
	{"ignore-gfp-highmem", AT(ignore_highmem), ATTR_FLAG, 0},
	{"cache-filter", AT(cache_filter), ATTR_FLAG, 0},
	{"task-filter", AT(task_filter), ATTR_FLAG, 0},
	{"min-order", AT(min_order), ATTR_U32, INT32_MAX},
	{"verbose", AT(verbose), ATTR_U32, VERBOSE_ALL},
	{"verbose_ratelimit_interval_ms", AT(limit.interval_ms), ATTR_U32, INT32_MAX},
	{"verbose_ratelimit_burst", AT(limit.burst), ATTR_U32, INT32_MAX},
	{"require-start", AT(require_start), ATTR_ADDRESS, 0},
	{"require-end", AT(require_end), ATTR_ADDRESS, 0},
	{"reject-start", AT(reject_start), ATTR_ADDRESS, 0},
	{"reject-end", AT(reject_end), ATTR_ADDRESS, 0},
	{"stacktrace-depth", AT(depth), ATTR_U32, FAULT_DEPTH_MAX},
	{"calls", AT(calls), ATTR_CALLS, 0},
};

/* A number up to max; moves *s behind it. end: what may follow beside the end of the text. */
static bool parse_u64(const char **s, u64 max, char end, u64 *value)
{
	size_t n = str_parse_size(*s, value);

	if (n == 0 || *value > max || ((*s)[n] && (*s)[n] != ',' && (*s)[n] != end))
		return false;
	*s += n;
	return true;
}

/* '-' allowed. */
static bool parse_s32(const char **s, s32 *value)
{
	const char *p = *s;
	bool negative = *p == '-';
	u64 v;

	p += negative;
	if (!parse_u64(&p, INT32_MAX, ',', &v))
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

/* "3:7:20": numbers of calls, ascending, from 1. */
static bool parse_calls(const char **s, struct fault_attr *attr)
{
	u64 v, last = 0;

	for (attr->nr_calls = 0; attr->nr_calls < FAULT_CALLS_MAX; last = v) {
		if (!parse_u64(s, UINT32_MAX, ':', &v) || v <= last)
			return false;
		attr->calls[attr->nr_calls++] = (u32)v;
		if (**s != ':')
			return true;
		*s += 1;
	}
	return false;
}

static bool parse_value(const char **s, const struct attr_word *w, struct fault_attr *attr)
{
	void *field = (char *)attr + w->at;
	u64 v;

	switch (w->kind) {
	case ATTR_FLAG:
		return parse_flag(s, field);
	case ATTR_CALLS:
		return parse_calls(s, attr);
	case ATTR_U32:
		if (!parse_u64(s, w->max, ',', &v))
			return false;
		*(u32 *)field = (u32)v;
		return true;
	case ATTR_ADDRESS:
		if (!parse_u64(s, UINTPTR_MAX, ',', &v))
			return false;
		*(uintptr_t *)field = (uintptr_t)v;
		return true;
	}
	return false;
}

/* "name=value" */
static bool parse_word(const char **s, struct fault_attr *attr)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t len = str_len(words[i].name);

		if (str_neq(*s, words[i].name, len) && (*s)[len] == '=') {
			*s += len + 1;
			return parse_value(s, &words[i], attr);
		}
	}
	return false;
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
		.verbose = VERBOSE_ALL,
		.limit = {.burst = UINT32_MAX},
		.require_end = UINTPTR_MAX,
		.depth = FAULT_DEPTH_MAX,
	};

	if (text && *text) {
		if (!parse_numbers(&text, &parsed))
			return -KE_INVAL;
		while (*text++ == ',')
			if (!parse_word(&text, &parsed))
				return -KE_INVAL;
		parsed.active = true;
	}
	*attr = parsed;
	return 0;
}
