/* SPDX-License-Identifier: MIT */
/* Strings, as far as names and command lines need them. */
#include "base/base.h"

size_t str_len(const char *s)
{
	size_t n = 0;

	assert_debug(s);
	while (s[n] != '\0')
		n++;
	return n;
}

bool str_eq(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

bool str_neq(const char *a, const char *b, size_t n)
{
	for (; n > 0; n--, a++, b++) {
		if (*a != *b)
			return false;
		if (*a == '\0')
			return true;
	}
	return true;
}

void str_copy(char *dst, const char *src, size_t size)
{
	size_t n = 0;

	assert_always(size > 0);
	for (; n + 1 < size && src[n] != '\0'; n++)
		dst[n] = src[n];
	dst[n] = '\0';
}

/* Value of a digit, or 16 for what is none. */
static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 16;
}

/* Powers of 1024 that a suffix stands for; 0 for what is no suffix. */
static unsigned int suffix_shift(char c)
{
	switch (c) {
	case 'k':
	case 'K':
		return 10;
	case 'm':
	case 'M':
		return 20;
	case 'g':
	case 'G':
		return 30;
	case 't':
	case 'T':
		return 40;
	default:
		return 0;
	}
}

size_t str_parse_size(const char *s, u64 *value)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && digit_value(s[2]) < 16;
	/* The largest value another digit can be shifted into; constants, so no division is left. */
	const u64 limit = hex ? UINT64_MAX / 16 : UINT64_MAX / 10;
	unsigned int base = hex ? 16 : 10, shift;
	size_t first = hex ? 2 : 0, i = first;
	u64 v = 0;

	for (; digit_value(s[i]) < base; i++) {
		unsigned int d = digit_value(s[i]);

		if (v > limit || v * base > UINT64_MAX - d)
			return 0;
		v = v * base + d;
	}
	if (i == first)
		return 0;
	shift = suffix_shift(s[i]);
	if (v > UINT64_MAX >> shift)
		return 0;
	*value = v << shift;
	return shift ? i + 1 : i;
}
