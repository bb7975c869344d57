/* SPDX-License-Identifier: MIT */
/* base: formatting, strings, sizes, arithmetic. The C library is the oracle where it can be. */
#include <stdio.h>
#include <string.h>
#include "base/base.h"
#include "tap.h"

/* Variable formats are the point here. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-security"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wformat-overflow"
#pragma GCC diagnostic ignored "-Wformat-truncation"
#endif

#define same(...)                                                   \
	do {                                                        \
		char a_[256], b_[256];                              \
		int n_ = snprintf(a_, sizeof(a_), __VA_ARGS__);     \
		int m_ = fmt_snprintf(b_, sizeof(b_), __VA_ARGS__); \
		is(m_, n_, "length of \"%s\"", a_);                 \
		is_str(b_, a_, "text");                             \
	} while (0)

/* A random conversion for an integer; no #, which differs from the C library for zero. */
static void random_format(char *f, size_t size, const char *length)
{
	static const char conv[] = "diuxXo";
	char width[8] = "", precision[8] = "";

	if (tap_below(2))
		snprintf(width, sizeof(width), "%u", 1 + tap_below(25));
	if (tap_below(3) == 0)
		snprintf(precision, sizeof(precision), ".%u", tap_below(22));
	snprintf(f, size, "<%%%s%s%s%s%s%s%s%c>", tap_below(3) ? "" : "-", tap_below(3) ? "" : "0",
		 tap_below(4) ? "" : "+", tap_below(4) ? "" : " ", width, precision, length,
		 conv[tap_below(6)]);
}

/* A number of random width, so that small ones and both ends come up. */
static uint64_t random_number(void)
{
	uint64_t v = tap_rand() >> tap_below(64);

	return tap_below(8) == 0 ? 0 : tap_below(2) ? v : 0 - v;
}

TEST(numbers_print_as_the_c_library_prints_them)
{
	for (int i = 0; i < 20000; i++) {
		uint64_t v = random_number();
		char f[64];

		random_format(f, sizeof(f), "");
		same(f, (unsigned int)v);
		random_format(f, sizeof(f), "hh");
		same(f, (int)(unsigned char)v);
		random_format(f, sizeof(f), "h");
		same(f, (int)(unsigned short)v);
		random_format(f, sizeof(f), "l");
		same(f, (unsigned long)v);
		random_format(f, sizeof(f), "ll");
		same(f, (unsigned long long)v);
		random_format(f, sizeof(f), "z");
		same(f, (size_t)v);
		random_format(f, sizeof(f), "t");
		same(f, (ptrdiff_t)v);
		random_format(f, sizeof(f), "j");
		same(f, (uintmax_t)v);
	}
}

TEST(text_width_precision_and_stars)
{
	same("[%s] [%10s] [%-10s] [%.2s] [%10.3s] [%c%5c%-3c] 100%%", "abc", "abc", "abc", "abc",
	     "abcdef", 'x', 'y', 'z');
	same("%*d|%-*d|%.*d|%*.*s|", 7, 42, 7, 42, 5, 42, 6, 2, "text");
	same("%*d|", -7, 42);
	same("%.*d|%.*s|", -1, 42, -1, "whole");
	same("%.0d|%.d|", 0, 0);
	same("%#x %#X %#o", 0x1fu, 0xABu, 8u);
	same("%d %d %lld", INT32_MIN, INT32_MAX, (long long)INT64_MIN);
}

TEST(kernel_forms_differ_from_the_c_library_where_they_must)
{
	char buf[64];

	fmt_snprintf(buf, sizeof(buf), "%#x", 0u);
	is_str(buf, "0x0");
	fmt_snprintf(buf, sizeof(buf), "%p", (void *)0x1000);
	is_str(buf, sizeof(void *) == 8 ? "0000000000001000" : "00001000");
	fmt_snprintf(buf, sizeof(buf), "0x%p", (void *)0);
	is_str(buf, sizeof(void *) == 8 ? "0x0000000000000000" : "0x00000000");
	fmt_snprintf(buf, sizeof(buf), "%s", (const char *)NULL);
	is_str(buf, "(null)");
}

TEST(what_does_not_fit_is_counted_and_the_end_is_kept)
{
	char buf[8];

	memset(buf, 'x', sizeof(buf));
	is(fmt_snprintf(buf, 4, "%s", "abcdef"), 6);
	is_str(buf, "abc");
	is(buf[4], 'x', "written past the size");
	is(fmt_snprintf(buf, 1, "%d", 12345), 5);
	is_str(buf, "");
	is(fmt_snprintf(NULL, 0, "%d", 12345), 5);
	is(fmt_snprintf(buf, sizeof(buf), "a%"), 1, "a format that ends in %%");
	is_str(buf, "a");
}

TEST(sizes_parse_with_suffix_and_refuse_overflow)
{
	static const struct {
		const char *text;
		size_t used;
		uint64_t value;
	} good[] = {
		{"0", 1, 0},
		{"64M", 3, 64u << 20},
		{"64m:rest", 3, 64u << 20},
		{"0x10", 4, 16},
		{"0xfFk", 5, 255u << 10},
		{"3g", 2, (uint64_t)3 << 30},
		{"2T", 2, (uint64_t)2 << 40},
		{"12,", 2, 12},
		{"0x", 1, 0},
		{"18446744073709551615", 20, UINT64_MAX},
		{"0xffffffffffffffff", 18, UINT64_MAX},
	};
	static const char *const bad[] = {"",
					  "M",
					  "-1",
					  " 1",
					  "18446744073709551616",
					  "0x10000000000000000",
					  "16777216T",
					  "99999999999999999999"};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		uint64_t v = 77;

		is(str_parse_size(good[i].text, &v), good[i].used, "%s", good[i].text);
		is(v, good[i].value, "%s", good[i].text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint64_t v = 77;

		is(str_parse_size(bad[i], &v), 0, "%s", bad[i]);
		is(v, 77, "a refusal changes nothing: %s", bad[i]);
	}
}

TEST(strings)
{
	char buf[4];

	is(str_len("abc"), 3);
	is(str_len(""), 0);
	ok(str_eq("abc", "abc") && !str_eq("abc", "abd") && !str_eq("ab", "abc") &&
	   !str_eq("abc", "ab") && str_eq("", ""));
	ok(str_neq("abcX", "abcY", 3) && !str_neq("abcX", "abcY", 4) && str_neq("a", "b", 0) &&
	   str_neq("ab", "ab", 9) && !str_neq("ab", "abc", 3));
	str_copy(buf, "abcdef", sizeof(buf));
	is_str(buf, "abc");
	str_copy(buf, "a", sizeof(buf));
	is_str(buf, "a");
}

TEST(division_and_roots_agree_with_the_hardware)
{
	for (int i = 0; i < 200000; i++) {
		uint64_t n = random_number(), d = random_number(), r;

		if (d)
			is(div_u64(n, d), n / d, "%llu / %llu", (unsigned long long)n,
			   (unsigned long long)d);
		r = isqrt_u64(n);
		ok(r <= UINT32_MAX && r * r <= n, "root of %llu", (unsigned long long)n);
		ok(r == UINT32_MAX || (r + 1) * (r + 1) > n, "root of %llu", (unsigned long long)n);
	}
	is(isqrt_u64(0), 0);
	is(isqrt_u64(UINT64_MAX), UINT32_MAX);
	is(div_u64(UINT64_MAX, 1), UINT64_MAX);
	is(div_u64(UINT64_MAX, UINT64_MAX), 1);
	is(div_u64(UINT64_MAX, (uint64_t)1 << 63), 1);
}
